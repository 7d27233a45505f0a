//! Reading alert-only cases: one JSON object a line, no times and no values.

use std::io::{BufRead, BufReader};
use std::path::Path;

use serde_json::{Map, Value};

use crate::case::{Case, Direction, FiringAlert, Signal};
use crate::case_files::{CaseFile, aliases, call, list};
use crate::files::{ReadError, open};
use crate::kind::Kind;

/// The cases of a `.jsonl` or `.jsonl.gz` file, in their order; a line that is not a case, and the place from which on
/// the file cannot be read, is an error of its own.
///
/// # Errors
/// When the file cannot be opened.
pub fn read_alert_cases(path: &Path) -> Result<Vec<Result<CaseFile, ReadError>>, ReadError> {
    let mut out = Vec::new();
    for line in BufReader::new(open(path)?).lines() {
        match line {
            Ok(line) if line.trim().is_empty() => {}
            Ok(line) => {
                let parsed = serde_json::from_str(&line).and_then(case_of);
                out.push(parsed.map_err(|source| ReadError::Json { path: path.to_owned(), source }));
            }
            Err(source) => {
                out.push(Err(ReadError::Io { path: path.to_owned(), source }));
                break;
            }
        }
    }
    Ok(out)
}

/// A case needs its id; an alert that says nothing known is left out.
fn case_of(known: Map<String, Value>) -> Result<CaseFile, serde_json::Error> {
    let text = |key: &str| known.get(key).and_then(Value::as_str).map(str::to_owned);
    let case_id = text("case_id").ok_or_else(|| serde::de::Error::missing_field("case_id"))?;
    let case = Case {
        alerts: list(&known, "alerts").filter_map(alert).collect(),
        candidates: list(&known, "candidates").filter_map(|v| v.as_str().map(str::to_owned)).collect(),
        graph: list(&known, "graph").filter_map(call).collect(),
        aliases: aliases(&known),
        ..Case::default()
    };
    Ok(CaseFile { case_id, dataset: text("dataset").unwrap_or_default(), case, unread: None })
}

fn alert(about: &Value) -> Option<FiringAlert> {
    let text = |key: &str| about.get(key).and_then(Value::as_str);
    let signal = match text("kind")? {
        "metric" => {
            let metric = text("metric")?.to_owned();
            let direction = if text("direction") == Some("down") { Direction::Down } else { Direction::Up };
            Signal::Metric { kind: Kind::of_words(&metric), metric, direction }
        }
        "trace" => {
            let failing = Kind::of_words(text("anomaly").unwrap_or_default()) != Kind::Latency;
            Signal::Call { caller: text("caller").map(str::to_owned), failing }
        }
        "log" => Signal::Log,
        _ => return None,
    };
    Some(FiringAlert { component: text("component")?.to_owned(), signal })
}
