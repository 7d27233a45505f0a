//! All SQL of analyses, their evidence and their hypotheses.

use outbox::{Job, Ts, Tx, on_tx};
use serde_json::Value;
use sqlx::types::Json;

pub use super::analysis::store::{newest, version, versions};
use super::analysis::{
    AnalysisStatus, ChartSeries, Engine, Evidence, EvidenceKind, EvidenceRole, Feedback, Hypothesis, Verdict,
};
use super::diagnose::Proposal;
use crate::ids::{
    AnalysisId, EvidenceId, HypothesisId, IncidentId, IntegrationId, ProjectId, StepId, TenantId,
};

/// Makes others that want the same incident wait until this transaction ends.
pub async fn lock_incident(tx: &mut Tx, tenant: TenantId, incident: IncidentId) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query("update incidents set version = version where tenant_id = $1 and id = $2")
        .bind(tenant).bind(incident).execute(c).await.map(drop))
}

/// Whether the project has this incident.
pub async fn has_incident(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    incident: IncidentId,
) -> sqlx::Result<bool> {
    on_tx!(tx, c => sqlx::query_scalar(
        "select exists (select 1 from incidents where tenant_id = $1 and project_id = $2 and id = $3)")
        .bind(tenant).bind(project).bind(incident).fetch_one(c).await)
}

/// Locks the job's row while it is held under this fence; `false` means that somebody else has it by now.
///
/// The row stays locked until the transaction ends, so no take-over can slip between this check and the commit.
pub async fn hold(tx: &mut Tx, tenant: TenantId, job: &Job) -> sqlx::Result<bool> {
    let held = on_tx!(tx, c => sqlx::query(
        "update jobs set fence = fence where tenant_id = $1 and id = $2 and fence = $3 and done_at is null")
        .bind(tenant).bind(job.id).bind(job.fence).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(held == 1)
}

/// Whether the incident was merged into another; it is not from now on until the transaction ends.
pub async fn is_merged(tx: &mut Tx, tenant: TenantId, incident: IncidentId) -> sqlx::Result<bool> {
    let locked: Option<bool> = on_tx!(tx, c => sqlx::query_scalar(
        "update incidents set version = version where tenant_id = $1 and id = $2 returning merged_into is not null")
        .bind(tenant).bind(incident).fetch_optional(c).await)?;
    Ok(locked.unwrap_or_default())
}

/// Marks the analysis as running, with all that happened until now before it; `false` when it is gone or over.
pub async fn begin(tx: &mut Tx, tenant: TenantId, id: AnalysisId) -> sqlx::Result<bool> {
    let now = tx.now();
    let begun = on_tx!(tx, c => sqlx::query(
        "update analyses set status = 'running', again = $4, started_at = coalesce(started_at, $3)
         where tenant_id = $1 and id = $2 and status in ('queued', 'running')")
        .bind(tenant).bind(id).bind(now).bind(false).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(begun == 1)
}

/// How an analysis ended.
#[derive(Clone, Debug)]
pub struct Ending {
    /// `completed`, `inconclusive` or `failed`.
    pub status: AnalysisStatus,
    /// Who answered.
    pub engine: Engine,
    /// The model that was asked.
    pub model: Option<String>,
    /// Why it ended so, in words.
    pub reason: Option<String>,
}

/// Ends the analysis, and says whether another one is to follow.
pub async fn end(tx: &mut Tx, tenant: TenantId, id: AnalysisId, ending: &Ending) -> sqlx::Result<bool> {
    let now = tx.now();
    let again: Option<bool> = on_tx!(tx, c => sqlx::query_scalar(
        "update analyses set status = $3, engine = $4, model = $5, reason = $6, completed_at = $7
         where tenant_id = $1 and id = $2 returning again")
        .bind(tenant).bind(id).bind(ending.status.as_str()).bind(ending.engine.as_str()).bind(ending.model.clone())
        .bind(ending.reason.clone()).bind(now).fetch_optional(c).await)?;
    Ok(again.unwrap_or_default())
}

/// Stores what was and was not looked at, and when it probably began.
pub async fn save_checked(
    tx: &mut Tx,
    tenant: TenantId,
    id: AnalysisId,
    (checked, onset, hash): (&[String], Option<Ts>, &[u8]),
) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "update analyses set checked = $3, onset_at = $4, evidence_hash = $5 where tenant_id = $1 and id = $2")
        .bind(tenant).bind(id).bind(Json(checked)).bind(onset).bind(hash).execute(c).await.map(drop))
}

/// Adds to the analysis what its model calls used.
pub async fn save_usage(
    tx: &mut Tx,
    tenant: TenantId,
    id: AnalysisId,
    (prompt, completion, cost_micros): (Option<i64>, Option<i64>, Option<i64>),
) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "update analyses set prompt_tokens = $3, completion_tokens = $4, cost_micros = $5
         where tenant_id = $1 and id = $2")
        .bind(tenant).bind(id).bind(prompt).bind(completion).bind(cost_micros).execute(c).await.map(drop))
}

