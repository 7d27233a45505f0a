//! All SQL of the sums over model calls, analyses and verdicts.

use outbox::{Ts, Tx, TxConn, on_tx};

use crate::ids::{ProjectId, TenantId};

/// Sums by day, model and status. An unknown price makes a sum unknown, never smaller.
macro_rules! sums {
    ($day:literal) => {
        concat!(
            "select day, model, status, count(*) as count,
                 cast(coalesce(sum(prompt_tokens), 0) as bigint) as prompt_tokens,
                 cast(coalesce(sum(completion_tokens), 0) as bigint) as completion_tokens,
                 case when count(*) = count(micros) then cast(sum(micros) as bigint) end as cost_micros
             from (select ",
            $day,
            " as day, model, status, prompt_tokens, completion_tokens,
                 coalesce(cost_micros, case when assumed then null else reserved_micros end) as micros
             from model_calls where tenant_id = $1 and project_id = $2 and started_at >= $3 and started_at < $4) made
             group by day, model, status order by day, model, status"
        )
    };
}

/// The calls of a model on a day that came to the same.
#[derive(Debug, sqlx::FromRow)]
pub struct Calls {
    /// The day, counted from 1970 (UTC).
    pub day: i64,
    /// The model.
    pub model: String,
    /// `started`, `completed`, `failed`, `orphaned` or `cached`.
    pub status: String,
    /// How many.
    pub count: i64,
    /// Tokens of their prompts.
    pub prompt_tokens: i64,
    /// Tokens of their answers.
    pub completion_tokens: i64,
    /// What they cost or, where that is not known, what was reserved; null where that came from an assumed price.
    pub cost_micros: Option<i64>,
}

/// The project's calls of the span, summed up.
pub async fn calls(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    (from, to): (Ts, Ts),
) -> sqlx::Result<Vec<Calls>> {
    let query = match tx.conn() {
        TxConn::Postgres(_) => sums!("cast(floor(extract(epoch from started_at) / 86400) as bigint)"),
        TxConn::Sqlite(_) => sums!("started_at / 86400000000"),
    };
    on_tx!(tx, c => sqlx::query_as(query)
        .bind(tenant).bind(project).bind(from).bind(to).fetch_all(c).await)
}

/// Judged hypotheses that are looked at, the newest: people said something of each.
const JUDGED: i64 = 100_000;

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
           and h.verdict_at < $4 order by h.verdict_at desc limit $5")
        .bind(tenant).bind(project).bind(from).bind(to).bind(JUDGED).fetch_all(c).await)
}

/// How many analyses ended in the span, by status.
pub async fn ended(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    (from, to): (Ts, Ts),
) -> sqlx::Result<Vec<(String, i64)>> {
    on_tx!(tx, c => sqlx::query_as(
        "select a.status, count(*) from analyses a
         join incidents i on i.tenant_id = a.tenant_id and i.id = a.incident_id
         where a.tenant_id = $1 and i.project_id = $2 and a.completed_at >= $3 and a.completed_at < $4 group by a.status")
        .bind(tenant).bind(project).bind(from).bind(to).fetch_all(c).await)
}
