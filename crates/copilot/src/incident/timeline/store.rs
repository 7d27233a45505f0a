//! All SQL of steps and comments.

use outbox::{Ts, Tx, on_tx};
use sqlx::types::Json;

use super::{Comment, NewStep, Step, StepStatus};
use crate::ids::{CommentId, IncidentId, StepId, TenantId, UserId};

/// Records a step that is done.
///
/// # Errors
/// When the database refused.
pub async fn record(tx: &mut Tx, tenant: TenantId, step: NewStep<'_>) -> sqlx::Result<StepId> {
    let now = tx.now();
    insert(tx, tenant, step, StepStatus::Completed, Some(now)).await
}

/// Records a step that has begun.
///
/// # Errors
/// When the database refused.
pub async fn begin(tx: &mut Tx, tenant: TenantId, step: NewStep<'_>) -> sqlx::Result<StepId> {
    insert(tx, tenant, step, StepStatus::InProgress, None).await
}

async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    step: NewStep<'_>,
    status: StepStatus,
    completed_at: Option<Ts>,
) -> sqlx::Result<StepId> {
    let id = StepId::new();
    on_tx!(tx, c => sqlx::query(
        "insert into steps (tenant_id, id, incident_id, step_type, status, started_at, completed_at, detail, actor)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
        .bind(tenant).bind(id).bind(step.incident).bind(step.step_type).bind(status.as_str()).bind(step.started_at)
        .bind(completed_at).bind(Json(&step.detail)).bind(step.actor)
        .execute(c).await.map(drop))?;
    Ok(id)
}

/// Ends a step that had begun.
///
/// # Errors
/// When the database refused.
pub async fn end(
    tx: &mut Tx,
    tenant: TenantId,
    id: StepId,
    status: StepStatus,
    detail: &serde_json::Value,
) -> sqlx::Result<()> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query(
        "update steps set status = $3, detail = $4, completed_at = $5 where tenant_id = $1 and id = $2")
        .bind(tenant).bind(id).bind(status.as_str()).bind(Json(detail)).bind(now).execute(c).await.map(drop))
}

/// At most `limit` steps of an incident, oldest first, after the given one.
///
/// # Errors
/// When the database refused.
pub async fn steps(
    tx: &mut Tx,
    tenant: TenantId,
    incident: IncidentId,
    after: Option<(Ts, StepId)>,
    limit: i64,
) -> sqlx::Result<Vec<Step>> {
    let before = Ts::from_micros(0);
    let (at, id) = after.unwrap_or((before, StepId(uuid::Uuid::nil())));
    // A cursor that somebody made up may name a time that PostgreSQL does not know.
    let at = at.max(before);
    let mut steps: Vec<Step> = on_tx!(tx, c => sqlx::query_as(
        "select id, step_type, status, started_at, completed_at, detail, actor from steps
         where tenant_id = $1 and incident_id = $2 and (started_at, id) > ($3, $4)
         order by started_at, id limit $5")
        .bind(tenant).bind(incident).bind(at).bind(id).bind(limit).fetch_all(c).await)?;
    for step in &mut steps {
        step.duration_ms = step.completed_at.map(|end| end.seconds_since(step.started_at) * 1e3);
    }
    Ok(steps)
}

/// Adds a comment.
///
/// # Errors
/// When the database refused.
pub async fn comment(
    tx: &mut Tx,
    tenant: TenantId,
    incident: IncidentId,
    author: (Option<UserId>, &str),
    body: &str,
) -> sqlx::Result<Comment> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query_as(
        "insert into comments (tenant_id, id, incident_id, author_id, author_name, body, created_at)
         values ($1, $2, $3, $4, $5, $6, $7) returning id, body, author_id, author_name, created_at")
        .bind(tenant).bind(CommentId::new()).bind(incident).bind(author.0).bind(author.1).bind(body).bind(now)
        .fetch_one(c).await)
}

/// At most `limit` comments of an incident, oldest first, after the given one.
///
/// # Errors
/// When the database refused.
pub async fn comments(
    tx: &mut Tx,
    tenant: TenantId,
    incident: IncidentId,
    after: Option<(Ts, CommentId)>,
    limit: i64,
) -> sqlx::Result<Vec<Comment>> {
    let before = Ts::from_micros(0);
    let (at, id) = after.unwrap_or((before, CommentId(uuid::Uuid::nil())));
    // A cursor that somebody made up may name a time that PostgreSQL does not know.
    let at = at.max(before);
    on_tx!(tx, c => sqlx::query_as(
        "select id, body, author_id, author_name, created_at from comments
         where tenant_id = $1 and incident_id = $2 and (created_at, id) > ($3, $4)
         order by created_at, id limit $5")
        .bind(tenant).bind(incident).bind(at).bind(id).bind(limit).fetch_all(c).await)
}

/// Moves the comments of one incident to another.
///
/// # Errors
/// When the database refused.
pub async fn move_comments(
    tx: &mut Tx,
    tenant: TenantId,
    from: IncidentId,
    to: IncidentId,
) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query("update comments set incident_id = $3 where tenant_id = $1 and incident_id = $2")
        .bind(tenant).bind(from).bind(to).execute(c).await.map(drop))?;
    on_tx!(tx, c => sqlx::query(
        "update steps set incident_id = $3 where tenant_id = $1 and incident_id = $2
         and step_type in ('comment_added', 'alert_received')")
        .bind(tenant).bind(from).bind(to).execute(c).await.map(drop))
}
