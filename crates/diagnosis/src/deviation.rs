//! How far every series left its usual range, with scales that cannot collapse.

use crate::case::Case;
use crate::kind::Kind;
use crate::robust::{Quantiles, median, quantiles};
use crate::season::same_hours;
use crate::tracks::Track;

/// Seconds before the start that are kept out of the baseline, because an alarm comes later than its cause; a
/// deviation that lasted through all of them is taken off, because it is older than the incident.
const GUARD_SECONDS: f64 = 600.0;

/// No deviation counts for more than this many scales.
const MOST: f64 = 1e6;

/// The usual level of a series and its spread, in the space of the track (logarithms for durations).
#[derive(Debug, Clone, Copy, Default)]
pub struct Baseline {
    /// Finite samples.
    pub count: usize,
    /// Median, as given.
    pub raw_median: f64,
    /// Median in the track's space.
    pub median: f64,
    /// One unit of deviation.
    pub scale: f64,
    /// 1 when well observed, down to 0.2 for sparse series, which count for less.
    pub trust: f64,
}

/// What one series did in one incident window, in units of its scale.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Deviation {
    /// Whether there was enough to tell.
    pub known: bool,
    /// Most above the baseline.
    pub up: f64,
    /// Most below the baseline.
    pub down: f64,
    /// Above the baseline in three tenths of the window: an incident may be over before its window is.
    pub held_up: f64,
    /// Below the baseline in three tenths of the window.
    pub held_down: f64,
    /// The larger of the two, signed and relative to the level: difference of logarithms for durations, share otherwise.
    pub relative: f64,
    /// When the deviation was first hot: 0 at the start of the window, 1 never.
    pub first: f64,
}

impl Deviation {
    /// There was too little to tell.
    pub const UNKNOWN: Self =
        Self { known: false, up: 0.0, down: 0.0, held_up: 0.0, held_down: 0.0, relative: 0.0, first: 1.0 };

    /// Strength of what is high and stays high: half for the most extreme sample, half for what was held.
    #[must_use]
    pub fn rise(&self) -> f64 {
        half_log(self.up) + half_log(self.held_up)
    }

    /// The same for what is low.
    #[must_use]
    pub fn fall(&self) -> f64 {
        half_log(self.down) + half_log(self.held_down)
    }

    /// The same whichever way it went.
    #[must_use]
    pub fn strength(&self) -> f64 {
        half_log(self.up.max(self.down)) + half_log(self.held_up.max(self.held_down))
    }
}

fn half_log(z: f64) -> f64 {
    0.5 * z.ln_1p()
}

/// The usual time between samples, in seconds; 1 where there are too few to tell.
#[must_use]
pub fn interval(times: &[f64]) -> f64 {
    let steps = times.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step > 0.0);
    median(steps, &mut Vec::new()).unwrap_or(1.0).max(1e-3)
}

/// How many rows the guard spans.
fn guard_rows(interval: f64) -> usize {
    (GUARD_SECONDS / interval).round().clamp(0.0, 1e6) as usize
}

/// The rows of the baseline of an incident that starts at `start`: all before it but the guard, of which at most a
/// quarter is given up, and nothing where fewer than 20 rows would remain.
#[must_use]
pub fn baseline_rows(start: usize, interval: f64) -> usize {
    let guard = guard_rows(interval).min(start / 4);
    if start - guard >= 20 { start - guard } else { start }
}

