//! Secrets for programs: API keys and webhook tokens.
//!
//! `srec_<12 base62 id>_<43 base62 secret>_<6 base62 CRC-32>`: the id finds the row, the secret carries 256
//! bits and is stored as SHA-256 (so much entropy needs no slow hash), and the checksum tells a typing
//! mistake from a wrong secret without a query and lets leak scanners recognise one.

use flate2::Crc;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ID: usize = 12;
const SECRET: usize = 43;
const CHECKSUM: usize = 6;
const LEN: usize = "srec_".len() + ID + 1 + SECRET + 1 + CHECKSUM;

/// A secret of ours, well-formed; whether it is valid is for the stored hash to say.
#[derive(Clone)]
pub struct SecretToken {
    text: String,
}

impl SecretToken {
    /// A new one.
    #[must_use]
    pub fn generate() -> Self {
        let body = format!("srec_{}_{}", random(ID), random(SECRET));
        Self { text: format!("{body}_{}", checksum(&body)) }
    }

    /// The token in `text`, if its form and its checksum are right.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != LEN || !text.is_ascii() {
            return None;
        }
        let (body, sum) = text.rsplit_once('_')?;
        let (id, secret) = body.strip_prefix("srec_")?.split_once('_')?;
        let base62 = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (id.len() == ID && secret.len() == SECRET && base62(id) && base62(secret) && sum == checksum(body))
            .then(|| Self { text: text.to_owned() })
    }

    /// What the sender is given, once.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// `srec_` and the id: names the row and may be shown.
    pub fn prefix(&self) -> &str {
        self.text.get(.."srec_".len() + ID).unwrap_or_default()
    }

    /// What is stored of the secret.
    pub fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.text.as_bytes()).to_vec()
    }

    /// Whether this is the secret of which `hash` was stored; takes the same time either way.
    pub fn matches(&self, hash: &[u8]) -> bool {
        self.hash().ct_eq(hash).into()
    }
}

impl std::fmt::Debug for SecretToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}_…", self.prefix())
    }
}

/// `len` characters, each equally likely.
fn random(len: usize) -> String {
    (0..len)
        .filter_map(|_| ALPHABET.get(rand::random_range(0..ALPHABET.len())))
        .map(|&byte| char::from(byte))
        .collect()
}

/// CRC-32 (IEEE 802.3) in base 62.
fn checksum(body: &str) -> String {
    let mut crc = Crc::new();
    crc.update(body.as_bytes());
    let mut rest = crc.sum() as usize;
    let mut digits = Vec::with_capacity(CHECKSUM);
    for _ in 0..CHECKSUM {
        digits.extend(ALPHABET.get(rest % ALPHABET.len()).map(|&byte| char::from(byte)));
        rest /= ALPHABET.len();
    }
    digits.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_token_has_the_documented_form() {
        let form = regex::Regex::new("^srec_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$").unwrap();
        let token = SecretToken::generate();
        assert!(form.is_match(token.reveal()), "{}", token.reveal());
        let read = SecretToken::parse(token.reveal()).unwrap();
        assert_eq!(read.prefix(), token.prefix());
        assert!(read.matches(&token.hash()));
        assert!(!SecretToken::generate().matches(&token.hash()));
        assert!(!format!("{token:?}").contains(&token.reveal()[18..61]));
    }

    #[test]
    fn a_changed_character_fails_the_checksum() {
        let text = SecretToken::generate().reveal().to_owned();
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            assert!(SecretToken::parse(&String::from_utf8(changed).unwrap()).is_none(), "character {at}");
        }
        for made_up in ["", "srec_", "srec_a_b_c", &"é".repeat(34), &"a".repeat(68), &"_".repeat(68)] {
            assert!(SecretToken::parse(made_up).is_none(), "{made_up}");
        }
    }
}
