//! Times that are missing, damaged or contradict each other: rows XB42 to XB51 and XB54.

use crate::bodies::{RECEIVED, damaged, json};
use alerts::{Flag, Status};

/// Row, status, start and end as JSON; expected status, start, end and flags.
type Row = (&'static str, [&'static str; 3], Status, &'static str, Option<&'static str>, &'static [Flag]);

const NOW: &str = RECEIVED;
const START: &str = "\"2026-11-22T21:11:05Z\"";
const STARTED: &str = "2026-11-22T21:11:05Z";
const ZERO: &str = "\"0001-01-01T00:00:00Z\"";
const FIRING: &str = "\"firing\"";
const RESOLVED: &str = "\"resolved\"";

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("XB42", [FIRING, "", ZERO], Status::Firing, NOW, None, &[Flag::BadTime]),
    ("XB42", [FIRING, "null", ZERO], Status::Firing, NOW, None, &[Flag::BadTime]),
    ("XB42", [FIRING, ZERO, ZERO], Status::Firing, NOW, None, &[Flag::BadTime]),
    ("XB43", [FIRING, "1700000000", ""], Status::Firing, NOW, None, &[Flag::BadTime]),
    ("XB43", [FIRING, "true", ""], Status::Firing, NOW, None, &[Flag::BadTime]),
    ("XB43", [FIRING, START, "\"\""], Status::Firing, STARTED, None, &[Flag::BadTime]),
    ("XB43", [RESOLVED, START, "\"soon\""], Status::Resolved, STARTED, Some(NOW), &[Flag::BadTime]),
    ("XB44", [RESOLVED, START, "\"9999-12-31T23:59:59Z\""], Status::Resolved, STARTED, Some(NOW), &[Flag::BadTime]),
    ("XB46", [FIRING, "\"2026-11-22T21:11:05.123456789Z\"", ZERO], Status::Firing, "2026-11-22T21:11:05.123456Z", None, &[]),
    ("XB46", [FIRING, "\"2026-11-22T21:11:05.123456789012345678901234567899Z\"", ZERO], Status::Firing, "2026-11-22T21:11:05.123456Z", None, &[]),
    ("XB46", [FIRING, "\"2026-11-22T21:11:05,5Z\"", ZERO], Status::Firing, NOW, None, &[Flag::BadTime]),
    ("XB48", [FIRING, "\"2026-11-23T11:11:05+14:00\"", ZERO], Status::Firing, STARTED, None, &[]),
    ("XB48", [FIRING, "\"2026-11-22T09:11:05-12:00\"", ZERO], Status::Firing, STARTED, None, &[]),
    ("XB48", [FIRING, "\"2026-11-23T21:10:05+23:59\"", ZERO], Status::Firing, STARTED, None, &[]),
    ("XB48", [FIRING, "\"2026-11-22T21:11:05z\"", ZERO], Status::Firing, STARTED, None, &[]),
    ("XB48", [FIRING, "\"2026-11-22T21:11:05\"", ZERO], Status::Firing, STARTED, None, &[Flag::NoZone]),
    ("XB49", [RESOLVED, START, "\"2026-11-22T21:11:04Z\""], Status::Resolved, STARTED, Some(STARTED), &[Flag::EndsBeforeStart]),
    ("XB49", [FIRING, START, "\"2026-11-22T21:11:04Z\""], Status::Firing, STARTED, None, &[Flag::EndsBeforeStart]),
    ("XB51", [RESOLVED, START, "\"2026-11-22T21:12:01Z\""], Status::Resolved, STARTED, Some(NOW), &[]),
    ("XB51", [RESOLVED, START, ""], Status::Resolved, STARTED, Some(NOW), &[]),
    ("XB51", [RESOLVED, START, ZERO], Status::Resolved, STARTED, Some(NOW), &[]),
    ("XB54", ["", START, "\"2026-11-22T21:12:01Z\""], Status::Firing, STARTED, Some("2026-11-22T21:12:01Z"), &[]),
    ("XB54", ["", START, "\"2026-11-22T21:12:00Z\""], Status::Resolved, STARTED, Some(NOW), &[]),
    ("XB54", ["", START, "\"2026-11-22T21:11:45Z\""], Status::Resolved, STARTED, Some("2026-11-22T21:11:45Z"), &[]),
    ("XB54", ["", START, ""], Status::Firing, STARTED, None, &[]),
    ("the alert's status wins", [FIRING, START, "\"2026-11-22T21:11:45Z\""], Status::Firing, STARTED, None, &[]),
    ("one hour ahead is allowed", [FIRING, "\"2026-11-22T22:12:00Z\"", ZERO], Status::Firing, "2026-11-22T22:12:00Z", None, &[]),
    ("more is not", [FIRING, "\"2026-11-22T22:12:00.000001Z\"", ZERO], Status::Firing, NOW, None, &[Flag::ClockSkew]),
    ("no negative duration", [RESOLVED, "\"2026-11-22T21:30:00Z\"", ""], Status::Resolved, "2026-11-22T21:30:00Z", Some("2026-11-22T21:30:00Z"), &[]),
];

#[test]
fn each_row_becomes_what_the_rules_say() {
    for (row, [status, start, end], expected, starts_at, ends_at, flags) in ROWS {
        let alert = damaged(&[("status", status), ("startsAt", start), ("endsAt", end)]).unwrap();
        assert_eq!(alert.status, *expected, "{row} {start} {end}");
        assert_eq!(alert.starts_at, starts_at.parse().unwrap(), "{row} {start} {end}");
        assert_eq!(alert.ends_at, ends_at.map(|end| end.parse().unwrap()), "{row} {start} {end}");
        assert_eq!(alert.flags, *flags, "{row} {start} {end}");
    }
}

#[test]
fn unreadable_starts_give_way_to_the_time_of_receipt() {
    let starts = ["yesterday", "2026-13-45", "", "2026-13-45T00:00:00Z", "2026-11-22T24:00:00Z"];
    let years = ["0000", "9999", "10000", "300000", "-1"].map(|year| format!("{year}-01-01T00:00:00Z"));
    for start in starts.into_iter().chain(years.iter().map(String::as_str)) {
        let alert = damaged(&[("startsAt", &json(start))]).unwrap();
        assert_eq!(alert.starts_at, RECEIVED.parse().unwrap(), "XB43, XB44 {start}");
        assert_eq!(alert.flags, [Flag::BadTime], "XB43, XB44 {start}");
    }
}
