//! Guessing passwords is slow: five attempts are free, then the wait doubles with each.
//!
//! A bucket is an account, known or not, seen from one network, or from one browser in which its owner has signed in, so
//! that a stranger can't lock anybody out. An attempt is counted before its password is looked at: a hundred at once count as a hundred.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use outbox::Tx;
use sha2::{Digest as _, Sha256};

use super::email::Email;
use super::keys::Keys;
use super::source::Source;
use super::store::attempt::{self, Attempts};
use crate::address;
use crate::error::{Error, Result};

/// Attempts that are free.
const FREE: i64 = 5;

/// The longest wait, in seconds.
const MAX_WAIT_S: i64 = 15 * 60;

/// After so many seconds without an attempt the bucket is empty again.
pub(super) const MEMORY_S: i64 = 3600;

/// An account seen from one network or one known browser.
#[derive(Clone, Debug)]
pub(super) struct Bucket(String);

impl Bucket {
    /// The bucket of this account and this client; its name tells neither.
    pub fn of(keys: &Keys, email: &Email, source: &Source) -> Self {
        let known = source.device.as_ref().and_then(|mark| keys.device(mark, email.as_str()));
        let place =
            known.map_or_else(|| address::prefix(source.address).to_string(), |browser| browser.to_string());
        let name = format!("{}|{place}", email.as_str());
        Self(format!("login:{}", URL_SAFE_NO_PAD.encode(Sha256::digest(name))))
    }

    /// Counts an attempt that is about to be made.
    ///
    /// # Errors
    /// When it has to wait.
    pub async fn enter(&self, tx: &mut Tx) -> Result<()> {
        let now = tx.now();
        // Another attempt can only come in between on PostgreSQL; ten of them are a flood.
        for _ in 0..10 {
            let old = attempt::find(tx, &self.0).await?;
            let failures = match old {
                Some(old) if now.seconds_since(old.last_at) < MEMORY_S as f64 => {
                    let wait = old.last_at.plus_seconds(wait_s(old.failures)).seconds_since(now);
                    if wait > 0.0 {
                        return Err(Error::RateLimited("login-throttled", wait.ceil() as u64));
                    }
                    old.failures
                }
                _ => 0,
            };
            if attempt::replace(tx, &self.0, old, Attempts { failures: failures + 1, last_at: now }).await? {
                return Ok(());
            }
        }
        Err(Error::RateLimited("login-throttled", 1))
    }

    /// Notes that the attempt failed, from when on the wait counts.
    pub async fn failed(&self, tx: &mut Tx) -> Result<()> {
        Ok(attempt::touch(tx, &self.0).await?)
    }

    /// Notes that it succeeded.
    pub async fn succeeded(&self, tx: &mut Tx) -> Result<()> {
        Ok(attempt::clear(tx, &self.0).await?)
    }
}

/// How long to wait after so many failures in a row, in seconds.
fn wait_s(failures: i64) -> i64 {
    match failures - FREE {
        ..0 => 0,
        beyond @ 0..=8 => (2 << beyond).min(MAX_WAIT_S),
        _ => MAX_WAIT_S,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_a_quarter_of_an_hour() {
        let waits: Vec<i64> = (0..=15).map(wait_s).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
    }
}
