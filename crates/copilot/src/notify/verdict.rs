//! What an answer means for a message, and when it is tried again. Pure.

use super::{ChannelKind, What};
use crate::outbound::{Failure, Posted};

/// The first wait after a failure, in seconds.
const FIRST_S: i64 = 5;

/// The longest wait after a failure, in seconds.
const LONGEST_S: i64 = 600;

/// The longest wait that a receiver may ask for, in seconds.
const LONGEST_ASKED_S: u64 = 3_600;

/// For how long it is tried to say that something begins or why; later people have seen it otherwise. In seconds.
const NEWS_S: i64 = 6 * 3_600;

/// For how long everything else is tried, in seconds.
const REST_S: i64 = 24 * 3_600;

/// Failures in a row after which a message makes way for those behind it.
pub const STUBBORN: i64 = 3;

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was taken.
    Sent {
        /// The status.
        status: u16,
    },
    /// It will never be taken.
    Refused {
        /// The status, if there was an answer.
        status: Option<u16>,
        /// Why.
        why: String,
    },
    /// It may be taken later.
    Later {
        /// The status, if there was an answer.
        status: Option<u16>,
        /// Why.
        why: String,
        /// Seconds to wait at least, if the receiver said so.
        after_s: Option<u64>,
        /// Whether it is the receiver that takes nothing, whatever the message.
        everything: bool,
    },
}

/// What an attempt came to.
pub fn judge(kind: ChannelKind, answered: Result<&Posted, &Failure>) -> Verdict {
    match answered {
        Ok(posted) => answer(kind, posted),
        Err(Failure::Refused(refused)) => Verdict::Refused { status: None, why: refused.to_string() },
        Err(failure) => {
            Verdict::Later { status: None, why: failure.to_string(), after_s: None, everything: true }
        }
    }
}

fn answer(kind: ChannelKind, posted: &Posted) -> Verdict {
    let status = posted.status;
    let said = reason(kind, &posted.body).map_or_else(String::new, |word| format!(" ({word})"));
    match status {
        200..=299 => Verdict::Sent { status },
        300..=399 => Verdict::Refused {
            status: Some(status),
            why: format!("it answered {status}, a redirect, which is not followed"),
        },
        408 | 425 | 429 | 500..=599 => Verdict::Later {
            status: Some(status),
            why: format!("it answered {status}{said}"),
            after_s: posted.retry_after_s.map(|seconds| seconds.min(LONGEST_ASKED_S)),
            everything: matches!(status, 429 | 502..=504),
        },
        _ => Verdict::Refused { status: Some(status), why: format!("it answered {status}{said}") },
    }
}

/// The word by which Slack and PagerDuty say why, such as `no_service`. What others send is not shown: it may be the answer of
/// a system that nobody was to read.
fn reason(kind: ChannelKind, body: &[u8]) -> Option<String> {
    let text = match kind {
        ChannelKind::Slack => std::str::from_utf8(body).ok()?.trim().to_owned(),
        ChannelKind::Pagerduty => {
            let body: serde_json::Value = serde_json::from_slice(body).ok()?;
            body.get("status")?.as_str()?.to_owned()
        }
        ChannelKind::Webhook => return None,
    };
    let is_word = (1..=40).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte == b' ');
    is_word.then_some(text)
}

/// Seconds to wait after `failures` in a row; `chance`, from 0 to 1, spreads them by a fifth either way.
pub fn backoff_s(failures: i64, after_s: Option<u64>, chance: f64) -> i64 {
    let doubled = u32::try_from(failures.clamp(1, 20) - 1).unwrap_or(0);
    let wait = FIRST_S.saturating_mul(1_i64 << doubled).min(LONGEST_S);
    let spread = (wait as f64 * (0.8 + 0.4 * chance.clamp(0.0, 1.0))).round() as i64;
    spread.clamp(1, LONGEST_S).max(after_s.map_or(0, u64::cast_signed))
}

/// For how long it is tried, in seconds.
pub fn patience_s(what: What) -> i64 {
    match what {
        What::Opened | What::Cause => NEWS_S,
        _ => REST_S,
    }
}

#[cfg(test)]
mod unit {
    use super::*;
    use crate::outbound::Refused;

    fn posted(status: u16, body: &str) -> Posted {
        Posted { status, retry_after_s: Some(99_999), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn an_answer_is_taken_for_what_it_says() {
        let judged = |status, body| judge(ChannelKind::Slack, Ok(&posted(status, body)));
        assert_eq!(judged(202, ""), Verdict::Sent { status: 202 });
        let refused = |status, why: &str| Verdict::Refused { status: Some(status), why: why.to_owned() };
        assert_eq!(judged(404, "no_service"), refused(404, "it answered 404 (no_service)"));
        assert_eq!(judged(403, "<html>Secret</html>"), refused(403, "it answered 403"));
        assert_eq!(judged(302, ""), refused(302, "it answered 302, a redirect, which is not followed"));
        for (status, everything) in [(429, true), (500, false), (503, true)] {
            let why = format!("it answered {status}");
            let later = Verdict::Later { status: Some(status), why, after_s: Some(3_600), everything };
            assert_eq!(judged(status, ""), later);
        }
        let failed = |failure| judge(ChannelKind::Webhook, Err(&failure));
        assert!(matches!(failed(Failure::Timeout), Verdict::Later { everything: true, .. }));
        assert!(matches!(failed(Failure::Unresolved), Verdict::Later { everything: true, .. }));
        assert!(matches!(failed(Failure::Refused(Refused("x"))), Verdict::Refused { status: None, .. }));
    }

    #[test]
    fn waits_double_up_to_ten_minutes() {
        let waits: Vec<i64> = (1..=9).map(|failures| backoff_s(failures, None, 0.5)).collect();
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 600, 600]);
        assert_eq!((backoff_s(1, None, 0.0), backoff_s(1, None, 1.0)), (4, 6));
        assert_eq!(backoff_s(60, None, 1.0), 600);
        assert_eq!(backoff_s(1, Some(42), 0.5), 42);
    }
}
