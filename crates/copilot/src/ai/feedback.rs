//! What people say of hypotheses: it moves calibration, and tells later incidents what the cause was.

pub mod store;

use axum::Json;
use axum::extract::State;
use garde::Validate;
use serde::{Deserialize, Serialize};

use super::analysis::{Feedback, Verdict};
use crate::app::App;
use crate::auth::{Engineer, Path};
use crate::error::{Error, Result};
use crate::ids::HypothesisId;
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
    };
    if !store::judge(&mut tx, member.tenant, incident, hypothesis, &feedback).await? {
        return Err(Error::NotFound);
    }
    tx.commit().await?;
    Ok(Json(Judged { hypothesis_id: hypothesis, feedback }))
}
