//! One statement of a sender about one alert.

use crate::{Flag, Severity, SeveritySource};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// What the sender says of the alert.
///
/// The order inside a body is not time. `Firing` sorts before `Resolved`, so that sorting the statements about
/// one key by status gives the order to apply them in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The condition holds.
    Firing,
    /// The condition no longer holds.
    Resolved,
}

impl Status {
    /// The lower-case name used in the API and the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Firing => "firing",
            Status::Resolved => "resolved",
        }
    }

    /// The status of exactly this name.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        [Status::Firing, Status::Resolved].into_iter().find(|status| status.as_str() == text)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A readable alert, the same whoever sent it.
///
/// Texts are for display: NUL is shown as U+FFFD and what exceeds [`MAX_SHOWN_BYTES`](crate::MAX_SHOWN_BYTES)
/// is cut off. They may contain anything else, markup included, and are never to be interpreted.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Alert {
    /// Position in the body, from 0.
    pub index: usize,
    /// Firing or resolved.
    pub status: Status,
    /// The labels that have a value.
    pub labels: BTreeMap<String, String>,
    /// The annotations that have a value.
    pub annotations: BTreeMap<String, String>,
    /// The canonical bytes of the labels received, whole: what the alert key is computed over.
    #[serde(skip)]
    pub canonical: Vec<u8>,
    /// The FNV-1a fingerprint of the labels received, or Grafana's own: 16 lower-case hexadecimal digits.
    pub fingerprint: String,
    /// The fingerprint the sender supplied, if well-formed. Grafana's covers labels that it does not send.
    pub sender_fingerprint: Option<String>,
    /// When the alert began, in whole microseconds.
    pub starts_at: Timestamp,
    /// Resolved: when it ended, never before its start. Firing: until when it counts as firing unless the sender
    /// repeats it; `None` if the sender set no such time.
    pub ends_at: Option<Timestamp>,
    /// The label `alertname`, or "Unnamed alert".
    pub name: String,
    /// One line for a list, whole; the reader of the line shortens it.
    pub title: String,
    /// What the sender explains, else the measured values or the labels in words.
    pub description: String,
    /// The affected service, from the first of the settings' labels that has a value.
    pub service: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// Where the severity comes from.
    pub severity_source: SeveritySource,
    /// The rule's or expression's page at the sender, if it is a link.
    pub generator_url: Option<String>,
    /// The PromQL expression of the rule, from the generator address.
    pub expression: Option<String>,
    /// Other pages about the alert.
    pub links: Links,
    /// What Grafana measured, by the name of the query or metric.
    pub values: BTreeMap<String, f64>,
    /// What is odd about it.
    pub flags: Vec<Flag>,
    /// Whether this is the always-firing alert that proves alerting works: a `DeadMansSwitch`, or a `Watchdog`
    /// whose expression is constant or whose severity is `none`, `info` or missing.
    pub is_heartbeat: bool,
}

/// Pages about an alert; each is an http or https address without credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Links {
    /// What to do about it.
    pub runbook_url: Option<String>,
    /// The dashboard it belongs to.
    pub dashboard_url: Option<String>,
    /// The panel it belongs to.
    pub panel_url: Option<String>,
    /// Where to silence it.
    pub silence_url: Option<String>,
}
