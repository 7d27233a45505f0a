//! A cause in words: what happened, since when, what to look at next. Every number was computed from samples.

use std::collections::BTreeSet;

use diagnosis::{Cause, Diagnosis, Direction, Kind, MetricFinding, Statement};

use super::case::what;
use super::load::Driver;
use super::rows::{levels, points};
use super::{change_before, shift};
use crate::ai::evidence::Gathered;
use crate::ai::evidence::ask::Ask;
use crate::ai::evidence::metrics::Measured;
use crate::ai::text::{quantity, short, span};

/// Characters of a claim at most.
pub const CLAIM: usize = 300;

/// Characters of a description at most.
pub const DESCRIPTION: usize = 2000;

/// Seconds before the start of the incident that a change may be to be named for it. The ranking counts one this far away a
/// twentieth of one at the start (`diagnosis::changes`); older ones stay among the evidence.
const CHANGE_S: f64 = 900.0;

/// A share of a limit above which the resource is called saturated.
const SATURATED: f64 = 0.8;

/// The cause in one plain sentence.
pub fn claim(gathered: &Gathered, diagnosis: &Diagnosis, cause: &Cause) -> String {
    let service = &cause.service;
    let told = told(gathered, cause, diagnosis.onset);
    let text = match fresh_change(gathered, diagnosis.onset, cause) {
        Some((since, what)) => {
            let what = what.unwrap_or("a change");
            let began = told.as_ref().map_or("began to misbehave", |told| told.verb);
            let numbers = told.as_ref().map(|told| format!(": {}", told.numbers)).unwrap_or_default();
            format!("{service} {began} {} after {what}{numbers}", span(since))
        }
        None => match &told {
            Some(told) => format!("{service} {}: {}{}", told.state, told.numbers, behind(gathered, service)),
            None if seen_by_callers(cause) => {
                format!(
                    "Calls to {service} are slow or failing, as its callers see them{}",
                    behind(gathered, service)
                )
            }
            None => format!("{service} behaves unlike before{}", behind(gathered, service)),
        },
    };
    short(&text, CLAIM - 1)
}

/// What changed on the service shortly before: seconds until the start of the incident, or until the alarm where it is said
/// to have started before the change.
fn fresh_change<'a>(gathered: &Gathered, onset: f64, cause: &'a Cause) -> Option<(f64, Option<&'a str>)> {
    let (seconds, what) = change_before(cause)?;
    let since_change = onset - (gathered.facts.alarm.unix_seconds() - seconds);
    let since = if since_change >= 0.0 { since_change } else { seconds };
    (since <= CHANGE_S).then_some((since, what))
}

/// What the most telling metric says.
struct Told {
    /// After "began".
    verb: &'static str,
    /// As a statement.
    state: &'static str,
    /// The metric in numbers.
    numbers: String,
}

fn told(gathered: &Gathered, cause: &Cause, onset: f64) -> Option<Told> {
    let metric = most_telling(gathered, onset, cause)?;
    let (numbers, value, unit) = numbers(gathered, &cause.service, metric, onset);
    let up = metric.direction == Direction::Up;
    let full = unit == "ratio" && value >= SATURATED;
    let (verb, state) = match metric.kind {
        Kind::Saturation | Kind::Cpu | Kind::Memory | Kind::Io if up && full => {
            ("became saturated", "is saturated")
        }
        Kind::Saturation if up => ("began to queue", "has work piling up"),
        Kind::Cpu if up => ("began to use more CPU", "uses more CPU than before"),
        Kind::Memory if up => ("began to use more memory", "uses more memory than before"),
        Kind::Io | Kind::Network if up => {
            ("began to use more of the machine", "uses more of the machine than before")
        }
        Kind::Errors if up => ("began failing", "fails more often than before"),
        Kind::Success if !up => ("began failing", "fails more often than before"),
        Kind::Latency if up => ("became slow", "is slower than before"),
        Kind::Traffic if up => ("began to receive more requests", "receives more requests than before"),
        Kind::Traffic => ("began to receive fewer requests", "receives fewer requests than before"),
        _ => ("began to behave differently", "behaves unlike before"),
    };
    Some(Told { verb, state, numbers })
}

