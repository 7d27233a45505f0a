//! The workflow of an incident: what was done, by whom, how long it took; and what people said.

pub mod store;

use outbox::Ts;
use serde::Serialize;
use serde_json::Value;

use crate::ids::{CommentId, IncidentId, StepId, UserId};

crate::words! {
    /// How far a step has come.
    pub enum StepStatus {
        /// Not begun.
        Pending = "pending",
        /// Under way.
        InProgress = "in_progress",
        /// Done.
        Completed = "completed",
        /// Tried and not done.
        Failed = "failed",
        /// Not needed.
        Skipped = "skipped",
    }
}

/// One step of an incident's workflow.
#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
#[schema(as = Step)]
#[expect(missing_docs, reason = "the fields are the contract's, by the contract's names")]
pub struct Step {
    pub id: StepId,
    /// Such as `alert_received`, `state_changed` or `evidence_collected`.
    pub step_type: String,
    #[sqlx(try_from = "String")]
    pub status: StepStatus,
    pub started_at: Ts,
    pub completed_at: Option<Ts>,
    /// Milliseconds from start to completion.
    #[sqlx(skip)]
    pub duration_ms: Option<f64>,
    /// What the step was about; its members depend on the type.
    #[sqlx(json)]
    pub detail: Value,
    /// Who did it; null for the product itself.
    pub actor: Option<String>,
}

/// What somebody said about an incident.
#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, by the contract's names")]
pub struct Comment {
    pub id: CommentId,
    pub body: String,
    pub author_id: Option<UserId>,
    pub author_name: String,
    pub created_at: Ts,
}

/// A step to record.
#[derive(Debug)]
pub struct NewStep<'a> {
    /// The incident.
    pub incident: IncidentId,
    /// Such as `state_changed`.
    pub step_type: &'a str,
    /// When it began; it is recorded as completed now.
    pub started_at: Ts,
    /// What it was about.
    pub detail: Value,
    /// Who did it.
    pub actor: Option<&'a str>,
}
