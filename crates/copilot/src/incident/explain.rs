//! Asking for an incident's analysis: a queued version and a job, in the transaction that gives cause for it.

use outbox::{NewJob, Tx, lease};
use serde_json::json;

use super::store;
use crate::ids::{AnalysisId, IncidentId, TenantId};

/// The queue of analyses; a job's key is the incident's id, so that one incident has one at a time.
pub const QUEUE: &str = "analysis";

/// Queues a new version of the incident's analysis, or joins the one that has not ended.
///
/// # Errors
/// When the database refused.
pub async fn request(tx: &mut Tx, tenant: TenantId, incident: IncidentId) -> sqlx::Result<AnalysisId> {
    match store::unfinished_analysis(tx, tenant, incident).await? {
        Some(current) => Ok(current),
        None => queue(tx, tenant, incident).await,
    }
}

/// Queues a new version because the incident is no longer what it was, or joins the one that waits. One that is worked on
/// may have read its facts before: it is followed by one more when it ends, however often that is asked for, so that the
/// incident still has one call at a time.
///
/// The caller has the incident locked.
///
/// # Errors
/// When the database refused.
pub async fn request_anew(tx: &mut Tx, tenant: TenantId, incident: IncidentId) -> sqlx::Result<AnalysisId> {
    match store::follow_up(tx, tenant, incident).await? {
        Some(current) => Ok(current),
        None => queue(tx, tenant, incident).await,
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

async fn queue(tx: &mut Tx, tenant: TenantId, incident: IncidentId) -> sqlx::Result<AnalysisId> {
    let id = store::queue_analysis(tx, tenant, incident).await?;
    let run_at = tx.now();
    let payload = json!({ "analysis_id": id });
    let job = NewJob { owner: tenant.0, queue: QUEUE, key: incident.to_string(), payload, run_at };
    lease::enqueue(tx, job).await?;
    Ok(id)
}
