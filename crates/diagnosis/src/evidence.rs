//! Deviations gathered by component and family of evidence.

use crate::deviation::{Baseline, Deviation};
use crate::kind::Kind;
use crate::tracks::{GROUPS, Group, Track};

/// The strongest that one component showed in one family.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reading {
    /// Strength upwards.
    pub up: f64,
    /// Strength downwards.
    pub down: f64,
    /// When it was first hot: 0 at the start of the window, 1 never.
    pub first: f64,
    /// How many series there were.
    pub series: usize,
}

/// All readings of one component.
#[derive(Debug, Clone)]
pub struct Evidence {
    groups: [Reading; GROUPS.len()],
    /// Calls to the component as its callers see them.
    pub edge_in: Reading,
    /// Calls the component makes.
    pub edge_out: Reading,
    /// Waiting in front of the component.
    pub gap_in: Reading,
    /// Waiting behind the component.
    pub gap_out: Reading,
    /// Whether it is known to receive no requests, neither before the incident nor in it.
    pub idle: bool,
}

impl Evidence {
    fn empty() -> Self {
        let none = Reading { first: 1.0, ..Reading::default() };
        Self {
            groups: [none; GROUPS.len()],
            edge_in: none,
            edge_out: none,
            gap_in: none,
            gap_out: none,
            idle: false,
        }
    }

    /// The reading of a family; edges and gaps have their own fields.
    #[must_use]
    pub fn of(&self, group: Group) -> Reading {
        GROUPS.iter().position(|g| *g == group).map_or_else(Reading::default, |i| self.groups[i])
    }

    /// The earliest hot moment in any family.
    #[must_use]
    pub fn first(&self) -> f64 {
        let edges = [&self.edge_in, &self.edge_out, &self.gap_in, &self.gap_out];
        self.groups.iter().chain(edges).map(|r| r.first).fold(1.0, f64::min)
    }

    /// Whether the component has any series at all.
    #[must_use]
    pub fn observed(&self) -> bool {
        let edges = [&self.edge_in, &self.edge_out, &self.gap_in, &self.gap_out];
        self.groups.iter().chain(edges).any(|r| r.series > 0)
    }

    /// Whether it has series that only the component itself can report.
    #[must_use]
    pub fn inside(&self) -> bool {
        let own = [
            Group::Cpu,
            Group::Memory,
            Group::Io,
            Group::Saturation,
            Group::OwnTime,
            Group::Network,
            Group::Log,
        ];
        own.iter().any(|g| self.of(*g).series > 0)
    }

    /// How many series speak of the component.
    #[must_use]
    pub fn series(&self) -> usize {
        self.groups.iter().map(|r| r.series).sum()
    }

    /// The strongest reading in any family that says something is wrong.
    #[must_use]
    pub fn strongest(&self) -> f64 {
        let edges = [self.edge_in.up, self.gap_in.up];
        self.groups.iter().map(|r| r.up.max(r.down)).chain(edges).fold(0.0, f64::max)
    }
}

fn merge(reading: &mut Reading, up: f64, down: f64, first: f64) {
    reading.series += 1;
    reading.up = reading.up.max(up);
    reading.down = reading.down.max(down);
    reading.first = reading.first.min(first);
}

/// Gathers the deviations; the strongest series of a component speaks for its family.
#[must_use]
pub fn gather(
    components: usize,
    tracks: &[Track<'_>],
    baselines: &[Baseline],
    deviations: &[Deviation],
) -> Vec<Evidence> {
    let mut out = vec![Evidence::empty(); components];
    set_idle(&mut out, tracks, baselines, deviations);
    for (track, deviation) in tracks.iter().zip(deviations) {
        let Some(group) = track.group.filter(|_| deviation.known) else { continue };
        match group {
            // Edges are blamed on the callee and noted for the caller; a gap counts for both of its ends.
            Group::Edge => {
                let bad = worse(track.kind, deviation);
                note(&mut out, track.component, bad, deviation, |e| &mut e.edge_out);
                note(&mut out, track.peer, bad, deviation, |e| &mut e.edge_in);
            }
            Group::Gap => {
                let bad = deviation.rise();
                note(&mut out, track.peer, bad, deviation, |e| &mut e.gap_out);
                note(&mut out, track.component, bad, deviation, |e| &mut e.gap_in);
            }
            _ => {
                let Some(place) = GROUPS.iter().position(|g| *g == group) else { continue };
                let (up, down) = badness(track.kind, deviation);
                if let Some(evidence) = track.component.and_then(|c| out.get_mut(c)) {
                    merge(&mut evidence.groups[place], up, down, deviation.first);
                }
            }
        }
    }
    out
}

/// A component whose request series are all zero, before and in the incident, is idle.
fn set_idle(out: &mut [Evidence], tracks: &[Track<'_>], baselines: &[Baseline], deviations: &[Deviation]) {
    let mut busy = vec![None; out.len()];
    for ((track, baseline), deviation) in tracks.iter().zip(baselines).zip(deviations) {
        let counts = track.group == Some(Group::Traffic) && deviation.known;
        if let Some(seen) = track.component.filter(|_| counts).and_then(|c| busy.get_mut(c)) {
            let quiet = baseline.raw_median == 0.0 && deviation.up == 0.0;
            *seen = Some(seen.unwrap_or(false) || !quiet);
        }
    }
    out.iter_mut().zip(busy).for_each(|(evidence, busy)| evidence.idle = busy == Some(false));
}

fn note(
    out: &mut [Evidence],
    component: Option<usize>,
    bad: f64,
    deviation: &Deviation,
    field: impl Fn(&mut Evidence) -> &mut Reading,
) {
    if let Some(evidence) = component.and_then(|c| out.get_mut(c)) {
        merge(field(evidence), bad, 0.0, deviation.first);
    }
}

/// Strength towards the bad side of an edge metric.
fn worse(kind: Kind, deviation: &Deviation) -> f64 {
    if kind == Kind::Success { deviation.fall() } else { deviation.rise() }
}

/// (up, down) of a reading; for success the two change places, so that up is always more errors.
fn badness(kind: Kind, deviation: &Deviation) -> (f64, f64) {
    if kind == Kind::Success {
        (deviation.fall(), deviation.rise())
    } else {
        (deviation.rise(), deviation.fall())
    }
}
