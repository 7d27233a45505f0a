//! Lines of evidence for and against a cause, each worth what it adds to the score.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::case::Direction;
use crate::kind::Kind;

/// What one metric of a service did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricFinding {
    /// `service|metric` or `service#instance|metric`.
    pub column: String,
    /// The metric.
    pub metric: String,
    /// What it measures.
    pub kind: Kind,
    /// Its usual level: the median before the incident, in its own unit.
    pub baseline: f64,
    /// Its median in the incident, in its own unit.
    pub value: f64,
    /// Strength of the deviation: half the logarithm of the most extreme plus half that of the median, in scales.
    pub score: f64,
    /// Which way it went.
    pub direction: Direction,
}

/// What a line of evidence says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "says")]
pub enum Statement {
    /// A family of its metrics left its usual range.
    Deviation {
        /// The family.
        kind: Kind,
        /// The metric that shows it best, where one can be named.
        metric: Option<MetricFinding>,
    },
    /// No other service deviates as much in this family.
    Leads {
        /// The family.
        kind: Kind,
    },
    /// Its callers see its answers late or failing.
    SeenByCallers,
    /// Calls to or from it wait longer than the other end works: network or queue.
    Waiting,
    /// It shows the symptom and none of the services it calls shows it as strongly.
    NotExplained,
    /// It is the deepest service with the symptom on the way from where users feel it.
    DeepestOnPath,
    /// Services that call it suffer.
    CallersSuffer {
        /// The caller that suffers most.
        caller: String,
    },
    /// A service it calls shows the symptom at least as strongly and may explain it.
    ExplainedByCallee {
        /// The callee.
        callee: String,
    },
    /// It changed before the alarm.
    ChangeBefore {
        /// Seconds between change and alarm.
        seconds: f64,
        /// What changed, where known.
        what: Option<String>,
        /// Whether no other change came between.
        last: bool,
    },
    /// Alerts fire on it that usually fire on causes.
    Alerts {
        /// How many.
        count: usize,
    },
    /// It deviated early.
    Early,
    /// It is where users feel it, so that it suffers whatever breaks.
    IsEntry,
    /// It is another service seen from its caller.
    ViewOfAnother,
    /// Nothing it shows is out of range.
    NoDeviation,
    /// It has no data.
    NoData,
    /// Anything else the score counts.
    Score {
        /// Name of the feature, as in the documentation.
        feature: String,
    },
}

/// One line of evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What it says.
    #[serde(flatten)]
    pub statement: Statement,
    /// What it adds to the log-odds of the service, compared with the average candidate; negative speaks against.
    pub weight: f64,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.statement {
            Statement::Deviation { metric: Some(m), .. } => {
                let way = if m.direction == Direction::Up { "rose" } else { "fell" };
                write!(f, "{} {way} from {} to {}", m.metric, rounded(m.baseline), rounded(m.value))
            }
            Statement::Deviation { kind, metric: None } => write!(f, "{} left its usual range", noun(*kind)),
            Statement::Leads { kind } => write!(f, "no other service deviates as much in {}", noun(*kind)),
            Statement::SeenByCallers => f.write_str("its callers see it slow or failing"),
            Statement::Waiting => f.write_str("calls wait longer than the other end works: network or queue"),
            Statement::NotExplained => f.write_str("no service it calls shows the symptom as strongly"),
            Statement::DeepestOnPath => {
                f.write_str("deepest service with the symptom on the way from the entry")
            }
            Statement::CallersSuffer { caller } => write!(f, "{caller}, which calls it, suffers"),
            Statement::ExplainedByCallee { callee } => {
                write!(f, "{callee}, which it calls, shows the symptom too and may explain it")
            }
            Statement::ChangeBefore { seconds, what, last } => {
                let what = what.as_deref().unwrap_or("it changed");
                let last = if *last { ", the last change of all" } else { "" };
                write!(f, "{what} {seconds:.0} s before the alarm{last}")
            }
            Statement::Alerts { count: 1 } => f.write_str("an alert fires on it"),
            Statement::Alerts { count } => write!(f, "{count} alerts fire on it"),
            Statement::Early => f.write_str("it deviated early"),
            Statement::IsEntry => f.write_str("it is where users come in, so it suffers whatever breaks"),
            Statement::ViewOfAnother => f.write_str("it looks like another service seen from its caller"),
            Statement::NoDeviation => f.write_str("nothing it shows is out of its usual range"),
            Statement::NoData => f.write_str("it has no data"),
            Statement::Score { feature } if feature == "vanished" => {
                f.write_str("the series of an instance of it stop")
            }
            Statement::Score { feature } if feature == "apart" => {
                f.write_str("one of its instances fares worse than the others")
            }
            Statement::Score { feature } if feature == "drift" => {
                f.write_str("a resource of it has been filling all along")
            }
            Statement::Score { feature } => write!(f, "{}", feature.replace('_', " ")),
        }
    }
}

/// Three significant digits.
fn rounded(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let digits = (2.0 - value.abs().log10().floor()).clamp(0.0, 9.0) as usize;
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Latency => "latency",
        Kind::Errors | Kind::Success => "errors",
        Kind::Traffic => "traffic",
        Kind::Cpu => "CPU",
        Kind::Memory => "memory",
        Kind::Saturation => "saturation",
        Kind::Io => "files and threads",
        Kind::Network => "network",
        Kind::CallPattern => "calls a request",
        Kind::Log => "logs",
        Kind::Other => "other metrics",
    }
}