/// Replaces the analysis' evidence; what an earlier attempt stored goes, hypotheses that cite it included.
pub async fn save_evidence(
    tx: &mut Tx,
    tenant: TenantId,
    incident: IncidentId,
    analysis: AnalysisId,
    evidence: &[Evidence],
) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query("delete from hypotheses where tenant_id = $1 and analysis_id = $2")
        .bind(tenant).bind(analysis).execute(c).await.map(drop))?;
    on_tx!(tx, c => sqlx::query("delete from evidence where tenant_id = $1 and analysis_id = $2")
        .bind(tenant).bind(analysis).execute(c).await.map(drop))?;
    for (position, row) in (1_i64..).zip(evidence) {
        on_tx!(tx, c => sqlx::query(
            "insert into evidence (tenant_id, id, incident_id, analysis_id, position, kind, role, summary, query,
                                   start_at, end_at, value, baseline, score, threshold, unit, series, url,
                                   integration_id)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)")
            .bind(tenant).bind(row.id).bind(incident).bind(analysis).bind(position).bind(row.kind.as_str())
            .bind(row.role.as_str()).bind(&row.summary).bind(row.query.clone()).bind(row.start).bind(row.end)
            .bind(finite(row.value)).bind(finite(row.baseline)).bind(finite(row.score)).bind(finite(row.threshold))
            .bind(row.unit.clone()).bind(row.series.clone().map(Json)).bind(row.url.clone()).bind(row.integration)
            .execute(c).await.map(drop))?;
    }
    Ok(())
}

fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}

/// Replaces the analysis' hypotheses, but keeps those that somebody judged meanwhile.
pub async fn save_hypotheses(
    tx: &mut Tx,
    tenant: TenantId,
    incident: IncidentId,
    analysis: AnalysisId,
    proposals: &[Proposal],
) -> sqlx::Result<()> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query(
        "delete from hypotheses where tenant_id = $1 and analysis_id = $2 and verdict is null")
        .bind(tenant).bind(analysis).execute(c).await.map(drop))?;
    for (rank, one) in (1_i64..).zip(proposals) {
        on_tx!(tx, c => sqlx::query(
            "insert into hypotheses (tenant_id, id, incident_id, analysis_id, rank, claim, description,
                 confidence_score, confidence_lower, confidence_upper, suspected_service, suspected_metric,
                 supporting_evidence, contradicting_evidence, next_checks, engine, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
             on conflict (tenant_id, id) do update set rank = excluded.rank")
            .bind(tenant).bind(one.id).bind(incident).bind(analysis).bind(rank).bind(&one.claim).bind(&one.description)
            .bind(one.confidence).bind(one.lower).bind(one.upper).bind(one.service.clone()).bind(one.metric.clone())
            .bind(Json(&one.supporting)).bind(Json(&one.contradicting)).bind(Json(&one.next_checks))
            .bind(one.engine.as_str()).bind(now).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// Stores what is different from the version before.
pub async fn save_changed(
    tx: &mut Tx,
    tenant: TenantId,
    id: AnalysisId,
    changed: &[String],
) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query("update analyses set changed = $3 where tenant_id = $1 and id = $2")
        .bind(tenant).bind(id).bind(Json(changed)).execute(c).await.map(drop))
}

#[derive(sqlx::FromRow)]
struct HypothesisRow {
    id: HypothesisId,
    incident_id: IncidentId,
    analysis_id: AnalysisId,
    claim: String,
    description: String,
    confidence_score: f64,
    confidence_lower: f64,
    confidence_upper: f64,
    suspected_service: Option<String>,
    suspected_metric: Option<String>,
    supporting_evidence: Json<Vec<EvidenceId>>,
    contradicting_evidence: Json<Vec<EvidenceId>>,
    next_checks: Json<Vec<String>>,
    #[sqlx(try_from = "String")]
    engine: Engine,
    verdict: Option<String>,
    verdict_comment: Option<String>,
    verdict_by: Option<String>,
    verdict_at: Option<Ts>,
    created_at: Ts,
}

impl HypothesisRow {
    fn at_rank(self, rank: i64) -> Hypothesis {
        let verdict: Option<Verdict> = self.verdict.and_then(|word| word.parse().ok());
        let feedback = verdict.zip(self.verdict_at).map(|(verdict, at)| Feedback {
            verdict,
            comment: self.verdict_comment,
            by: self.verdict_by.unwrap_or_default(),
            at,
            from_version: None,
        });
        Hypothesis {
            id: self.id,
            incident_id: self.incident_id,
            analysis_id: self.analysis_id,
            rank,
            claim: self.claim,
            description: self.description,
            confidence_score: self.confidence_score,
            confidence_lower: self.confidence_lower,
            confidence_upper: self.confidence_upper,
            suspected_service: self.suspected_service,
            suspected_metric: self.suspected_metric,
            supporting_evidence: self.supporting_evidence.0,
            contradicting_evidence: self.contradicting_evidence.0,
            next_checks: self.next_checks.0,
            engine: self.engine,
            feedback,
            created_at: self.created_at,
        }
    }
}

/// The analysis' hypotheses, best first.
pub async fn hypotheses(
    tx: &mut Tx,
    tenant: TenantId,
    analysis: AnalysisId,
) -> sqlx::Result<Vec<Hypothesis>> {
    let rows: Vec<HypothesisRow> = on_tx!(tx, c => sqlx::query_as(
        "select * from hypotheses where tenant_id = $1 and analysis_id = $2
         order by rank, confidence_score desc, id limit 50")
        .bind(tenant).bind(analysis).fetch_all(c).await)?;
    Ok((1..).zip(rows).map(|(rank, row)| row.at_rank(rank)).collect())
}

/// A row of evidence.
#[derive(sqlx::FromRow)]
pub struct EvidenceRow {
    id: EvidenceId,
    #[sqlx(try_from = "String")]
    kind: EvidenceKind,
    #[sqlx(try_from = "String")]
    role: EvidenceRole,
    summary: String,
    query: Option<String>,
    start_at: Option<Ts>,
    end_at: Option<Ts>,
    value: Option<f64>,
    baseline: Option<f64>,
    score: Option<f64>,
    threshold: Option<f64>,
    unit: Option<String>,
    series: Option<Json<Vec<ChartSeries>>>,
    url: Option<String>,
    integration_id: Option<IntegrationId>,
}

impl From<EvidenceRow> for Evidence {
    fn from(row: EvidenceRow) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            summary: row.summary,
            query: row.query,
            start: row.start_at,
            end: row.end_at,
            value: row.value,
            baseline: row.baseline,
            score: row.score,
            unit: row.unit,
            role: row.role,
            series: row.series.map(|series| series.0),
            threshold: row.threshold,
            url: row.url,
            integration: row.integration_id,
        }
    }
}

