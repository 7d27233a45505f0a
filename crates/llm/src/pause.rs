//! How long to wait before asking again.
//!
//! The policy is that of OpenAI's own client: 0.5 s doubling to 8 s, less up to a quarter by chance, unless the
//! endpoint says `retry-after-ms` or `retry-after` (seconds, also with a fraction, or an HTTP date).

use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// How often a request is made altogether.
pub(crate) const TRIES: u32 = 3;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(8);
const JITTER: f64 = 0.25;

/// What an endpoint asks beyond a day is taken for a day.
const DAY_SECONDS: f64 = 86_400.0;

/// The wait before the next try, or none when it would be one too many or begin after the deadline.
///
/// `left` is the time to the deadline and `chance` a number from 0 to 1.
pub(crate) fn before_next(
    tries_made: u32,
    asked: Option<Duration>,
    left: Duration,
    chance: f64,
) -> Option<Duration> {
    if tries_made >= TRIES {
        return None;
    }
    let doublings = tries_made.saturating_sub(1);
    let backoff = FIRST.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST);
    let wait = asked.unwrap_or_else(|| backoff.mul_f64(1.0 - JITTER * chance.clamp(0.0, 1.0)));
    (wait < left).then_some(wait)
}

/// What the endpoint asked to wait; none when it says nothing usable, such as 0, -1 or a date that has passed.
///
/// A date is compared with the endpoint's own clock, which every answer carries, so a wrong clock here does not matter.
pub(crate) fn asked(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let number = |text: &str| text.parse::<f64>().ok();
    let in_ms = text(&HeaderName::from_static("retry-after-ms")).and_then(number).map(|ms| ms / 1_000.0);
    let until = |date: &str| {
        let parser = DateTimeParser::new();
        let then = parser.parse_timestamp(date).ok()?;
        let now = parser.parse_timestamp(text(&DATE)?).ok()?;
        Some(then.duration_since(now).as_secs_f64())
    };
    let in_seconds = || text(&RETRY_AFTER).and_then(|value| number(value).or_else(|| until(value)));
    let usable = |seconds: &f64| *seconds > 0.0;
    let seconds = in_ms.filter(usable).or_else(|| in_seconds().filter(usable))?;
    Duration::try_from_secs_f64(seconds.min(DAY_SECONDS)).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    use super::{asked, before_next};

    /// Names and values of headers.
    type Sent<'a> = &'a [(&'static str, &'static str)];

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn waits_double_and_end() {
        let ms = Duration::from_millis;
        for (tries_made, wanted, left, chance, expected) in [
            (1, None, MINUTE, 0.0, Some(ms(500))),
            (1, None, MINUTE, 1.0, Some(ms(375))),
            (2, None, MINUTE, 0.0, Some(ms(1_000))),
            (3, None, MINUTE, 0.0, None),
            (1, Some(ms(20)), MINUTE, 0.5, Some(ms(20))),
            (2, Some(ms(59_999)), MINUTE, 0.5, Some(ms(59_999))),
            (1, Some(MINUTE), MINUTE, 0.5, None),
            (1, Some(ms(86_400_000)), MINUTE, 0.5, None),
            (1, None, ms(300), 0.0, None),
            (3, Some(ms(20)), MINUTE, 0.5, None),
        ] {
            assert_eq!(
                before_next(tries_made, wanted, left, chance),
                expected,
                "{tries_made} {wanted:?} {left:?}"
            );
        }
    }

    #[test]
    fn every_form_of_retry_after_is_understood() {
        let now = ("date", "Tue, 10 Nov 2026 08:00:00 GMT");
        let rows: &[(Sent<'_>, Option<u64>)] = &[
            (&[], None),
            (&[("retry-after", "1")], Some(1_000)),
            (&[("retry-after", " 2.5 ")], Some(2_500)),
            (&[("retry-after-ms", "250")], Some(250)),
            (&[("retry-after-ms", "250"), ("retry-after", "9")], Some(250)),
            (&[("retry-after-ms", "-1"), ("retry-after", "9")], Some(9_000)),
            (&[("retry-after", "0")], None),
            (&[("retry-after", "-1")], None),
            (&[("retry-after", "soon")], None),
            (&[("retry-after", "NaN")], None),
            (&[("retry-after", "inf")], Some(86_400_000)),
            (&[("retry-after", "99999999")], Some(86_400_000)),
            (&[("retry-after", "6m0s")], None),
            (&[now, ("retry-after", "Tue, 10 Nov 2026 08:00:03 GMT")], Some(3_000)),
            (&[now, ("retry-after", "Tue, 10 Nov 2026 07:00:00 GMT")], None),
            (&[("retry-after", "Tue, 10 Nov 2026 08:00:03 GMT")], None),
        ];
        for (sent, expected) in rows {
            let pair = |(name, value): &(&'static str, &'static str)| {
                (HeaderName::from_static(name), HeaderValue::from_static(value))
            };
            let headers: HeaderMap = sent.iter().map(pair).collect();
            assert_eq!(asked(&headers), expected.map(Duration::from_millis), "{sent:?}");
        }
    }
}
