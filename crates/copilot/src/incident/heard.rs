//! Alerts that were heard again and nothing more: counted in memory, written late.
//!
//! A repetition changes nothing but when its alert was last heard and how often. Written at once, that would be most of
//! what is ever written. After a crash the times may be [`LATE_S`] seconds old; what was said is on the receipts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::tracked::store::bulk;
use crate::app::App;
use crate::error::{Result, seldom};
use crate::ids::{AlertId, TenantId};

/// How late it is written at most, in seconds.
pub const LATE_S: i64 = 30;

/// How often it is written.
const EVERY: Duration = Duration::from_secs(15);

/// Alerts that are written with one commit, so that webhooks never wait long for the writer.
const BATCH: usize = 500;

/// The longest rest between two of these commits.
const REST: Duration = Duration::from_millis(50);

/// Alerts that were heard again and are not written yet.
#[derive(Default)]
pub struct Heard {
    /// Held while some are being written, so that whoever asks next finds them in the database.
    writing: tokio::sync::Mutex<()>,
    /// How many wait for it.
    hurried: AtomicUsize,
    waiting: Mutex<BTreeMap<TenantId, BTreeMap<AlertId, bulk::Heard>>>,
}

impl Heard {
    /// Notes alerts that were heard again.
    pub fn note(&self, tenant: TenantId, heard: Vec<bulk::Heard>) {
        if heard.is_empty() {
            return;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let alerts = waiting.entry(tenant).or_default();
        for heard in heard {
            let known = alerts.entry(heard.alert).or_insert(bulk::Heard { statements: 0, ..heard });
            known.at = known.at.max(heard.at);
            known.statements += heard.statements;
        }
    }

    /// Writes what waits; when it returns, what somebody else was writing is written too.
    ///
    /// # Errors
    /// When the database refused; what was not written waits on.
    pub async fn write(&self, app: &App) -> Result<()> {
        let _hurry = Hurry::new(&self.hurried);
        self.write_within(app, Duration::ZERO).await
    }

    /// Writes what waits, with rests that leave the database to others, unless somebody comes to wait for it.
    async fn write_within(&self, app: &App, time: Duration) -> Result<()> {
        let _writing = self.writing.lock().await;
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        let commits: usize = waiting.values().map(|alerts| alerts.len().div_ceil(BATCH)).sum();
        let rest = REST.min(time / u32::try_from(commits).unwrap_or(u32::MAX).max(1));
        let mut failed = None;
        for (tenant, alerts) in waiting {
            let alerts: Vec<bulk::Heard> = alerts.into_values().collect();
            for some in alerts.chunks(BATCH) {
                let written = if failed.is_none() { write(app, tenant, some).await } else { Ok(()) };
                if written.is_err() || failed.is_some() {
                    self.note(tenant, some.to_vec());
                }
                failed = failed.or(written.err());
                let hurried = self.hurried.load(Ordering::Relaxed) > 0 || app.stop.is_cancelled();
                if !rest.is_zero() && failed.is_none() && !hurried {
                    tokio::time::sleep(rest).await;
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

/// Counts one who waits, for as long as that one does: a request may be given up meanwhile.
struct Hurry<'a>(&'a AtomicUsize);

impl<'a> Hurry<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Hurry<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn write(app: &App, tenant: TenantId, heard: &[bulk::Heard]) -> Result<()> {
    let mut tx = app.db.begin(tenant.0).await?;
    bulk::hear(&mut tx, tenant, heard).await?;
    Ok(tx.commit().await?)
}

/// Writes what waits every few seconds, and once more when `stop` has come and the last webhooks are stored.
pub async fn run(app: App, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = app.heard.write_within(&app, EVERY / 2).await
            && let Some(times) = seldom("alerts that were heard again could not be written yet", "")
        {
            tracing::warn!(
                error = error.cause(),
                times,
                "alerts that were heard again could not be written yet"
            );
        }
    }
}
