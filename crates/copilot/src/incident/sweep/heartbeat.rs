//! Alerts that always fire: an incident is opened when one falls silent, and resolved when it is back.

use outbox::{Ts, Tx};
use serde_json::json;

use crate::app::App;
use crate::error::Result;
use crate::ids::{AlertId, ProjectId};
use crate::incident::health::{Health, open_health};
use crate::incident::record::By;
use crate::incident::tracked::store::Heartbeat;
use crate::incident::work::Desk;
use crate::incident::{State, store, tracked};

/// The shortest silence of a heartbeat that counts, in seconds, when its integration does not say.
const SHORTEST_SILENCE_S: i64 = 300;

/// How many of the longest gaps seen so far a heartbeat may be silent, when its integration does not say.
const GAPS: i64 = 3;

/// What is to be done about a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It has fallen silent.
    Open,
    /// It is back.
    Resolve,
}

/// What is to be done about a heartbeat at `now`, if anything.
pub(super) fn step(heartbeat: &Heartbeat, now: Ts) -> Option<Step> {
    let patience_s = heartbeat.timeout_s().or_else(|| learned(heartbeat))?;
    let silent = heartbeat.last_seen_at.plus_seconds(patience_s) <= now;
    // Versions that moved heartbeats along with a merge left them somebody else's incident.
    let own = heartbeat.incident_key.as_deref() == Some(&incident_key(heartbeat)[..]);
    let open = own && heartbeat.incident_open == Some(true);
    let ignored = own && heartbeat.closed_unheard == Some(true);
    match (silent, open) {
        (true, false) if !ignored => Some(Step::Open),
        (false, true) => Some(Step::Resolve),
        _ => None,
    }
}

/// How long a heartbeat that was heard more than once may be silent, in seconds: never less than its sender's other
/// alerts may. Two deliveries at once (a pair of Alertmanagers, two routes, a group that changed) say nothing of when the
/// next one is due.
fn learned(heartbeat: &Heartbeat) -> Option<i64> {
    let gap = heartbeat.longest_gap_s;
    (gap > 0).then(|| (GAPS * gap).max(heartbeat.stale_after_s()).max(SHORTEST_SILENCE_S))
}

fn key(id: AlertId) -> String {
    format!("heartbeat\0{id}")
}

fn incident_key(heartbeat: &Heartbeat) -> [u8; 32] {
    Health::incident_key(heartbeat.project_id, &key(heartbeat.id))
}

/// Does what is to be done about a heartbeat, if it still is.
pub(super) async fn check(app: &App, seen: &Heartbeat) -> Result<()> {
    let (tenant, project) = (seen.tenant_id, seen.project_id);
    let mut tx = app.db.begin(tenant.0).await?;
    if !store::lock_project(&mut tx, tenant, project).await? {
        return Ok(());
    }
    let Some(heartbeat) = tracked::store::heartbeat(&mut tx, tenant, seen.id).await? else { return Ok(()) };
    let now = tx.now();
    let mut desk = Desk::new(tenant, project, now);
    match step(&heartbeat, now) {
        Some(Step::Open) => open(&mut tx, &mut desk, &heartbeat).await?,
        Some(Step::Resolve) => resolve(&mut tx, &mut desk, &heartbeat).await?,
        None => return Ok(()),
    }
    desk.clear(&mut tx).await?;
    Ok(tx.commit().await?)
}

async fn open(tx: &mut Tx, desk: &mut Desk, heartbeat: &Heartbeat) -> Result<()> {
    let (tenant, project): (_, ProjectId) = (heartbeat.tenant_id, heartbeat.project_id);
    let title = format!("{} is silent: no heartbeat from {}", heartbeat.name, heartbeat.integration_name);
    let description = format!(
        "The alert {} always fires to prove that alerts arrive. It was last heard at {}; \
         alerts of this sender may be lost until it is back.",
        heartbeat.name, heartbeat.last_seen_at
    );
    let health = Health {
        key: &key(heartbeat.id),
        title: &title,
        description: &description,
        source: &heartbeat.integration_name,
    };
    let id = open_health(tx, desk, tenant, project, &health).await?;
    Ok(tracked::store::set_incident(tx, tenant, heartbeat.id, id).await?)
}

/// Resolves the incident about the silence, unless a person was faster.
async fn resolve(tx: &mut Tx, desk: &mut Desk, heartbeat: &Heartbeat) -> Result<()> {
    let Some(id) = heartbeat.incident_id else { return Ok(()) };
    let now = tx.now();
    let record = desk.take(tx, id).await?;
    let from = record.incident.state;
    if !from.is_open() {
        return Ok(());
    }
    record.enter(State::Resolved, By::Source, now);
    desk.changed(id);
    let detail = json!({"from": from, "to": State::Resolved, "comment": "the heartbeat is back"});
    desk.step(id, "state_changed", detail, None);
    Ok(())
}
