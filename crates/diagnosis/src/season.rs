//! The same hours of earlier days: what happens every day at this time is no incident.

use crate::case::Case;
use crate::deviation::{Baseline, baseline};
use crate::robust::{median, quantiles};
use crate::tracks::Track;

/// Seconds of a day.
const DAY: f64 = 86_400.0;

/// Rows this many seconds before and after the same time of day are looked at too: jobs and people are not exact.
const AROUND_SECONDS: f64 = 300.0;

/// An earlier day counts with at least this many samples.
const LEAST_SAMPLES: usize = 3;

/// So many earlier days must agree; one could have been an incident.
const LEAST_DAYS: usize = 2;

/// No more days than this are looked at.
const MOST_DAYS: usize = 14;

/// Replaces the baseline of every series whose level at this time of day was, on each earlier day, on the same side of its
/// usual range. `rows` is the number of rows of the baseline, `start` the first row of the incident.
pub fn same_hours(
    case: &Case,
    tracks: &[Track<'_>],
    rows: usize,
    start: usize,
    interval: f64,
    baselines: &mut [Baseline],
) {
    let days = days(&case.times, rows, start, interval);
    if days.len() < LEAST_DAYS {
        return;
    }
    let mut scratch = Vec::new();
    for (track, flat) in tracks.iter().zip(baselines) {
        if let Some(daily) = daily(track, flat, &days, &mut scratch) {
            *flat = daily;
        }
    }
}

/// The rows of earlier days at the time of day of the incident, a range a day.
fn days(times: &[f64], rows: usize, start: usize, interval: f64) -> Vec<std::ops::Range<usize>> {
    let (Some(first), Some(last)) = (times.get(start), times.last()) else { return Vec::new() };
    let known = &times[..rows.min(times.len())];
    let around = AROUND_SECONDS.max(interval);
    // a window longer than some hours has no time of day
    if last - first > DAY / 4.0 {
        return Vec::new();
    }
    (1..=MOST_DAYS)
        .map(|day| {
            let back = day as f64 * DAY;
            let from = known.partition_point(|t| *t < first - back - around);
            let to = known.partition_point(|t| *t <= last - back + around);
            from..to.max(from)
        })
        .filter(|range| range.len() >= LEAST_SAMPLES)
        .collect()
}

fn daily(
    track: &Track<'_>,
    flat: &Baseline,
    days: &[std::ops::Range<usize>],
    scratch: &mut Vec<f64>,
) -> Option<Baseline> {
    if track.group.is_none() || flat.count < LEAST_SAMPLES {
        return None;
    }
    let values: Vec<f64> =
        days.iter().flat_map(|rows| track.values.get(rows.clone()).unwrap_or(&[])).copied().collect();
    let pooled = quantiles(&values, scratch)?;
    let mut levels = Vec::with_capacity(days.len());
    for rows in days {
        let day = track.values.get(rows.clone()).unwrap_or(&[]);
        levels.push(track.level(median(day.iter().copied(), scratch)?) - flat.median);
    }
    let (least, most) =
        levels.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), l| (a.min(*l), b.max(*l)));
    let away = if least > 0.0 { least } else { (-most).max(0.0) };
    if away <= flat.scale {
        return None;
    }
    let mut found = baseline(track, pooled, values.len());
    found.scale = found.scale.max((most - least) / 2.0).max(flat.scale);
    Some(found)
}
