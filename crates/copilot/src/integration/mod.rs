//! Webhooks and the systems that send them: receive, read, keep the receipt, hand on to the incidents.

mod body;
mod checks;
mod commit;
pub mod deliveries;
mod describe;
mod drain;
mod entry;
mod hook;
mod inbox;
mod known;
mod manage;
mod noted;
mod probe;
mod rate;
mod room;
mod signature;
pub(crate) mod snippet;
mod soon;
mod spool;
mod statistics;
pub mod store;
mod token;
mod webhook;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use describe::document as hooks_document;
pub use inbox::Inbox;
pub use manage::{Created, NewIntegration, create};
pub use rate::Rates;
pub use signature::Signers;
pub use spool::Spool;
pub use token::Tokens;
pub use webhook::routes as hooks;

use crate::app::App;
use crate::incident::{Severity, heard};

crate::words! {
    /// What kind of system sends.
    pub enum Kind {
        /// Alertmanager, by webhook.
        Alertmanager = "alertmanager",
        /// Prometheus itself, as if this were an Alertmanager.
        Prometheus = "prometheus",
        /// Grafana alerting, by webhook.
        Grafana = "grafana",
    }
}

impl Kind {
    /// The sender whose format the route expects first.
    pub fn sender(self) -> alerts::Sender {
        match self {
            Self::Alertmanager => alerts::Sender::Alertmanager,
            Self::Prometheus => alerts::Sender::Prometheus,
            Self::Grafana => alerts::Sender::Grafana,
        }
    }
}

/// What an integration may change about reading and grouping its alerts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields, expecting = "an object")]
pub struct Settings {
    /// Integrations of a project that carry the same source share alert keys; by default each is its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The labels whose values choose the incident; by default `alertname` and `service`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_by: Option<Vec<String>>,
    /// Values of the label `severity` beyond the usual ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity_map: Option<BTreeMap<String, Severity>>,
    /// The labels that may name the service, in order of trust.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_labels: Option<Vec<String>>,
    /// Whether alerts of severity info open incidents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_info: Option<bool>,
    /// How often the sender repeats a firing alert, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat_interval_s: Option<i64>,
    /// How long the sender gathers changes of a group, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_interval_s: Option<i64>,
    /// How long the always-firing alert may be silent, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat_timeout_s: Option<i64>,
    /// Requests a minute that may be sent; more are answered 503, which Alertmanager sends again and Grafana does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u32>,
    /// Whether requests without a signature are refused, although they carry the token; only Grafana signs. A signature
    /// that is sent must be right either way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_signature: Option<bool>,
    /// Who calls whom, as pairs of caller and callee, where no metric tells; at most 1,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topology: Option<Vec<(String, String)>>,
}

impl Settings {
    /// How the alerts are read.
    pub fn reading(&self) -> alerts::Settings {
        let mut reading = alerts::Settings::default();
        if let Some(labels) = &self.service_labels {
            reading.service_labels.clone_from(labels);
        }
        for (word, severity) in self.severity_map.iter().flatten() {
            if let Ok(severity) = severity.as_str().parse() {
                reading.severity_map.insert(word.clone(), severity);
            }
        }
        reading
    }

    /// The labels whose values choose the incident.
    pub fn group_by(&self) -> Vec<String> {
        self.group_by.clone().unwrap_or_else(|| alerts::DEFAULT_GROUP_BY.map(str::to_owned).to_vec())
    }
}

/// The routes of this service.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(manage::list, manage::add))
        .routes(routes!(manage::show, manage::change, manage::remove))
        .routes(routes!(probe::test))
        .routes(routes!(manage::rotate_token))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::show))
        .routes(routes!(deliveries::replay))
}

/// The work of this service: committing what the webhooks accepted, and letting old receipts go.
pub async fn run(app: App, stop: CancellationToken) {
    let retention = deliveries::retention::run(app.clone(), stop.clone());
    let heard = heard::run(app.clone(), stop.clone());
    let drain = drain::run(app.clone(), stop.clone());
    tokio::join!(inbox::run(app, stop), retention, heard, drain);
}
