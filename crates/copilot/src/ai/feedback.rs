//! What people say of hypotheses: it moves calibration, and tells later incidents what the cause was.

pub mod store;

use axum::Json;
use axum::extract::State;
use garde::Validate;
use outbox::Tx;
use serde::{Deserialize, Serialize};

use super::analysis::{Feedback, Hypothesis, Verdict};
use crate::app::App;
use crate::auth::{Engineer, Path};
use crate::error::{Error, Result};
use crate::ids::{HypothesisId, IncidentId, TenantId};
use crate::incident::read::resolve_id;
use crate::valid::{Valid, storable};

/// A judgement.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFeedback {
    /// Whether the hypothesis is right.
    #[garde(skip)]
    pub verdict: Verdict,
    /// Why, or what the cause really was.
    #[garde(length(chars, max = 4000), inner(custom(storable)))]
    #[schema(max_length = 4000)]
    pub comment: Option<String>,
}

/// A hypothesis and what was said of it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Judged {
    /// The hypothesis.
    pub hypothesis_id: HypothesisId,
    /// What was said.
    pub feedback: Feedback,
}

/// Says whether a hypothesis was right.
#[utoipa::path(post, path = "/api/v1/incidents/{incident_id}/hypotheses/{hypothesis_id}/feedback", tag = "hypotheses",
    params(("incident_id" = String, Path), ("hypothesis_id" = String, Path)), request_body = NewFeedback,
    responses((status = 200, body = Judged)))]
pub async fn give(
    State(app): State<App>,
    member: Engineer,
    Path((name, hypothesis)): Path<(String, HypothesisId)>,
    Valid(given): Valid<NewFeedback>,
) -> Result<Json<Judged>> {
    let mut tx = app.db.begin(member.tenant.0).await?;
    let incident = resolve_id(&mut tx, member.tenant, member.project, &name).await?;
    if !super::store::has_incident(&mut tx, member.tenant, member.project, incident).await? {
        return Err(Error::NotFound);
    }
    let feedback = Feedback {
        verdict: given.verdict,
        comment: given.comment,
        by: member.actor.name().to_owned(),
        at: tx.now(),
        from_version: None,
    };
    if !store::judge(&mut tx, member.tenant, incident, hypothesis, &feedback).await? {
        return Err(Error::NotFound);
    }
    tx.commit().await?;
    Ok(Json(Judged { hypothesis_id: hypothesis, feedback }))
}

/// Has hypotheses of which nothing was said show what was last said of the same service and metric in an earlier version. It is
/// stored once, with what it was said of, and so counts once.
///
/// # Errors
/// When the database refused.
pub async fn carry(
    tx: &mut Tx,
    tenant: TenantId,
    incident: IncidentId,
    version: i64,
    items: &mut [Hypothesis],
) -> Result<()> {
    if items.iter().all(|one| one.feedback.is_some() || one.suspected_service.is_none()) {
        return Ok(());
    }
    let earlier = store::judged_before(tx, tenant, incident, version).await?;
    for one in items.iter_mut().filter(|one| one.feedback.is_none() && one.suspected_service.is_some()) {
        let same = |old: &&store::JudgedBefore| {
            old.suspected_service == one.suspected_service && old.suspected_metric == one.suspected_metric
        };
        one.feedback = earlier.iter().find(same).and_then(store::JudgedBefore::feedback);
    }
    Ok(())
}
