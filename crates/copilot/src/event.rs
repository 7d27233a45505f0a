//! What the product announces: each change commits together with one numbered event.

use outbox::{NewEvent, Stream, Tx};
use serde::Serialize;
use serde_json::json;

use crate::ids::{AnalysisId, IncidentId, ProjectId, TenantId};
use crate::incident::{Incident, Severity};

/// The part of the product an event belongs to; a socket may ask for some of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// Incidents opened and changed.
    Incidents,
    /// Analyses that ended.
    Hypotheses,
    /// Alerts that fired and closed.
    Alerts,
}

impl Channel {
    /// The channel of an event, by its kind.
    pub fn of(kind: &str) -> Option<Self> {
        match kind {
            "incident.created" | "incident.updated" => Some(Self::Incidents),
            "hypothesis.generated" => Some(Self::Hypotheses),
            "alert.fired" | "alert.resolved" => Some(Self::Alerts),
            _ => None,
        }
    }

    /// The channel's name on the socket and in Redis.
    pub fn name(self) -> &'static str {
        match self {
            Self::Incidents => "incidents",
            Self::Hypotheses => "hypotheses",
            Self::Alerts => "alerts",
        }
    }
}

/// How an analysis ended, for those who only need the headline.
#[derive(Debug)]
pub struct AnalysisEnd<'a> {
    /// The incident it explains.
    pub incident: IncidentId,
    /// The analysis.
    pub analysis: AnalysisId,
    /// `completed`, `inconclusive` or `failed`.
    pub status: &'a str,
    /// How many hypotheses it has.
    pub count: usize,
    /// The first hypothesis: its claim and confidence.
    pub top: Option<(&'a str, f64)>,
}

/// What happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// An incident was opened.
    IncidentCreated(&'a Incident),
    /// An incident changed.
    IncidentUpdated(&'a Incident),
    /// An analysis ended.
    HypothesisGenerated(AnalysisEnd<'a>),
    /// An alert began to fire.
    AlertFired(AlertSummary<'a>),
    /// An alert closed.
    AlertResolved(AlertSummary<'a>),
}

/// An alert, for those who only need the headline.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct AlertSummary<'a> {
    /// The alert.
    pub id: crate::ids::AlertId,
    /// The sender's name for its labels.
    pub fingerprint: &'a str,
    /// The rule's name.
    pub name: &'a str,
    /// How bad it is.
    pub severity: Severity,
    /// The service it speaks of.
    pub service_name: Option<&'a str>,
    /// The incident it belongs to, if it opened one.
    pub incident_id: Option<IncidentId>,
}

/// Adds `event` to what `tx` commits.
pub fn append(tx: &mut Tx, tenant: TenantId, project: ProjectId, event: &Event<'_>) {
    let (kind, data) = match event {
        Event::IncidentCreated(incident) => ("incident.created", summary(incident)),
        Event::IncidentUpdated(incident) => ("incident.updated", summary(incident)),
        Event::HypothesisGenerated(end) => (
            "hypothesis.generated",
            json!({
                "incident_id": end.incident,
                "analysis_id": end.analysis,
                "status": end.status,
                "count": end.count,
                "top": end.top.map(|(claim, score)| json!({"claim": claim, "confidence_score": score})),
            }),
        ),
        Event::AlertFired(alert) => ("alert.fired", json!(alert)),
        Event::AlertResolved(alert) => ("alert.resolved", json!(alert)),
    };
    tx.append(stream(tenant, project), NewEvent { kind, data });
}

/// The stream of a project's events.
pub fn stream(tenant: TenantId, project: ProjectId) -> Stream {
    Stream { owner: tenant.0, id: project.0 }
}

fn summary(incident: &Incident) -> serde_json::Value {
    json!({
        "id": incident.id,
        "number": incident.number,
        "title": incident.title,
        "severity": incident.severity,
        "state": incident.state,
        "service_name": incident.service_name,
        "open": incident.open,
        "version": incident.version,
    })
}
