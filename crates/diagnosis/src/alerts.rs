//! Ranking from alerts: how much likelier each type of alert is on a cause than on the crowd.
//!
//! An alert counts by what kind of metric it is about and which way that went, by how large a share of such alerts fire
//! here, and by whether they fire here alone; names of metrics that the table knows add what they told before.

use std::collections::{BTreeMap, BTreeSet};

use crate::alert_weights::alert_weight;
use crate::case::{Case, Direction, FiringAlert, Signal};
use crate::kind::Kind;
use crate::tracks::Components;

/// What the alerts say of one instance, as sparse named numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertRow {
    /// The instance or service the alerts name.
    pub instance: String,
    /// The component it belongs to.
    pub component: usize,
    /// Features by name.
    pub features: BTreeMap<String, f64>,
}

/// The alerts of one instance, counted.
#[derive(Debug, Default)]
struct Tally<'a> {
    types: BTreeMap<String, f64>,
    exact: BTreeSet<String>,
    metrics: BTreeSet<&'a str>,
}

impl Tally<'_> {
    fn total(&self) -> f64 {
        self.types.values().sum()
    }
}

/// The features of every instance on which alerts fire.
#[must_use]
pub fn alert_rows(case: &Case, components: &Components) -> Vec<AlertRow> {
    let tallies = tallies(case);
    let known: BTreeMap<&str, (usize, &Tally<'_>)> = tallies
        .iter()
        .filter_map(|(instance, tally)| Some((*instance, (components.find_instance(instance)?, tally))))
        .collect();
    let mut most: BTreeMap<&str, f64> = BTreeMap::new();
    let mut holders: BTreeMap<&str, f64> = BTreeMap::new();
    for (_, tally) in known.values() {
        for (name, count) in &tally.types {
            let top = most.entry(name).or_default();
            *top = top.max(*count);
            *holders.entry(name).or_default() += 1.0;
        }
    }
    let top = |of: &dyn Fn(&Tally<'_>) -> f64| known.values().map(|(_, t)| of(t)).fold(1.0, f64::max);
    let (total, types) = (top(&|t| t.total()), top(&|t| t.types.len() as f64));
    let metrics = top(&|t| t.metrics.len() as f64);
    let row = |(instance, (component, tally)): (&&str, &(usize, &Tally<'_>))| {
        let mut features = BTreeMap::new();
        for (name, count) in &tally.types {
            features.insert(format!("has_{name}"), 1.0);
            features.insert(format!("share_{name}"), count / most.get(name.as_str()).copied().unwrap_or(1.0));
            features
                .insert(format!("alone_{name}"), 1.0 / holders.get(name.as_str()).copied().unwrap_or(1.0));
        }
        features.extend(tally.exact.iter().map(|name| (name.clone(), 1.0)));
        features.insert("total".to_owned(), tally.total() / total);
        features.insert("types".to_owned(), tally.types.len() as f64 / types);
        features.insert("metrics".to_owned(), tally.metrics.len() as f64 / metrics);
        AlertRow { instance: (*instance).to_owned(), component: *component, features }
    };
    known.iter().map(row).collect()
}

/// How much of what the alerts are about the table of names knows, 0 to 1: 1 where it knows seven in ten of the metrics.
#[must_use]
pub fn familiarity(case: &Case) -> f64 {
    let names: BTreeSet<String> = case
        .alerts
        .iter()
        .filter_map(|alert| match &alert.signal {
            Signal::Metric { metric, direction, .. } => Some(format!("{metric}:{}", way(*direction))),
            Signal::Call { .. } | Signal::Log => None,
        })
        .collect();
    let known = names.iter().filter(|name| alert_weight(name) != 0.0).count() as f64;
    (known / (0.7 * names.len().max(1) as f64)).min(1.0)
}

fn tallies(case: &Case) -> BTreeMap<&str, Tally<'_>> {
    let mut out: BTreeMap<&str, Tally<'_>> = BTreeMap::new();
    for alert in &case.alerts {
        let own = out.entry(&alert.component).or_default();
        *own.types.entry(type_of(alert)).or_default() += 1.0;
        if let Signal::Metric { metric, direction, .. } = &alert.signal {
            own.metrics.insert(metric);
            own.exact.insert(format!("{metric}:{}", way(*direction)));
        }
        match &alert.signal {
            Signal::Call { caller: Some(caller), failing } if *caller != alert.component => {
                let name = if *failing { "caller_fails" } else { "caller_slow" };
                *out.entry(caller).or_default().types.entry(name.to_owned()).or_default() += 1.0;
            }
            _ => {}
        }
    }
    out
}

fn way(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "up",
        Direction::Down => "down",
    }
}

/// The type of an alert: `cpu_up`, `out_latency_up` (of the calls it makes), `callee_slow`, `log`.
fn type_of(alert: &FiringAlert) -> String {
    match &alert.signal {
        Signal::Metric { metric, kind, direction } => {
            let out = metric.split('_').any(|word| matches!(word, "src" | "source" | "client" | "outbound"));
            format!("{}{}_{}", if out { "out_" } else { "" }, noun(*kind), way(*direction))
        }
        Signal::Call { failing: true, .. } => "callee_fails".to_owned(),
        Signal::Call { failing: false, .. } => "callee_slow".to_owned(),
        Signal::Log => "log".to_owned(),
    }
}

fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Latency => "latency",
        Kind::Errors => "errors",
        Kind::Success => "success",
        Kind::Traffic => "traffic",
        Kind::Cpu => "cpu",
        Kind::Memory => "memory",
        Kind::Saturation => "saturation",
        Kind::Io => "io",
        Kind::Network => "network",
        Kind::CallPattern => "calls",
        Kind::Log => "log",
        Kind::Other => "other",
    }
}

/// The log-likelihood ratio of every component being the cause, by its alerts: that of its worst instance, 0 without.
#[must_use]
pub fn alert_scores(case: &Case, components: &Components) -> Vec<f64> {
    let mut out: Vec<Option<f64>> = vec![None; components.len()];
    for row in alert_rows(case, components) {
        let score = row.features.iter().map(|(name, value)| value * alert_weight(name)).sum::<f64>();
        if let Some(best) = out.get_mut(row.component) {
            *best = Some(best.map_or(score, |b: f64| b.max(score)));
        }
    }
    out.into_iter().map(Option::unwrap_or_default).collect()
}