/// Baselines of all tracks for an incident that starts at row `start`: the rows of [`baseline_rows`], of the same hours where
/// these differ every day; an instance that is younger borrows those of its siblings.
#[must_use]
pub fn baselines(case: &Case, tracks: &[Track<'_>], start: usize, interval: f64) -> Vec<Baseline> {
    let rows = baseline_rows(start, interval);
    let mut scratch = Vec::new();
    let mut out: Vec<Baseline> = tracks
        .iter()
        .map(|track| {
            let end = rows.min(track.values.len());
            let found = quantiles(&track.values[..end], &mut scratch);
            found.map_or_else(Baseline::default, |q| baseline(track, q, end))
        })
        .collect();
    same_hours(case, tracks, rows, start, interval, &mut out);
    borrow_from_siblings(case, tracks, &mut out);
    out
}

/// The baseline that the quantiles of `rows` samples make.
pub(crate) fn baseline(track: &Track<'_>, q: Quantiles, rows: usize) -> Baseline {
    let space = |v: f64| track.level(v);
    let middle = space(q.median);
    // 1.349 and 2.563 turn the interquartile range and the 10 to 90% span of a normal distribution into one sigma. A
    // wider span would let a few rows of an earlier incident hide this one.
    let iqr = (space(q.q3) - space(q.q1)) / 1.349;
    let span = (space(q.high) - space(q.low)) / 2.563;
    let scale = iqr.max(span).max(floor(track, q.median));
    let enough = (rows as f64).clamp(3.0, 20.0);
    let trust = (q.count as f64 / enough).clamp(0.2, 1.0);
    Baseline { count: q.count, raw_median: q.median, median: middle, scale, trust }
}

/// The least that counts as one unit of deviation, by kind of metric.
fn floor(track: &Track<'_>, level: f64) -> f64 {
    let counts = |v: &[f64]| v.iter().filter(|x| x.is_finite()).all(|x| x.fract() == 0.0);
    match track.kind {
        Kind::Latency => 0.1,
        Kind::Success => 0.001 * track.full_scale,
        Kind::Errors if !counts(&track.values) => 0.001 * track.full_scale,
        Kind::Log | Kind::CallPattern if !counts(&track.values) => 0.1 * level.abs().max(1.0),
        Kind::Errors | Kind::Log => level.abs().sqrt().max(1.0), // a count varies by its square root
        _ if counts(&track.values) => level.abs().sqrt().max(1.0).max(0.01 * level.abs()),
        _ => 0.01 * level.abs() + 1e-9,
    }
}

fn borrow_from_siblings(case: &Case, tracks: &[Track<'_>], baselines: &mut [Baseline]) {
    let young: Vec<usize> = (0..tracks.len())
        .filter(|&i| baselines[i].count < 3 && case.series[tracks[i].series].instance.is_some())
        .collect();
    for i in young {
        let own = &case.series[tracks[i].series];
        let mut sum = Baseline::default();
        let mut siblings = 0.0;
        for (j, track) in tracks.iter().enumerate() {
            let other = &case.series[track.series];
            let same = other.metric == own.metric && other.service == own.service;
            if same && track.group == tracks[i].group && baselines[j].count >= 3 {
                siblings += 1.0;
                sum.raw_median += baselines[j].raw_median;
                sum.median += baselines[j].median;
                sum.scale = sum.scale.max(baselines[j].scale);
            }
        }
        if siblings > 0.0 {
            let (raw_median, middle) = (sum.raw_median / siblings, sum.median / siblings);
            baselines[i] = Baseline { count: 3, raw_median, median: middle, scale: sum.scale, trust: 0.7 };
        }
    }
}

/// Samples in units of deviation from some row on, for every track; NaN is missing. Computed once and shared by the
/// incident windows that are tried.
#[derive(Debug)]
pub struct Standardised {
    /// The first row.
    pub from: usize,
    /// How many rows guard the baseline.
    late: usize,
    /// One vector for every track; empty where the track counts for nothing.
    pub tracks: Vec<Vec<f64>>,
}

/// Standardises all tracks for windows that start at `earliest` or later.
#[must_use]
pub fn standardise(
    tracks: &[Track<'_>],
    baselines: &[Baseline],
    earliest: usize,
    interval: f64,
) -> Standardised {
    let late = guard_rows(interval).max(2);
    let from = earliest.saturating_sub(late);
    let one = |(track, baseline): (&Track<'_>, &Baseline)| match track.group {
        Some(_) if baseline.count >= 3 && from < track.values.len() => {
            track.values[from..].iter().map(|v| standardised(track, baseline, *v)).collect()
        }
        _ => Vec::new(),
    };
    Standardised { from, late, tracks: tracks.iter().zip(baselines).map(one).collect() }
}

fn standardised(track: &Track<'_>, baseline: &Baseline, value: f64) -> f64 {
    if !value.is_finite() {
        return f64::NAN;
    }
    let z = (track.level(value) - baseline.median) / baseline.scale;
    if z.is_nan() { 0.0 } else { z.clamp(-MOST, MOST) }
}

/// What every track did from row `start` on.
#[must_use]
pub fn deviations(
    tracks: &[Track<'_>],
    baselines: &[Baseline],
    standardised: &Standardised,
    start: usize,
) -> Vec<Deviation> {
    let mut scratch = Vec::new();
    let begin = start.saturating_sub(standardised.from);
    let late = standardised.late.min(begin);
    (0..tracks.len())
        .map(|i| {
            let z = &standardised.tracks[i];
            if begin >= z.len() {
                return Deviation::UNKNOWN;
            }
            let (before, window) = (&z[begin - late..begin], &z[begin..]);
            deviation(tracks[i].log_offset.is_some(), &baselines[i], before, window, &mut scratch)
        })
        .collect()
}

/// The share of a window in which a deviation must hold to count as held.
const HELD: f64 = 0.3;

/// The 70% quantile of normal noise, which is not a deviation.
const HELD_BY_NOISE: f64 = 0.5;

fn deviation(
    logged: bool,
    baseline: &Baseline,
    before: &[f64],
    window: &[f64],
    scratch: &mut Vec<f64>,
) -> Deviation {
    scratch.clear();
    scratch.extend(window.iter().copied().filter(|z| z.is_finite()));
    if scratch.is_empty() {
        return Deviation::UNKNOWN;
    }
    let (low, high) = extremes(scratch);
    let last = scratch.len() - 1;
    let place = ((1.0 - HELD) * last as f64).floor() as usize;
    let upper = *scratch.select_nth_unstable_by(place, f64::total_cmp).1;
    let lower = *scratch.select_nth_unstable_by(last - place, f64::total_cmp).1;
    let (least, most) = extremes(before);
    let stale_up = if least.is_finite() { least.max(0.0) } else { 0.0 };
    let stale_down = if most.is_finite() { (-most).max(0.0) } else { 0.0 };
    let held_up = (upper - stale_up - HELD_BY_NOISE).max(0.0);
    let held_down = (-lower - stale_down - HELD_BY_NOISE).max(0.0);
    let held = if held_up >= held_down { upper } else { lower };
    let level = if logged { 1.0 } else { baseline.median.abs() + 1e-9 };
    let relative = held * baseline.scale / level;
    let hot = window.iter().position(|z| z.abs() > 4.0);
    Deviation {
        known: true,
        up: (high - stale_up).max(0.0) * baseline.trust,
        down: (-low - stale_down).max(0.0) * baseline.trust,
        held_up: held_up * baseline.trust,
        held_down: held_down * baseline.trust,
        relative: if relative.is_finite() { relative.clamp(-10.0, 10.0) } else { 0.0 },
        first: hot.map_or(1.0, |row| row as f64 / window.len() as f64),
    }
}

/// Least and most of what is there; infinities the wrong way round when nothing is.
fn extremes(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), z| (low.min(*z), high.max(*z)))
}
