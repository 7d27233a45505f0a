//! Slow burns: a resource that has been filling all along is in no window against any baseline, since both are full of it.

use crate::robust::{median, quantiles};
use crate::tracks::{Group, Track};

/// The series is cut into so many parts whose medians must rise one after the other.
const PARTS: usize = 6;

/// A part has at least this many samples.
const LEAST_SAMPLES: usize = 5;

/// A drift is at least this share of the first level.
const LEAST_SHARE: f64 = 0.2;

/// For every component, how far its resources have drifted upwards over everything that was handed in: the logarithm of the
/// rise in units of the noise around it. 0 where no series rose all along.
#[must_use]
pub fn drifts(components: usize, tracks: &[Track<'_>]) -> Vec<f64> {
    let mut out = vec![0.0_f64; components];
    let mut scratch = Vec::new();
    for track in tracks {
        let fills = matches!(track.group, Some(Group::Memory | Group::Saturation));
        if let (Some(component), true) = (track.component, fills) {
            out[component] = out[component].max(drift(&track.values, &mut scratch));
        }
    }
    out
}

fn drift(values: &[f64], scratch: &mut Vec<f64>) -> f64 {
    let length = values.len() / PARTS;
    if length < LEAST_SAMPLES {
        return 0.0;
    }
    let mut levels = [0.0; PARTS];
    for (level, part) in levels.iter_mut().zip(values.chunks_exact(length)) {
        match median(part.iter().copied(), scratch) {
            Some(found) => *level = found,
            None => return 0.0,
        }
    }
    let rise = levels[PARTS - 1] - levels[0];
    // equal steps: a level that was switched once is no drift
    let steady = levels.windows(2).all(|pair| pair[1] - pair[0] > 0.3 * rise / (PARTS - 1) as f64);
    if !steady || rise <= LEAST_SHARE * levels[0].abs() {
        return 0.0;
    }
    let slope = rise / ((PARTS - 1) * length) as f64;
    let rest: Vec<f64> = values.iter().enumerate().map(|(i, v)| v - slope * i as f64).collect();
    let noise = quantiles(&rest, scratch).map_or(0.0, |q| (q.q3 - q.q1) / 1.349);
    let scale = noise.max(0.01 * levels[0].abs()).max(1e-9);
    (rise / scale).ln_1p()
}

#[cfg(test)]
mod tests {
    use super::drift;

    #[test]
    fn a_ramp_is_a_drift_and_a_step_a_wave_and_noise_are_none() {
        let series = |of: fn(f64) -> f64| (0..240).map(|i| of(f64::from(i))).collect::<Vec<f64>>();
        assert!(drift(&series(|i| 100.0 + i + (i * 1.7).sin()), &mut Vec::new()) > 3.0);
        for flat in [
            series(|i| if i < 120.0 { 100.0 } else { 200.0 }),
            series(|i| 100.0 + 80.0 * (i / 20.0).sin()),
            series(|i| 100.0 + (i * 1.7).sin()),
        ] {
            assert_eq!(drift(&flat, &mut Vec::new()), 0.0);
        }
    }
}
