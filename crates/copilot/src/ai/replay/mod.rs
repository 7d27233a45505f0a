//! A project's own incidents, again: what today's engine, or a model, makes of the evidence that was stored with them, beside
//! what was answered then. Only incidents whose cause people confirmed count. Nothing is written.

pub mod store;
mod stored;

use std::collections::{BTreeMap, BTreeSet};

use diagnosis::Prediction;
use diagnosis::score::{self, Score, Truth};
use outbox::Db;
use tokio::time::Instant;

use super::diagnose::history::names;
use super::diagnose::{self, Conclusion, Proposal};
use super::evidence::{Facts, Gathered};
use super::model::Model;
use super::prompt::{self, answer, merge};
use crate::error::Result;
use crate::ids::{ProjectId, TenantId};
use store::Confirmed;

/// The row of today's engine.
pub const NOW: &str = "engine, now";

/// The row of what the engine answered when the incident was analysed.
pub const THEN: &str = "engine, then";

/// A model that is asked again.
#[derive(Clone, Copy, Debug)]
pub struct Again<'a> {
    /// The model.
    pub model: &'a Model,
    /// Micro-USD that all its calls may cost together.
    pub budget_micros: i64,
}

/// What came of a replay.
#[derive(Debug, Default)]
pub struct Replay {
    /// A row for each who answered.
    pub scores: Vec<Score>,
    /// Incidents that counted.
    pub incidents: usize,
    /// Incidents that did not count, and calls that failed, in words.
    pub left_out: Vec<String>,
    /// Calls of the model.
    pub calls: usize,
    /// Micro-USD that they cost, or count as where the price is not listed.
    pub spent_micros: i64,
}

/// Answers and what is right, as they come together.
#[derive(Default)]
struct Tally {
    truths: BTreeMap<String, Truth>,
    predictions: Vec<Prediction>,
    replay: Replay,
}

impl Tally {
    fn add(&mut self, who: &str, number: i64, right: &[String], ranking: Vec<(String, f64)>) {
        let case_id = format!("INC-{number} {who}");
        self.truths.insert(case_id.clone(), Truth::of(&case_id, who, right));
        let (ranking, confidence) = ranking.into_iter().unzip();
        self.predictions.push(Prediction { case_id, ranking, metric_ranking: Vec::new(), confidence });
    }
}

/// Replays the confirmed incidents of one project, oldest first.
///
/// # Errors
/// When the database refused.
pub async fn replay(
    db: &Db,
    (tenant, project): (TenantId, ProjectId),
    again: Option<Again<'_>>,
) -> Result<Replay> {
    let mut tx = db.read(tenant.0).await?;
    let confirmed = store::confirmed(&mut tx, tenant, project).await?;
    drop(tx);
    let mut tally = Tally::default();
    for incident in confirmed {
        one(db, tenant, &incident, again, &mut tally).await?;
    }
    tally.replay.scores = score::score(&tally.truths, &tally.predictions);
    Ok(tally.replay)
}

async fn one(
    db: &Db,
    tenant: TenantId,
    incident: &Confirmed,
    again: Option<Again<'_>>,
    tally: &mut Tally,
) -> Result<()> {
    let mut tx = db.read(tenant.0).await?;
    let Some(newest) = store::newest(&mut tx, tenant, incident.id).await? else {
        tally.replay.left_out.push(format!("INC-{}: it was never analysed", incident.number));
        return Ok(());
    };
    let evidence = super::store::evidence(&mut tx, tenant, incident.id, newest.id).await?;
    let answered = super::store::hypotheses(&mut tx, tenant, newest.id).await?;
    drop(tx);
    let then: Vec<(String, f64)> =
        answered.into_iter().filter_map(|one| Some((one.suspected_service?, one.confidence_score))).collect();
    let gathered = stored::gathered(Facts::read(db, tenant, incident.id).await?, &evidence);
    let right = right(incident, &gathered, &then);
    if right.is_empty() {
        let why = "its cause names no service that its evidence knows";
        tally.replay.left_out.push(format!("INC-{}: {why}", incident.number));
        return Ok(());
    }
    tally.replay.incidents += 1;
    let conclusion = diagnose::conclude(&gathered);
    tally.add(newest.model.as_deref().unwrap_or(THEN), incident.number, &right, then);
    tally.add(NOW, incident.number, &right, ranking(&conclusion.proposals));
    if let Some(again) = again {
        match ask(again, &gathered, &conclusion, &mut tally.replay).await {
            Ok(proposals) => {
                let who = format!("{}, now", again.model.name().unwrap_or_default());
                tally.add(&who, incident.number, &right, ranking(&proposals));
            }
            Err(why) => tally.replay.left_out.push(format!("INC-{}, model: {why}", incident.number)),
        }
    }
    Ok(())
}

/// The services that are right: those that the written cause names, else the one of the hypothesis that was accepted.
fn right(incident: &Confirmed, gathered: &Gathered, then: &[(String, f64)]) -> Vec<String> {
    let facts = &gathered.facts;
    let mut known: BTreeSet<&str> = then.iter().map(|(service, _)| service.as_str()).collect();
    known.extend(gathered.metrics.measured.iter().map(|one| one.service.as_str()));
    known.extend(gathered.metrics.graph.iter().flat_map(|(a, b)| [a.as_str(), b.as_str()]));
    known.extend(facts.changes.iter().map(|change| change.service_name.as_str()));
    known.extend(facts.nearby.iter().filter_map(|alert| alert.service_name.as_deref()));
    known.extend(facts.service());
    let cause = incident.root_cause.as_deref().unwrap_or_default();
    let named: Vec<String> =
        known.iter().filter(|service| names(cause, service)).map(|one| (*one).to_owned()).collect();
    if named.is_empty() { incident.accepted.iter().cloned().collect() } else { named }
}

fn ranking(proposals: &[Proposal]) -> Vec<(String, f64)> {
    proposals.iter().filter_map(|one| Some((one.service.clone()?, one.confidence))).collect()
}

/// Asks the model about the same evidence; the error is for a person.
async fn ask(
    again: Again<'_>,
    gathered: &Gathered,
    conclusion: &Conclusion,
    replay: &mut Replay,
) -> std::result::Result<Vec<Proposal>, String> {
    let provider = again.model.provider().ok_or("no model is configured")?;
    let prompt = prompt::write(gathered, conclusion, &format!("{:032x}", rand::random::<u128>()));
    let most = again.model.most_micros(&prompt.request).ok_or("nothing tells what a call may cost")?;
    if replay.spent_micros.saturating_add(most) > again.budget_micros {
        return Err("the budget of this replay is used up".to_owned());
    }
    replay.calls += 1;
    // a call whose answer is lost is paid for as well
    let reply = provider.complete(&prompt.request, Instant::now() + again.model.call_limit()).await.map_err(
        |failure| {
            replay.spent_micros += most;
            failure.to_string()
        },
    )?;
    replay.spent_micros += reply.usage.and_then(|usage| again.model.cost_micros(&usage)).unwrap_or(most);
    let answer = answer::read(&reply.text, &prompt).map_err(|reason| reason.to_string())?;
    Ok(merge::merge(&conclusion.proposals, &answer.said, &conclusion.evidence))
}
