//! Changing the master key while everything runs.
//!
//! Every process has both keys before the new one is brought into use, by a note in the database; when all of them use it,
//! what is sealed with the old one is sealed anew, each value in a transaction. Whatever is cut short goes on when it is
//! asked for again.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use outbox::{Db, Ts, sabotage};
use serde_json::json;

use super::audit::{self, Entry};
use super::key_file;
use super::keys::{Given, Keys, Ring};
use super::master::Master;
use super::seal::{Cell, Mark, Place};
use super::store::installation::{self, Holder};
use super::store::{sealed, user};
use crate::config::Config;
use crate::ids::TenantId;

/// A process that has not answered for so long is taken for dead.
const ANSWERS: Duration = Duration::from_secs(30);

/// How often it is looked whether all have answered.
const LOOKS: Duration = Duration::from_millis(500);

/// Longer than any transaction takes that has read or sealed a value: a statement 5 s, idle 10 s.
const SETTLES: Duration = Duration::from_secs(20);

/// Values that are looked for at once.
const BATCH: i64 = 100;

/// What a rotation has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rotated {
    /// Values that were sealed anew.
    pub sealed: u64,
    /// Where values are that could not be opened: they were changed, or belong to another cell.
    pub broken: Vec<String>,
    /// Processes that use the new key.
    pub processes: usize,
}

/// Brings the new master key into use, and seals with it what is sealed with the previous one.
///
/// # Errors
/// When there are no two keys, a running process does not have both, the database is in use with a third, or refused.
pub async fn rotate(db: &Db, config: &Config) -> anyhow::Result<Rotated> {
    let generated = config.master_key.is_empty() && !config.database_url.starts_with("postgres");
    if generated {
        key_file::make_next(&config.data_dir)?;
        sabotage::point("rotate.made").await?;
    }
    let Given { wanted, previous } = Given::read(config, false)?;
    let previous = previous.context(
        "there is no other key to change to: set SRE_COPILOT_MASTER_KEY to the new one and \
         SRE_COPILOT_MASTER_KEY_PREVIOUS to the one in use, for every process and for this command",
    )?;
    let (new, old) = (wanted.seal.mark(), previous.seal.mark());
    ensure!(!sealed::are_alike(new, old), "the two keys can't be told apart; make another one");
    bring_into_use(db, &wanted, &previous).await?;
    sabotage::point("rotate.in_use").await?;
    let holders = roll_call(db).await?;
    let behind = holders.iter().filter(|one| one.in_use != wanted.check()).count();
    ensure!(behind == 0, "{behind} running processes do not use the new master key yet; run this again");
    let keys = Keys::new(Ring { in_use: wanted, other: Some(previous) });
    let mut done = Rotated { processes: holders.len(), ..Rotated::default() };
    let mut pass = seal_anew(db, &keys, old).await?;
    // What was read or sealed before the last process turned may be written after it was looked for.
    loop {
        done.sealed += pass.sealed;
        if !holders.is_empty() {
            tokio::time::sleep(sabotage::hurried(SETTLES)).await;
        }
        pass = seal_anew(db, &keys, old).await?;
        if pass.found == 0 {
            done.broken = pass.broken;
            break;
        }
    }
    sabotage::point("rotate.sealed").await?;
    end(db).await?;
    sabotage::point("rotate.ended").await?;
    if generated {
        key_file::settle(&config.data_dir)?;
    }
    Ok(done)
}

/// Notes `wanted` as the key in use, if every running process has it.
async fn bring_into_use(db: &Db, wanted: &Master, previous: &Master) -> anyhow::Result<()> {
    roll_call(db).await?;
    let mut tx = db.begin_across("operator").await?;
    let noted =
        installation::hold(&mut tx).await?.context("no master key was noted: start the server first")?;
    let both = [wanted.check(), previous.check()];
    let third = |check: &[u8]| !both.contains(&check);
    ensure!(
        !third(&noted.key_check) && !noted.previous_check.as_deref().is_some_and(third),
        "the database is in use with another master key than these two, or a rotation from another one has not ended"
    );
    if noted.key_check == wanted.check() {
        return Ok(());
    }
    let holders = installation::holders(&mut tx).await?;
    let without = holders.iter().filter(|one| !one.has(wanted.check())).count();
    ensure!(
        without == 0 || sabotage::broken("rotation-unasked"),
        "{without} of {} running processes do not have the new master key yet: start every process with \
         SRE_COPILOT_MASTER_KEY as the new one and SRE_COPILOT_MASTER_KEY_PREVIOUS as the one in use, then run this again",
        holders.len()
    );
    installation::bring_into_use(&mut tx, wanted.check(), previous.check()).await?;
    Ok(tx.commit().await?)
}

