//! What changed before the alarm, and how the instances a change brought fare beside the older ones.

use crate::case::Case;
use crate::deviation::{Deviation, interval};
use crate::tracks::{Components, Track};

/// What the changes of a case say of each component.
#[derive(Debug, Default, PartialEq)]
pub struct Changes {
    /// 1 where something changed before the alarm.
    pub changed: Vec<f64>,
    /// 1 where the last change before the alarm was.
    pub last: Vec<f64>,
    /// How much worse the new instances are than the others, 0 to 1.
    pub new_is_worse: Vec<f64>,
}

/// Reads the changes before the alarm; later ones, such as a rollback, are not causes.
#[must_use]
pub fn changes(
    case: &Case,
    components: &Components,
    tracks: &[Track<'_>],
    deviations: &[Deviation],
) -> Changes {
    let alarm = case.alarm(interval(&case.times));
    let mut latest = vec![f64::NEG_INFINITY; components.len()];
    let mut fresh: Vec<(usize, &str)> = Vec::new();
    for change in case.changes.iter().filter(|c| c.time <= alarm) {
        if let Some(i) = components.find(&change.service) {
            latest[i] = latest[i].max(change.time);
            fresh.extend(change.new_instances.iter().map(|name| (i, name.as_str())));
        }
    }
    let last = latest.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let truth = |yes: bool| if yes { 1.0 } else { 0.0 };
    Changes {
        changed: latest.iter().map(|t| truth(t.is_finite())).collect(),
        last: latest.iter().map(|t| truth(t.is_finite() && *t >= last)).collect(),
        new_is_worse: new_is_worse(case, components.len(), &fresh, tracks, deviations),
    }
}

/// For every component the strongest deviation of a new instance beyond that of its older siblings, in thirds.
fn new_is_worse(
    case: &Case,
    components: usize,
    fresh: &[(usize, &str)],
    tracks: &[Track<'_>],
    deviations: &[Deviation],
) -> Vec<f64> {
    let mut strongest = vec![(0.0_f64, 0.0_f64); components];
    if fresh.is_empty() {
        return vec![0.0; components];
    }
    for (track, deviation) in tracks.iter().zip(deviations).filter(|(_, d)| d.known) {
        let (Some(i), Some(instance)) = (track.component, case.series[track.series].instance.as_deref())
        else {
            continue;
        };
        let new = fresh
            .iter()
            .any(|(service, name)| *service == i && (*name == instance || name.ends_with(instance)));
        let side = if new { &mut strongest[i].0 } else { &mut strongest[i].1 };
        *side = side.max(deviation.strength());
    }
    strongest.iter().map(|(new, old)| (new - old).clamp(0.0, 3.0) / 3.0).collect()
}
