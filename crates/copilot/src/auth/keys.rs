//! The master keys of this process, and what signing in keeps in memory.
//!
//! One master key is in use: it signs and seals. While it is rotated a process has a second one, and opens and recognises
//! what was made with either; the database says which is in use, so that all processes agree.

use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context as _, bail};
use outbox::Ts;
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use super::key_file;
use super::link::Links;
use super::master::Master;
use super::password::Passwords;
use super::refresh::RefreshToken;
use super::seal::{Cell, Mark};
use super::token::{Claims, Refusal, Subject};
use crate::config::Config;
use crate::ids::SessionId;

/// The master keys that the settings or the data folder give.
#[derive(Clone)]
pub(super) struct Given {
    /// The one to use.
    pub wanted: Arc<Master>,
    /// The one that was used before it.
    pub previous: Option<Arc<Master>>,
}

impl Given {
    /// Reads the settings, or the data folder, where SQLite's is generated for a fresh database.
    ///
    /// # Errors
    /// When one is missing with PostgreSQL or with a database that is set up, is not 32 bytes, or is one of an example.
    pub fn read(config: &Config, fresh: bool) -> anyhow::Result<Self> {
        let (wanted, previous) = if !config.master_key.is_empty() {
            let previous = &config.master_key_previous;
            (config.master_key.clone(), (!previous.is_empty()).then(|| previous.clone()))
        } else if config.database_url.starts_with("postgres") {
            bail!(
                "with PostgreSQL the master key must be set: SRE_COPILOT_MASTER_KEY, 32 random bytes in base64, \
                 such as `openssl rand -base64 32` prints"
            );
        } else {
            match key_file::read(&config.data_dir, fresh)? {
                (key, None) => (key, None),
                (key, Some(next)) => (next, Some(key)),
            }
        };
        let wanted = Arc::new(Master::parse(&wanted)?);
        let previous = previous.as_deref().map(Master::parse).transpose();
        let previous = previous.context("the previous master key")?.map(Arc::new);
        Ok(Self { previous: previous.filter(|previous| previous.check() != wanted.check()), wanted })
    }
}

/// The master key in use, and another that is accepted as well.
pub(super) struct Ring {
    pub in_use: Arc<Master>,
    pub other: Option<Arc<Master>>,
}

impl Ring {
    /// Of what is given, with the one in use that `check` tells; `None` if that is not given.
    pub fn of(given: Given, check: &[u8]) -> Option<Self> {
        let Given { wanted, previous } = given;
        if wanted.check() == check {
            return Some(Self { in_use: wanted, other: previous });
        }
        let in_use = previous.filter(|previous| previous.check() == check)?;
        Some(Self { in_use, other: Some(wanted) })
    }

    /// Both, the one in use first.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Master>> {
        std::iter::once(&self.in_use).chain(&self.other)
    }
}

/// The keys of this process.
pub struct Keys {
    ring: RwLock<Arc<Ring>>,
    /// Names this process among those that have the keys.
    pub(super) holder: Uuid,
    pub(super) passwords: Passwords,
    pub(super) links: Links,
}

impl Keys {
    /// Those of a ring.
    pub(super) fn new(ring: Ring) -> Self {
        Self {
            ring: RwLock::new(Arc::new(ring)),
            holder: Uuid::now_v7(),
            passwords: Passwords::default(),
            links: Links::default(),
        }
    }

    /// Keys that no other process has.
    #[must_use]
    #[expect(clippy::expect_used, reason = "only tests call it")]
    pub fn for_tests() -> Self {
        let master = Master::new(rand::random()).expect("random keys are good keys");
        Self::new(Ring { in_use: Arc::new(master), other: None })
    }

    /// Signs and seals with what `ring` has in use, from now on.
    pub(super) fn turn(&self, ring: Ring) {
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }

    pub(super) fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// An access token for `subject`, from `now` on.
    ///
    /// # Errors
    /// When it can't be signed.
    pub(super) fn sign(&self, subject: &Subject, now: Ts) -> anyhow::Result<String> {
        self.ring().in_use.signer.sign(subject, now)
    }

    /// The claims of an access token, if we made it and it is good at `now`.
    pub(super) fn verify(&self, token: &str, now: Ts) -> Result<Claims, Refusal> {
        let ring = self.ring();
        let other = ring.other.as_ref().filter(|other| other.signer.has_made(token));
        other.unwrap_or(&ring.in_use).signer.verify(token, now)
    }

    /// The value of a refresh token's cookie.
    pub(super) fn write_refresh(&self, token: &RefreshToken) -> String {
        self.ring().in_use.refresh.write(token)
    }

    /// The refresh token in a cookie, if we wrote it, and those that may follow it: first the one that does by the key it
    /// was written with.
    pub(super) fn read_refresh(&self, text: &str) -> Option<(RefreshToken, Vec<RefreshToken>)> {
        let ring = self.ring();
        let (writer, token) = ring.all().find_map(|master| Some((master, master.refresh.read(text)?)))?;
        let others = ring.all().filter(|master| !Arc::ptr_eq(master, writer));
        let following = std::iter::once(writer).chain(others).map(|by| by.refresh.successor(&token));
        let following = following.collect();
        Some((token, following))
    }

    /// A new mark for a browser in which `email` has signed in.
    pub(super) fn mark_device(&self, email: &str) -> String {
        self.ring().in_use.devices.issue(email)
    }

