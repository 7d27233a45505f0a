//! All SQL of the sums over model calls, analyses and verdicts.

use outbox::{Ts, Tx, on_tx};

use super::ROWS;
use crate::ids::{ProjectId, TenantId};

/// A call of the model.
#[derive(Debug, sqlx::FromRow)]
pub struct CallRow {
    /// When it was made.
    pub started_at: Ts,
    /// The model.
    pub model: String,
    /// `started`, `completed`, `failed`, `orphaned` or `cached`.
    pub status: String,
    /// Tokens of the prompt.
    pub prompt_tokens: Option<i64>,
    /// Tokens of the answer.
    pub completion_tokens: Option<i64>,
    /// What it cost.
    pub cost_micros: Option<i64>,
    /// What was reserved for it; unknown where that came from an assumed price.
    pub reserved_micros: Option<i64>,
}

/// The project's calls of the span.
pub async fn calls(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    (from, to): (Ts, Ts),
) -> sqlx::Result<Vec<CallRow>> {
    on_tx!(tx, c => sqlx::query_as(
        "select started_at, model, status, prompt_tokens, completion_tokens, cost_micros,
                case when assumed then null else reserved_micros end as reserved_micros
         from model_calls where tenant_id = $1 and project_id = $2 and started_at >= $3 and started_at < $4
         order by started_at, id limit $5")
        .bind(tenant).bind(project).bind(from).bind(to).bind(ROWS).fetch_all(c).await)
}

/// Confidence and verdict of every hypothesis that was judged in the span.
pub async fn judged(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    (from, to): (Ts, Ts),
) -> sqlx::Result<Vec<(f64, String)>> {
    on_tx!(tx, c => sqlx::query_as(
        "select h.confidence_score, h.verdict from hypotheses h
         join incidents i on i.tenant_id = h.tenant_id and i.id = h.incident_id
         where h.tenant_id = $1 and i.project_id = $2 and h.verdict is not null and h.verdict_at >= $3
           and h.verdict_at < $4 order by h.id limit $5")
        .bind(tenant).bind(project).bind(from).bind(to).bind(ROWS).fetch_all(c).await)
}

/// How many analyses of the span ended in which status.
pub async fn ended(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    (from, to): (Ts, Ts),
) -> sqlx::Result<Vec<(String, i64)>> {
    on_tx!(tx, c => sqlx::query_as(
        "select a.status, count(*) from analyses a
         join incidents i on i.tenant_id = a.tenant_id and i.id = a.incident_id
         where a.tenant_id = $1 and i.project_id = $2 and a.created_at >= $3 and a.created_at < $4 group by a.status")
        .bind(tenant).bind(project).bind(from).bind(to).fetch_all(c).await)
}