/// What a metric was and is, its value now and its unit: the levels that its evidence row shows, so that one page never
/// gives two numbers for one thing.
fn numbers(
    gathered: &Gathered,
    service: &str,
    metric: &MetricFinding,
    onset: f64,
) -> (String, f64, &'static str) {
    let ask = ask_of(gathered, service, metric);
    let (words, unit) = ask.map_or((metric.metric.as_str(), ""), |ask| (ask.words.as_str(), ask.unit));
    let levels = measured_of(gathered, service, metric)
        .map(|one| levels(points(&gathered.metrics.times, &one.values), onset));
    let (baseline, value) = levels.unwrap_or_default();
    let (baseline, value) = (baseline.unwrap_or(metric.baseline), value.unwrap_or(metric.value));
    (format!("{words} {} against {} before", quantity(value, unit), quantity(baseline, unit)), value, unit)
}

/// A full resource explains more than a symptom, and errors more than their side effects; what has not moved
/// explains nothing while something else has.
pub fn most_telling<'a>(gathered: &Gathered, onset: f64, cause: &'a Cause) -> Option<&'a MetricFinding> {
    let moved = |metric: &&MetricFinding| {
        measured_of(gathered, &cause.service, metric).is_some_and(|one| shift::has_left(gathered, onset, one))
    };
    let any_moved = cause.metrics.iter().any(|metric| moved(&metric));
    let strongest = cause.metrics.iter().find(|metric| !any_moved || moved(metric))?;
    let close = |metric: &&MetricFinding| {
        metric.score >= 0.4 * strongest.score
            && metric.direction == Direction::Up
            && (!any_moved || moved(metric))
    };
    let full = cause.metrics.iter().filter(close).find(|metric| {
        let resource = matches!(metric.kind, Kind::Saturation | Kind::Cpu | Kind::Memory | Kind::Io);
        resource
            && metric.value >= SATURATED
            && ask_of(gathered, &cause.service, metric).is_some_and(|ask| ask.unit == "ratio")
    });
    let failing = || cause.metrics.iter().filter(close).find(|metric| metric.kind == Kind::Errors);
    let slow = || cause.metrics.iter().filter(close).find(|metric| metric.kind == Kind::Latency);
    full.or_else(failing).or_else(slow).or(Some(strongest))
}

/// The query that the metric came from.
fn ask_of<'a>(gathered: &'a Gathered, service: &str, metric: &MetricFinding) -> Option<&'a Ask> {
    measured_of(gathered, service, metric).and_then(|one| gathered.metrics.asks.get(one.ask))
}

/// The series that the metric was found in.
fn measured_of<'a>(gathered: &'a Gathered, service: &str, metric: &MetricFinding) -> Option<&'a Measured> {
    let own = |one: &&Measured| {
        one.service == service
            && gathered.metrics.asks.get(one.ask).is_some_and(|ask| one.engine_metric(ask) == metric.metric)
    };
    gathered.metrics.measured.iter().find(own)
}

/// Who suffers from it, when the calls between services say so.
fn behind(gathered: &Gathered, service: &str) -> String {
    match gathered.facts.service() {
        Some(own) if own != service && depends(gathered, own, service) => {
            format!("; {own} depends on it and suffers")
        }
        _ => String::new(),
    }
}

/// Whether `from` calls `to`, directly or through others.
fn depends(gathered: &Gathered, from: &str, to: &str) -> bool {
    let (mut seen, mut open) = (BTreeSet::from([from]), vec![from]);
    while let Some(caller) = open.pop() {
        for (_, callee) in gathered.metrics.graph.iter().filter(|(own, _)| own == caller) {
            if callee == to {
                return true;
            }
            if seen.insert(callee) {
                open.push(callee);
            }
        }
    }
    false
}

fn seen_by_callers(cause: &Cause) -> bool {
    cause.findings_for.iter().any(|finding| finding.statement == Statement::SeenByCallers)
}

