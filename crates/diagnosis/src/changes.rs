//! What changed before the alarm, and how the instances a change brought fare beside the older ones.

use crate::case::Case;
use crate::deviation::{Deviation, interval};
use crate::kind::Kind;
use crate::tracks::{Components, Group, Track};

/// What the changes of a case say of each component.
#[derive(Debug, Default, PartialEq)]
pub struct Changes {
    /// 1 where something changed before the alarm.
    pub changed: Vec<f64>,
    /// 1 where the last change before the alarm was.
    pub last: Vec<f64>,
    /// How close its nearest change was to the supposed start of the incident: 1 at it, 0 far from it.
    pub at_onset: Vec<f64>,
    /// How much worse the new instances are than the others, 0 to 1.
    pub new_is_worse: Vec<f64>,
}

/// A change this many seconds beyond a scrape from the start of the incident counts a third of one at it.
const FADES_SECONDS: f64 = 300.0;

/// Reads the changes before the alarm; later ones, such as a rollback, are not causes.
#[must_use]
pub fn changes(
    case: &Case,
    components: &Components,
    tracks: &[Track<'_>],
    deviations: &[Deviation],
    start: usize,
) -> Changes {
    let step = interval(&case.times);
    let alarm = case.alarm(step);
    let onset = case.times.get(start).copied().unwrap_or(alarm);
    let mut at_onset = vec![0.0_f64; components.len()];
    let mut latest = vec![f64::NEG_INFINITY; components.len()];
    let mut fresh: Vec<(usize, &str)> = Vec::new();
    for change in case.changes.iter().filter(|c| c.time <= alarm) {
        if let Some(i) = components.find(&change.service) {
            latest[i] = latest[i].max(change.time);
            let apart = ((change.time - onset).abs() - step).max(0.0);
            at_onset[i] = at_onset[i].max((-apart / FADES_SECONDS).exp());
            fresh.extend(change.new_instances.iter().map(|name| (i, name.as_str())));
        }
    }
    let last = latest.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let truth = |yes: bool| if yes { 1.0 } else { 0.0 };
    Changes {
        changed: latest.iter().map(|t| truth(t.is_finite())).collect(),
        last: latest.iter().map(|t| truth(t.is_finite() && *t >= last)).collect(),
        at_onset,
        new_is_worse: new_is_worse(case, components.len(), &fresh, tracks, deviations),
    }
}

/// For every component, how much stronger its new instances show a symptom or a resource that is high than the older ones
/// do, in thirds. A new instance warms up, so its resources count half.
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
        let bad = match track.group {
            Some(Group::Errors) if track.kind == Kind::Success => deviation.fall(),
            Some(Group::Errors | Group::Latency | Group::OwnTime | Group::Log) => deviation.rise(),
            Some(Group::Cpu | Group::Memory | Group::Saturation | Group::Io) => 0.5 * deviation.rise(),
            _ => continue,
        };
        let new = fresh
            .iter()
            .any(|(service, name)| *service == i && (*name == instance || name.ends_with(instance)));
        let side = if new { &mut strongest[i].0 } else { &mut strongest[i].1 };
        *side = side.max(bad);
    }
    strongest.iter().map(|(new, old)| (new - old).clamp(0.0, 3.0) / 3.0).collect()
}
