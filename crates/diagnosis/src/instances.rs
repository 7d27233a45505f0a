//! What the instances of a component tell beside each other: which are gone, and which fare worse than their siblings.
//!
//! Load, a slow callee or a noisy metric moves all instances of a component alike; a fault of one instance moves one.

use std::collections::BTreeMap;

use crate::case::Case;
use crate::deviation::Deviation;
use crate::kind::Kind;
use crate::tracks::{Group, Track};

/// What the instances of each component say.
#[derive(Debug, Default, PartialEq)]
pub struct Instances {
    /// Share of the resource series of an instance that end or pause in the incident, beyond the share of all series that
    /// do: the process is gone, or was away. 0 to 1, of the worst instance.
    pub vanished: Vec<f64>,
    /// How much stronger an instance deviates to the bad side than the median of its siblings in the same metric, in thirds
    /// of a unit of strength, at most 1.
    pub apart: Vec<f64>,
}

/// So many rows before the incident tell whether a series was there.
const BEFORE: usize = 5;

/// A series that misses so many rows in a row of the incident ended or paused.
const GAP: usize = 2;

/// An instance that deviates less than this is like its siblings.
const LEAST: f64 = 1.5;

/// Reads the instances of a case for an incident that starts at row `start`.
#[must_use]
pub fn instances(
    case: &Case,
    components: usize,
    tracks: &[Track<'_>],
    deviations: &[Deviation],
    start: usize,
) -> Instances {
    Instances {
        vanished: vanished(case, components, tracks, start),
        apart: apart(case, components, tracks, deviations),
    }
}

fn vanished(case: &Case, components: usize, tracks: &[Track<'_>], start: usize) -> Vec<f64> {
    let mut ended: BTreeMap<(usize, Option<&str>), (f64, f64)> = BTreeMap::new();
    for track in tracks {
        let own = matches!(track.group, Some(Group::Cpu | Group::Memory | Group::Io | Group::Network));
        let (Some(component), true) = (track.component, own) else { continue };
        let Some(gone) = ends(&track.values, start) else { continue };
        let instance = case.series[track.series].instance.as_deref();
        let tally = ended.entry((component, instance)).or_default();
        tally.0 += if gone { 1.0 } else { 0.0 };
        tally.1 += 1.0;
    }
    let (gone, all) = ended.values().fold((0.0, 0.0), |sum, tally| (sum.0 + tally.0, sum.1 + tally.1));
    let usual = if all > 0.0 { gone / all } else { 0.0 };
    let mut out = vec![0.0_f64; components];
    for ((component, _), (gone, all)) in ended {
        out[component] = out[component].max((gone / all - usual).max(0.0));
    }
    out
}

/// Whether a series that was there up to the incident has a gap in it; `None` where it was not there.
fn ends(values: &[f64], start: usize) -> Option<bool> {
    let before = values.get(start.saturating_sub(BEFORE)..start)?;
    if before.is_empty() || before.iter().any(|v| !v.is_finite()) {
        return None;
    }
    let (mut run, mut longest) = (0, 0);
    for value in &values[start..] {
        run = if value.is_finite() { 0 } else { run + 1 };
        longest = longest.max(run);
    }
    Some(longest >= GAP)
}

fn apart(case: &Case, components: usize, tracks: &[Track<'_>], deviations: &[Deviation]) -> Vec<f64> {
    let mut siblings: BTreeMap<(usize, &str), Vec<f64>> = BTreeMap::new();
    for (track, deviation) in tracks.iter().zip(deviations).filter(|(_, d)| d.known) {
        let series = &case.series[track.series];
        if let (Some(component), Some(_), true) = (track.component, &series.instance, telling(track)) {
            let bad = if track.kind == Kind::Success { deviation.fall() } else { deviation.rise() };
            siblings.entry((component, &series.metric)).or_default().push(bad);
        }
    }
    let mut out = vec![0.0_f64; components];
    for ((component, _), mut bad) in siblings.into_iter().filter(|(_, bad)| bad.len() > 1) {
        bad.sort_by(f64::total_cmp);
        let (worst, usual) = (bad[bad.len() - 1], bad[(bad.len() - 1) / 2]);
        if worst > LEAST {
            out[component] = out[component].max(((worst - usual) / 3.0).min(1.0));
        }
    }
    out
}

fn telling(track: &Track<'_>) -> bool {
    use Group::{Cpu, Errors, Io, Latency, Memory, OwnTime, Saturation};
    matches!(track.group, Some(Cpu | Memory | Io | Saturation | Latency | OwnTime | Errors))
}

#[cfg(test)]
mod tests {
    use super::ends;

    #[test]
    fn a_pause_is_told_from_one_lost_scrape_and_from_what_was_never_there() {
        let gap = f64::NAN;
        assert_eq!(ends(&[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, gap, gap, 1.0], 5), Some(true));
        assert_eq!(ends(&[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, gap, 1.0, gap], 5), Some(false));
        assert_eq!(ends(&[1.0, 1.0, 1.0, gap, gap, gap, gap, gap, gap], 5), None);
    }
}
