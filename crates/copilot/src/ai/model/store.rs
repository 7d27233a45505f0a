//! All SQL of the ledger of model calls.

use outbox::{Ts, Tx, on_tx};
use uuid::Uuid;

use super::{Purpose, Spent};
use crate::ids::{AnalysisId, IncidentId, QuestionId, TenantId};

/// A call that is about to be made.
#[derive(Debug)]
pub struct NewCall<'a> {
    /// Names it.
    pub id: Uuid,
    /// The fence it is made under.
    pub fence: i64,
    /// The model.
    pub model: &'a str,
    /// The version of the prompt.
    pub prompt_version: &'a str,
    /// The most it can cost in micro-USD.
    pub reserved: i64,
    /// Whether that comes from an assumed price.
    pub assumed: bool,
}

/// Locks the tenant's row until the transaction ends, and says whether the tenant wants the model.
pub async fn lock_tenant(tx: &mut Tx, tenant: TenantId) -> sqlx::Result<bool> {
    let wanted: Option<bool> = on_tx!(tx, c => sqlx::query_scalar(
        "update tenants set llm_enabled = llm_enabled where tenant_id = $1 returning llm_enabled")
        .bind(tenant).fetch_optional(c).await)?;
    Ok(wanted.unwrap_or(false))
}

/// Whether the tenant wants the model.
pub async fn is_wanted(tx: &mut Tx, tenant: TenantId) -> sqlx::Result<bool> {
    on_tx!(tx, c => sqlx::query_scalar("select llm_enabled from tenants where tenant_id = $1")
        .bind(tenant).fetch_one(c).await)
}

/// How many calls were made for this purpose, answers from the cache not counted.
pub async fn calls(tx: &mut Tx, tenant: TenantId, purpose: Purpose) -> sqlx::Result<i64> {
    on_tx!(tx, c => sqlx::query_scalar(
        "select count(*) from model_calls where tenant_id = $1 and analysis_id = $2
         and question_id is not distinct from $3 and status <> 'cached'")
        .bind(tenant).bind(purpose.analysis).bind(purpose.question).fetch_one(c).await)
}

/// Whether a call about the incident, for whatever purpose, was entered since `recent` and may still be under way.
///
/// One that was given up may be: nobody knows whether the model still works on it.
pub async fn under_way(
    tx: &mut Tx,
    tenant: TenantId,
    incident: IncidentId,
    recent: Ts,
) -> sqlx::Result<bool> {
    on_tx!(tx, c => sqlx::query_scalar(
        "select exists (select 1 from model_calls where tenant_id = $1 and incident_id = $2
         and (ended_at is null or status = 'orphaned') and started_at > $3)")
        .bind(tenant).bind(incident).bind(recent).fetch_one(c).await)
}

/// Micro-USD spent and reserved since `from`.
pub async fn spent_since(tx: &mut Tx, tenant: TenantId, from: Ts) -> sqlx::Result<i64> {
    on_tx!(tx, c => sqlx::query_scalar(
        "select cast(coalesce(sum(coalesce(cost_micros, reserved_micros, 0)), 0) as bigint)
         from model_calls where tenant_id = $1 and started_at >= $2")
        .bind(tenant).bind(from).fetch_one(c).await)
}

/// Enters a call before it is made.
pub async fn enter(tx: &mut Tx, tenant: TenantId, of: Purpose, call: &NewCall<'_>) -> sqlx::Result<()> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query(
        "insert into model_calls (tenant_id, id, project_id, incident_id, analysis_id, question_id, fence, model,
                                  prompt_version, status, reserved_micros, assumed, started_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'started', $10, $11, $12)")
        .bind(tenant).bind(call.id).bind(of.project).bind(of.incident).bind(of.analysis).bind(of.question)
        .bind(call.fence).bind(call.model).bind(call.prompt_version).bind(call.reserved).bind(call.assumed).bind(now)
        .execute(c).await.map(drop))
}

/// Enters an answer that was there already.
pub async fn enter_cached(
    tx: &mut Tx,
    tenant: TenantId,
    of: Purpose,
    call: &NewCall<'_>,
) -> sqlx::Result<()> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query(
        "insert into model_calls (tenant_id, id, project_id, incident_id, analysis_id, fence, model, prompt_version,
                                  status, reserved_micros, cost_micros, started_at, ended_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, 'cached', 0, 0, $9, $9)")
        .bind(tenant).bind(call.id).bind(of.project).bind(of.incident).bind(of.analysis).bind(call.fence)
        .bind(call.model).bind(call.prompt_version).bind(now).execute(c).await.map(drop))
}