/// Asks every running process which keys it has and uses; those that do not answer are dead, and forgotten.
async fn roll_call(db: &Db) -> anyhow::Result<Vec<Holder>> {
    let mut tx = db.begin_across("operator").await?;
    let called: Ts = tx.now();
    installation::call(&mut tx, called).await?;
    tx.commit().await?;
    let begun = Instant::now();
    loop {
        let mut tx = db.begin_across("operator").await?;
        let holders = installation::holders(&mut tx).await?;
        let all = holders.iter().all(|one| one.seen_at >= called);
        if !all && begun.elapsed() < sabotage::hurried(ANSWERS) {
            drop(tx);
            tokio::time::sleep(sabotage::hurried(LOOKS)).await;
            continue;
        }
        installation::bury(&mut tx, called).await?;
        tx.commit().await?;
        return Ok(holders.into_iter().filter(|one| one.seen_at >= called).collect());
    }
}

/// What one look at everything that is sealed has come to.
#[derive(Clone, Debug, Default)]
struct Pass {
    /// Values that can be opened with the old key.
    found: u64,
    /// Those of them that were sealed anew; others have changed meanwhile.
    sealed: u64,
    /// Where values are that look like it and can't be opened.
    broken: Vec<String>,
}

/// Seals anew what begins with `old`, each value in its cell, until there is nothing more to find.
async fn seal_anew(db: &Db, keys: &Keys, old: Mark) -> anyhow::Result<Pass> {
    let mut all = Pass::default();
    if sabotage::broken("rotation-seals-nothing") {
        return Ok(all);
    }
    for place in Place::ALL {
        let mut tx = db.read_across("rotation").await?;
        let tenants = sealed::tenants(&mut tx, place, old).await?;
        drop(tx);
        for tenant in tenants {
            let mut skip = 0;
            loop {
                let batch = batch(db, keys, old, (tenant, place), skip).await?;
                if batch.found == 0 && batch.broken.is_empty() {
                    break;
                }
                skip += batch.broken.len();
                all.found += batch.found;
                all.sealed += batch.sealed;
                all.broken.extend(batch.broken);
            }
        }
    }
    Ok(all)
}

/// Some values of a place, behind `skip` that are broken.
async fn batch(
    db: &Db,
    keys: &Keys,
    old: Mark,
    (tenant, place): (TenantId, Place),
    skip: usize,
) -> anyhow::Result<Pass> {
    let mut done = Pass::default();
    let mut tx = db.read(tenant.0).await?;
    let values = sealed::find(&mut tx, tenant, place, old, (skip as i64, BATCH)).await?;
    drop(tx);
    for value in values {
        let cell = Cell { tenant, place, row: value.row };
        let Ok(plain) = keys.open(&value.sealed, cell) else {
            let (table, column) = (place.table(), place.column());
            done.broken.push(format!("{table}.{column} of {} (organisation {tenant})", value.row));
            continue;
        };
        done.found += 1;
        let anew = keys.seal(&plain, cell)?;
        // Each alone: who has several rows and waits for another could be waited for in a circle.
        let mut tx = db.begin(tenant.0).await?;
        done.sealed += sealed::replace(&mut tx, tenant, place, &value, &anew).await?;
        sabotage::point("rotate.value").await?;
        tx.commit().await?;
    }
    Ok(done)
}

/// Notes that the previous key is needed no more, and tells of it in every organisation's audit log, once.
async fn end(db: &Db) -> anyhow::Result<()> {
    let mut tx = db.begin_across("operator").await?;
    if !installation::end(&mut tx).await? {
        return Ok(());
    }
    for tenant in user::tenants(&mut tx).await? {
        tx.scope(tenant.0).await?;
        let entry = Entry {
            actor: "operator".to_owned(),
            action: "master_key.rotated",
            object: "installation".to_owned(),
            ok: true,
            remote: "local".to_owned(),
            detail: json!({}),
        };
        audit::record(&mut tx, tenant, entry).await?;
    }
    Ok(tx.commit().await?)
}
