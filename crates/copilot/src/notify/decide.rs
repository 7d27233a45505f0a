//! What a channel is told of an incident: from what it was told before and how the incident is now. Pure.

use super::facts::Brief;
use super::store::pass::Mark;
use super::{ChannelKind, What};
use crate::incident::Severity;

/// From which confidence on a cause is told: more likely than not.
pub const LIKELY: f64 = 0.5;

/// What a channel wants to know.
#[derive(Clone, Debug)]
pub struct Rules {
    /// What it leads to.
    pub kind: ChannelKind,
    /// The least severity.
    pub min_severity: Severity,
    /// The services; every one if empty.
    pub services: Vec<String>,
}

/// What the events since the last pass said of an incident.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// That it was opened.
    pub created: bool,
    /// That it was open at some time.
    pub was_open: bool,
}

/// One thing to tell of an incident.
#[derive(Clone, Debug, PartialEq)]
pub struct Telling {
    /// What.
    pub what: What,
    /// More about it, in a sentence.
    pub note: Option<&'static str>,
}

/// Said of an incident that was over before anybody could be told.
pub const BRIEF: &str = "It was opened and resolved before it could be told.";

/// Said of an incident that flaps.
pub const FLAPPING: &str =
    "Its alerts open and close again and again; nothing more is told of that until they settle.";

/// Said of an incident that somebody had put off.
pub const SNOOZED: &str = "It was snoozed, is no longer, and is still open.";

impl Rules {
    /// Whether an incident is one to tell of.
    pub fn match_incident(&self, one: &Brief) -> bool {
        one.severity.rank() <= self.min_severity.rank()
            && (self.services.is_empty()
                || one.service_name.as_ref().is_some_and(|name| self.services.contains(name)))
    }

    /// What to tell of an incident that is now as `one`, and what is known of it from then on. `likely` names a cause that
    /// an analysis was sure enough of.
    pub fn step(
        &self,
        one: &Brief,
        touched: Touched,
        known: Option<&Mark>,
        likely: Option<&str>,
    ) -> (Option<Mark>, Vec<Telling>) {
        let matched = self.match_incident(one);
        let mut mark = known.cloned().unwrap_or_else(|| Mark::unknown(one));
        let mut tells = Vec::new();
        if mark.told {
            self.go_on(one, &mut mark, &mut tells);
        } else {
            let news = match known {
                None => touched.was_open,
                Some(before) => {
                    touched.created || !before.matched || worse(one, before) || (one.open && !before.open)
                }
            };
            if known.is_none() && !news {
                // It was over before this channel began.
                return (None, tells);
            }
            if news && matched {
                begin(self.kind, one, touched, &mut mark, &mut tells);
            }
            mark.open = one.open;
        }
        if mark.told && one.open {
            follow(one, likely, &mut mark, &mut tells);
        }
        mark.matched = matched;
        mark.snoozed = one.snoozed;
        mark.severity = one.severity;
        if self.kind == ChannelKind::Pagerduty {
            alone(&mut mark, &mut tells);
        }
        ((known != Some(&mark)).then_some(mark), tells)
    }

    /// What is new of an incident that was told before.
    fn go_on(&self, one: &Brief, mark: &mut Mark, tells: &mut Vec<Telling>) {
        if one.open && !mark.open {
            tells.push(Telling { what: What::Reopened, note: one.flapping.then_some(FLAPPING) });
            mark.open = true;
            is_past(one, mark);
        } else if !one.open && mark.open && !one.flapping {
            tells.push(Telling { what: What::Resolved, note: None });
            mark.open = false;
            is_past(one, mark);
        } else if one.open && worse(one, mark) {
            tells.push(Telling { what: What::Escalated, note: None });
        } else if one.open && mark.snoozed && !one.snoozed {
            tells.push(Telling { what: What::Reopened, note: Some(SNOOZED) });
        }
    }
}

/// The first that is told of an incident.
fn begin(kind: ChannelKind, one: &Brief, touched: Touched, mark: &mut Mark, tells: &mut Vec<Telling>) {
    if one.open {
        mark.told = true;
        tells.push(Telling { what: What::Opened, note: one.flapping.then_some(FLAPPING) });
    } else if touched.was_open {
        mark.told = true;
        // Nobody is called for what is over.
        if kind != ChannelKind::Pagerduty {
            tells.push(Telling { what: What::Resolved, note: Some(BRIEF) });
        }
    }
}

/// Whoever acknowledged it by now did so before it ended: told afterwards, that would keep others from what fires again.
fn is_past(one: &Brief, mark: &mut Mark) {
    mark.acknowledged |= one.acknowledged_at.is_some();
}

/// What people and analyses say of an open incident.
fn follow(one: &Brief, likely: Option<&str>, mark: &mut Mark, tells: &mut Vec<Telling>) {
    if one.acknowledged_at.is_some() && !mark.acknowledged {
        mark.acknowledged = true;
        tells.push(Telling { what: What::Acknowledged, note: None });
    }
    if let Some(cause) = likely
        && !one.snoozed
        && mark.cause.as_deref() != Some(cause)
    {
        mark.cause = Some(cause.to_owned());
        tells.push(Telling { what: What::Cause, note: None });
    }
}

/// PagerDuty knows an incident that was told among many only by the alert about all of them.
fn alone(mark: &mut Mark, tells: &mut Vec<Telling>) {
    if mark.digested {
        tells.retain(|one| matches!(one.what, What::Reopened | What::Escalated));
        mark.digested = tells.is_empty();
    }
}

fn worse(one: &Brief, mark: &Mark) -> bool {
    one.severity.rank() < mark.severity.rank()
}
