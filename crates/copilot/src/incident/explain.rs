//! Asking for an incident's analysis: a queued version and a job, in the transaction that gives cause for it.

use outbox::{NewJob, Ts, Tx, lease};
use serde_json::json;

use super::store;
use crate::ids::{AnalysisId, IncidentId, TenantId};

/// The queue of analyses; a job's key is the incident's id, so that one incident has one at a time.
pub const QUEUE: &str = "analysis";

/// Versions that may follow one another at once, within [`RECENT_S`]; after these every further one waits [`PACE_S`].
const AT_ONCE: i64 = 4;

/// Seconds in which versions are counted.
const RECENT_S: i64 = 300;

/// Seconds that a version waits when there were many.
const PACE_S: i64 = 30;

/// Queues a new version of the incident's analysis, or joins the one that has not ended; one that waits, waits no longer.
///
/// # Errors
/// When the database refused.
pub async fn request(tx: &mut Tx, tenant: TenantId, incident: IncidentId) -> sqlx::Result<AnalysisId> {
    match store::unfinished_analysis(tx, tenant, incident).await? {
        Some(current) => {
            lease::hurry(tx, tenant.0, QUEUE, &incident.to_string()).await?;
            Ok(current)
        }
        None => {
            let now = tx.now();
            queue(tx, tenant, incident, now).await
        }
    }
}

/// Queues a new version because the incident is no longer what it was, or joins the one that waits. One that is worked on
/// may have read its facts before: it is followed by one more when it ends, however often that is asked for, so that the
/// incident still has one call at a time. An incident that changes all the time is not analysed all the time: after a few
/// versions the next one waits, for all that happens until then.
///
/// The caller has the incident locked.
///
/// # Errors
/// When the database refused.
pub async fn request_anew(tx: &mut Tx, tenant: TenantId, incident: IncidentId) -> sqlx::Result<AnalysisId> {
    match store::follow_up(tx, tenant, incident).await? {
        Some(current) => Ok(current),
        None => {
            let now = tx.now();
            let recent = store::versions_since(tx, tenant, incident, now.plus_seconds(-RECENT_S)).await?;
            let run_at = if recent < AT_ONCE { now } else { now.plus_seconds(PACE_S) };
            queue(tx, tenant, incident, run_at).await
        }
    }
}

/// Queues the first analysis of incidents that this transaction opened.
///
/// # Errors
/// When the database refused.
pub async fn request_first(tx: &mut Tx, tenant: TenantId, new: Vec<IncidentId>) -> sqlx::Result<()> {
    let new: Vec<(IncidentId, AnalysisId)> =
        new.into_iter().map(|incident| (incident, AnalysisId::new())).collect();
    if new.is_empty() {
        return Ok(());
    }
    store::bulk::queue_first(tx, tenant, &new, QUEUE).await
}

async fn queue(tx: &mut Tx, tenant: TenantId, incident: IncidentId, run_at: Ts) -> sqlx::Result<AnalysisId> {
    let id = store::queue_analysis(tx, tenant, incident).await?;
    let payload = json!({ "analysis_id": id });
    let job = NewJob { owner: tenant.0, queue: QUEUE, key: incident.to_string(), payload, run_at };
    lease::enqueue(tx, job).await?;
    Ok(id)
}
