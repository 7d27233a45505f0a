//! From stored evidence back to what was gathered.
//!
//! Stored are the series that spoke for or against a suspect, at most 240 points each, and not everything that was asked for:
//! a replay is about telling these suspects apart. A version that nobody reported is not read back.

use diagnosis::Kind;

use crate::ai::analysis::{ChartSeries, Evidence, EvidenceKind, EvidenceRole};
use crate::ai::evidence::ask::{Ask, Owner};
use crate::ai::evidence::comparison::Watched;
use crate::ai::evidence::metrics::{Measured, Metrics, Symptom};
use crate::ai::evidence::{Facts, Gathered};
use crate::ai::prometheus::Line;

/// What was known when the evidence was stored.
pub fn gathered(facts: Facts, evidence: &[Evidence]) -> Gathered {
    let mut metrics = Metrics { graph: facts.topology.iter().cloned().collect(), ..Metrics::default() };
    let of = |role| move |row: &&Evidence| row.kind == EvidenceKind::Metric && row.role == role;
    let candidates: Vec<&Evidence> = evidence.iter().filter(of(EvidenceRole::Candidate)).collect();
    metrics.times = times(&candidates);
    for row in candidates {
        for chart in row.series.iter().flatten() {
            candidate(row, chart, &mut metrics);
        }
    }
    metrics.symptoms = evidence.iter().filter(of(EvidenceRole::Symptom)).map(symptom).collect();
    let integration = evidence.iter().find_map(|row| row.integration);
    Gathered { facts, metrics, base: None, integration, checked: Vec::new() }
}

/// Every time at which one of the series has a sample.
fn times(rows: &[&Evidence]) -> Vec<f64> {
    let charts = rows.iter().flat_map(|row| row.series.iter().flatten());
    let mut times: Vec<f64> = charts.flat_map(|chart| chart.points.iter().map(|(at, _)| *at)).collect();
    times.retain(|at| at.is_finite());
    times.sort_by(f64::total_cmp);
    times.dedup();
    times
}

fn candidate(row: &Evidence, chart: &ChartSeries, metrics: &mut Metrics) {
    let Some(service) = chart.labels.get("service").cloned() else { return };
    let peer = chart.labels.get("callee").cloned();
    let whose = match &peer {
        Some(callee) => format!("calls from {service} to {callee}"),
        None => service.clone(),
    };
    metrics.graph.extend(peer.clone().map(|callee| (service.clone(), callee)));
    let mut values = vec![f64::NAN; metrics.times.len()];
    for (at, value) in &chart.points {
        let place = metrics.times.binary_search_by(|time| time.total_cmp(at)).ok();
        if let Some(slot) = place.and_then(|place| values.get_mut(place)) {
            *slot = value.unwrap_or(f64::NAN);
        }
    }
    metrics.measured.push(Measured { service, peer, ask: metrics.asks.len(), values, usual: None });
    metrics.asks.push(ask(row, &whose));
}

/// The query, with what its words and its unit say it measures.
fn ask(row: &Evidence, whose: &str) -> Ask {
    let words = row.summary.split_once(&format!(" of {whose} is ")).map_or(row.summary.as_str(), |cut| cut.0);
    let words = words.to_lowercase();
    let query = row.query.clone().unwrap_or_default();
    let unit = unit(row.unit.as_deref().unwrap_or_default());
    let kind = match Kind::of_words(&words) {
        Kind::Traffic | Kind::Other if unit == "s" => Kind::Latency,
        Kind::Other => Kind::of_words(&query),
        kind => kind,
    };
    let owner = Owner::Service("service".to_owned());
    Ask { query, metric: words.replace(' ', "_"), words, kind, unit, owner, expected: 1, priority: 0 }
}

fn unit(text: &str) -> &'static str {
    const UNITS: [&str; 7] = ["s", "bytes", "cores", "ratio", "/s", "bytes/s", "%"];
    UNITS.into_iter().find(|unit| *unit == text).unwrap_or("")
}

fn symptom(row: &Evidence) -> Symptom {
    let line = |chart: &ChartSeries| {
        let points = chart.points.iter().filter_map(|(at, value)| Some((*at, (*value)?))).collect();
        Line { labels: chart.labels.clone(), points }
    };
    let watched = Watched { series: row.query.clone().unwrap_or_default(), threshold: row.threshold };
    Symptom { watched, lines: row.series.iter().flatten().map(line).collect() }
}
