//! What was odd about a body or an alert, without being a reason to refuse it.

use serde::{Deserialize, Serialize};

/// An oddity worth showing and counting; the alert was accepted all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// A time was missing, unreadable or outside 1970–2100; the time of receipt stands in for it.
    BadTime,
    /// A time carried no zone and was read as UTC.
    NoZone,
    /// The start lay more than an hour ahead of our clock; the time of receipt stands in for it.
    ClockSkew,
    /// The end lay before the start; the duration is zero.
    EndsBeforeStart,
    /// The sender's fingerprint is not 16 lower-case hexadecimal digits and was not used.
    FingerprintMalformed,
    /// The sender's fingerprint is not that of the labels it came with.
    FingerprintMismatch,
    /// A NUL character is shown as U+FFFD.
    Nul,
    /// A label value is longer than what is kept for display.
    LabelCut,
    /// A text is longer than what is kept for display.
    TextCut,
    /// A label value was a number or a boolean and was read as its JSON text.
    LabelType,
    /// An annotation, or all of them, had an unexpected type.
    AnnotationType,
    /// A link was not an http or https address that is safe to show, and was left out.
    BadLink,
    /// A measured value was not a number and was left out.
    ValueType,
    /// The sender raised the alert because its query returned nothing.
    NoData,
    /// The sender raised the alert because its query failed.
    QueryError,
    /// The count of left-out alerts was not a count.
    BadTruncated,
    /// The format's version is not the one this product knows.
    UnknownVersion,
    /// The body's format is not that of the route it arrived on.
    OtherSender,
}

/// Adds a flag once, keeping them in order.
pub(crate) fn raise(flags: &mut Vec<Flag>, flag: Flag) {
    if let Err(place) = flags.binary_search(&flag) {
        flags.insert(place, flag);
    }
}
