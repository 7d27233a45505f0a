//! When the incident began: never one point estimate, but a few starts with weights.

use crate::case::{Case, Onset};
use crate::deviation::{Standardised, baselines, standardise};
use crate::tracks::Track;

/// Seconds before an approximate time in which the start is looked for.
const LOOK_BACK_SECONDS: f64 = 900.0;

/// One guess at the first row of the incident.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Start {
    /// The row.
    pub row: usize,
    /// How much it counts; the weights of a case add up to 1.
    pub weight: f64,
}

/// The range of rows in which the incident may have begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The earliest row.
    pub earliest: usize,
    /// The latest row.
    pub latest: usize,
}

/// Where to look; `None` without samples.
#[must_use]
pub fn range(case: &Case, interval: f64) -> Option<Range> {
    let last = case.times.len().checked_sub(1)?;
    let time = case.onset.time();
    Some(match case.onset {
        Onset::Known(_) => {
            let row = case.times.partition_point(|t| *t < time).min(last);
            Range { earliest: row, latest: row }
        }
        Onset::Near(_) => {
            let latest = case.times.partition_point(|t| *t <= time).saturating_sub(1).min(last);
            let seen = case.times.get(latest).copied().unwrap_or(0.0);
            let from = seen - LOOK_BACK_SECONDS - 0.5 * interval;
            let earliest = case.times.partition_point(|t| *t < from).max(latest / 3).min(latest);
            Range { earliest, latest }
        }
    })
}

/// Weighted starts within the range.
#[must_use]
pub fn starts(case: &Case, tracks: &[Track<'_>], range: Range, interval: f64) -> Vec<Start> {
    if range.earliest == range.latest {
        return vec![Start { row: range.latest, weight: 1.0 }];
    }
    let base = baselines(case, tracks, range.earliest, interval);
    let z = standardise(tracks, &base, range.earliest, interval);
    let mut gains = gains(&z, range);
    for (rows, gain) in gains.iter_mut().rev().enumerate() {
        *gain -= rows as f64 * interval / NOTICED_SECONDS;
    }
    weigh(&gains, range)
}

/// Seconds after which a fault is noticed, on average: what every row speaks of equally well began lately.
const NOTICED_SECONDS: f64 = 300.0;

/// A sample counts for at most this many scales when starts are compared, so that one spike decides nothing.
const CLIP: f64 = 6.0;

/// A series that gains less than this anywhere has not changed: what it gains is noise.
const NOISE: f64 = 6.0;

/// The probability that a series changed for a reason of its own: many that agree beat one that is loud.
const CHANCE: f64 = 0.3;

/// The usual level counts like so many samples of it right before the range, so that few samples there do not decide.
const USUAL_SAMPLES: f64 = 5.0;

/// Fewer neighbouring samples than this don't tell how alike neighbours are.
const LEAST_PAIRS: f64 = 30.0;

/// Neighbours are taken to be at most this much alike, so that seven samples always tell as much as one.
const MOST_ALIKE: f64 = 0.75;

/// For every row of the range, how much the series together speak for it as the start: each says with which probability
/// its mean changed at that row, had it changed at all, or that it changed for a reason of its own.
fn gains(z: &Standardised, range: Range) -> Vec<f64> {
    let rows = range.latest - range.earliest + 1;
    let mut total = vec![0.0; rows];
    let mut gain = vec![0.0; rows];
    for track in z.tracks.iter().filter(|t| !t.is_empty()) {
        step_gains(track, z.from, range.earliest, &mut gain);
        let most = gain.iter().copied().fold(0.0, f64::max);
        if most > NOISE {
            let mean = gain.iter().map(|g| (g - most).exp()).sum::<f64>() / rows as f64;
            for (total, gain) in total.iter_mut().zip(&gain) {
                *total += (CHANCE + (1.0 - CHANCE) * (gain - most).exp() / mean).ln();
            }
        }
    }
    total
}

/// Log-likelihood gain of "the mean changes at this row and stays" over "it stays what it is" for one series, whose
/// first sample is row `from`; the first place of `gain` is row `earliest`. Two segments with means of their own,
/// Gaussian (Hinkley 1970): what a series did before the range and all through it is no change in it.
fn step_gains(track: &[f64], from: usize, earliest: usize, gain: &mut [f64]) {
    gain.fill(0.0);
    let alike = persistence(track);
    let finite = track.iter().filter(|v| v.is_finite()).map(|v| v.clamp(-CLIP, CLIP));
    let (mut after, mut left) = finite.fold((0.0, 0.0), |(sum, count), v| (sum + v, count + 1.0));
    let (mut before, mut seen) = (0.0, USUAL_SAMPLES);
    for (i, value) in track.iter().enumerate() {
        let place = (from + i).checked_sub(earliest);
        if let Some(slot) = place.and_then(|place| gain.get_mut(place)).filter(|_| left > 0.0) {
            let step = after / left - before / seen;
            *slot = 0.5 * step * step * seen * left / (seen + left) / alike;
        }
        if value.is_finite() {
            let value = value.clamp(-CLIP, CLIP);
            (after, left) = (after - value, left - 1.0);
            (before, seen) = (before + value, seen + 1.0);
        }
    }
}

/// How many samples in a row tell as much as one: (1 + r) / (1 - r), with r the correlation of a sample with the next
/// (Bartlett 1946). Rates over windows that overlap repeat themselves, which makes their noise look like a change.
fn persistence(track: &[f64]) -> f64 {
    let finite = |pair: &&[f64]| pair.iter().all(|v| v.is_finite());
    let pairs =
        || track.windows(2).filter(finite).map(|p| (p[0].clamp(-CLIP, CLIP), p[1].clamp(-CLIP, CLIP)));
    let count = pairs().count() as f64;
    if count < LEAST_PAIRS {
        return 1.0;
    }
    let mean = pairs().map(|(own, _)| own).sum::<f64>() / count;
    let (shared, whole) = pairs().fold((0.0, 1e-9), |(shared, whole), (own, next)| {
        (shared + (own - mean) * (next - mean), whole + (own - mean).powi(2))
    });
    let r: f64 = (shared / whole).clamp(0.0, MOST_ALIKE);
    (1.0 + r) / (1.0 - r)
}

/// The best start and its neighbours, by the likelihood tempered to what correlated series can tell.
fn weigh(gains: &[f64], range: Range) -> Vec<Start> {
    let best = gains.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut ranked: Vec<(usize, f64)> =
        gains.iter().enumerate().map(|(i, g)| (i, (g - best).exp())).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut chosen: Vec<(usize, f64)> = Vec::new();
    let apart = (gains.len() / 16).max(1);
    for (i, weight) in ranked {
        if chosen.len() < 3 && weight > 0.01 && chosen.iter().all(|(j, _)| j.abs_diff(i) >= apart) {
            chosen.push((i, weight));
        }
    }
    let sum: f64 = chosen.iter().map(|(_, w)| w).sum();
    chosen.iter().map(|(i, w)| Start { row: range.earliest + i, weight: w / sum }).collect()
}
