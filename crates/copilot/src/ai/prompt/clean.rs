//! Texts of strangers before they go into a prompt or onto a page: nothing invisible, nothing secret.

use std::sync::LazyLock;

use regex::Regex;

pub use crate::visible::clean;

/// Words in front of a secret.
const NAMES: &str = "pass(word|wd|phrase)?|pwd|\\bpw\\b|\\bsig\\b|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|authorization|\
                     credential|session[_-]?id|cookie";

/// What secrets look like: known formats first, then `name=value`, then long strings that no word is like.
static SECRETS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let patterns = [
        "(?is)-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----.*?(-----END [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----|$)".to_owned(),
        r"\b(AKIA|ASIA)[0-9A-Z]{16}\b".to_owned(),
        r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*".to_owned(),
        r"\b(sk|pk|rk)[-_][A-Za-z0-9_-]{16,}".to_owned(),
        r"\bgh[pousr]_[A-Za-z0-9]{20,}".to_owned(),
        r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}".to_owned(),
        r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}".to_owned(),
        r"\bglpat-[A-Za-z0-9_-]{16,}".to_owned(),
        r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}".to_owned(),
        r"\bhv[sbr]\.[A-Za-z0-9_-]{20,}".to_owned(),
        // Hashes of passwords, as crypt and Apache write them.
        r"\$(apr1|[1256][abxy]?)\$[./A-Za-z0-9$]{8,}".to_owned(),
        // A token in hexadecimal digits; an image's or a commit's digest says so in front.
        r"\b(sha256:|sha1:|commit )?[0-9A-Fa-f]{32,}\b".to_owned(),
        // What programs are told on their command line.
        r"(?i)(^|\s)(-u|--user|--proxy-user)[ =]?[^\s:]+:\S+".to_owned(),
        r"(?i)\b(mysql|mysqldump|mysqladmin|mariadb|sshpass|redis-cli)\b[^\n|;]*?\s-[pa]\s*[^\s-]\S*".to_owned(),
        r"https://hooks\.slack\.com/\S+".to_owned(),
        // Of a user and a password, of a password alone, and of a token alone.
        r"://[^\s/@:]*:[^\s/@]+@".to_owned(),
        r"(?i)\bhttps?://[^\s/@:]+@".to_owned(),
        format!(
            r#"(?i)[A-Za-z0-9_-]*({NAMES})[A-Za-z0-9_-]*["']?\s*([=:＝：]|%3[AaDd])\s*("[^"]*"|'[^']*'|["']?[^\s"';&}}]+)"#
        ),
        r"(?i)\b(auth|key|pin|bindpw)\s*[=＝]\s*\S+".to_owned(),
        format!(r"(?i)--({NAMES})\s+\S+"),
        format!(r"(?i)<({NAMES})>[^<]*"),
    ];
    // A pattern that does not compile would let secrets through; the tests hold that each one does.
    patterns.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect()
});

/// A secret in a sentence: its name, and a word behind it.
static SAID: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let names = "password|passwd|passphrase|pwd|bindpw|secret|token|api key";
    Regex::new(&format!(r"(?i)\b({names})( is| was|:)? +([^\s,;]{{4,}})")).ok()
});

/// Words that follow in a sentence that tells no secret.
const TELLING: [&str; 20] = [
    "authentication",
    "check",
    "expired",
    "expires",
    "failed",
    "file",
    "incorrect",
    "invalid",
    "leaked",
    "manager",
    "missing",
    "needed",
    "policy",
    "refused",
    "rejected",
    "required",
    "reset",
    "rotated",
    "rotation",
    "wrong",
];

/// A word is taken for the secret when the sentence says so, or it looks like none of a language.
fn in_words(found: &regex::Captures<'_>) -> String {
    let part = |at: usize| found.get(at).map_or("", |part| part.as_str());
    let word = part(3).trim_matches(|letter: char| "\"'.()".contains(letter));
    let mixed = word.chars().any(|letter| letter.is_ascii_digit()) && word.chars().any(char::is_alphabetic);
    let odd = word.chars().any(|letter| "!@#$%^&*+=~".contains(letter));
    let told = !part(2).is_empty() && !TELLING.contains(&word.to_lowercase().as_str());
    if mixed || odd || told { format!("{}{} [redacted]", part(1), part(2)) } else { part(0).to_owned() }
}

/// A long run of letters and digits.
static RUN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[A-Za-z0-9+/_=]{24,}").ok());

/// Bits of entropy a character above which a run is no word, number or path.
const ENTROPY: f64 = 4.2;

/// Replaces what looks like a secret.
pub fn redact(text: &str) -> String {
    let mut out = text.to_owned();
    for secret in SECRETS.iter() {
        out = secret.replace_all(&out, unless_digest).into_owned();
    }
    if let Some(said) = SAID.as_ref() {
        out = said.replace_all(&out, in_words).into_owned();
    }
    let Some(run) = RUN.as_ref() else { return out };
    let judged = |found: &regex::Captures<'_>| {
        let run = found.get(0).map_or("", |all| all.as_str());
        if entropy(run) > ENTROPY { "[redacted]".to_owned() } else { run.to_owned() }
    };
    run.replace_all(&out, judged).into_owned()
}

fn unless_digest(found: &regex::Captures<'_>) -> String {
    let all = found.get(0).map_or("", |all| all.as_str());
    let digest = ["sha256:", "sha1:", "commit "].iter().any(|front| all.starts_with(front));
    if digest { all.to_owned() } else { "[redacted]".to_owned() }
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
        assert!(SAID.is_some());
        assert_eq!(SECRETS.len(), 21);
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
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "token 5d41402abc4b2a76b9719d911017c592 leaked",
            "-----BEGIN PGP PRIVATE KEY BLOCK-----\nabc",
            "-----begin rsa private key-----\nabc",
            "curl -u admin:hunter2 https://x",
            "curl --user admin:hunter2 https://x",
            "mysql -h db -phunter2 shop",
            "password hunter2",
            "the password is correcthorse",
            "token ab12cd",
            "bindpw s3cr3t",
            "SG.abcdefghijklmnopqrstuv.abcdefghijklmnopqrstuvwxyz0123456789",
            "hvs.CAESIJabcdefghijklmnopqrstuvwx",
            "admin:$apr1$abcdefgh$abcdefghijklmnopqrstuv",
            "auth=hunter2",
            "key=hunter2",
            "pin=1234",
            "password\u{ff1d}hunter2",
            "?password%3Dhunter2",
        ] {
            assert!(redact(alone).contains("[redacted]"), "{alone}");
        }
        for text in [
            "High error rate on checkout: 14.2% of requests failing against 0.2% before",
            "rate(http_request_duration_seconds_bucket{service=\"storefront\"}[20s])",
            "pod checkout-7d9c5b6f4-x2x9k restarted",
            "2026-01-24T12:00:00Z",
            "password authentication failed for user app",
            "the token expired 3 minutes ago",
            "secret store unreachable",
            "image registry/checkout@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "deploy of commit da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "partition key: user",
        ] {
            assert_eq!(redact(text), text);
        }
        assert!(is_secret_name("DB_PASSWORD") && is_secret_name("api-key") && !is_secret_name("alertname"));
    }
}
