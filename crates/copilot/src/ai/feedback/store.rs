//! All SQL of feedback.

use outbox::{Ts, Tx, on_tx};
use serde_json::json;
use sqlx::types::Json;

use crate::ai::analysis::Feedback;
use crate::ids::{HypothesisId, IncidentId, StepId, TenantId};

/// Stores what was said and a step that tells of it; `false` when the incident has no such hypothesis.
pub async fn judge(
    tx: &mut Tx,
    tenant: TenantId,
    incident: IncidentId,
    hypothesis: HypothesisId,
    feedback: &Feedback,
) -> sqlx::Result<bool> {
    let claim: Option<String> = on_tx!(tx, c => sqlx::query_scalar(
        "update hypotheses set verdict = $4, verdict_comment = $5, verdict_by = $6, verdict_at = $7
         where tenant_id = $1 and incident_id = $2 and id = $3 returning claim")
        .bind(tenant).bind(incident).bind(hypothesis).bind(feedback.verdict.as_str()).bind(feedback.comment.clone())
        .bind(&feedback.by).bind(feedback.at).fetch_optional(c).await)?;
    let Some(claim) = claim else { return Ok(false) };
    let detail = json!({"hypothesis_id": hypothesis, "claim": claim, "verdict": feedback.verdict,
        "comment": feedback.comment});
    on_tx!(tx, c => sqlx::query(
        "insert into steps (tenant_id, id, incident_id, step_type, status, started_at, completed_at, detail, actor)
         values ($1, $2, $3, 'feedback_given', 'completed', $4, $4, $5, $6)")
        .bind(tenant).bind(StepId::new()).bind(incident).bind(feedback.at).bind(Json(detail)).bind(&feedback.by)
        .execute(c).await.map(drop))?;
    Ok(true)
}

/// What was said of a hypothesis of an earlier version.
#[derive(Debug, sqlx::FromRow)]
pub struct JudgedBefore {
    /// The service that it suspects.
    pub suspected_service: Option<String>,
    /// The metric that showed it.
    pub suspected_metric: Option<String>,
    version: i64,
    verdict: String,
    verdict_comment: Option<String>,
    verdict_by: String,
    verdict_at: Ts,
}

impl JudgedBefore {
    /// As it is shown with a later version.
    pub fn feedback(&self) -> Option<Feedback> {
        Some(Feedback {
            verdict: self.verdict.parse().ok()?,
            comment: self.verdict_comment.clone(),
            by: self.verdict_by.clone(),
            at: self.verdict_at,
            from_version: Some(self.version),
        })
    }
}

/// What was said of hypotheses of versions before this one, that of the newest version first.
pub async fn judged_before(
    tx: &mut Tx,
    tenant: TenantId,
    incident: IncidentId,
    version: i64,
) -> sqlx::Result<Vec<JudgedBefore>> {
    on_tx!(tx, c => sqlx::query_as(
        "select h.suspected_service, h.suspected_metric, a.version, h.verdict, h.verdict_comment, h.verdict_by, h.verdict_at
         from analyses a join hypotheses h on h.tenant_id = a.tenant_id and h.analysis_id = a.id
         where a.tenant_id = $1 and a.incident_id = $2 and a.version < $3 and h.verdict is not null
             and h.verdict_by is not null and h.verdict_at is not null
         order by a.version desc, h.verdict_at desc limit 50")
        .bind(tenant).bind(incident).bind(version).fetch_all(c).await)
}
