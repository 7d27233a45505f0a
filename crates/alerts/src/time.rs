//! Times as senders write them: RFC 3339, and what passes for it.

use crate::{
    fields::{Kind, string},
    flag::{Flag, raise},
};
use jiff::{Timestamp, civil::Date, tz::Offset};

/// The years a time may lie in; others are typing errors or zero values.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2100;

/// What a sender says about one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Nothing, `null`, or Go's zero time in the year 1, which stands for nothing.
    Unsaid,
    /// Something that is no time between 1970 and 2100.
    Unreadable,
    /// This instant, in whole microseconds.
    At(Timestamp),
}

/// Reads a time from its JSON text; flags a missing zone.
pub(crate) fn read(json: Option<&str>, flags: &mut Vec<Flag>) -> Moment {
    let Some(json) = json.filter(|json| Kind::of(json) != Kind::Null) else { return Moment::Unsaid };
    let Some(text) = string(json) else { return Moment::Unreadable };
    of_text(&text, flags)
}

/// Reads a time from the characters of a string; flags a missing zone.
pub(crate) fn of_text(text: &str, flags: &mut Vec<Flag>) -> Moment {
    let Some(written) = instant(text) else { return Moment::Unreadable };
    if written.year == 1 {
        return Moment::Unsaid;
    }
    if !YEARS.contains(&written.year) {
        return Moment::Unreadable;
    }
    if !written.zone {
        raise(flags, Flag::NoZone);
    }
    Moment::At(written.instant)
}

/// Cuts an instant to whole microseconds, the precision of both databases.
pub(crate) fn to_microseconds(instant: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(instant.as_microsecond()).unwrap_or(instant)
}

struct Written {
    year: i16,
    instant: Timestamp,
    zone: bool,
}

/// Reads `2026-11-22T21:11:05.189Z`: any number of fraction digits, a zone of `Z`, `z`, `±hh:mm` or none.
///
/// A second of 60 is the first of the next minute, as in PostgreSQL. An hour of 24 is refused.
fn instant(text: &str) -> Option<Written> {
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (clock, rest) = rest.split_at_checked(8)?;
    let [year, month, day] = parts(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = parts(clock, ':', [2, 2, 2])?;
    let (micros, rest) = fraction(rest)?;
    let offset_seconds = zone(rest)?;
    let date = Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let whole = date.at(hour.try_into().ok()?, minute.try_into().ok()?, 0, 0);
    let offset = Offset::from_seconds(offset_seconds.unwrap_or(0)).ok()?;
    let micros = i64::from(second) * 1_000_000 + micros;
    let instant = offset.to_timestamp(whole).ok()?.as_microsecond().checked_add(micros)?;
    let instant = Timestamp::from_microsecond(instant).ok()?;
    Some(Written { year, instant, zone: offset_seconds.is_some() })
}

/// Splits a text into three decimal numbers of exactly these widths.
fn parts(text: &str, separator: char, widths: [usize; 3]) -> Option<[i16; 3]> {
    let mut pieces = text.split(separator);
    let mut numbers = [0; 3];
    for (number, width) in numbers.iter_mut().zip(widths) {
        *number = digits(pieces.next()?, width)?;
    }
    pieces.next().is_none().then_some(numbers)
}

fn digits(text: &str, width: usize) -> Option<i16> {
    let decimal = text.len() == width && text.bytes().all(|byte| byte.is_ascii_digit());
    decimal.then(|| text.parse().ok()).flatten()
}

/// The microseconds of `.123456789`, the rest of the digits cut off, and what follows them.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let Some(text) = text.strip_prefix('.') else { return Some((0, text)) };
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    if digits.is_empty() {
        return None;
    }
    let micros = digits.bytes().chain(std::iter::repeat(b'0')).take(6);
    Some((micros.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')), rest))
}

/// The offset from UTC in seconds, `None` inside when there is none written.
fn zone(text: &str) -> Option<Option<i32>> {
    if text.is_empty() {
        return Some(None);
    }
    let sign = match text.get(..1) {
        Some("Z" | "z") => return (text.len() == 1).then_some(Some(0)),
        Some("+") => 1,
        Some("-") => -1,
        _ => return None,
    };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    let valid = hours <= 23 && minutes <= 59;
    valid.then(|| Some(sign * (i32::from(hours) * 3600 + i32::from(minutes) * 60)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> (Moment, Vec<Flag>) {
        let mut flags = Vec::new();
        let moment = read(Some(&serde_json::to_string(text).unwrap()), &mut flags);
        (moment, flags)
    }

    #[test]
    fn readable_times_are_the_right_instant() {
        let same = [
            ("2026-11-22T21:11:05.189Z", "2026-11-22T21:11:05.189Z"),
            ("2026-11-22T21:11:05.123456789Z", "2026-11-22T21:11:05.123456Z"),
            ("2026-11-22t21:11:05.123456789012345678901234567890z", "2026-11-22T21:11:05.123456Z"),
            ("2026-11-22 21:11:05.1+14:00", "2026-11-22T07:11:05.1Z"),
            ("2026-11-22T21:11:05-12:00", "2026-11-23T09:11:05Z"),
            ("2026-11-22T21:11:05+23:59", "2026-11-21T21:12:05Z"),
            ("2026-06-30T23:59:60Z", "2026-07-01T00:00:00Z"),
            ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
        ];
        for (text, instant) in same {
            assert_eq!(moment(text), (Moment::At(instant.parse().unwrap()), vec![]), "{text}");
        }
        let bare = ("2026-11-22T21:11:05", "2026-11-22T21:11:05Z");
        assert_eq!(moment(bare.0), (Moment::At(bare.1.parse().unwrap()), vec![Flag::NoZone]));
    }

    #[test]
    fn everything_else_is_unreadable_and_the_zero_time_says_nothing() {
        let unreadable = [
            "",
            "yesterday",
            "2026-13-45",
            "2026-11-22",
            "2026-13-45T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-11-22T24:00:00Z",
            "2026-11-22T21:60:00Z",
            "2026-11-22T21:11:61Z",
            "2026-11-22T21:11:05,5Z",
            "2026-11-22T21:11:05.Z",
            "2026-11-22T21:11:05+24:00",
            "2026-11-22T21:11:05+0100",
            "2026-11-22T21:11:05Zx",
            "0000-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "10000-01-01T00:00:00Z",
            "300000-01-01T00:00:00Z",
            "-1-01-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "2101-01-01T00:00:00Z",
            "2026-11-22T21:11:0😀Z",
            "2026-11-22T21:11:05é",
            "é026-11-22T",
        ];
        for text in unreadable {
            assert_eq!(moment(text), (Moment::Unreadable, vec![]), "{text}");
        }
        assert_eq!(moment("0001-01-01T00:00:00Z"), (Moment::Unsaid, vec![]));
        for json in ["1700000000", "true", "{}", "[]"] {
            assert_eq!(read(Some(json), &mut Vec::new()), Moment::Unreadable, "{json}");
        }
        assert_eq!(read(Some("null"), &mut Vec::new()), Moment::Unsaid);
        assert_eq!(read(None, &mut Vec::new()), Moment::Unsaid);
    }
}
