//! The master key that a database is in use with: with another one nobody's session would be known, and nothing that
//! was sealed could be opened.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use outbox::{Db, sabotage};
use tokio_util::sync::CancellationToken;

use super::keys::{Given, Keys, Ring};
use super::store::{installation, sealed, user};
use crate::app::App;
use crate::config::Config;
use crate::seldom::Seldom;

/// How often a process looks whether a rotation asks for it.
const EVERY: Duration = Duration::from_secs(2);

/// The keys of a command. A database that is set up is never given a new master key.
///
/// # Errors
/// When the master key is missing, is no good, or is another one than the database is in use with; or when values are
/// sealed with one that is not given.
pub async fn keys(db: &Db, config: &Config) -> anyhow::Result<Keys> {
    enter(db, config, false).await
}

/// As [`keys`], for a process that serves: a rotation waits for it until it [follows](follow).
///
/// # Errors
/// As [`keys`].
pub async fn join(db: &Db, config: &Config) -> anyhow::Result<Keys> {
    let keys = enter(db, config, true).await?;
    if keys.ring().other.is_none() {
        let strays = sealed::count_others(&mut db.read_across("rotation").await?, keys.mark()).await?;
        if strays > 0 {
            tracing::warn!(
                strays,
                "values are sealed with a master key that is not here: set it as SRE_COPILOT_MASTER_KEY_PREVIOUS and run \
                 `sre-copilot master-key rotate`, or enter them again"
            );
        }
    }
    Ok(keys)
}

async fn enter(db: &Db, config: &Config, serves: bool) -> anyhow::Result<Keys> {
    let mut tx = db.begin_across("operator").await?;
    let known = installation::key_check(&mut tx).await?;
    let fresh = known.is_none() && !user::any(&mut tx).await?;
    let given = Given::read(config, fresh)?;
    installation::note_key(&mut tx, given.wanted.check()).await?;
    // Another process may have been first; and a rotation waits for who is about to begin.
    let noted = installation::hold(&mut tx).await?.context("the master key could not be noted")?;
    let ring = Ring::of(given, &noted.key_check).context(
        "the database is in use with another master key: set the one it is in use with, after a rotation the new one. If \
         that is lost, `sre-copilot master-key forget` lets the next start take this one: everybody signs in again, API \
         keys and webhook tokens stay, and what integrations and channels sign in with has to be entered again",
    )?;
    let needed = noted.previous_check.filter(|check| ring.all().all(|one| one.check() != check));
    let keys = Keys::new(ring);
    if needed.is_some() && !sabotage::broken("previous-key-unasked") {
        drop(tx);
        let left = sealed::count_others(&mut db.read_across("rotation").await?, keys.mark()).await?;
        anyhow::bail!(
            "a rotation of the master key has not ended, and {left} values are still sealed with the previous one: set it \
             as SRE_COPILOT_MASTER_KEY_PREVIOUS until `sre-copilot master-key rotate` has ended"
        );
    }
    if serves {
        register(&mut tx, &keys).await?;
    }
    tx.commit().await?;
    Ok(keys)
}

async fn register(tx: &mut outbox::Tx, keys: &Keys) -> sqlx::Result<()> {
    let ring = keys.ring();
    let other = ring.other.as_ref().map(|other| other.check());
    installation::register(tx, keys.holder, ring.in_use.check(), other).await
}

/// Does what a rotation asks of a process that serves: says which keys it has, and uses the one that is noted; until
/// `stop`.
pub async fn follow(app: App, stop: CancellationToken) {
    let outage = Seldom::new();
    let every = sabotage::hurried(EVERY);
    while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
        if let Err(error) = look(&app.db, &app.keys, &app.config).await
            && let Some(times) = outage.notice(Instant::now())
        {
            tracing::warn!(
                error = format!("{error:#}"),
                times,
                "whether the master key is rotated could not be looked at"
            );
        }
    }
    if let Err(error) = leave(&app.db, &app.keys).await {
        tracing::debug!(error = error.to_string(), "a rotation will wait for this process in vain");
    }
}

async fn look(db: &Db, keys: &Keys, config: &Config) -> anyhow::Result<()> {
    let mut tx = db.read_across("operator").await?;
    if !installation::is_called(&mut tx, keys.holder).await? {
        return Ok(());
    }
    drop(tx);
    let mut tx = db.begin_across("operator").await?;
    let Some(noted) = installation::hold(&mut tx).await? else { return Ok(()) };
    let ring = Ring::of(Given::read(config, false)?, &noted.key_check);
    keys.turn(ring.context("the database is in use with another master key")?);
    register(&mut tx, keys).await?;
    Ok(tx.commit().await?)
}

async fn leave(db: &Db, keys: &Keys) -> sqlx::Result<()> {
    let mut tx = db.begin_across("operator").await?;
    installation::leave(&mut tx, keys.holder).await?;
    tx.commit().await
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
