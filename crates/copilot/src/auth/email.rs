//! E-mail addresses: one spelling each.

/// The longest address (RFC 5321, 4.5.3.1.3).
const MAX: usize = 254;

/// An address in the one spelling that it is stored and compared in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Email(String);

impl Email {
    /// Reads an address: trimmed, lower case, full-width letters as their ordinary ones.
    pub fn parse(text: &str) -> Option<Self> {
        let text: String = text.trim().chars().map(narrow).flat_map(char::to_lowercase).collect();
        let (local, domain) = text.rsplit_once('@')?;
        let fine = |c: char| !c.is_whitespace() && !c.is_control() && !"\"(),:;<>[\\]@".contains(c);
        let labels = domain.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        });
        let good =
            text.len() <= MAX && !local.is_empty() && local.len() <= 64 && local.chars().all(fine) && labels;
        good.then_some(Self(text))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The ordinary form of a full-width character (what NFKC makes of U+FF01 to U+FF5E).
fn narrow(c: char) -> char {
    match u32::from(c) {
        code @ 0xFF01..=0xFF5E => char::from_u32(code - 0xFEE0).unwrap_or(c),
        _ => c,
    }
}

/// The rule for a body's field.
pub(super) fn rule(text: &str, _: &()) -> garde::Result {
    Email::parse(text).map(drop).ok_or_else(|| garde::Error::new("is not an e-mail address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_spelling() {
        for text in ["user@x.test", "User@X.test", " user@x.test ", "ｕｓｅｒ＠ｘ．ｔｅｓｔ"] {
            assert_eq!(Email::parse(text).map(|email| email.0), Some("user@x.test".to_owned()), "{text}");
        }
        for text in
            ["", "@", "a@", "@b", "a b@c.de", "a@b@c", "a@-b.de", "a@b..de", "a\n@b.de", "a@b.de,c@d.ef"]
        {
            assert_eq!(Email::parse(text), None, "{text:?}");
        }
        assert_eq!(Email::parse(&format!("{}@b.de", "a".repeat(65))), None);
        assert!(Email::parse("ada+ops@localhost").is_some());
    }
}
