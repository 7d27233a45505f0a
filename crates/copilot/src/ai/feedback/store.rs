//! All SQL of feedback.

use outbox::{Tx, on_tx};
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
