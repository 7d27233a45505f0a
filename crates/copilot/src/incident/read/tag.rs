//! The entity tags of a conditional request (RFC 9110, 8.8.3 and 13.1).

use axum::http::{HeaderMap, HeaderName};

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
        let own = format!("\"{version}\"");
        self.0.iter().any(|tag| tag == "*" || *tag == own)
    }

    /// Whether `version` is among them, for reading: a compressing proxy makes a tag weak.
    pub fn weakly(&self, version: i64) -> bool {
        let own = format!("\"{version}\"");
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
            ("\"3\"", true, true),
            ("*", true, true),
            ("W/\"3\"", false, true),
            ("\"1\" , \"3\"", true, true),
            ("\"33\"", false, false),
            ("3", false, false),
            ("", false, false),
        ] {
            let headers = HeaderMap::from_iter([(IF_MATCH, line.parse().unwrap())]);
            let tags = tags(&headers, &IF_MATCH).unwrap();
            assert_eq!((tags.strongly(3), tags.weakly(3)), (strongly, weakly), "{line}");
        }
        assert_eq!(tags(&HeaderMap::new(), &IF_MATCH), None);
    }
}
