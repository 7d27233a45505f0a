//! `eval --history`: a project's own incidents against the engine of today and, when asked for, the model.

use anyhow::{Context as _, bail};
use clap::Args;
use diagnosis::score;

use super::{Settings, print};
use crate::ai::Model;
use crate::ai::replay::{Again, Replay, replay};
use crate::auth::operator;
use crate::ids::ProjectId;

/// What `eval --history` takes.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    #[command(flatten)]
    settings: Settings,
    /// Replays a project's own incidents whose cause was confirmed, instead of a folder of cases. Writes nothing.
    #[arg(long)]
    pub history: bool,
    /// Somebody who is in the project.
    #[arg(long, requires = "history", required_if_eq("history", "true"))]
    email: Option<String>,
    /// The project; their first when it is not given.
    #[arg(long, requires = "history")]
    project: Option<ProjectId>,
    /// Asks the configured model about each incident as well; its calls cost money.
    #[arg(long, requires = "history")]
    model: bool,
    /// What all calls of the model may cost together, in USD. They are not in the ledger of the server.
    #[arg(long, requires = "model", value_name = "USD", default_value_t = 1.0)]
    budget_usd: f64,
}

/// Replays and prints the table.
///
/// # Errors
/// When the project can't be found or its database can't be read, or a model is asked for and none is configured.
pub async fn history(args: HistoryArgs) -> anyhow::Result<()> {
    let (config, _) = args.settings.load()?;
    let email = args.email.context("--history needs --email, the address of somebody in the project")?;
    let model = if args.model { Model::from_config(&config)? } else { Model::none() };
    if args.model && model.provider().is_none() {
        bail!("--model needs a configured model; OPENAI_API_KEY is one way");
    }
    let budget_micros = (args.budget_usd.clamp(0.0, 1e6) * 1e6).round() as i64;
    let again = args.model.then_some(Again { model: &model, budget_micros });
    let db = crate::db::open_existing(&config).await?;
    let found = operator::project_of(&db, &email, args.project).await;
    let replayed = match found {
        Ok((tenant, project)) => replay(&db, (tenant, project.id), again)
            .await
            .map(|replay| (project.name, replay))
            .map_err(Into::into),
        Err(error) => Err(error),
    };
    db.close().await;
    let (project, replay) = replayed?;
    lines(&project, &replay).iter().try_for_each(|line| print::line(line))
}

fn lines(project: &str, replay: &Replay) -> Vec<String> {
    let mut lines = vec![format!("{project}: {} incidents with a confirmed cause", replay.incidents)];
    if replay.scores.is_empty() {
        lines.push(
            "Nothing to replay: accept a hypothesis, or write the cause down when resolving.".to_owned(),
        );
    } else {
        // the rows are the same incidents, so their mean means nothing
        lines.extend(
            score::table(&replay.scores).lines().filter(|line| !line.starts_with("mean")).map(str::to_owned),
        );
    }
    lines.extend(replay.left_out.iter().map(|why| format!("left out: {why}")));
    if replay.calls > 0 {
        let usd = replay.spent_micros as f64 / 1e6;
        lines.push(format!("{} calls of the model, {usd:.4} USD", replay.calls));
    }
    lines
}
