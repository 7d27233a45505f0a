//! A quick look at one alert's text, to recognise it when it is sent again.
//!
//! Senders repeat a firing alert for as long as it fires. Prometheus moves nothing in it but the end, "until when it
//! counts as firing unless repeated". So a sketch is a digest of the text without the value of `endsAt`, and
//! that value beside it. Whether the text may be recognised this way at all is found out once, by [`End::of`],
//! when the alert was read in full: the same text around a plain value has the same structure.

use crate::{
    Status,
    fields::{Fields, Kind, string},
    flag::Flag,
    time::{self, Moment},
};
use jiff::Timestamp;
use memchr::memmem;
use sha2::{Digest, Sha256};

/// The longest value that is looked at, in bytes; a time with nanoseconds and an offset has 35.
const MAX_TIME: usize = 64;

/// One alert's text at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sketch<'a> {
    /// SHA-256, cut to 128 bits, over the seed and the text without the value of `endsAt`.
    pub digest: [u8; 16],
    /// The characters of the value of `endsAt`, as far as that is a plain string.
    end: Option<&'a str>,
}

impl<'a> Sketch<'a> {
    /// A look at `json`, the text of one alert; `seed` keeps apart what must not be taken for the same.
    #[must_use]
    pub fn of(seed: &[u8; 32], json: &'a str) -> Self {
        let value = value(json);
        let (before, end, after) = value.unwrap_or((json, "", ""));
        let mut hash = Sha256::new();
        hash.update(seed);
        hash.update((before.len() as u64).to_le_bytes());
        hash.update(before);
        hash.update(after);
        let whole: [u8; 32] = hash.finalize().into();
        let mut digest = [0; 16];
        digest.iter_mut().zip(whole).for_each(|(to, from)| *to = from);
        Self { digest, end: value.map(|_| end) }
    }

    /// Whether the text says that the alert fires, received at `received`, when its status hangs on `end`.
    #[must_use]
    pub fn fires(&self, end: End, received: Timestamp) -> bool {
        match (end, self.end) {
            (End::Ignored, _) | (End::Decides, None) => true,
            (End::Decides, Some(end)) => {
                matches!(time::of_text(end, &mut Vec::<Flag>::new()), Moment::At(end) if end > received)
            }
        }
    }
}

/// What the value of `endsAt` means for an alert that fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Nothing: the alert says itself that it fires.
    Ignored,
    /// It fires while the end is in the future, or if there is none.
    Decides,
}

impl End {
    /// What it means in `json`, the text of an alert that was read in full; `None` when the alert can't be recognised
    /// by a [`Sketch`].
    #[must_use]
    pub fn of(json: &str) -> Option<Self> {
        let fields = Fields::of(json)?;
        let end = match (fields.get("endsAt"), value(json)) {
            (None, None) => None,
            // The member that counts is the one that was left out of the digest.
            (Some(member), Some((before, _, _)))
                if std::ptr::eq(member.as_ptr(), member_start(json, before)) =>
            {
                Some(member)
            }
            _ => return None,
        };
        match fields.get("status") {
            None => {}
            Some(status) if Kind::of(status) == Kind::Object => {}
            Some(status) if string(status).as_deref() == Some(Status::Firing.as_str()) => {
                return Some(Self::Ignored);
            }
            Some(_) => return None,
        }
        let unsaid = end.is_some_and(|end| time::read(Some(end), &mut Vec::new()) == Moment::Unsaid);
        (!unsaid).then_some(Self::Decides)
    }
}

/// Where the string begins whose characters follow `before`.
fn member_start(json: &str, before: &str) -> *const u8 {
    json.as_bytes().get(before.len().saturating_sub(1)..).unwrap_or_default().as_ptr()
}

/// The text up to the characters of the first `"endsAt": "…"`, these characters, and the text after them.
fn value(json: &str) -> Option<(&str, &str, &str)> {
    const NAME: &[u8] = b"\"endsAt\"";
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let bytes = json.as_bytes();
    let mut at = memmem::find(bytes, NAME)? + NAME.len();
    for expected in [b':', b'"'] {
        at += bytes.get(at..)?.iter().take_while(|byte| blank(byte)).count();
        if bytes.get(at) != Some(&expected) {
            return None;
        }
        at += 1;
    }
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'.' | b'+' | b'-');
    let length = bytes.get(at..)?.iter().take(MAX_TIME).take_while(|byte| plain(byte)).count();
    (bytes.get(at + length) == Some(&b'"')).then_some(())?;
    Some((json.get(..at)?, json.get(at..at + length)?, json.get(at + length..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: [u8; 32] = [7; 32];

    fn noon() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn digest(json: &str) -> [u8; 16] {
        Sketch::of(&SEED, json).digest
    }

    #[test]
    fn a_later_end_is_the_same_alert_and_everything_else_is_not() {
        let one = r#"{"labels":{"a":"1"},"endsAt":"2026-11-22T12:04:00Z","startsAt":"x"}"#;
        assert_eq!(digest(one), digest(&one.replace("12:04:00Z", "12:05:00.5+01:00")));
        for other in [one.replace("\"1\"", "\"2\""), one.replace("\"x\"", "\"y\""), one.replace(":{", ": {")]
        {
            assert_ne!(digest(one), digest(&other), "{other}");
        }
        assert_ne!(digest(one), Sketch::of(&[8; 32], one).digest);
        assert_ne!(digest(r#"{"endsAt":"1","b":"2"}"#), digest(r#"{"endsAt":"1","b":"3"}"#));
    }

    #[test]
    fn the_end_decides_unless_the_alert_says_that_it_fires() {
        let without = r#"{"labels":{"a":"1"},"endsAt":"2026-11-22T12:04:00Z"}"#;
        assert_eq!(End::of(without), Some(End::Decides));
        assert!(Sketch::of(&SEED, without).fires(End::Decides, noon()));
        let over = without.replace("12:04", "11:59");
        assert!(!Sketch::of(&SEED, &over).fires(End::Decides, noon()));
        let firing = without.replace("{\"labels", "{\"status\":\"firing\",\"labels");
        assert_eq!(End::of(&firing), Some(End::Ignored));
        assert_eq!(End::of(r#"{"labels":{"a":"1"}}"#), Some(End::Decides));
    }

    #[test]
    fn an_end_in_another_place_is_never_left_out_of_a_digest_that_counts() {
        for json in [
            r#"{"labels":{"endsAt":"1"},"endsAt":"2026-11-22T12:04:00Z"}"#,
            r#"{"labels":{"endsAt":"1"}}"#,
            r#"{"endsAt":"2026-11-22T12:04:00Z","endsAt":"2026-11-22T12:05:00Z"}"#,
            r#"{"ends\u0041t":"2026-11-22T12:04:00Z"}"#,
            r#"{"endsAt":7}"#,
            r#"{"endsAt":"2026-11-22T12:04:00Z","status":"resolved"}"#,
            r#"{"endsAt":"0001-01-01T00:00:00Z"}"#,
        ] {
            assert_eq!(End::of(json), None, "{json}");
        }
    }
}
