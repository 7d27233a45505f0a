//! One set of rules for the times of an alert, whoever sent it.
//!
//! The alert's own status wins. Where there is none (Prometheus' own format) the alert is resolved exactly when
//! its end is said and not after the time of receipt. The sender's clock only describes: nothing lies in
//! the future because of it, and no duration is negative.

use crate::{Flag, Status, flag::raise, time::Moment};
use jiff::{SignedDuration, Timestamp};

/// How far a sender's clock may run ahead of ours before its start time is disbelieved.
const SKEW: SignedDuration = SignedDuration::from_hours(1);

/// The times of an alert after all rules.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) status: Status,
    pub(crate) starts_at: Timestamp,
    pub(crate) ends_at: Option<Timestamp>,
}

/// Applies the rules to what the sender said.
pub(crate) fn times(
    status: Option<Status>,
    starts: Moment,
    ends: Moment,
    received: Timestamp,
    flags: &mut Vec<Flag>,
) -> Times {
    let starts_at = start(starts, received, flags);
    let said = match ends {
        Moment::At(end) => Some(end),
        Moment::Unsaid => None,
        Moment::Unreadable => {
            raise(flags, Flag::BadTime);
            None
        }
    };
    if said.is_some_and(|end| end < starts_at) {
        raise(flags, Flag::EndsBeforeStart);
    }
    let over = said.is_some_and(|end| end <= received);
    let status = status.unwrap_or(if over { Status::Resolved } else { Status::Firing });
    let ends_at = match status {
        Status::Resolved => Some(said.unwrap_or(received).min(received).max(starts_at)),
        Status::Firing => said.filter(|end| *end > received && *end >= starts_at),
    };
    Times { status, starts_at, ends_at }
}

fn start(starts: Moment, received: Timestamp, flags: &mut Vec<Flag>) -> Timestamp {
    match starts {
        Moment::At(start) if start.duration_since(received) > SKEW => {
            raise(flags, Flag::ClockSkew);
            received
        }
        Moment::At(start) => start,
        Moment::Unsaid | Moment::Unreadable => {
            raise(flags, Flag::BadTime);
            received
        }
    }
}
