//! How many seconds each component's durations rose by: a callee that got 2 ms slower does not explain a caller that got
//! 200 ms slower, however unusual those 2 ms are.

use std::collections::BTreeMap;

use crate::case::Case;
use crate::deviation::{Baseline, Deviation};
use crate::kind::Kind;
use crate::tracks::{Group, Track};

/// A rise counts in full from this many scales on.
const SURE: f64 = 3.0;

/// Rises of one family of durations, comparable between components.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seconds {
    /// Mean over the statistics (p50, p90, …) of each component's share of the largest rise.
    pub share: Vec<f64>,
}

/// The rises of a family. A gap counts for the callee. `components` is how many there are.
#[must_use]
pub fn seconds(
    case: &Case,
    components: usize,
    tracks: &[Track<'_>],
    baselines: &[Baseline],
    deviations: &[Deviation],
    group: Group,
) -> Seconds {
    let mut by_statistic: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for ((track, baseline), deviation) in tracks.iter().zip(baselines).zip(deviations) {
        let counts = track.group == Some(group) && track.kind == Kind::Latency && deviation.known;
        let (true, Some(component), Some(offset)) = (counts, track.component, track.log_offset) else {
            continue;
        };
        let name = case.series[track.series].metric.as_str();
        let statistic = name.split(':').next().unwrap_or(name);
        let rise = (baseline.raw_median.max(0.0) + offset) * (deviation.relative.exp() - 1.0);
        let sure = (deviation.held_up / SURE).min(1.0);
        let rises = by_statistic.entry(statistic).or_insert_with(|| vec![0.0; components]);
        rises[component] = rises[component].max(rise * sure);
    }
    let mut share = vec![0.0; components];
    let mut statistics = 0.0;
    for rises in by_statistic.values() {
        let top = rises.iter().copied().fold(0.0, f64::max);
        if top > 0.0 && top.is_finite() {
            statistics += 1.0;
            share.iter_mut().zip(rises).for_each(|(s, rise)| *s += rise / top);
        }
    }
    if statistics > 0.0 {
        share.iter_mut().for_each(|s| *s /= statistics);
    }
    Seconds { share }
}
