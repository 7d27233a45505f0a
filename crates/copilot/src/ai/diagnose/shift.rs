//! Whether a service's metrics left their usual range around the alarm.
//!
//! The engine always ranks some service first. With a hundred noisy series one of them is always at its oddest, and
//! in any hour something was changed, so being ranked is not enough to be named: something of the service must be
//! where it never was before.

use crate::ai::evidence::Gathered;
use crate::ai::evidence::metrics::Measured;

/// Seconds before the alarm that count as around it: a rule waits and averages before it fires.
const AROUND_S: f64 = 60.0;

/// How far outside of its range a value must be, as a share of that range.
const CLEAR: f64 = 0.5;

/// The least distance for a share of something: two points of a hundred, whatever the range was.
const LEAST_SHARE: f64 = 0.02;

/// The least distance for everything else, as a share of the usual level.
const LEAST_LEVEL: f64 = 0.1;

/// Samples before the alarm without which there is no usual range.
const LEAST_BEFORE: usize = 20;

/// Samples around the alarm that must be outside, so that one bad sample names nobody.
const LEAST_OUTSIDE: usize = 2;

/// Whether any metric of `service`, or any call to it as its callers see it, left its usual range around the alarm.
pub fn left_its_range(gathered: &Gathered, service: &str) -> bool {
    let blamed = |one: &&Measured| one.peer.as_deref().unwrap_or(&one.service) == service;
    gathered.metrics.measured.iter().filter(blamed).any(|one| has_left(gathered, one))
}

/// Whether this series left its usual range around the alarm.
pub fn has_left(gathered: &Gathered, one: &Measured) -> bool {
    let alarm = gathered.facts.alarm.unix_seconds();
    let unit = gathered.metrics.asks.get(one.ask).map_or("", |ask| ask.unit);
    is_outside(&gathered.metrics.times, &one.values, alarm, unit)
}

fn is_outside(times: &[f64], values: &[f64], alarm: f64, unit: &str) -> bool {
    let samples = times.iter().zip(values).filter(|(_, value)| value.is_finite());
    let (mut before, around): (Vec<f64>, Vec<f64>) =
        samples.fold(Default::default(), |mut sides, (at, value)| {
            let side = if *at < alarm - AROUND_S { &mut sides.0 } else { &mut sides.1 };
            side.push(*value);
            sides
        });
    before.sort_by(f64::total_cmp);
    let (Some(low), Some(high), Some(middle)) = (before.first(), before.last(), before.get(before.len() / 2))
    else {
        return false;
    };
    if before.len() < LEAST_BEFORE {
        return false;
    }
    let least = if unit == "ratio" { LEAST_SHARE } else { LEAST_LEVEL * middle.abs() };
    let clear = (CLEAR * (high - low)).max(least);
    let outside = |value: &&f64| **value > high + clear || **value < low - clear;
    around.iter().filter(outside).count() >= LEAST_OUTSIDE
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALARM: f64 = 3600.0;

    /// An hour of `usual`, a sample every five seconds, then `around` in the last seconds before the alarm.
    fn outside(usual: impl Fn(usize) -> f64, around: &[f64], unit: &str) -> bool {
        let times: Vec<f64> = (0..=720).map(|n| n as f64 * 5.0).collect();
        let mut values: Vec<f64> = (0..=720).map(usual).collect();
        let from = values.len() - around.len();
        values[from..].copy_from_slice(around);
        is_outside(&times, &values, ALARM, unit)
    }

    #[test]
    fn a_real_fault_is_outside() {
        let noise = |n: usize| [0.0, 0.007, 0.035, 0.01][n % 4];
        assert!(outside(noise, &[0.09, 0.13, 0.14], "ratio"), "errors of 14% where 3.5% was the most");
        assert!(outside(|n| 0.4 + 0.05 * (n % 3) as f64, &[0.9, 0.97], "ratio"), "a saturated CPU");
        assert!(
            outside(|n| 0.45 + 0.02 * (n % 5) as f64, &[2.9, 3.4], "s"),
            "seconds instead of half of one"
        );
    }

    #[test]
    fn what_always_happens_is_not() {
        let noise = |n: usize| [0.0, 0.007, 0.035, 0.01][n % 4];
        assert!(!outside(noise, &[0.03, 0.04, 0.036], "ratio"), "a little beyond the most");
        assert!(!outside(|_| 0.0, &[0.0026, 0.0026, 0.0], "ratio"), "one failed request");
        assert!(
            !outside(|n| 0.11 + 0.005 * (n % 4) as f64, &[0.104, 0.104], "ratio"),
            "CPU of 10.4% against 12.1%"
        );
        assert!(!outside(noise, &[0.0, 0.0, 0.4], "ratio"), "one bad sample");
    }

    #[test]
    fn without_a_past_there_is_no_range() {
        let values = [0.0, 0.0, 0.9, 0.9];
        assert!(!is_outside(&[10.0, 20.0, 3590.0, 3600.0], &values, ALARM, "ratio"));
    }
}
