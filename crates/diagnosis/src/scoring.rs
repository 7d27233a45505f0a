//! From features to probabilities: weighted sums, a softmax that is softer where the weights are uncertain, and the
//! class "none of these".

use crate::analysis::{Analysis, Window};
use crate::weights::{self, CALIBRATION, Weight};

/// 1.645 standard deviations on either side hold 90%.
const NINETY: f64 = 1.645;

/// Probabilities of a case, one entry for every component.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Probabilities {
    /// Log-odds scores.
    pub scores: Vec<f64>,
    /// Shares among the components, as if the cause had to be one of them.
    pub shares: Vec<f64>,
    /// That the cause is none of them, or shows in none of the data.
    pub none: f64,
    /// 90% interval of `share * (1 - none)`.
    pub interval: Vec<(f64, f64)>,
}

impl Probabilities {
    /// That the component is the cause.
    #[must_use]
    pub fn of(&self, component: usize) -> f64 {
        self.shares[component] * (1.0 - self.none)
    }
}

/// The probabilities of a case.
#[must_use]
pub fn probabilities(analysis: &Analysis<'_>) -> Probabilities {
    let count = analysis.components.len();
    let columns = mean_columns(analysis);
    let mut scores = vec![0.0; count];
    for (weight, values) in &columns {
        scores.iter_mut().zip(values).for_each(|(score, value)| *score += weight.value * value);
    }
    let none = if count == 0 { 1.0 } else { none_of_these(analysis) };
    let temperature = if analysis.alerts > 0 && !has_series(analysis) {
        CALIBRATION.alerts_unknown
            + analysis.familiarity * (CALIBRATION.alerts_known - CALIBRATION.alerts_unknown)
    } else {
        CALIBRATION.temperature * moderation(&scores, &columns)
    };
    let shares = softmax(&scores, temperature);
    let interval = (0..count).map(|i| interval(i, &shares, &columns, temperature, 1.0 - none)).collect();
    Probabilities { scores, shares, none, interval }
}

/// The features that have a weight, averaged over the guesses at the start: averaging scores is the same.
fn mean_columns(analysis: &Analysis<'_>) -> Vec<(Weight, Vec<f64>)> {
    let Some(first) = analysis.windows.first() else { return Vec::new() };
    let mut out = Vec::with_capacity(first.features.columns.len());
    for (place, (name, _)) in first.features.columns.iter().enumerate() {
        let weight = weights::of(name);
        if weight.name.is_empty() {
            continue;
        }
        let mut mean = vec![0.0; analysis.components.len()];
        for window in &analysis.windows {
            let values = &window.features.columns[place].1;
            mean.iter_mut().zip(values).for_each(|(m, v)| *m += window.start.weight * v);
        }
        out.push((weight, mean));
    }
    out
}

/// MacKay's moderated output (Neural Computation 4, 1992): the softmax flattens with the variance that uncertain weights
/// give to the lead of the first over the second. Cases unlike those of the fit lean on such weights.
fn moderation(scores: &[f64], columns: &[(Weight, Vec<f64>)]) -> f64 {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let [first, second, ..] = order[..] else { return 1.0 };
    let variance: f64 = columns.iter().map(|(w, v)| (w.spread * (v[first] - v[second])).powi(2)).sum();
    (1.0 + std::f64::consts::PI / 8.0 * variance).sqrt()
}

fn softmax(scores: &[f64], temperature: f64) -> Vec<f64> {
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shares: Vec<f64> = scores.iter().map(|s| ((s - top) / temperature).exp()).collect();
    let sum: f64 = shares.iter().sum();
    shares.iter().map(|s| s / sum).collect()
}

/// The interval that the spread of the weights gives to a probability, on the scale of log-odds.
fn interval(
    component: usize,
    shares: &[f64],
    columns: &[(Weight, Vec<f64>)],
    temperature: f64,
    some: f64,
) -> (f64, f64) {
    let variance: f64 = columns
        .iter()
        .map(|(w, values)| {
            let mean: f64 = values.iter().zip(shares).map(|(v, p)| v * p).sum();
            (w.spread * (values[component] - mean)).powi(2)
        })
        .sum();
    let p = shares[component].clamp(1e-9, 1.0 - 1e-9);
    let logit = (p / (1.0 - p)).ln();
    let reach = NINETY * variance.sqrt() / temperature;
    let at = |x: f64| some / (1.0 + (-x).exp());
    let exact = shares[component] * some;
    (at(logit - reach).min(exact), at(logit + reach).max(exact))
}

fn has_series(analysis: &Analysis<'_>) -> bool {
    analysis.windows.iter().any(|window| window.features.of_case.series > 0.0)
}

/// The probability that no candidate is the cause falls with the strongest symptom or resource that is out of range. With
/// alerts and no series, it falls with how many alerts there are.
fn none_of_these(analysis: &Analysis<'_>) -> f64 {
    let mean =
        |of: fn(&Window) -> f64| -> f64 { analysis.windows.iter().map(|w| w.start.weight * of(w)).sum() };
    let logit = if has_series(analysis) {
        CALIBRATION.none_at_rest - CALIBRATION.none_by_strength * mean(|w| w.features.of_case.wrong)
    } else if analysis.alerts > 0 {
        CALIBRATION.none_by_alerts - 2.0 * (analysis.alerts as f64).ln_1p()
    } else {
        CALIBRATION.none_at_rest
    };
    1.0 / (1.0 + (-logit).exp())
}
