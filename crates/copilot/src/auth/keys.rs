//! The master key, and the keys that are derived from it.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use super::device::DeviceKey;
use super::link::Links;
use super::password::Passwords;
use super::refresh::RefreshKey;
use super::seal::{Cell, Seal};
use super::token::Signer;
use crate::config::Config;
use crate::db::create_private;
use crate::ids::SessionId;

/// The file in the data folder that holds a generated master key.
const FILE: &str = "master.key";

/// What examples fill keys with.
const PLACEHOLDERS: [&str; 4] = ["changeme", "change-me", "secret", "password"];

/// Keys derived from the master key, and what signing in keeps in memory.
pub struct Keys {
    pub(super) signer: Signer,
    pub(super) refresh: RefreshKey,
    pub(super) passwords: Passwords,
    pub(super) links: Links,
    pub(super) devices: DeviceKey,
    csrf: [u8; 32],
    check: [u8; 32],
    seal: Seal,
}

impl Keys {
    /// Reads the master key from the settings or the data folder, where SQLite's is generated for a fresh database.
    ///
    /// # Errors
    /// When it is missing with PostgreSQL or with a database that is set up, is not 32 bytes, or is one of an example.
    pub(super) fn load(config: &Config, data_dir: &Path, fresh: bool) -> anyhow::Result<Self> {
        let text = if !config.master_key.is_empty() {
            config.master_key.clone()
        } else if config.database_url.starts_with("postgres") {
            bail!(
                "with PostgreSQL the master key must be set: SRE_COPILOT_MASTER_KEY, 32 random bytes in base64, \
                 such as `openssl rand -base64 32` prints"
            );
        } else {
            in_folder(data_dir, fresh)?
        };
        Self::from_master(parse(&text)?)
    }

    /// Keys that no other process has.
    #[must_use]
    #[expect(clippy::expect_used, reason = "only tests call it")]
    pub fn for_tests() -> Self {
        Self::from_master(rand::random()).expect("random keys are good keys")
    }

    fn from_master(master: [u8; 32]) -> anyhow::Result<Self> {
        let hkdf = Hkdf::<Sha256>::new(Some(b"sre-copilot"), &master);
        let derive = |label: &str| -> anyhow::Result<[u8; 32]> {
            let mut key = [0; 32];
            hkdf.expand(label.as_bytes(), &mut key).map_err(|_| anyhow::anyhow!("deriving a key"))?;
            Ok(key)
        };
        Ok(Self {
            signer: Signer::new(&derive("access token signing v1")?)?,
            refresh: RefreshKey::new(derive("refresh token v1")?),
            passwords: Passwords::default(),
            links: Links::default(),
            devices: DeviceKey::new(derive("device v1")?),
            csrf: derive("csrf v1")?,
            check: derive("master key check v1")?,
            seal: Seal::new(&derive("sealing v1")?),
        })
    }

    /// What tells this master key from others; it tells nothing about it.
    pub(super) fn check(&self) -> &[u8] {
        &self.check
    }

    /// What a script sends back as `X-CSRF-Token` in this session; it opens nothing by itself.
    pub(super) fn csrf_token(&self, session: SessionId) -> String {
        URL_SAFE_NO_PAD.encode(hmac(&self.csrf, &[session.0.as_bytes()]))
    }

    /// Whether `token` is this session's.
    pub(super) fn is_csrf_token(&self, session: SessionId, token: &str) -> bool {
        self.csrf_token(session).as_bytes().ct_eq(token.as_bytes()).into()
    }

    /// Encrypts `plain` for the cell it will be stored in; it can be opened as no other cell's content.
    ///
    /// # Errors
    /// When it is too long for the cipher (64 GiB).
    pub fn seal(&self, plain: &[u8], cell: Cell<'_>) -> anyhow::Result<Vec<u8>> {
        self.seal.seal(plain, cell)
    }

    /// Decrypts what was sealed for `cell`.
    ///
    /// # Errors
    /// When it was sealed for another cell or with another master key, or was changed.
    pub fn open(&self, sealed: &[u8], cell: Cell<'_>) -> anyhow::Result<Vec<u8>> {
        self.seal.open(sealed, cell)
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(hidden)")
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

/// 32 bytes that nobody can guess, out of their base64 form.
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

/// The key in the data folder, made if there is none and the database is `fresh`.
fn in_folder(data_dir: &Path, fresh: bool) -> anyhow::Result<String> {
    let path = data_dir.join(FILE);
    if !path.exists() {
        ensure!(
            fresh,
            "{} is missing: the database was set up with a master key. Put the file back, or set \
             SRE_COPILOT_MASTER_KEY to what it held",
            path.display()
        );
        create_private(data_dir)?;
        let draft = data_dir.join(format!("{FILE}.{}", Uuid::new_v4()));
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)
            .with_context(|| format!("creating {}", draft.display()))?;
        let key: [u8; 32] = rand::random();
        writeln!(file, "{}", STANDARD.encode(key))
            .and_then(|()| file.sync_all())
            .context("writing the master key")?;
        // A link appears whole or not at all, and of two processes that start together one wins.
        let linked = std::fs::hard_link(&draft, &path);
        std::fs::remove_file(&draft).context("removing the draft of the master key")?;
        if let Err(error) = linked
            && error.kind() != std::io::ErrorKind::AlreadyExists
        {
            return Err(error).with_context(|| format!("creating {}", path.display()));
        }
    }
    std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn config(master_key: &str, database_url: &str) -> Config {
        let (mut config, _) = crate::config::load(None, |_| None).unwrap();
        config.master_key = master_key.to_owned();
        config.database_url = database_url.to_owned();
        config
    }

    #[test]
    fn a_key_is_generated_once_and_only_its_owner_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let session = SessionId::new();
        let first = Keys::load(&config("", ""), &data, true).unwrap();
        let second = Keys::load(&config("", ""), &data, false).unwrap();
        assert_eq!(first.csrf_token(session), second.csrf_token(session));
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&data), mode(&data.join(FILE))), (0o700, 0o600));
        assert_eq!(std::fs::read_dir(&data).unwrap().count(), 1);
    }

    #[test]
    fn keys_of_examples_and_of_another_length_are_refused() {
        let dir = tempfile::tempdir().unwrap();
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
            assert!(Keys::load(&config(&bad, ""), dir.path(), true).is_err(), "{bad} was accepted");
        }
        let counting: [u8; 32] = std::array::from_fn(|at| at as u8);
        for (key, random) in [
            ([0; 32], false),
            (*b"The quick brown fox jumps over 1", false),
            (counting, false),
            (rand::random(), true),
        ] {
            assert!(Keys::load(&config(&text(&key), ""), dir.path(), true).is_ok());
            assert_eq!(looks_random(&key), random, "{key:?}");
        }
        assert!(Keys::load(&config("", "postgres://db/sre"), dir.path(), true).is_err());
    }
}
