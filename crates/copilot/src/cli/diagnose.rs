//! `diagnose` and `eval`: the engine without a server.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use diagnosis::{Cause, Diagnosed, Diagnosis};

use super::history::HistoryArgs;
use super::print;

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For a person.
    #[default]
    Text,
    /// One JSON line, as `eval` writes it.
    Json,
}

/// What `diagnose` takes.
#[derive(Debug, Args)]
pub struct DiagnoseArgs {
    /// Metrics, a row a scrape: `time` in Unix seconds, then columns `service|metric`.
    #[arg(long, value_name = "FILE.csv[.gz]")]
    metrics: PathBuf,
    /// When the incident began, in Unix seconds; estimated when it is not given.
    #[arg(long, value_name = "UNIX", value_parser = time)]
    at: Option<f64>,
    /// Who calls whom: `{"graph": [["caller", "callee"], …]}`; `candidates`, `target_metric` and whatever else the
    /// `case.json` of `eval` may hold is read too.
    #[arg(long, value_name = "FILE.json")]
    topology: Option<PathBuf>,
    /// How the result is printed.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// What `eval` takes.
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// A folder of cases: `case.json` with `metrics.csv.gz` each, or `*.jsonl.gz` of alert-only cases.
    #[arg(required_unless_present = "history", conflicts_with = "history")]
    dir: Option<PathBuf>,
    /// Where the predictions go, one JSON line a case.
    #[arg(long, value_name = "OUT.jsonl", required_unless_present = "history", conflicts_with = "history")]
    predictions: Option<PathBuf>,
    /// A project's own incidents.
    #[command(flatten)]
    pub history: HistoryArgs,
}

/// A time in Unix seconds.
fn time(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "a time in Unix seconds is needed".to_owned())?;
    if seconds.is_finite() { Ok(seconds) } else { Err("a time in Unix seconds is needed".to_owned()) }
}

/// Ranks the causes of one incident.
///
/// # Errors
/// When a file can't be read, holds no metrics, or has none of the time that is asked about.
pub fn diagnose(args: &DiagnoseArgs) -> anyhow::Result<()> {
    let Diagnosed { diagnosis, prediction, span } =
        diagnosis::diagnose_file(&args.metrics, args.at, args.topology.as_deref())?;
    let file = args.metrics.display();
    let Some((first, last)) = span else { bail!("{file} has no row of metrics") };
    if args.at.is_some_and(|at| !(first..=last).contains(&at)) {
        bail!("--at lies outside of {file}, which has {first} to {last}");
    }
    match args.output {
        Output::Json => print::line(&serde_json::to_string(&prediction)?),
        Output::Text => text(&diagnosis).iter().try_for_each(|line| print::line(line)),
    }
}

fn text(diagnosis: &Diagnosis) -> Vec<String> {
    let mut lines: Vec<String> =
        diagnosis.causes.iter().take(5).zip(1..).flat_map(|(cause, rank)| one(rank, cause)).collect();
    lines.push(format!(
        "    {:>4.0}%  none of these, or not visible in these metrics",
        diagnosis.none_of_these * 100.0
    ));
    lines
}

fn one(rank: usize, cause: &Cause) -> Vec<String> {
    let mut lines =
        vec![format!("{rank:>2}. {:>4.0}%  {}", cause.probability * 100.0, print::plain(&cause.service))];
    for metric in cause.metrics.iter().take(2) {
        lines.push(format!(
            "            {}: {} against {} before",
            print::plain(&metric.metric),
            metric.value,
            metric.baseline
        ));
    }
    lines
}

/// Diagnoses every case of a folder.
///
/// # Errors
/// When the folder or a line of alerts can't be read. A folder with `case.json` has its line from whatever of it could be
/// read, and a warning says what could not.
pub fn eval(args: &EvalArgs) -> anyhow::Result<()> {
    let (Some(dir), Some(predictions)) = (&args.dir, &args.predictions) else {
        bail!("eval needs a folder of cases and --predictions, or --history");
    };
    let mut found = diagnosis::evaluate(dir)?.peekable();
    // a folder that can't be read, or holds nothing, leaves no file behind
    if found.peek().is_none() {
        bail!("{} holds no case: a folder with case.json, or a file *.jsonl.gz of alerts", dir.display());
    }
    let file = std::fs::File::create(predictions);
    let mut out =
        std::io::BufWriter::new(file.with_context(|| format!("creating {}", predictions.display()))?);
    let (mut written, mut lost, mut partly) = (0, 0, 0);
    for found in found {
        let problem = match found {
            Ok(found) => {
                writeln!(out, "{}", serde_json::to_string(&found.prediction)?)?;
                written += 1;
                partly += usize::from(found.unread.is_some());
                found.unread
            }
            Err(error) => {
                lost += 1;
                Some(error)
            }
        };
        if let Some(problem) = problem {
            eprintln!("sre-copilot: {:#}", anyhow::Error::from(problem));
        }
    }
    out.flush()?;
    eprintln!("{written} cases diagnosed, predictions in {}", predictions.display());
    if lost + partly > 0 {
        bail!("{lost} cases could not be read, and {partly} only in part, which have a line all the same");
    }
    Ok(())
}
