//! What of a pass is told together, so that a storm is a few messages. Pure.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::decide::Telling;
use super::facts::{Brief, Cause, Digest, Facts, Project};
use super::{ChannelKind, What};
use crate::ids::IncidentId;

/// How many incidents are told one by one in a pass.
pub const ONE_BY_ONE: usize = 3;

/// How many incidents of a digest are told with their titles.
const FIRST: usize = 5;

/// How many services of a digest are named.
const SERVICES: usize = 5;

/// How many numbers of a digest are kept.
const NUMBERS: usize = 1_000;

/// The order of what is told of one incident.
const ORDER: [What; 6] =
    [What::Opened, What::Reopened, What::Escalated, What::Acknowledged, What::Cause, What::Resolved];

/// Something to tell of an incident.
#[derive(Clone, Debug)]
pub struct Told {
    /// The incident.
    pub one: Brief,
    /// What of it.
    pub telling: Telling,
    /// Its likely cause, where that is it.
    pub cause: Option<Cause>,
}

/// The messages of a pass, in order, and the incidents that were told together as opened.
#[derive(Debug, Default)]
pub struct Grouped {
    /// The messages.
    pub messages: Vec<Facts>,
    /// Who of them is only known by a digest.
    pub digested: Vec<IncidentId>,
}

/// Puts together what is told in a pass; `list` is where all incidents are shown.
pub fn group(kind: ChannelKind, project: &Project, list: &str, told: &[Told]) -> Grouped {
    let mut grouped = Grouped::default();
    for what in ORDER {
        let of: Vec<&Told> = told.iter().filter(|one| one.telling.what == what).collect();
        // PagerDuty has an alert for each incident that was told alone, and makes no noise at its end.
        let together = of.len() > ONE_BY_ONE && (kind != ChannelKind::Pagerduty || what == What::Opened);
        if together {
            if what == What::Opened {
                grouped.digested.extend(of.iter().map(|one| one.one.id));
            }
            grouped.messages.push(digest(project, list, what, &of));
        } else {
            grouped.messages.extend(of.into_iter().map(|one| single(project, one)));
        }
    }
    grouped
}

fn single(project: &Project, told: &Told) -> Facts {
    let what = told.telling.what;
    Facts {
        note: told.telling.note.map(str::to_owned),
        incident: Some(told.one.clone()),
        cause: told.cause.clone(),
        ..Facts::new(what, told.one.headline(what), project, &told.one.url)
    }
}

fn digest(project: &Project, list: &str, of: What, told: &[&Told]) -> Facts {
    let mut worst: Vec<&&Told> = told.iter().collect();
    worst.sort_by_key(|told| (told.one.severity, told.one.number));
    let digest = Digest {
        of,
        count: told.len(),
        by_severity: told.iter().fold(BTreeMap::new(), |mut counts, told| {
            *counts.entry(told.one.severity).or_default() += 1;
            counts
        }),
        services: services(told.iter().filter_map(|told| told.one.service_name.as_deref())),
        first: worst
            .iter()
            .take(FIRST)
            .map(|told| told.one.line(told.cause.as_ref().map(|cause| cause.claim.clone())))
            .collect(),
        numbers: told.iter().take(NUMBERS).map(|told| told.one.number).collect(),
        open: told.iter().any(|told| told.one.open),
    };
    let title = title(&digest);
    Facts { digest: Some(digest), ..Facts::new(What::Digest, title, project, list) }
}

/// The line that says what happened to how many, by severity.
fn title(digest: &Digest) -> String {
    let verb = match digest.of {
        What::Opened => "opened",
        What::Reopened => "are back",
        What::Escalated => "are worse now",
        What::Acknowledged => "acknowledged",
        What::Cause => "have a likely cause",
        _ => "resolved",
    };
    let counts: Vec<String> =
        digest.by_severity.iter().map(|(severity, count)| format!("{count} {severity}")).collect();
    format!("{} incidents {verb}: {}", digest.count, counts.join(", "))
}

/// The services with the most mentions, and how many each.
fn services<'a>(named: impl Iterator<Item = &'a str>) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in named {
        *counts.entry(name).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
    counts.sort_by_key(|(name, count)| (Reverse(*count), name.clone()));
    counts.truncate(SERVICES);
    counts
}

/// Says that all incidents that PagerDuty was told of together are over.
pub fn storm_over(project: &Project, list: &str) -> Facts {
    let digest = Digest {
        of: What::Resolved,
        count: 0,
        by_severity: BTreeMap::new(),
        services: Vec::new(),
        first: Vec::new(),
        numbers: Vec::new(),
        open: false,
    };
    let title = "all incidents that were told together are resolved".to_owned();
    Facts { digest: Some(digest), ..Facts::new(What::Digest, title, project, list) }
}

/// Says what could not be delivered, in place of all of it: how many messages there were, of what.
pub fn folded(project: &Project, list: &str, dropped: &[(What, Vec<i64>)], open: bool) -> Facts {
    let count: usize = dropped.len();
    let mut by_what: BTreeMap<What, usize> = BTreeMap::new();
    for (what, _) in dropped {
        *by_what.entry(*what).or_default() += 1;
    }
    let mut numbers: Vec<i64> = dropped.iter().flat_map(|(_, numbers)| numbers).copied().collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.truncate(NUMBERS);
    let counts: Vec<String> = by_what.iter().map(|(what, count)| format!("{count} {what}")).collect();
    let digest = Digest {
        of: What::Digest,
        count: numbers.len(),
        by_severity: BTreeMap::new(),
        services: Vec::new(),
        first: Vec::new(),
        numbers,
        open,
    };
    let title = format!("{count} messages could not be delivered in time");
    Facts {
        note: Some(format!("In their place: {}. Look at the incidents themselves.", counts.join(", "))),
        digest: Some(digest),
        ..Facts::new(What::Digest, title, project, list)
    }
}

/// Says that events were let go before the channel had seen them.
pub fn missed(project: &Project, list: &str, events: i64) -> Facts {
    let title = format!("{events} events were let go before they could be told");
    Facts {
        note: Some("What they said was not told here. Look at the incidents themselves.".to_owned()),
        ..Facts::new(What::Digest, title, project, list)
    }
}
