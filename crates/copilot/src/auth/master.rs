//! A master key, and the keys that are derived from it.

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::device::DeviceKey;
use super::refresh::RefreshKey;
use super::seal::Seal;
use super::token::Signer;
use crate::ids::SessionId;

/// What examples fill keys with.
const PLACEHOLDERS: [&str; 4] = ["changeme", "change-me", "secret", "password"];

/// What one master key signs, recognises and seals with.
pub(super) struct Master {
    pub signer: Signer,
    pub refresh: RefreshKey,
    pub devices: DeviceKey,
    pub seal: Seal,
    csrf: [u8; 32],
    check: [u8; 32],
}

impl Master {
    /// Out of 32 bytes that nobody can guess, in base64.
    ///
    /// # Errors
    /// When it is anything else, or one of an example.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        Self::new(parse(text)?)
    }

    /// Out of its bytes.
    ///
    /// # Errors
    /// When the signing key that is made of it does not work.
    pub fn new(master: [u8; 32]) -> anyhow::Result<Self> {
        let hkdf = Hkdf::<Sha256>::new(Some(b"sre-copilot"), &master);
        let derive = |label: &str| -> anyhow::Result<[u8; 32]> {
            let mut key = [0; 32];
            hkdf.expand(label.as_bytes(), &mut key).map_err(|_| anyhow::anyhow!("deriving a key"))?;
            Ok(key)
        };
        Ok(Self {
            signer: Signer::new(&derive("access token signing v1")?)?,
            refresh: RefreshKey::new(derive("refresh token v1")?),
            devices: DeviceKey::new(derive("device v1")?),
            csrf: derive("csrf v1")?,
            check: derive("master key check v1")?,
            seal: Seal::new(&derive("sealing v1")?),
        })
    }

    /// What tells this master key from others; it tells nothing about it.
    pub fn check(&self) -> &[u8] {
        &self.check
    }

    /// What a script sends back as `X-CSRF-Token` in this session; it opens nothing by itself.
    pub fn csrf_token(&self, session: SessionId) -> String {
        URL_SAFE_NO_PAD.encode(hmac(&self.csrf, &[session.0.as_bytes()]))
    }
}

/// HMAC-SHA256 (RFC 2104) over the concatenated `parts`.
pub(super) fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // A key shorter than the hash's block is filled up with zeros, which makes its length right by its type.
    let mut block = [0; 64];
    for (filled, byte) in block.iter_mut().zip(key) {
        *filled = *byte;
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn parse(text: &str) -> anyhow::Result<[u8; 32]> {
    let bytes = STANDARD
        .decode(text.trim())
        .context("the master key is not base64; it must be 32 random bytes in base64")?;
    let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| {
        anyhow::anyhow!("the master key has {} bytes; it must be 32 random bytes in base64", bytes.len())
    })?;
    let repeats = |word: &&str| key.iter().eq(word.as_bytes().iter().cycle().take(key.len()));
    ensure!(
        !PLACEHOLDERS.iter().any(repeats),
        "the master key is the one of an example; make one with `openssl rand -base64 32`"
    );
    if !looks_random(&key) {
        tracing::warn!(
            "the master key could be guessed: it is text or has a pattern. Whoever guesses it signs in as anybody; \
             make one with `openssl rand -base64 32`"
        );
    }
    Ok(key)
}

/// What random bytes fail with a probability below 1e-13, and typed ones do not pass.
fn looks_random(key: &[u8; 32]) -> bool {
    let mut distinct = key.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let counted = key.iter().zip(key.iter().skip(1)).filter(|(a, b)| a.wrapping_add(1) == **b).count() > 8;
    let text = key.iter().all(|byte| (b' '..=b'~').contains(byte));
    distinct.len() >= 12 && !counted && !text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_examples_and_of_another_length_are_refused() {
        let text = |bytes: &[u8]| STANDARD.encode(bytes);
        for bad in [
            "changeme".to_owned(),
            "not base64!".to_owned(),
            "   ".to_owned(),
            text(b"changemechangemechangemechangeme"),
            text(b"secretsecretsecretsecretsecretse"),
            text(&[7; 31]),
            text(&rand::random::<[u8; 16]>()),
        ] {
            assert!(Master::parse(&bad).is_err(), "{bad} was accepted");
        }
        let counting: [u8; 32] = std::array::from_fn(|at| at as u8);
        for (key, random) in [
            ([0; 32], false),
            (*b"The quick brown fox jumps over 1", false),
            (counting, false),
            (rand::random(), true),
        ] {
            assert!(Master::parse(&text(&key)).is_ok());
            assert_eq!(looks_random(&key), random, "{key:?}");
        }
    }
}
