//! Who sends the load: a service that can't keep up is not the cause when it is asked many times as often as before.
//!
//! From the suspect the extra requests are followed to where they come from. They end at a caller that asks more often
//! than it is asked itself, or at the entry, which simply has more visitors. A caller is blamed only when it was changed:
//! callers also repeat requests because the callee fails, which is an effect.

use diagnosis::Kind;

use super::rows::{levels, points};
use crate::ai::evidence::Gathered;
use crate::ai::evidence::metrics::Measured;

/// How many times as many requests make a load.
const ROSE: f64 = 3.0;

/// Calls to follow at most.
const STEPS: usize = 10;

/// Seconds before the alarm within which a change can have brought the load.
const CHANGE_S: f64 = 3600.0;

/// Where the load on a service comes from.
#[derive(Debug)]
pub struct Driver<'a> {
    /// The service.
    pub service: &'a str,
    /// The series that shows it: its own requests, or its calls to another service.
    pub shown: &'a Measured,
    /// How many a second now.
    pub now: f64,
    /// How many a second before.
    pub before: f64,
    /// What it asks more often than it is asked itself.
    pub asks: Option<&'a str>,
}

/// Who sends `suspect` more than it can serve, when that is somebody else.
pub fn driver<'a>(gathered: &'a Gathered, onset: f64, suspect: &'a str) -> Option<Driver<'a>> {
    let mut at = suspect;
    let (mut shown, (mut before, mut now)) = own(gathered, onset, at)?;
    if now < ROSE * before {
        return None;
    }
    for _ in 0..STEPS {
        let Some((caller, call, (call_before, call_now))) = loudest(gathered, onset, at) else {
            let somebody_else = at != suspect;
            return somebody_else.then_some(Driver { service: at, shown, now, before, asks: None });
        };
        if call_now < ROSE * call_before {
            return None;
        }
        let asked = own(gathered, onset, caller);
        match asked {
            Some((own, (own_before, own_now))) if own_now >= 0.5 * own_before * call_now / call_before => {
                (at, shown, before, now) = (caller, own, own_before, own_now);
            }
            Some(_) if changed(gathered, caller) => {
                let (now, before) = (call_now, call_before);
                return Some(Driver { service: caller, shown: call, now, before, asks: Some(at) });
            }
            _ => return None,
        }
    }
    None
}

/// The requests that a service serves a second, before and now.
fn own<'a>(gathered: &'a Gathered, onset: f64, service: &str) -> Option<(&'a Measured, (f64, f64))> {
    let metrics = &gathered.metrics;
    let served = metrics.measured.iter().filter(|one| one.service == service && one.peer.is_none());
    served.filter(|one| is_traffic(gathered, one)).find_map(|one| Some((one, rates(gathered, onset, one)?)))
}

/// The caller that adds most calls to `service`.
fn loudest<'a>(
    gathered: &'a Gathered,
    onset: f64,
    service: &str,
) -> Option<(&'a str, &'a Measured, (f64, f64))> {
    let metrics = &gathered.metrics;
    let calls = metrics.measured.iter().filter(|one| one.peer.as_deref() == Some(service));
    let calls = calls.filter(|one| is_traffic(gathered, one) && one.service != service);
    let rated = calls.filter_map(|one| Some((one.service.as_str(), one, rates(gathered, onset, one)?)));
    rated.max_by(|(_, _, a), (_, _, b)| (a.1 - a.0).total_cmp(&(b.1 - b.0)))
}

fn is_traffic(gathered: &Gathered, one: &Measured) -> bool {
    gathered.metrics.asks.get(one.ask).is_some_and(|ask| ask.kind == Kind::Traffic && ask.unit == "/s")
}

fn rates(gathered: &Gathered, onset: f64, one: &Measured) -> Option<(f64, f64)> {
    let (before, now) = levels(points(&gathered.metrics.times, &one.values), onset);
    before.zip(now).filter(|(before, _)| *before > 0.0)
}

fn changed(gathered: &Gathered, service: &str) -> bool {
    let alarm = gathered.facts.alarm;
    let reported = gathered.facts.changes.iter().any(|change| {
        change.service_name == service && (0.0..CHANGE_S).contains(&alarm.seconds_since(change.at))
    });
    reported || gathered.metrics.versions.iter().any(|version| version.service == service)
}