/// Enters what became of a call; `false` when it is no longer open under this fence.
pub async fn settle(
    tx: &mut Tx,
    tenant: TenantId,
    (id, fence): (Uuid, i64),
    (status, failure): (&str, Option<&str>),
    spent: Spent,
) -> sqlx::Result<bool> {
    let now = tx.now();
    let settled = on_tx!(tx, c => sqlx::query(
        "update model_calls set status = $4, failure = $5, cost_micros = $6, prompt_tokens = $7, cached_tokens = $8,
                                completion_tokens = $9, ended_at = $10,
                                reserved_micros = case when assumed then coalesce($11, reserved_micros)
                                                       else reserved_micros end
         where tenant_id = $1 and id = $2 and fence = $3 and status = 'started'")
        .bind(tenant).bind(id).bind(fence).bind(status).bind(failure).bind(spent.cost_micros).bind(spent.prompt)
        .bind(spent.cached).bind(spent.completion).bind(now).bind(spent.counted_micros).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(settled == 1)
}

/// Gives up the calls of this purpose whose outcome nobody will learn: they are paid for with what was reserved.
///
/// Whoever holds the job is the only one that may have a call open for it, so what is open now was lost.
pub async fn orphan(
    tx: &mut Tx,
    tenant: TenantId,
    incident: IncidentId,
    question: Option<QuestionId>,
) -> sqlx::Result<()> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query(
        "update model_calls set status = 'orphaned', failure = 'lost', ended_at = $4,
                                cost_micros = case when assumed then null else reserved_micros end
         where tenant_id = $1 and incident_id = $2 and ended_at is null and status = 'started'
         and question_id is not distinct from $3")
        .bind(tenant).bind(incident).bind(question).bind(now).execute(c).await.map(drop))
}

/// What the calls of an analysis used: tokens of prompts, tokens of answers, micro-USD.
pub async fn used(
    tx: &mut Tx,
    tenant: TenantId,
    analysis: AnalysisId,
) -> sqlx::Result<(Option<i64>, Option<i64>, Option<i64>)> {
    on_tx!(tx, c => sqlx::query_as(
        "select cast(sum(prompt_tokens) as bigint), cast(sum(completion_tokens) as bigint),
                cast(sum(cost_micros) as bigint)
         from model_calls where tenant_id = $1 and analysis_id = $2 and question_id is null")
        .bind(tenant).bind(analysis).fetch_one(c).await)
}

/// The newest analysis of the incident that this model answered over the same evidence.
pub async fn answered(
    tx: &mut Tx,
    tenant: TenantId,
    incident: IncidentId,
    hash: &[u8],
) -> sqlx::Result<Option<AnalysisId>> {
    on_tx!(tx, c => sqlx::query_scalar(
        "select id from analyses where tenant_id = $1 and incident_id = $2 and evidence_hash = $3
         and exists (select 1 from model_calls m where m.tenant_id = $1 and m.analysis_id = analyses.id
             and m.question_id is null and m.status in ('completed', 'cached'))
         and status in ('completed', 'inconclusive') order by version desc limit 1")
        .bind(tenant).bind(incident).bind(hash).fetch_optional(c).await)
}

/// What the calls of a question used: tokens of prompts, tokens of answers, micro-USD. They are found by the analysis that it is
/// about, which has an index.
pub async fn used_by_question(
    tx: &mut Tx,
    tenant: TenantId,
    question: QuestionId,
) -> sqlx::Result<(Option<i64>, Option<i64>, Option<i64>)> {
    on_tx!(tx, c => sqlx::query_as(
        "select cast(sum(prompt_tokens) as bigint), cast(sum(completion_tokens) as bigint),
                cast(sum(cost_micros) as bigint)
         from model_calls where tenant_id = $1 and question_id = $2
         and analysis_id = (select analysis_id from questions where tenant_id = $1 and id = $2)")
        .bind(tenant).bind(question).fetch_one(c).await)
}
