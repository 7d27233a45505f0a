//! The engine's view of an incident.

use diagnosis::{Case, Change, Direction, FiringAlert, Kind, Onset, Series, Signal};

use crate::ai::evidence::Gathered;

/// A change and a new version of the same service within so many seconds are one change.
pub const SAME_CHANGE_S: f64 = 300.0;

/// Builds the case.
pub fn build(gathered: &Gathered) -> Case {
    let metrics = &gathered.metrics;
    let series = metrics.measured.iter().filter_map(|one| {
        let ask = metrics.asks.get(one.ask)?;
        let (metric, kind) = (one.engine_metric(ask), one.engine_kind(ask));
        Some(Series {
            service: one.service.clone(),
            instance: None,
            metric,
            kind,
            values: one.values.clone(),
        })
    });
    Case {
        times: metrics.times.clone(),
        series: series.collect(),
        onset: Onset::Near(gathered.facts.alarm.unix_seconds()),
        graph: metrics.graph.iter().cloned().collect(),
        changes: changes(gathered),
        alerts: alerts(gathered),
        target: target(gathered),
        ..Case::default()
    }
}

/// Reported changes, and versions that changed without a report.
fn changes(gathered: &Gathered) -> Vec<Change> {
    let facts = &gathered.facts;
    let reported = facts.changes.iter().map(|change| Change {
        time: change.at.unix_seconds(),
        service: change.service_name.clone(),
        what: Some(what(&change.kind, change.version.as_deref(), &change.summary)),
        new_instances: Vec::new(),
    });
    let seen = gathered.unreported_versions().map(|version| Change {
        time: version.at,
        service: version.service.clone(),
        what: Some(version.what.clone()),
        new_instances: Vec::new(),
    });
    reported.chain(seen).collect()
}

/// A change in a few words: `deploy v2.41.0`, or its summary.
pub fn what(kind: &str, version: Option<&str>, summary: &str) -> String {
    match version {
        Some(version) => crate::ai::text::short(&format!("{kind} {version}"), 80),
        None => format!("{kind} \"{}\"", crate::ai::text::short(summary, 80)),
    }
}

fn alerts(gathered: &Gathered) -> Vec<FiringAlert> {
    let own = gathered.facts.alerts.iter().map(|alert| (&alert.name, &alert.service_name));
    let nearby = gathered.facts.nearby.iter().map(|alert| (&alert.name, &alert.service_name));
    own.chain(nearby)
        .filter_map(|(name, service)| {
            let signal =
                Signal::Metric { metric: name.clone(), kind: Kind::of_words(name), direction: Direction::Up };
            Some(FiringAlert { component: service.clone()?, signal })
        })
        .collect()
}

/// The service that raised the alarm, and what was wrong with it.
fn target(gathered: &Gathered) -> Option<(String, Kind)> {
    let service = gathered.facts.service()?;
    let alert = gathered.facts.alerts.first()?;
    let by_name = Kind::of_words(&alert.name);
    let watched = gathered.metrics.symptoms.first().map(|symptom| symptom.watched.series.as_str());
    let kind = if by_name == Kind::Other { watched.map_or(by_name, Kind::of_words) } else { by_name };
    Some((service.to_owned(), kind))
}

impl Gathered {
    /// New versions that no report tells of.
    pub fn unreported_versions(&self) -> impl Iterator<Item = &crate::ai::evidence::versions::NewVersion> {
        self.metrics.versions.iter().filter(|version| {
            !self.facts.changes.iter().any(|change| {
                change.service_name == version.service
                    && (change.at.unix_seconds() - version.at).abs() < SAME_CHANGE_S
            })
        })
    }
}
