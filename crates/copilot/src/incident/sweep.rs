//! What happens to incidents because time passes: holds, flapping and snoozes that end, silence, missing heartbeats.
//!
//! Several processes may sweep at once: each change is decided again under the row's lock.

mod heartbeat;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::store::Silent;
use super::tracked::store::Heartbeat;
use super::work::Desk;
use super::{heard, intake, snooze, store, tracked};
use crate::app::App;
use crate::error::{Error, Result, seldom};
use crate::ids::{AlertId, IncidentId, ProjectId, TenantId};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(1);

/// After how many seconds it looks once more at what has just become stale: by then all that was heard is written.
const LATE_S: i64 = 2 * heard::LATE_S;

/// Sweeps until `stop`.
pub async fn run(app: App, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        for Failure { what, error } in once(&app).await.err().into_iter().flatten() {
            if let Some(times) = seldom("incidents could not be swept", "") {
                tracing::error!(what, error = error.cause(), times, "incidents could not be swept");
            }
        }
    }
}

/// What could not be done of a sweep, and why.
#[derive(Debug)]
pub struct Failure {
    /// Such as `alert` and its id.
    pub what: String,
    /// Why.
    pub error: Error,
}

/// What failed of a sweep so far.
#[derive(Default)]
struct Failures {
    all: Vec<Failure>,
    /// Projects of which no more is tried: somebody holds what is theirs, and each attempt would wait for it.
    stuck: BTreeSet<ProjectId>,
}

impl Failures {
    /// Does one thing for a project; when that fails, others are done all the same.
    async fn except(&mut self, project: ProjectId, what: String, work: impl Future<Output = Result<()>>) {
        if self.stuck.contains(&project) {
            return;
        }
        if let Err(error) = work.await {
            if matches!(error, Error::Unavailable(..)) {
                self.stuck.insert(project);
            }
            self.add(what, error);
        }
    }

    fn add(&mut self, what: String, error: Error) {
        self.all.push(Failure { what, error });
    }
}

/// Does everything that is due now, each thing on its own.
///
/// # Errors
/// What failed; it is done next time, and kept nothing else waiting.
pub async fn once(app: &App) -> Result<(), Vec<Failure>> {
    let mut failed = Failures::default();
    match Due::read(app).await {
        Ok(due) => due.work(app, &mut failed).await,
        Err(error) => failed.add("what is due".to_owned(), error),
    }
    if failed.all.is_empty() { Ok(()) } else { Err(failed.all) }
}

/// What may be due, of every tenant.
struct Due {
    alerts: Vec<(TenantId, ProjectId, AlertId)>,
    silent: Vec<Silent>,
    snoozed: Vec<(TenantId, ProjectId, IncidentId)>,
    heartbeats: Vec<Heartbeat>,
}

impl Due {
    async fn read(app: &App) -> Result<Self> {
        let mut tx = app.db.read_across("sweep").await?;
        let now = tx.now();
        let alerts = tracked::store::due(&mut tx, now).await?;
        let silent = store::maybe_stale(&mut tx, now).await?;
        let snoozed = store::snoozed_enough(&mut tx, now).await?;
        let mut heartbeats = tracked::store::heartbeats(&mut tx).await?;
        heartbeats.retain(|one| heartbeat::step(one, now).is_some());
        Ok(Self { alerts, silent, snoozed, heartbeats })
    }

    async fn work(self, app: &App, failed: &mut Failures) {
        for (tenant, project, alert) in self.alerts {
            let what = format!("alert {alert}");
            failed.except(project, what, end_wait(app, tenant, project, alert)).await;
        }
        for (tenant, project, id) in self.snoozed {
            let what = format!("snooze of {id}");
            failed.except(project, what, snooze::end(app, tenant, project, id)).await;
        }
        // What was heard again in this process counts at once.
        let heard = if self.silent.is_empty() { Ok(()) } else { app.heard.write(app).await };
        match heard {
            Ok(()) => {
                for one in self.silent {
                    let what = format!("incident {}", one.id);
                    failed.except(one.project_id, what, check_silence(app, one)).await;
                }
            }
            Err(error) => failed.add("alerts that were heard again".to_owned(), error),
        }
        for one in self.heartbeats {
            let what = format!("heartbeat {}", one.id);
            failed.except(one.project_id, what, heartbeat::check(app, &one)).await;
        }
    }
}

/// Ends the hold or the flapping of an alert.
async fn end_wait(app: &App, tenant: TenantId, project: ProjectId, alert: AlertId) -> Result<()> {
    let mut tx = app.db.begin(tenant.0).await?;
    intake::due(&mut tx, tenant, project, alert).await?;
    Ok(tx.commit().await?)
}

/// Marks an incident stale when nothing was heard of its alerts for too long, or takes the mark off (R10). It may have been resolved
/// since it was found due.
pub(super) async fn check_silence(app: &App, silent: Silent) -> Result<()> {
    let Silent { tenant_id: tenant, project_id: project, id, stale_after_s } = silent;
    let mut tx = app.db.begin(tenant.0).await?;
    let now = tx.now();
    // Statements wait meanwhile, and see the mark that they take off.
    let is_live = store::lock_project(&mut tx, tenant, project).await?;
    let Some(record) = store::find(&mut tx, tenant, id).await? else { return Ok(()) };
    // Of what does not fire nothing needs to be heard.
    let is_live = is_live && record.incident.open;
    let heard = if is_live { tracked::store::last_statement(&mut tx, tenant, id).await? } else { None };
    let stale_at = heard.map(|heard| heard.plus_seconds(stale_after_s));
    let stale = stale_at.is_some_and(|at| at <= now);
    let look_at = match stale_at {
        // A statement takes the mark off, unless another process counted it in memory before it could see the mark.
        Some(_) if stale => {
            Some(now.plus_seconds(if record.incident.stale { stale_after_s } else { LATE_S }))
        }
        other => other,
    };
    store::set_stale_at(&mut tx, tenant, id, look_at).await?;
    if record.incident.stale != stale {
        let mut desk = Desk::new(tenant, project, now);
        desk.take(&mut tx, id).await?.incident.stale = stale;
        desk.changed(id);
        let step = if stale { "became_stale" } else { "heard_again" };
        desk.step(id, step, json!({ "last_statement_at": heard }), None);
        desk.clear(&mut tx).await?;
    }
    Ok(tx.commit().await?)
}
