//! Texts of strangers before they go into a prompt or onto a page: nothing invisible, nothing secret.

use std::sync::LazyLock;

use regex::Regex;

/// Removes what a person would not see: control characters, text direction, zero width, tags.
pub fn clean(text: &str) -> String {
    text.chars().filter_map(visible).collect()
}

fn visible(letter: char) -> Option<char> {
    match letter {
        '\n' | '\t' | '\r' | '\u{2028}' | '\u{2029}' => Some(' '),
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' => None,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => None,
        '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}' | '\u{fff9}'..='\u{fffb}' => None,
        letter if letter.is_control() => None,
        letter => Some(letter),
    }
}

/// Words in front of a secret.
const NAMES: &str = "pass(word|wd|phrase)?|pwd|\\bpw\\b|\\bsig\\b|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|authorization|\
                     credential|session[_-]?id|cookie";

/// What secrets look like: known formats first, then `name=value`, then long strings that no word is like.
static SECRETS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let patterns = [
        "(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)".to_owned(),
        r"\b(AKIA|ASIA)[0-9A-Z]{16}\b".to_owned(),
        r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*".to_owned(),
        r"\b(sk|pk|rk)[-_][A-Za-z0-9_-]{16,}".to_owned(),
        r"\bgh[pousr]_[A-Za-z0-9]{20,}".to_owned(),
        r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}".to_owned(),
        r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}".to_owned(),
        r"\bglpat-[A-Za-z0-9_-]{16,}".to_owned(),
        r"https://hooks\.slack\.com/\S+".to_owned(),
        // Of a user and a password, of a password alone, and of a token alone.
        r"://[^\s/@:]*:[^\s/@]+@".to_owned(),
        r"(?i)\bhttps?://[^\s/@:]+@".to_owned(),
        format!(
            r#"(?i)[A-Za-z0-9_-]*({NAMES})[A-Za-z0-9_-]*["']?\s*[=:]\s*("[^"]*"|'[^']*'|["']?[^\s"';&}}]+)"#
        ),
        format!(r"(?i)--({NAMES})\s+\S+"),
        format!(r"(?i)<({NAMES})>[^<]*"),
    ];
    // A pattern that does not compile would let secrets through; the tests hold that each one does.
    patterns.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect()
});

/// A long run of letters and digits.
static RUN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[A-Za-z0-9+/_=]{24,}").ok());

/// Bits of entropy a character above which a run is no word, number or path.
const ENTROPY: f64 = 4.2;

/// Replaces what looks like a secret.
pub fn redact(text: &str) -> String {
    let mut out = text.to_owned();
    for secret in SECRETS.iter() {
        out = secret.replace_all(&out, "[redacted]").into_owned();
    }
    let Some(run) = RUN.as_ref() else { return out };
    let judged = |found: &regex::Captures<'_>| {
        let run = found.get(0).map_or("", |all| all.as_str());
        if entropy(run) > ENTROPY { "[redacted]".to_owned() } else { run.to_owned() }
    };
    run.replace_all(&out, judged).into_owned()
}

/// Whether a label of this name holds a secret.
pub fn is_secret_name(name: &str) -> bool {
    static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&format!("(?i){NAMES}")).ok());
    NAME.as_ref().is_none_or(|pattern| pattern.is_match(name))
}

/// Shannon's entropy of the characters, in bits a character.
fn entropy(text: &str) -> f64 {
    let mut counts = std::collections::BTreeMap::new();
    text.bytes().for_each(|byte| *counts.entry(byte).or_insert(0_u32) += 1);
    let length = text.len().max(1) as f64;
    counts.values().map(|count| f64::from(*count) / length).map(|share| -share * share.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_redacted_and_ordinary_texts_are_not() {
        assert_eq!(SECRETS.len(), 14);
        for secret in [
            "hunter2secret",
            "AKIAIOSFODNN7EXAMPLE",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl",
            "sk-proj-abcdefghijklmnop1234",
            "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
            "MIIEvQIBADANBg",
            "dGhpc2lzYXZlcnlsb25nc2VjcmV0a2V5MTIzNDU2Nzg5MA",
        ] {
            for text in [
                format!("password={secret} and more"),
                format!("DB_PASSWORD: '{secret}'"),
                format!("Authorization: Bearer {secret}xxxxxxxx"),
                format!("postgres://app:{secret}@db/x"),
                format!("redis://:{secret}@cache:6379/0"),
                format!("https://{secret}@example.com/x"),
                format!("pw={secret} sig={secret}"),
                format!("run --password {secret} now"),
                format!("<password>{secret}</password>"),
                format!("password=\"two words, {secret}\""),
                format!("Password=ab,{secret}"),
                format!("-----BEGIN RSA PRIVATE KEY-----\n{secret}"),
            ] {
                assert!(!redact(&text).contains(secret), "{text} -> {}", redact(&text));
            }
        }
        for alone in [
            "AKIAIOSFODNN7EXAMPLE",
            "x ghp_abcdefghijklmnopqrstuvwxyz0123456789 y",
            "q7Zk2LmP9sXvB4nRt8WcJ1fHd6GyA3eU",
        ] {
            assert!(redact(alone).contains("[redacted]"), "{alone}");
        }
        for text in [
            "High error rate on checkout: 14.2% of requests failing against 0.2% before",
            "rate(http_request_duration_seconds_bucket{service=\"storefront\"}[20s])",
            "pod checkout-7d9c5b6f4-x2x9k restarted",
            "2026-01-24T12:00:00Z",
        ] {
            assert_eq!(redact(text), text);
        }
        assert!(is_secret_name("DB_PASSWORD") && is_secret_name("api-key") && !is_secret_name("alertname"));
    }

    #[test]
    fn invisible_text_is_removed() {
        assert_eq!(clean("a\u{202e}b\u{200b}c\u{e0041}d\u{feff}\u{7}e\nf"), "abcde f");
    }
}
