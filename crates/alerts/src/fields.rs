//! The members of a JSON object, each still as its own text.
//!
//! A field of the wrong type must not cost the alert it is in, nor a wrong alert the others, so nothing is read
//! into a typed structure as a whole. Of members with the same name the last wins, as in the senders themselves.

use crate::{
    MAX_SHOWN_BYTES,
    flag::{Flag, raise},
};
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::{collections::BTreeMap, fmt};
use unicode_segmentation::GraphemeCursor;

/// The type of a JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Boolean,
    Number,
    Text,
    List,
    Object,
}

impl Kind {
    /// The type of the checked JSON text `json`.
    pub(crate) fn of(json: &str) -> Kind {
        match json.trim_start().bytes().next() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::List,
            Some(b'"') => Kind::Text,
            Some(b't' | b'f') => Kind::Boolean,
            Some(b'n') | None => Kind::Null,
            Some(_) => Kind::Number,
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Boolean => "a boolean",
            Kind::Number => "a number",
            Kind::Text => "a string",
            Kind::List => "a list",
            Kind::Object => "an object",
        }
    }
}

/// The members of one object by name.
pub(crate) struct Fields<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Fields<'a> {
    /// The members of `json`, or `None` when it is not an object.
    pub(crate) fn of(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok().map(Self)
    }

    /// The JSON text of a member, `null` included.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(|raw| raw.get())
    }

    /// The JSON text of a member that is there and not `null`.
    pub(crate) fn present(&self, name: &str) -> Option<&'a str> {
        self.get(name).filter(|json| Kind::of(json) != Kind::Null)
    }

    /// A member that is a string, cleaned for display; `None` if it is absent, blank or something else.
    pub(crate) fn shown(&self, name: &str, flags: &mut Vec<Flag>) -> Option<String> {
        let text = string(self.get(name)?).filter(|text| !text.trim().is_empty())?;
        Some(for_display(text, Flag::TextCut, flags))
    }

    /// The members without the one of this name.
    pub(crate) fn without(&self, name: &str) -> Self {
        let mut members = self.0.clone();
        members.remove(name);
        Self(members)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.0.iter().map(|(name, raw)| (name.as_str(), raw.get()))
    }
}

/// The characters of a JSON string, or `None` for any other type.
pub(crate) fn string(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

/// A string as it is, a number or boolean as its JSON text; `None` for `null`, lists and objects.
pub(crate) fn scalar(json: &str) -> Option<String> {
    match Kind::of(json) {
        Kind::Text => string(json),
        Kind::Number | Kind::Boolean => Some(json.to_owned()),
        Kind::Null | Kind::List | Kind::Object => None,
    }
}

/// A finite number, or `None` for anything else.
pub(crate) fn number(json: &str) -> Option<f64> {
    let finite = |text: &str| text.parse::<f64>().ok().filter(|value| value.is_finite());
    (Kind::of(json) == Kind::Number).then(|| finite(json)).flatten()
}

/// A text fit for storage and display: NUL becomes U+FFFD, and what exceeds [`MAX_SHOWN_BYTES`] is cut off.
pub(crate) fn for_display(mut text: String, cut: Flag, flags: &mut Vec<Flag>) -> String {
    if text.contains('\0') {
        raise(flags, Flag::Nul);
        text = text.replace('\0', "\u{FFFD}");
    }
    if text.len() > MAX_SHOWN_BYTES {
        raise(flags, cut);
        text.truncate(before(&text, MAX_SHOWN_BYTES));
    }
    text
}

/// The last place up to `most` bytes between two letters as a reader sees them (extended grapheme clusters, UAX #29), or
/// between two characters where one letter is longer than that.
fn before(text: &str, most: usize) -> usize {
    let most = text.floor_char_boundary(most);
    let mut cursor = GraphemeCursor::new(most, text.len(), true);
    if cursor.is_boundary(text, 0) == Ok(true) {
        return most;
    }
    match cursor.prev_boundary(text, 0) {
        Ok(Some(place)) if place > 0 => place,
        _ => most,
    }
}

/// The elements of a list, each as its own text: the first `limit` of them, and how many there are in all.
#[derive(Debug)]
pub(crate) struct List<'a> {
    pub(crate) items: Vec<&'a str>,
    pub(crate) count: usize,
}

impl<'a> List<'a> {
    /// The elements of `json`, or `None` when it is not a list.
    pub(crate) fn of(json: &'a str, limit: usize) -> Option<Self> {
        serde_json::Deserializer::from_str(json).deserialize_seq(Elements { limit }).ok()
    }
}

struct Elements {
    limit: usize,
}

impl<'de> Visitor<'de> for Elements {
    type Value = List<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<List<'de>, A::Error> {
        let mut items = Vec::new();
        while items.len() < self.limit {
            match sequence.next_element::<&'de RawValue>()? {
                Some(item) => items.push(item.get()),
                None => return Ok(List { count: items.len(), items }),
            }
        }
        let mut count = items.len();
        while sequence.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(List { items, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_letters() {
        let shown = |text: &str, most: usize| text[..before(text, most)].to_owned();
        assert_eq!(shown("abc", 2), "ab");
        assert_eq!(shown("ae\u{301}", 2), "a", "a letter loses its accent");
        assert_eq!(shown("ae\u{301}", 3), "a");
        assert_eq!(shown("ae\u{301}b", 4), "ae\u{301}");
        assert_eq!(shown("a👩‍🚀", 7), "a", "an astronaut becomes a woman");
        assert_eq!(shown("é", 1), "");
        let marks = format!("a{}", "\u{301}".repeat(10_000));
        assert_eq!(shown(&marks, 1000).len(), 999, "one letter, which is longer than all that is shown");
    }
}
