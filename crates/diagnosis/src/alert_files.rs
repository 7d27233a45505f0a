//! Reading alert-only cases: one JSON object a line, no times and no values.

use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;

use crate::case::{Case, Direction, FiringAlert, Signal};
use crate::files::{CaseFile, ReadError, open};
use crate::kind::Kind;

#[derive(Debug, Deserialize)]
struct AlertCaseJson {
    case_id: String,
    #[serde(default)]
    dataset: String,
    alerts: Vec<AlertJson>,
    #[serde(default)]
    candidates: Vec<String>,
    #[serde(default)]
    graph: Vec<(String, String)>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum AlertJson {
    Metric { component: String, metric: String, direction: Direction },
    Trace { component: String, caller: Option<String>, anomaly: String },
    Log { component: String },
}

/// The cases of a `.jsonl` or `.jsonl.gz` file, in their order; a line that is not a case is an error of its own.
///
/// # Errors
/// When the file cannot be opened.
pub fn read_alert_cases(path: &Path) -> Result<Vec<Result<CaseFile, ReadError>>, ReadError> {
    let mut out = Vec::new();
    for line in BufReader::new(open(path)?).lines() {
        let line = match line {
            Ok(line) if line.trim().is_empty() => continue,
            Ok(line) => line,
            Err(source) => return Err(ReadError::Io { path: path.to_owned(), source }),
        };
        let parsed = serde_json::from_str::<AlertCaseJson>(&line);
        out.push(parsed.map(case_of).map_err(|source| ReadError::Json { path: path.to_owned(), source }));
    }
    Ok(out)
}

fn case_of(about: AlertCaseJson) -> CaseFile {
    let alerts = about.alerts.into_iter().map(alert).collect();
    let case = Case { alerts, candidates: about.candidates, graph: about.graph, ..Case::default() };
    CaseFile { case_id: about.case_id, dataset: about.dataset, case }
}

fn alert(about: AlertJson) -> FiringAlert {
    match about {
        AlertJson::Metric { component, metric, direction } => {
            let kind = Kind::of_words(&metric);
            FiringAlert { component, signal: Signal::Metric { metric, kind, direction } }
        }
        AlertJson::Trace { component, caller, anomaly } => {
            let failing = Kind::of_words(&anomaly) != Kind::Latency;
            FiringAlert { component, signal: Signal::Call { caller, failing } }
        }
        AlertJson::Log { component } => FiringAlert { component, signal: Signal::Log },
    }
}
