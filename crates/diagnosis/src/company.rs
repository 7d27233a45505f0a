//! Which components move with the alarm: the course of a cause is the course of the symptom.

use crate::case::Case;
use crate::deviation::{Deviation, Standardised};
use crate::topology::Topology;
use crate::tracks::{Group, Track};

/// A correlation over fewer shared samples than this says nothing.
const LEAST_SAMPLES: usize = 4;

/// Strength below which a series has no course of its own.
const FLAT: f64 = 0.7;

/// For every component, how closely its best series follows the alarm's, from 0 to 1.
#[derive(Debug, Default)]
pub struct Company {
    /// Durations and errors, those its callers see included.
    pub symptom: Vec<f64>,
    /// Resources and own time.
    pub internal: Vec<f64>,
}

/// Correlates every series with the alarm's over the incident and the rows just before it.
#[must_use]
pub fn company(
    case: &Case,
    topology: &Topology,
    tracks: &[Track<'_>],
    deviations: &[Deviation],
    standardised: &Standardised,
) -> Company {
    let count = topology.callees.len();
    let mut out = Company { symptom: vec![0.0; count], internal: vec![0.0; count] };
    let alarm = alarm_course(case, topology, tracks, standardised);
    if alarm.is_empty() {
        return out;
    }
    for ((track, deviation), z) in tracks.iter().zip(deviations).zip(&standardised.tracks) {
        let Some(group) = track.group.filter(|_| deviation.known && deviation.strength() > FLAT) else {
            continue;
        };
        let (side, blamed) = match group {
            Group::Latency | Group::Errors | Group::Gap => (&mut out.symptom, track.component),
            Group::Edge => (&mut out.symptom, track.peer),
            Group::Cpu | Group::Memory | Group::OwnTime | Group::Saturation => {
                (&mut out.internal, track.component)
            }
            _ => continue,
        };
        if let Some(best) = blamed.and_then(|i| side.get_mut(i)) {
            *best = best.max(correlation(&alarm, z, upside_down(track)));
        }
    }
    out
}

fn upside_down(track: &Track<'_>) -> bool {
    track.kind == crate::kind::Kind::Success
}

/// A deviation of ten scales is not ten times one of a single scale: courses are compared by their logarithms.
fn squeezed(z: f64) -> f64 {
    z.signum() * z.abs().ln_1p()
}

/// The mean course of the series that raised the alarm: those of the target's kind or, without a target, the symptoms
/// where users come in.
fn alarm_course(
    case: &Case,
    topology: &Topology,
    tracks: &[Track<'_>],
    standardised: &Standardised,
) -> Vec<f64> {
    let raised = |track: &Track<'_>| {
        let symptom = matches!(track.group, Some(Group::Latency | Group::Errors));
        symptom
            && match &case.target {
                Some((service, kind)) => track.kind == *kind && case.series[track.series].service == *service,
                None => track.component.is_some_and(|i| topology.entries.contains(&i)),
            }
    };
    let rows = standardised.tracks.iter().map(Vec::len).max().unwrap_or(0);
    let mut sum = vec![(0.0, 0.0); rows];
    for (track, z) in tracks.iter().zip(&standardised.tracks).filter(|(track, _)| raised(track)) {
        let sign = if upside_down(track) { -1.0 } else { 1.0 };
        for (total, z) in sum.iter_mut().zip(z).filter(|(_, z)| z.is_finite()) {
            total.0 += sign * squeezed(*z);
            total.1 += 1.0;
        }
    }
    if sum.iter().all(|(_, n)| *n == 0.0) {
        return Vec::new();
    }
    sum.into_iter().map(|(total, n)| if n > 0.0 { total / n } else { f64::NAN }).collect()
}

/// Pearson's correlation where both are there, 0 when negative, weaker for few samples.
fn correlation(alarm: &[f64], z: &[f64], negate: bool) -> f64 {
    let sign = if negate { -1.0 } else { 1.0 };
    let pairs = || {
        alarm
            .iter()
            .zip(z)
            .filter(|(a, z)| a.is_finite() && z.is_finite())
            .map(|(a, z)| (*a, sign * squeezed(*z)))
    };
    let n = pairs().count();
    if n < LEAST_SAMPLES {
        return 0.0;
    }
    let count = n as f64;
    let (ma, mb) = pairs().fold((0.0, 0.0), |(x, y), (a, b)| (x + a / count, y + b / count));
    let (mut ab, mut aa, mut bb) = (0.0, 1e-9, 1e-9);
    for (a, b) in pairs() {
        ab += (a - ma) * (b - mb);
        aa += (a - ma).powi(2);
        bb += (b - mb).powi(2);
    }
    (ab / (aa * bb).sqrt()).max(0.0) * (count - 2.0) / (count - 1.0)
}
