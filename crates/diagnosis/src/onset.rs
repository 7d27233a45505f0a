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
    weigh(&gains(&z, range), range)
}

/// A sample counts for at most this many scales when starts are compared, so that one spike decides nothing.
const CLIP: f64 = 6.0;

/// A series that gains less than this anywhere has not changed: what it gains is noise.
const NOISE: f64 = 8.0;

/// What one series can gain at most: many that agree beat one that is loud.
const LOUDEST: f64 = 20.0;

/// Log-likelihood gain of "the mean changes at this row and stays" over "nothing changes", for every row of the
/// range, summed over the series (two segments, Gaussian, unit variance: Hinkley 1970).
fn gains(z: &Standardised, range: Range) -> Vec<f64> {
    let rows = range.latest - range.earliest + 1;
    let mut total = vec![0.0; rows];
    let mut gain = vec![0.0; rows];
    for track in z.tracks.iter().filter(|t| !t.is_empty()) {
        let (mut sum, mut count) = (0.0, 0.0);
        for (i, value) in track.iter().enumerate().rev() {
            let Some(place) = (z.from + i).checked_sub(range.earliest) else { break };
            if value.is_finite() {
                sum += value.clamp(-CLIP, CLIP);
                count += 1.0;
            }
            if place < rows {
                gain[place] = if count > 0.0 { 0.5 * sum * sum / count } else { 0.0 };
            }
        }
        let most = gain.iter().copied().fold(0.0, f64::max);
        if most > NOISE {
            let share = LOUDEST / (LOUDEST + most);
            total.iter_mut().zip(&gain).for_each(|(t, g)| *t += share * g);
        }
    }
    total
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
