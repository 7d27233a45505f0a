//! What is known about an incident: series, changes, alerts and the calls between services.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::kind::Kind;

/// One time series of one service or of one of its instances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// The service the values belong to.
    pub service: String,
    /// The instance (pod, container) of the service, where the series is of one instance only.
    pub instance: Option<String>,
    /// The metric, such as `latency_p90`. An edge metric names its other end: `latency_p50_to:cart` is the
    /// call to `cart` as this service sees it, `latency_p50_from:web` the call from `web` as this one serves it.
    pub metric: String,
    /// What the metric measures; [`Kind::of_metric`] derives it from the name.
    pub kind: Kind,
    /// One value for every entry of [`Case::times`]; anything not finite is a missing sample.
    pub values: Vec<f64>,
}

impl Series {
    /// A series whose kind follows from the metric's name.
    #[must_use]
    pub fn new(service: &str, metric: &str, values: Vec<f64>) -> Self {
        let kind = Kind::of_metric(metric);
        Self { service: service.to_owned(), instance: None, metric: metric.to_owned(), kind, values }
    }

    /// `service|metric` or `service#instance|metric`, the name of the column in a metrics file.
    #[must_use]
    pub fn column(&self) -> String {
        match &self.instance {
            Some(instance) => format!("{}#{instance}|{}", self.service, self.metric),
            None => format!("{}|{}", self.service, self.metric),
        }
    }
}

/// When the incident began, in unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Onset {
    /// The first moment of the incident is known.
    Known(f64),
    /// Somebody noticed at this time; the start is looked for in the quarter of an hour before.
    Near(f64),
}

impl Onset {
    /// The time that was given, be it exact or not.
    #[must_use]
    pub fn time(self) -> f64 {
        match self {
            Self::Known(time) | Self::Near(time) => time,
        }
    }
}

/// A deployment, a configuration change or a flag of one service.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Change {
    /// Unix seconds.
    pub time: f64,
    /// The service that was changed.
    pub service: String,
    /// What changed, in words (a version, a flag), where known.
    #[serde(default)]
    pub what: Option<String>,
    /// Instances the change brought.
    #[serde(default)]
    pub new_instances: Vec<String>,
}

/// Which way a metric left its usual range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Above what is usual.
    Up,
    /// Below what is usual.
    Down,
}

/// What an alert says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "signal")]
pub enum Signal {
    /// A metric left its range.
    Metric {
        /// The metric's or the alert's name.
        metric: String,
        /// What it measures; [`Kind::of_words`] derives it from a name.
        kind: Kind,
        /// Which way it went.
        direction: Direction,
    },
    /// Calls to the service are slow or fail.
    Call {
        /// Who calls, where known.
        caller: Option<String>,
        /// Whether the calls fail (`true`) or are slow.
        failing: bool,
    },
    /// A log pattern that is not usual.
    Log,
}

/// An alert that fires during the incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FiringAlert {
    /// The service or, where [`Case::candidates`] are services and this is one of their instances, the instance.
    pub component: String,
    /// What it says.
    pub signal: Signal,
}

/// Everything the engine is told about one incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// Unix seconds of the samples, ascending.
    pub times: Vec<f64>,
    /// The series, each with one value for every time.
    pub series: Vec<Series>,
    /// When it began.
    pub onset: Onset,
    /// When the alarm was raised, in unix seconds, where that is known beside the onset: a change before it may be the
    /// cause even when the onset, which is seldom exact, was put before the change.
    pub noticed: Option<f64>,
    /// Calls, as (caller, callee).
    pub graph: Vec<(String, String)>,
    /// The services to rank; empty means every service that has a series, an alert or a place in the graph.
    pub candidates: Vec<String>,
    /// Component to the service it counts as.
    pub aliases: BTreeMap<String, String>,
    /// Changes, of any time; only those before the alarm count.
    pub changes: Vec<Change>,
    /// Alerts that fire.
    pub alerts: Vec<FiringAlert>,
    /// The service where users feel it.
    pub entry: Option<String>,
    /// The service and the kind of the metric that raised the alarm.
    pub target: Option<(String, Kind)>,
}

impl Case {
    /// The latest time at which a change may have caused the incident: the alarm; without one an exact onset, give or
    /// take two scrapes of `interval` seconds; else the end of the samples.
    #[must_use]
    pub fn alarm(&self, interval: f64) -> f64 {
        let given = self.noticed.unwrap_or(match self.onset {
            Onset::Known(time) => time + 2.0 * interval,
            Onset::Near(time) => time,
        });
        if given.is_finite() { given } else { self.times.last().copied().unwrap_or(f64::INFINITY) }
    }
}

impl Default for Case {
    fn default() -> Self {
        Self {
            times: Vec::new(),
            series: Vec::new(),
            onset: Onset::Near(f64::INFINITY),
            noticed: None,
            graph: Vec::new(),
            candidates: Vec::new(),
            aliases: BTreeMap::new(),
            changes: Vec::new(),
            alerts: Vec::new(),
            entry: None,
            target: None,
        }
    }
}