    /// The browser that a mark names, if we made it for `email`.
    pub(super) fn device(&self, mark: &str, email: &str) -> Option<Uuid> {
        self.ring().all().find_map(|master| master.devices.read(mark, email))
    }

    /// What a script sends back as `X-CSRF-Token` in this session; it opens nothing by itself.
    pub(super) fn csrf_token(&self, session: SessionId) -> String {
        self.ring().in_use.csrf_token(session)
    }

    /// Whether `token` is this session's.
    pub(super) fn is_csrf_token(&self, session: SessionId, token: &str) -> bool {
        let is =
            |master: &Arc<Master>| bool::from(master.csrf_token(session).as_bytes().ct_eq(token.as_bytes()));
        self.ring().all().any(is)
    }

    /// Encrypts `plain` for the cell it will be stored in; it can be opened as no other cell's content.
    ///
    /// # Errors
    /// When it is too long for the cipher (64 GiB).
    pub fn seal(&self, plain: &[u8], cell: Cell) -> anyhow::Result<Vec<u8>> {
        self.ring().in_use.seal.seal(plain, cell)
    }

    /// Decrypts what was sealed for `cell`.
    ///
    /// # Errors
    /// When it was sealed for another cell or with a master key that is not here, or was changed.
    pub fn open(&self, sealed: &[u8], cell: Cell) -> anyhow::Result<Vec<u8>> {
        let ring = self.ring();
        let has_sealed = |master: &&Arc<Master>| sealed.starts_with(&master.seal.mark());
        ring.all().find(has_sealed).unwrap_or(&ring.in_use).seal.open(sealed, cell)
    }

    /// What every value begins with that the key in use has sealed.
    pub(super) fn mark(&self) -> Mark {
        self.ring().in_use.seal.mark()
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::seal::Place;
    use crate::ids::TenantId;

    fn master() -> Arc<Master> {
        Arc::new(Master::new(rand::random()).unwrap())
    }

    fn keys(in_use: &Arc<Master>, other: Option<&Arc<Master>>) -> Keys {
        Keys::new(Ring { in_use: Arc::clone(in_use), other: other.map(Arc::clone) })
    }

    #[test]
    fn postgresql_is_given_no_key_of_its_own() {
        let mut config = Config::defaults().unwrap();
        config.database_url = "postgres://db/sre".to_owned();
        assert!(Given::read(&config, true).is_err());
    }

    #[test]
    fn the_key_in_use_is_the_one_that_is_noted() {
        let (new, old) = (master(), master());
        let given = Given { wanted: Arc::clone(&new), previous: Some(Arc::clone(&old)) };
        for (noted, other) in [(&new, &old), (&old, &new)] {
            let ring = Ring::of(given.clone(), noted.check()).unwrap();
            assert!(Arc::ptr_eq(&ring.in_use, noted) && Arc::ptr_eq(ring.other.as_ref().unwrap(), other));
        }
        assert!(Ring::of(given, master().check()).is_none());
        assert!(Ring::of(Given { wanted: new, previous: None }, old.check()).is_none());
    }

    #[test]
    fn what_the_other_key_made_is_known_and_what_a_third_made_is_not() {
        let (old, new) = (master(), master());
        let (before, during, after) = (keys(&old, None), keys(&new, Some(&old)), keys(&new, None));
        let (now, session) = (Ts::from_micros(0), SessionId::new());
        let subject = Subject::nobody();
        let access = before.sign(&subject, now).unwrap();
        let refresh = before.write_refresh(&RefreshToken::first(TenantId::new(), session));
        let (mark, csrf) = (before.mark_device("a@b.example"), before.csrf_token(session));
        let cell = Cell { tenant: TenantId::new(), place: Place::ChannelTarget, row: Uuid::now_v7() };
        let sealed = before.seal(b"hunter2", cell).unwrap();
        let known = |by: &Keys| {
            [
                by.verify(&access, now).is_ok(),
                by.read_refresh(&refresh).is_some(),
                by.device(&mark, "a@b.example").is_some(),
                by.is_csrf_token(session, &csrf),
                by.open(&sealed, cell).is_ok(),
            ]
        };
        assert_eq!((known(&before), known(&during), known(&after)), ([true; 5], [true; 5], [false; 5]));
        assert!(after.verify(&during.sign(&subject, now).unwrap(), now).is_ok());
        assert!(after.open(&during.seal(b"x", cell).unwrap(), cell).is_ok());
        let late = now.plus_seconds(3600);
        assert_eq!(during.verify(&access, late), Err(Refusal::Expired), "not a forged one");
    }

    /// Two processes, of which one has turned already: two tabs that refresh at the same time stay signed in.
    #[test]
    fn the_successor_hangs_on_the_key_that_wrote_the_token() {
        let (old, new) = (master(), master());
        let (behind, turned) = (keys(&old, Some(&new)), keys(&new, Some(&old)));
        let text = behind.write_refresh(&RefreshToken::first(TenantId::new(), SessionId::new()));
        let (one, two) = (behind.read_refresh(&text).unwrap().1, turned.read_refresh(&text).unwrap().1);
        assert!(one[0] == two[0] && one.len() == 2);
        // What each of them wrote leads to the other's successor as well.
        let (by_old, by_new) = (behind.write_refresh(&one[0]), turned.write_refresh(&two[0]));
        let (one, two) = (turned.read_refresh(&by_old).unwrap().1, turned.read_refresh(&by_new).unwrap().1);
        assert!(one[0] == two[1] && one[1] == two[0] && one[0] != one[1]);
    }
}
