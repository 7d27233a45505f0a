//! Whether a service's metrics left their usual range around the alarm.
//!
//! The engine always ranks some service first. With a hundred noisy series one of them is always at its oddest, and
//! in any hour something was changed, so being ranked is not enough to be named: something of the service must be
//! where it never was before.

use diagnosis::Kind;

use crate::ai::evidence::Gathered;
use crate::ai::evidence::metrics::Measured;

/// Seconds before the alarm that count as around it: a rule averages before it fires.
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

/// Stretches that the past is cut into, to see whether a value crept.
const STRETCHES: usize = 8;

/// How much more than at the beginning a value that crept must be, as a share of that level.
const CREPT: f64 = 0.5;

/// Whether any metric of `service`, or any call to it as its callers see it, left its usual range around the alarm.
/// `onset` is when the incident began, in Unix seconds.
pub fn left_its_range(gathered: &Gathered, onset: f64, service: &str) -> bool {
    let blamed = |one: &&Measured| one.peer.as_deref().unwrap_or(&one.service) == service;
    gathered.metrics.measured.iter().filter(blamed).any(|one| has_left(gathered, onset, one))
}

/// Whether this series left its usual range around the alarm, at once or by creeping away from it.
pub fn has_left(gathered: &Gathered, onset: f64, one: &Measured) -> bool {
    let alarm = Alarm::new(gathered.facts.alarm.unix_seconds(), onset);
    let ask = gathered.metrics.asks.get(one.ask);
    let unit = ask.map_or("", |ask| ask.unit);
    let times = &gathered.metrics.times;
    // Only what fills up creeps: requests and durations follow the hour of the day.
    let fills = ask.is_some_and(|ask| matches!(ask.kind, Kind::Memory | Kind::Saturation));
    is_outside(times, &one.values, alarm, unit, one.usual)
        || fills && has_crept(times, &one.values, alarm, one.usual)
}

/// Whether a level is clearly other than the one before, as far as two numbers tell.
pub fn differs(before: Option<f64>, now: Option<f64>, unit: &str) -> bool {
    let (Some(before), Some(now)) = (before, now) else { return before.is_some() != now.is_some() };
    (now - before).abs() >= least(before, unit)
}

/// The least distance from a usual level that is worth a word.
fn least(level: f64, unit: &str) -> f64 {
    if unit == "ratio" { LEAST_SHARE } else { LEAST_LEVEL * level.abs() }
}

/// The two sides of an alarm, in Unix seconds.
#[derive(Clone, Copy)]
struct Alarm {
    /// What lies before is usual. A rule that waits for minutes fires long after the fault began.
    usual_until: f64,
    /// From here on it is around the alarm.
    around_from: f64,
}

impl Alarm {
    fn new(at: f64, onset: f64) -> Self {
        let around_from = at - AROUND_S;
        Self { usual_until: onset.min(around_from), around_from }
    }
}

fn is_outside(times: &[f64], values: &[f64], alarm: Alarm, unit: &str, usual: Option<(f64, f64)>) -> bool {
    let (mut before, around) = sides(times, values, alarm);
    before.sort_by(f64::total_cmp);
    let (Some(low), Some(high), Some(middle)) = (before.first(), before.last(), before.get(before.len() / 2))
    else {
        return false;
    };
    if before.len() < LEAST_BEFORE {
        return false;
    }
    // What earlier days reached at this hour is usual as well.
    let (low, high) = usual.map_or((*low, *high), |(least, most)| (low.min(least), high.max(most)));
    let clear = (CLEAR * (high - low)).max(least(*middle, unit));
    let outside = |value: &&f64| **value > high + clear || **value < low - clear;
    around.iter().filter(outside).count() >= LEAST_OUTSIDE
}

/// Whether the value rose from stretch to stretch, by half of where it began at least: a leak has no moment at
/// which it leaves its range, because its range grows with it.
fn has_crept(times: &[f64], values: &[f64], alarm: Alarm, usual: Option<(f64, f64)>) -> bool {
    let (before, around) = sides(times, values, alarm);
    let Some(now) = middle(&around) else { return false };
    if before.len() < LEAST_BEFORE.max(STRETCHES) {
        return false;
    }
    let levels: Vec<f64> =
        before.chunks(before.len().div_ceil(STRETCHES)).filter_map(middle).chain([now]).collect();
    let rises = levels.windows(2).filter(|pair| matches!(pair, [old, new] if new > old)).count();
    let least = levels.iter().copied().fold(f64::INFINITY, f64::min);
    let most = usual.map_or(f64::NEG_INFINITY, |(_, most)| most);
    // The last stretches must rise without a fall: what rose an hour ago and stayed is another story.
    let tail = levels.get(levels.len().saturating_sub(4)..).unwrap_or_default();
    let still = tail.windows(2).all(|pair| matches!(pair, [old, new] if new > old));
    still && 2 * rises > levels.len() && now > (1.0 + CREPT) * least && now > (1.0 + LEAST_LEVEL) * most
}

