//! The ranking: scores, probabilities, what speaks for and against.

use serde::{Deserialize, Serialize};

use crate::analysis::{Analysis, Window, analyse};
use crate::case::{Case, Direction};
use crate::explain::explain;
use crate::findings::{Finding, MetricFinding};
use crate::metrics::rank_metrics;
use crate::scoring::{Probabilities, probabilities};
use crate::tracks::Group;

/// A service that may have caused the incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// The service.
    pub service: String,
    /// Probability that it is the cause.
    pub probability: f64,
    /// Lower end of the 90% interval of that probability.
    pub lower: f64,
    /// Upper end of it.
    pub upper: f64,
    /// Its metrics that deviate, strongest first.
    pub metrics: Vec<MetricFinding>,
    /// What speaks for it, weightiest first.
    pub findings_for: Vec<Finding>,
    /// What speaks against it, weightiest first.
    pub findings_against: Vec<Finding>,
}

/// The answer to "what broke?".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// Every candidate, most probable first. Probabilities and `none_of_these` add up to 1.
    pub causes: Vec<Cause>,
    /// Probability that the cause is none of the candidates or shows in none of the data.
    pub none_of_these: f64,
    /// The likeliest start, in unix seconds; not finite without samples.
    pub onset: f64,
    /// (service, column) of the metrics most likely to show the cause, best first.
    pub metric_ranking: Vec<(String, String)>,
}

/// Ranks the causes of an incident. Never fails: without anything to go by, the answer is that none of these is known
/// to be the cause.
#[must_use]
pub fn diagnose(case: &Case) -> Diagnosis {
    let analysis = analyse(case);
    let found = probabilities(&analysis);
    let metric_ranking = rank_metrics(case, &analysis, &found.shares);
    let mut order: Vec<usize> = (0..found.scores.len()).collect();
    order.sort_by(|&a, &b| found.scores[b].total_cmp(&found.scores[a]).then(a.cmp(&b)));
    let causes = order.iter().map(|&i| cause(case, &analysis, &found, i)).collect();
    let onset =
        analysis.windows.first().and_then(|w| case.times.get(w.start.row)).copied().unwrap_or(f64::NAN);
    Diagnosis { causes, none_of_these: found.none, onset, metric_ranking }
}

fn cause(case: &Case, analysis: &Analysis<'_>, found: &Probabilities, component: usize) -> Cause {
    let metrics = metrics_of(case, analysis, component);
    let (findings_for, findings_against) = explain(case, analysis, component, &metrics);
    let (lower, upper) = found.interval[component];
    Cause {
        service: analysis.components.names[component].clone(),
        probability: found.of(component),
        lower,
        upper,
        metrics,
        findings_for,
        findings_against,
    }
}

/// Metrics of a component that are out of range, strongest first, at most eight.
fn metrics_of(case: &Case, analysis: &Analysis<'_>, component: usize) -> Vec<MetricFinding> {
    let Some(window) = analysis.windows.first() else { return Vec::new() };
    let mut found: Vec<(f64, usize)> = (0..analysis.tracks.len())
        .filter(|&t| {
            let track = &analysis.tracks[t];
            let own = track.component == Some(component) && track.group != Some(Group::Gap);
            own && window.deviations[t].known && window.deviations[t].strength() > 1.0
        })
        .map(|t| (window.deviations[t].strength(), t))
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.truncate(8);
    found.into_iter().map(|(score, t)| metric_finding(case, analysis, window, t, score)).collect()
}

fn metric_finding(
    case: &Case,
    analysis: &Analysis<'_>,
    window: &Window,
    t: usize,
    score: f64,
) -> MetricFinding {
    let track = &analysis.tracks[t];
    let series = &case.series[track.series];
    let deviation = &window.deviations[t];
    let inside = track.values.iter().skip(window.start.row).copied();
    let value = crate::robust::median(inside, &mut Vec::new()).unwrap_or(f64::NAN);
    let up = deviation.rise() >= deviation.fall();
    MetricFinding {
        column: series.column(),
        metric: series.metric.clone(),
        kind: track.kind,
        baseline: analysis.baselines[t].raw_median,
        value,
        score,
        direction: if up { Direction::Up } else { Direction::Down },
    }
}