/// The evidence of one analysis of the incident, wherever a merge took it, and what a merge brought here that it did not find.
pub async fn evidence(
    tx: &mut Tx,
    tenant: TenantId,
    incident: IncidentId,
    analysis: AnalysisId,
) -> sqlx::Result<Vec<Evidence>> {
    let rows: Vec<EvidenceRow> = on_tx!(tx, c => sqlx::query_as(
        "select e.* from evidence e where e.tenant_id = $1 and e.question_id is null
         and (e.analysis_id = $3 or e.incident_id = $2 and not exists (select 1 from analyses a
                 where a.tenant_id = $1 and a.id = e.analysis_id and a.incident_id = $2)
             and not exists (select 1 from evidence o where o.tenant_id = $1 and o.analysis_id = $3 and o.summary = e.summary))
         order by case when e.analysis_id = $3 then 0 else 1 end, e.position, e.id limit 200")
        .bind(tenant).bind(incident).bind(analysis).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// One fact of the incident.
pub async fn fact(
    tx: &mut Tx,
    tenant: TenantId,
    incident: IncidentId,
    id: EvidenceId,
) -> sqlx::Result<Option<Evidence>> {
    let row: Option<EvidenceRow> = on_tx!(tx, c => sqlx::query_as(
        "select * from evidence where tenant_id = $1 and incident_id = $2 and id = $3")
        .bind(tenant).bind(incident).bind(id).fetch_optional(c).await)?;
    Ok(row.map(Into::into))
}

/// Opens a step of the workflow; one of its type that an earlier attempt left open has failed.
pub async fn open_step(tx: &mut Tx, tenant: TenantId, incident: IncidentId, step: &str) -> sqlx::Result<()> {
    let now = tx.now();
    close_step(tx, tenant, incident, (step, "failed", &Value::Object(serde_json::Map::new()))).await?;
    on_tx!(tx, c => sqlx::query(
        "insert into steps (tenant_id, id, incident_id, step_type, status, started_at, detail)
         values ($1, $2, $3, $4, 'in_progress', $5, $6)")
        .bind(tenant).bind(StepId::new()).bind(incident).bind(step).bind(now)
        .bind(Json(Value::Object(serde_json::Map::new()))).execute(c).await.map(drop))
}

/// Closes the open step of this type.
pub async fn close_step(
    tx: &mut Tx,
    tenant: TenantId,
    incident: IncidentId,
    (step, status, detail): (&str, &str, &Value),
) -> sqlx::Result<()> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query(
        "update steps set status = $4, completed_at = $5, detail = $6
         where tenant_id = $1 and incident_id = $2 and step_type = $3 and status = 'in_progress'")
        .bind(tenant).bind(incident).bind(step).bind(status).bind(now).bind(Json(detail)).execute(c).await.map(drop))
}
