//! The conditions of a route: read as far as it matters which alerts they leave over.

use super::yaml::Node;

/// One condition on a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matcher {
    name: String,
    how: How,
    value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Equal,
    Unequal,
    Like,
    Unlike,
}

impl Matcher {
    fn new(name: &str, how: How, value: &str) -> Self {
        Self { name: name.trim().to_owned(), how, value: value.to_owned() }
    }

    /// Reads `severity="critical"`; what can't be read is a condition of its own, which holds for some alerts.
    fn read(text: &str) -> Self {
        let at = text.find(['=', '!']).unwrap_or(text.len());
        let (name, rest) = text.split_at(at);
        let ways = [("=~", How::Like), ("!~", How::Unlike), ("!=", How::Unequal), ("=", How::Equal)];
        let (how, value) = ways
            .iter()
            .find_map(|(sign, how)| Some((*how, rest.strip_prefix(sign)?)))
            .unwrap_or((How::Equal, rest));
        Self::new(name.trim().trim_matches('"'), how, value.trim().trim_matches('"'))
    }

    /// Whether it holds for every alert, each of which has a name.
    fn always(&self) -> bool {
        match (self.how, self.value.as_str()) {
            (How::Like, ".*") | (How::Unlike, "") => true,
            (How::Like, ".+") | (How::Unequal, "") => self.name == "alertname",
            _ => false,
        }
    }

    /// Whether one of the two holds for every alert.
    pub fn completes(&self, other: &Self) -> bool {
        let opposite = matches!(
            (self.how, other.how),
            (How::Equal, How::Unequal)
                | (How::Unequal, How::Equal)
                | (How::Like, How::Unlike)
                | (How::Unlike, How::Like)
        );
        opposite && self.name == other.name && self.value == other.value
    }
}

impl std::fmt::Display for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let how = match self.how {
            How::Equal => "=",
            How::Unequal => "!=",
            How::Like => "=~",
            How::Unlike => "!~",
        };
        write!(f, "{}{how}\"{}\"", self.name, self.value)
    }
}

/// The conditions of a route that not every alert fulfils, in the three ways in which they are written.
pub fn of_route(route: &Node) -> Vec<Matcher> {
    let mut all = Vec::new();
    for (name, how) in [("match", How::Equal), ("match_re", How::Like)] {
        let map = route.get(name).map(|(_, node)| node);
        all.extend(
            map.into_iter().flat_map(Node::pairs).map(|(label, value)| Matcher::new(label, how, value)),
        );
    }
    for text in route.list_of("matchers").iter().filter_map(Node::text) {
        all.extend(parts(text).iter().map(|part| Matcher::read(part)));
    }
    all.retain(|matcher| !matcher.always());
    all
}

/// The conditions in one text: several may stand between braces, with commas.
fn parts(text: &str) -> Vec<String> {
    let inner = text.trim().trim_start_matches('{').trim_end_matches('}');
    let (mut parts, mut quoted, mut escaped) = (vec![String::new()], false, false);
    for letter in inner.chars() {
        quoted ^= letter == '"' && !escaped;
        escaped = letter == '\\' && !escaped;
        if letter == ',' && !quoted {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(letter);
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}
