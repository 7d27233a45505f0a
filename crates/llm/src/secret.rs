//! A key that can be sent but not shown.

use std::fmt;

use reqwest::header::HeaderValue;

/// Shorter texts are not searched for in answers: they would match by chance.
const LEAST_SEARCHED: usize = 8;

/// An API key.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// Takes the key as it was configured, without the blanks around it.
    pub(crate) fn new(key: &str) -> Self {
        Self(key.trim().to_owned())
    }

    /// The key as a header after `prefix`; none when it has characters a header cannot carry.
    pub(crate) fn header(&self, prefix: &str) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&format!("{prefix}{}", self.0)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// The text with every occurrence of the key replaced, because an endpoint may echo it.
    pub(crate) fn removed_from(&self, text: String) -> String {
        if self.0.len() >= LEAST_SEARCHED && text.contains(&self.0) {
            text.replace(&self.0, "[removed]")
        } else {
            text
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn a_key_can_be_sent_and_not_shown() {
        let secret = Secret::new(" sk-0123456789 \n");
        let header = secret.header("Bearer ").unwrap();
        assert_eq!(header, "Bearer sk-0123456789");
        let shown =
            format!("{secret:?} {header:?} {}", secret.removed_from("is sk-0123456789 yours?".to_owned()));
        assert_eq!(shown, "Secret Sensitive is [removed] yours?");
        assert_eq!(Secret::new("a\u{7}").header(""), None);
    }
}
