//! The ranking: scores, probabilities, what speaks for and against.

use serde::{Deserialize, Serialize};

use crate::analysis::{Analysis, Window, analyse};
use crate::case::{Case, Direction};
use crate::explain::explain;
use crate::findings::{Finding, MetricFinding};
use crate::tracks::Group;
use crate::weights::{self, CALIBRATION};

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

/// How many metrics are ranked.
const METRICS: usize = 30;

/// Ranks the causes of an incident. Never fails: without anything to go by, the answer is that none of these is known
/// to be the cause.
#[must_use]
pub fn diagnose(case: &Case) -> Diagnosis {
    let analysis = analyse(case);
    let scores = scores(&analysis);
    let none = none_of_these(&analysis);
    let shares = softmax(&scores, CALIBRATION.temperature);
    let probabilities: Vec<f64> = shares.iter().map(|p| p * (1.0 - none)).collect();
    let metric_ranking = rank_metrics(case, &analysis, &shares);
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
    let causes = order.iter().map(|&i| cause(case, &analysis, i, probabilities[i])).collect();
    let onset =
        analysis.windows.first().and_then(|w| case.times.get(w.start.row)).copied().unwrap_or(f64::NAN);
    Diagnosis { causes, none_of_these: if scores.is_empty() { 1.0 } else { none }, onset, metric_ranking }
}

/// Weighted sums of the features, averaged over the guesses at the start.
fn scores(analysis: &Analysis<'_>) -> Vec<f64> {
    let mut out = vec![0.0; analysis.components.len()];
    for window in &analysis.windows {
        for (name, values) in &window.features.columns {
            let weight = weights::of(name) * window.start.weight;
            out.iter_mut().zip(values).for_each(|(score, value)| *score += weight * value);
        }
    }
    out
}

fn softmax(scores: &[f64], temperature: f64) -> Vec<f64> {
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shares: Vec<f64> = scores.iter().map(|s| ((s - top) / temperature).exp()).collect();
    let sum: f64 = shares.iter().sum();
    shares.iter().map(|s| s / sum).collect()
}

/// The probability that no candidate is the cause falls with the strongest deviation in the case.
fn none_of_these(analysis: &Analysis<'_>) -> f64 {
    let strongest =
        |w: &Window| w.evidence.iter().map(crate::evidence::Evidence::strongest).fold(0.0, f64::max);
    let mean: f64 = analysis.windows.iter().map(|w| w.start.weight * strongest(w)).sum();
    let logit = CALIBRATION.none_at_rest - CALIBRATION.none_by_strength * mean;
    1.0 / (1.0 + (-logit).exp())
}

fn cause(case: &Case, analysis: &Analysis<'_>, component: usize, probability: f64) -> Cause {
    let metrics = metrics_of(case, analysis, component);
    let (findings_for, findings_against) = explain(case, analysis, component, &metrics);
    let p = probability.clamp(1e-6, 1.0 - 1e-6);
    let logit = (p / (1.0 - p)).ln();
    let spread = 1.645 * CALIBRATION.logit_spread;
    let at = |x: f64| 1.0 / (1.0 + (-x).exp());
    Cause {
        service: analysis.components.names[component].clone(),
        probability,
        lower: at(logit - spread).min(probability),
        upper: at(logit + spread).max(probability),
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
    let up = if deviation.median == 0.0 { deviation.up >= deviation.down } else { deviation.median > 0.0 };
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

/// A metric is likely when its service is and when it deviates.
fn rank_metrics(case: &Case, analysis: &Analysis<'_>, shares: &[f64]) -> Vec<(String, String)> {
    let Some(window) = analysis.windows.first() else { return Vec::new() };
    let mut ranked: Vec<(f64, usize)> = Vec::new();
    for (t, track) in analysis.tracks.iter().enumerate() {
        let (Some(group), Some(component)) = (track.group, track.component) else { continue };
        let own = !matches!(group, Group::Edge | Group::Gap | Group::Calls | Group::Log);
        if own && window.deviations[t].known {
            let strength = CALIBRATION.metric_strength * window.deviations[t].strength();
            ranked.push(((shares[component] + 1e-4).ln() + strength + weights::metric_offset(group), t));
        }
    }
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    ranked.truncate(METRICS);
    let name = |t: usize| {
        let component = analysis.tracks[t].component.unwrap_or_default();
        let series = &case.series[analysis.tracks[t].series];
        (analysis.components.names[component].clone(), series.column())
    };
    ranked.into_iter().map(|(_, t)| name(t)).collect()
}
