//! Passwords: which are good enough, and how they are hashed without starving anything else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::anyhow;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use super::weak;
use crate::error::{Error, Result};

/// Fewest characters of a password (NIST SP 800-63B-4 without a second factor).
pub(super) const MIN: usize = 15;

/// Most characters of a password.
pub(super) const MAX: usize = 128;

/// Hashes at the same time; each takes 19 MiB and tens of milliseconds of a core.
const RUNNING: usize = 2;

/// Hashes that may wait for their turn.
const WAITING: usize = 32;

/// Memory in KiB, passes and lanes of Argon2id (OWASP's floor).
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// Compared with when there is no such user, so that the answer takes as long. It is no password's hash.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5bm9ib2R5$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The queue of passwords to hash.
pub(super) struct Passwords {
    running: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { running: Arc::new(Semaphore::new(RUNNING)), waiting: AtomicUsize::new(0) }
    }
}

/// What comparing a password with a stored hash said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Another password, or no such user.
    Wrong,
    /// The password; if its hash was cheaper than today's, the one to store instead.
    Right(Option<String>),
}

impl Passwords {
    /// The hash to store, as a PHC string with a salt of its own.
    pub async fn hash(&self, password: &str) -> Result<String> {
        let password = password.to_owned();
        self.run(move || hash(&password)).await?.map_err(Error::Internal)
    }

    /// Compares `password` with `stored`; takes as long when there is nothing stored.
    pub async fn verify(&self, password: &str, stored: Option<String>) -> Result<Verdict> {
        let password = password.to_owned();
        self.run(move || {
            let known = stored.is_some();
            let stored = stored.unwrap_or_else(|| NOBODY.to_owned());
            let parsed =
                PasswordHash::new(&stored).map_err(|error| anyhow!("a stored password hash: {error}"))?;
            let same = argon2()?.verify_password(password.as_bytes(), &parsed).is_ok();
            match (same && known, stored.contains("$m=19456,t=2,p=1$")) {
                (false, _) => Ok(Verdict::Wrong),
                (true, true) => Ok(Verdict::Right(None)),
                (true, false) => hash(&password).map(|new| Verdict::Right(Some(new))),
            }
        })
        .await?
        .map_err(Error::Internal)
    }

    /// Runs `work` off the executor, in its turn.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let place = Place::take(&self.waiting)?;
        let turn =
            Arc::clone(&self.running).acquire_owned().await.map_err(|error| Error::Internal(error.into()))?;
        drop(place);
        // The turn ends with the work, also when the client has gone in the meantime.
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(turn);
            result
        });
        done.await.map_err(|error| Error::Internal(error.into()))
    }
}

/// A place in the queue.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Result<Self> {
        let place = Self(waiting);
        if waiting.fetch_add(1, Ordering::SeqCst) >= WAITING {
            return Err(Error::Unavailable(
                "unavailable",
                "too many people sign in at the same time; try again",
            ));
        }
        Ok(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn argon2() -> anyhow::Result<Argon2<'static>> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).map_err(|error| anyhow!("argon2: {error}"))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &str) -> anyhow::Result<String> {
    let hash: argon2::password_hash::phc::PasswordHash = argon2()?
        .hash_password(password.as_bytes())
        .map_err(|error| anyhow!("hashing a password: {error}"))?;
    Ok(hash.to_string())
}

/// Whether a new password, the `field` of a body, may be chosen; `about` holds the words that others know about the
/// user.
pub(super) fn check(field: &'static str, password: &str, about: &[&str]) -> Result<()> {
    let length = password.chars().count();
    if !(MIN..=MAX).contains(&length) {
        return Err(Error::field(field, format!("must have {MIN} to {MAX} characters")));
    }
    if weak::is_weak(password, about) {
        return Err(Error::WeakPassword(field));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_compared_exactly() {
        let passwords = Passwords::default();
        let password = " Grüße\0 an 🦀 alle  ";
        let stored = passwords.hash(password).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_ne!(stored, passwords.hash(password).await.unwrap(), "the salt is random");
        let is = async |text: &str| passwords.verify(text, Some(stored.clone())).await;
        assert_eq!(is(password).await.unwrap(), Verdict::Right(None));
        for other in [password.trim(), &password.replace('\0', ""), &password.to_lowercase(), ""] {
            assert_eq!(is(other).await.unwrap(), Verdict::Wrong, "{other:?}");
        }
        let long = "x1y2z3".repeat(21);
        let stored = passwords.hash(&long).await.unwrap();
        let twin = format!("{}!", &long[..long.len() - 1]);
        assert_eq!(passwords.verify(&twin, Some(stored)).await.unwrap(), Verdict::Wrong);
        assert_eq!(passwords.verify(password, None).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_cheap_hash_is_replaced() {
        let cheap = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
        let stored = cheap.hash_password(b"correct").unwrap().to_string();
        let verdict = Passwords::default().verify("correct", Some(stored)).await.unwrap();
        let Verdict::Right(Some(new)) = verdict else { panic!("{verdict:?}") };
        assert!(new.contains("$m=19456,t=2,p=1$"));
    }

    #[tokio::test]
    async fn the_queue_is_bounded() {
        let passwords = Passwords::default();
        let turns = Arc::clone(&passwords.running).acquire_many_owned(RUNNING as u32).await.unwrap();
        let waiting: Vec<_> = (0..WAITING).map(|_| Place::take(&passwords.waiting).unwrap()).collect();
        assert!(matches!(passwords.hash("x").await, Err(Error::Unavailable(..))));
        drop((turns, waiting));
        assert!(passwords.hash("x").await.is_ok());
    }

    #[test]
    fn length_is_counted_in_characters() {
        let good = "Tr0ub4dor&3-Zebra-quilt-";
        for (password, accepted) in [
            ("kV7#pLq2zX9!mR".to_owned(), false),
            ("kV7#pLq2zX9!mRw".to_owned(), true),
            ("🦀🐙🦑🐠🐟🐬🐳🐋🦈🐊🐅🐆🦓🦍🦧".to_owned(), true),
            (good.repeat(6)[..128].to_owned(), true),
            (good.repeat(6)[..129].to_owned(), false),
            ("a".repeat(1 << 20), false),
        ] {
            assert_eq!(check("password", &password, &[]).is_ok(), accepted, "{password:.40}");
        }
    }
}
