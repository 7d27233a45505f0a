//! The entity tags of incidents and of conditional requests (RFC 9110, 8.8.3 and 13.1).
//!
//! A tag is `"version-digest"`: the version counts what people and senders change, the digest is of the whole answer, in
//! which the headline of the newest analysis changes without a new version. A change is guarded by the version alone:
//! an analysis that ended meanwhile overwrites nothing.

use axum::http::{HeaderMap, HeaderName};
use sha2::{Digest as _, Sha256};

/// The tag of an answer with this version.
pub fn tag(version: i64, body: &[u8]) -> String {
    let digest = Sha256::digest(body);
    let short = digest.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    format!("\"{version}-{short:016x}\"")
}

/// The tags that a request names, or `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tags(Vec<String>);

/// The tags of one header, when the request has it.
pub fn tags(headers: &HeaderMap, name: &HeaderName) -> Option<Tags> {
    let lines = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or_default());
    // A version's tag holds no comma, so that a list can be cut at every one.
    let tags = lines.flat_map(|line| line.split(',')).map(|tag| tag.trim().to_owned());
    headers.contains_key(name).then(|| Tags(tags.collect()))
}

impl Tags {
    /// Whether `version` is among them, for a change: a tag that somebody on the way made weak proves nothing.
    pub fn strongly(&self, version: i64) -> bool {
        let names = |tag: &String| {
            let inner = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
            inner.is_some_and(|tag| tag.split('-').next() == Some(version.to_string().as_str()))
        };
        self.0.iter().any(|tag| tag == "*" || names(tag))
    }

    /// Whether `own` is among them, for reading: a compressing proxy makes a tag weak.
    pub fn weakly(&self, own: &str) -> bool {
        self.0.iter().any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == own)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::IF_MATCH;

    use super::*;

    #[test]
    fn a_tag_is_found_in_a_list_and_only_whole() {
        for (line, strongly, weakly) in [
            ("\"3-a\"", true, true),
            ("\"3-b\"", true, false),
            ("\"3\"", true, false),
            ("*", true, true),
            ("W/\"3-a\"", false, true),
            ("\"1-a\" , \"3-a\"", true, true),
            ("\"33-a\"", false, false),
            ("3-a", false, false),
            ("", false, false),
        ] {
            let headers = HeaderMap::from_iter([(IF_MATCH, line.parse().unwrap())]);
            let tags = tags(&headers, &IF_MATCH).unwrap();
            assert_eq!((tags.strongly(3), tags.weakly("\"3-a\"")), (strongly, weakly), "{line}");
        }
        assert_eq!(tags(&HeaderMap::new(), &IF_MATCH), None);
    }
}
