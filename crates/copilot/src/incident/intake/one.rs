//! One alert key while it is being worked on.

use std::collections::BTreeMap;

use alerts::SeveritySource;

use crate::event::AlertSummary;
use crate::ids::{EpisodeId, IncidentId};
use crate::incident::episode::Track;
use crate::incident::tracked::Tracked;
use crate::incident::tracked::store::{Sent, Stored};

/// One alert key while it is being worked on.
pub(super) struct One {
    /// The row as it was read.
    pub row: Tracked,
    /// The rule's labels.
    pub labels: BTreeMap<String, String>,
    /// Why the severity is what it is, when the sender did not say.
    pub severity_note: Option<String>,
    /// Which incident it joins.
    pub incident_key: [u8; 32],
    /// Whether it is the always-firing alert that proves alerting works.
    pub heartbeat: bool,
    /// What the rules remember by now.
    pub track: Track,
    /// The incident by now.
    pub incident: Option<IncidentId>,
    /// The open episode by now.
    pub episode: Option<EpisodeId>,
    /// Whether any of it must be written.
    pub changed: bool,
}

impl One {
    /// An alert that was just sent.
    pub fn sent(row: Tracked, sent: &Sent<'_>) -> Self {
        let alert = sent.alert;
        let note = severity_note(&alert.severity_source);
        Self::new(row, alert.labels.clone(), note, sent.incident_key, alert.is_heartbeat)
    }

    /// An alert whose time has come without a statement.
    pub fn stored(row: Tracked, stored: Stored) -> Self {
        let key = stored.incident_key.try_into().unwrap_or_default();
        Self::new(row, stored.labels.0, None, key, stored.heartbeat)
    }

    fn new(
        row: Tracked,
        labels: BTreeMap<String, String>,
        severity_note: Option<String>,
        incident_key: [u8; 32],
        heartbeat: bool,
    ) -> Self {
        let (track, incident, episode) = (row.track(), row.incident_id, row.episode_id);
        Self { row, labels, severity_note, incident_key, heartbeat, track, incident, episode, changed: false }
    }

    /// The alert in an event.
    pub fn summary(&self) -> AlertSummary<'_> {
        AlertSummary {
            id: self.row.id,
            fingerprint: &self.row.fingerprint,
            name: &self.row.name,
            severity: self.row.severity,
            service_name: self.row.service_name.as_deref(),
            incident_id: self.incident,
        }
    }
}

/// Why the severity is what it is, when the sender did not say it in a word we know.
fn severity_note(source: &SeveritySource) -> Option<String> {
    match source {
        SeveritySource::Mapped { .. } => None,
        SeveritySource::Missing { label } => {
            Some(format!("the alert has no label `{label}`; medium is assumed"))
        }
        SeveritySource::Unknown { label, value } => {
            Some(format!("`{label}={value}` is not a severity we know; medium is assumed"))
        }
    }
}