/// Who sends too much, in one plain sentence.
pub fn of_load(gathered: &Gathered, driver: &Driver<'_>, suspect: &str) -> String {
    let (service, shown) = (driver.service, driver.shown);
    let unit = gathered.metrics.asks.get(shown.ask).map_or("/s", |ask| ask.unit);
    let numbers = format!("{} against {} before", quantity(driver.now, unit), quantity(driver.before, unit));
    let changed = gathered.facts.changes.iter().rfind(|change| change.service_name == service);
    let since = changed
        .filter(|change| gathered.facts.alarm.seconds_since(change.at) >= 0.0)
        .map(|change| format!(" since {}", what(&change.kind, change.version.as_deref(), &change.summary)));
    let behind = if driver.asks == Some(suspect) { "which" } else { suspect };
    let text = match driver.asks {
        Some(callee) => format!(
            "{service} asks {callee} far more often than it is asked itself{}: {numbers}, {behind} can't keep up",
            since.unwrap_or_default()
        ),
        None => format!("{service} receives far more requests: {numbers}; {suspect} can't keep up"),
    };
    short(&text, CLAIM - 1)
}

/// What would decide whether a load is the cause.
pub fn checks_of_load(driver: &Driver<'_>) -> Vec<String> {
    let service = driver.service;
    let first = match driver.asks {
        Some(callee) => {
            format!(
                "See why {service} asks {callee} more than once: retries without a limit, a loop, a lost cache"
            )
        }
        None => format!("See who sends {service} these requests: a campaign, a crawler, a retrying client"),
    };
    let second = format!("Limit the rate at {service}, and see whether the services behind it recover");
    [first, second].map(|check| short(&check, 400)).to_vec()
}

/// What speaks for and against it, line by line.
pub fn description(gathered: &Gathered, onset: f64, cause: &Cause) -> String {
    let told = |finding: &diagnosis::Finding| match &finding.statement {
        Statement::Score { .. } => None,
        Statement::Deviation { metric: Some(metric), .. } => {
            Some(numbers(gathered, &cause.service, metric, onset).0)
        }
        _ => Some(finding.to_string()),
    };
    let lines =
        |findings: &[diagnosis::Finding]| findings.iter().filter_map(told).take(6).collect::<Vec<_>>();
    let (pro, contra) = (lines(&cause.findings_for), lines(&cause.findings_against));
    let mut text = String::new();
    if !pro.is_empty() {
        text.push_str(&format!("For it: {}.", pro.join("; ")));
    }
    if !contra.is_empty() {
        text.push_str(&format!(" Against it: {}.", contra.join("; ")));
    }
    short(text.trim(), DESCRIPTION - 1)
}

/// What would decide: places to look at and queries to run.
pub fn next_checks(gathered: &Gathered, onset: f64, cause: &Cause) -> Vec<String> {
    let service = &cause.service;
    let mut out = Vec::new();
    if let Some((_, Some(what))) = fresh_change(gathered, onset, cause) {
        out.push(format!(
            "Compare the logs of {service} before and after {what}; rolling it back would decide"
        ));
    }
    let telling = most_telling(gathered, onset, cause);
    let kind = telling.map(|metric| metric.kind);
    out.push(match kind {
        Some(Kind::Saturation) => {
            format!("See who holds {service}'s connections or fills its queue, and for how long")
        }
        Some(Kind::Cpu) => format!("Profile {service}, and see whether its work or its neighbours grew"),
        Some(Kind::Memory) => {
            format!("See whether the memory of {service} keeps growing, and when it last restarted")
        }
        Some(Kind::Errors | Kind::Success) => format!("Read the error logs of {service} since the start"),
        Some(Kind::Traffic) => format!("See who sends {service} these requests"),
        _ => format!("Look at traces of slow requests through {service}"),
    });
    if let Some(ask) = telling.and_then(|metric| ask_of(gathered, service, metric)) {
        out.push(format!(
            "Run `{}` by instance as well: one instance of {service}, or all of them?",
            ask.query
        ));
    }
    out.into_iter().map(|check| short(&check, 400)).collect()
}
