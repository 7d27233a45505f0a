//! Incidents: opened, grouped, worked on, closed.

pub mod analytics;
mod episode;
pub mod explain;
pub mod health;
pub mod heard;
pub mod intake;
mod merge;
pub mod read;
pub mod record;
mod snooze;
mod state;
pub mod store;
pub mod sweep;
#[cfg(test)]
mod tests;
pub mod timeline;
pub mod tracked;
mod vocabulary;
pub mod work;
mod write;

use outbox::Ts;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use utoipa::openapi::{ComponentsBuilder, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::ids::{IncidentId, ProjectId, UserId};
pub use state::State;

crate::words! {
    /// How bad an incident is, worst first.
    pub enum Severity {
        /// Users are hurt now.
        Critical = "critical",
        /// Users will be hurt soon.
        High = "high",
        /// Something is wrong.
        Medium = "medium",
        /// Something could be better.
        Low = "low",
        /// Nothing is wrong.
        Info = "info",
    }
}

impl Severity {
    /// 0 for critical to 4 for info, the order in which incidents need somebody.
    pub fn rank(self) -> i64 {
        self as i64
    }
}

impl From<alerts::Severity> for Severity {
    fn from(severity: alerts::Severity) -> Self {
        match severity {
            alerts::Severity::Critical => Self::Critical,
            alerts::Severity::High => Self::High,
            alerts::Severity::Medium => Self::Medium,
            alerts::Severity::Low => Self::Low,
            alerts::Severity::Info => Self::Info,
        }
    }
}

/// An incident as people and programs see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, by the contract's names")]
pub struct Incident {
    pub id: IncidentId,
    /// Per project, shown as INC-42.
    pub number: i64,
    pub project_id: ProjectId,
    pub title: String,
    pub description: String,
    pub service_name: Option<String>,
    #[sqlx(try_from = "String")]
    pub severity: Severity,
    /// Why the severity is what it is, when the sender did not say.
    pub severity_note: Option<String>,
    #[sqlx(try_from = "String")]
    pub state: State,
    /// True until the state is resolved or learned.
    pub open: bool,
    /// The integration's name, or `manual`.
    pub source: String,
    #[sqlx(json)]
    pub labels: std::collections::BTreeMap<String, String>,
    /// Distinct alerts ever attached.
    pub alert_count: i64,
    /// Those of them that fire now.
    pub open_alert_count: i64,
    /// True when the sender has been silent for longer than it should be.
    pub stale: bool,
    /// True while one of its alerts opens and closes too often to be believed.
    pub flapping: bool,
    /// Until when somebody put it off; null when nobody did.
    pub snoozed_until: Option<Ts>,
    pub assigned_to: Option<UserId>,
    pub assigned_to_name: Option<String>,
    /// When its first alert began to fire by its sender's clock; of a manual incident when it was opened.
    pub started_at: Ts,
    /// When it was received; times to acknowledge and to resolve count from here.
    pub detected_at: Ts,
    pub acknowledged_at: Option<Ts>,
    /// The name of the person or key that acknowledged it.
    pub acknowledged_by: Option<String>,
    pub investigating_at: Option<Ts>,
    pub mitigated_at: Option<Ts>,
    pub resolved_at: Option<Ts>,
    pub learned_at: Option<Ts>,
    pub root_cause: Option<String>,
    pub resolution_summary: Option<String>,
    pub merged_into: Option<IncidentId>,
    /// The closed incident of the same key before this one.
    pub previous_incident_id: Option<IncidentId>,
    pub created_at: Ts,
    pub updated_at: Ts,
    /// Rises with every change; the first part of the ETag.
    pub version: i64,
    /// The newest analysis in one line.
    #[sqlx(skip)]
    pub analysis: Option<AnalysisHeadline>,
}

impl Incident {
    /// Whether it is over for people while an alert of it fires.
    pub fn still_fires(&self) -> bool {
        !self.open && self.open_alert_count > 0
    }
}

/// The newest analysis of an incident in one line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, by the contract's names")]
pub struct AnalysisHeadline {
    pub status: String,
    pub claim: Option<String>,
    pub confidence_score: Option<f64>,
    pub suspected_service: Option<String>,
}

/// The routes of this service.
pub fn routes() -> OpenApiRouter<App> {
    // No body names them, only a query.
    let named = ComponentsBuilder::new().schema_from::<read::list::Mark>().build();
    OpenApiRouter::with_openapi(OpenApiBuilder::new().components(Some(named)).build())
        .routes(routes!(read::incidents, write::create))
        .routes(routes!(read::summary))
        .routes(routes!(read::one, write::change))
        .routes(routes!(write::set_state))
        .routes(routes!(read::alerts))
        .routes(routes!(read::steps))
        .routes(routes!(read::comments, write::comment))
        .routes(routes!(merge::merge))
        .routes(routes!(snooze::snooze, snooze::wake))
        .routes(routes!(analytics::incidents))
}

/// The work of this service.
pub async fn run(app: App, stop: CancellationToken) {
    sweep::run(app, stop).await;
}
