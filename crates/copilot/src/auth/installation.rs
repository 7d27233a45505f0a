//! The master key that a database was set up with: with another one nobody's session would be known, and nothing that
//! was sealed could be opened.

use anyhow::ensure;
use outbox::Db;

use super::keys::Keys;
use super::store::{installation, user};
use crate::config::Config;

/// The keys of this process. A database that is set up is never given a new master key.
///
/// # Errors
/// When the master key is missing, is no good, or is another one than the database was set up with.
pub async fn keys(db: &Db, config: &Config) -> anyhow::Result<Keys> {
    let mut tx = db.begin_across("operator").await?;
    let known = installation::key_check(&mut tx).await?;
    let fresh = known.is_none() && !user::any(&mut tx).await?;
    let keys = Keys::load(config, &config.data_dir, fresh)?;
    installation::note_key(&mut tx, keys.check()).await?;
    // Another process may have been first.
    let noted = installation::key_check(&mut tx).await?;
    tx.commit().await?;
    ensure!(
        noted.as_deref() == Some(keys.check()),
        "the database was set up with another master key: set the one it was set up with. If that is lost, \
         `sre-copilot master-key forget` lets the next start take this one: everybody signs in again, API keys and \
         webhook tokens stay, and what integrations sign in with has to be entered again"
    );
    Ok(keys)
}

/// Lets the next start take any master key; says whether one was known.
///
/// # Errors
/// When the database refused.
pub async fn forget(db: &Db) -> anyhow::Result<bool> {
    let mut tx = db.begin_across("operator").await?;
    let known = installation::forget_key(&mut tx).await?;
    tx.commit().await?;
    Ok(known)
}