/// The finite values of the usual time, and those around the alarm.
fn sides(times: &[f64], values: &[f64], alarm: Alarm) -> (Vec<f64>, Vec<f64>) {
    let samples = times.iter().zip(values).filter(|(_, value)| value.is_finite());
    samples.fold(Default::default(), |mut sides: (Vec<f64>, Vec<f64>), (at, value)| {
        if *at < alarm.usual_until {
            sides.0.push(*value);
        } else if *at >= alarm.around_from {
            sides.1.push(*value);
        }
        sides
    })
}

fn middle(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALARM: Alarm = Alarm { usual_until: 3540.0, around_from: 3540.0 };

    /// An hour of `usual`, a sample every five seconds, then `around` in the last seconds before the alarm.
    fn outside(usual: impl Fn(usize) -> f64, around: &[f64], unit: &str) -> bool {
        let times: Vec<f64> = (0..=720).map(|n| n as f64 * 5.0).collect();
        let mut values: Vec<f64> = (0..=720).map(usual).collect();
        let from = values.len() - around.len();
        values[from..].copy_from_slice(around);
        is_outside(&times, &values, ALARM, unit, None)
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
    fn a_rule_that_waited_for_minutes_does_not_make_the_fault_usual() {
        let times: Vec<f64> = (0..=720).map(|n| n as f64 * 5.0).collect();
        let values: Vec<f64> = (0..=720).map(|n| if n < 600 { 0.01 } else { 0.2 }).collect();
        assert!(is_outside(&times, &values, Alarm::new(3600.0, 3000.0), "ratio", None), "ten minutes ago");
        assert!(!is_outside(&times, &values, Alarm::new(3600.0, 3600.0), "ratio", None), "began now");
    }

    #[test]
    fn a_level_that_hardly_moved_does_not_differ() {
        for (before, now, unit, moved) in [
            (Some(0.0615), Some(0.063), "ratio", false),
            (Some(0.00588), Some(0.154), "ratio", true),
            (Some(12.9), Some(13.4), "/s", false),
            (Some(12.9), Some(19.0), "/s", true),
            (Some(12.9), None, "/s", true),
            (None, None, "/s", false),
        ] {
            assert_eq!(differs(before, now, unit), moved, "{before:?} to {now:?} {unit}");
        }
    }

    #[test]
    fn without_a_past_there_is_no_range() {
        let values = [0.0, 0.0, 0.9, 0.9];
        assert!(!is_outside(&[10.0, 20.0, 3590.0, 3600.0], &values, ALARM, "ratio", None));
    }

    #[test]
    fn a_leak_creeps_and_a_restless_level_does_not() {
        let times: Vec<f64> = (0..=720).map(|n| n as f64 * 5.0).collect();
        let crept = |value: &dyn Fn(usize) -> f64, usual| {
            has_crept(&times, &(0..=720).map(value).collect::<Vec<_>>(), ALARM, usual)
        };
        let leak = |n: usize| 180.0 + 4.0 * (n % 3) as f64 + n.saturating_sub(400) as f64;
        assert!(crept(&leak, None), "from 180 to 500 in the last 25 minutes");
        assert!(!crept(&leak, Some((170.0, 520.0))), "as on every day at this hour");
        assert!(!crept(&|n| 180.0 + 30.0 * (n as f64 / 60.0).sin(), None), "up and down");
        assert!(!crept(&|n| if n < 100 { 180.0 } else { 400.0 }, None), "a step long ago");
        assert!(!crept(&|n| 180.0 + n as f64 / 20.0, None), "a fifth more in an hour");
    }

    #[test]
    fn what_earlier_days_reached_at_this_hour_is_usual() {
        let times: Vec<f64> = (0..=720).map(|n| n as f64 * 5.0).collect();
        let values: Vec<f64> = (0..=720).map(|n| if n < 712 { 10.0 } else { 50.0 }).collect();
        assert!(is_outside(&times, &values, ALARM, "", None));
        assert!(is_outside(&times, &values, ALARM, "", Some((9.0, 12.0))));
        assert!(!is_outside(&times, &values, ALARM, "", Some((9.0, 52.0))));
    }
}
