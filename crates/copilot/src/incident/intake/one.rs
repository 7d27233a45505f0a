//! One alert key while it is being worked on.

use std::borrow::Cow;
use std::collections::BTreeMap;

use alerts::SeveritySource;
use outbox::Ts;

use crate::event::AlertSummary;
use crate::ids::{EpisodeId, IncidentId};
use crate::incident::Severity;
use crate::incident::episode::Track;
use crate::incident::tracked::Tracked;
use crate::incident::tracked::store::{Sent, Stored};

/// One alert key while it is being worked on.
pub(super) struct One<'a> {
    /// The row as it was read, with what the sender says by now.
    pub row: Tracked,
    /// What the sender said first, when the alert was never seen before.
    pub first: Option<Sent<'a>>,
    /// The rule's labels.
    pub labels: Cow<'a, BTreeMap<String, String>>,
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
    /// How many statements about it this transaction accepts.
    pub heard: i64,
}

impl<'a> One<'a> {
    /// An alert that was just sent; `known` is its row, if it was ever seen before.
    pub fn sent(known: Option<Tracked>, sent: &Sent<'a>, now: Ts) -> Self {
        let alert = sent.alert;
        let first = known.is_none().then_some(*sent);
        let row = known.unwrap_or_else(|| Tracked::new(sent, now));
        let (track, incident, episode) = (row.track(), row.incident_id, row.episode_id);
        Self {
            row,
            first,
            labels: Cow::Borrowed(&alert.labels),
            severity_note: severity_note(&alert.severity_source),
            incident_key: sent.incident_key,
            heartbeat: alert.is_heartbeat,
            track,
            incident,
            episode,
            changed: false,
            heard: 0,
        }
    }

    /// An alert whose time has come without a statement.
    pub fn stored(row: Tracked, stored: Stored) -> Self {
        let (track, incident, episode) = (row.track(), row.incident_id, row.episode_id);
        Self {
            row,
            first: None,
            labels: Cow::Owned(stored.labels.0),
            severity_note: None,
            incident_key: stored.incident_key.try_into().unwrap_or_default(),
            heartbeat: stored.heartbeat,
            track,
            incident,
            episode,
            changed: false,
            heard: 0,
        }
    }

    /// Keeps what the sender says by now; says whether a person would read something else than before.
    pub fn describe(&mut self, alert: &alerts::Alert) -> bool {
        let severity = Severity::from(alert.severity);
        let same = self.row.annotations.0 == alert.annotations && self.row.severity == severity;
        let begins = self.episode.is_none() && self.first.is_none();
        if same && !begins && !self.is_asked_differently(alert) && self.row.flags.0 == alert.flags {
            return false;
        }
        let row = &mut self.row;
        row.annotations.0.clone_from(&alert.annotations);
        row.severity = severity;
        row.title.clone_from(&alert.title);
        row.description.clone_from(&alert.description);
        row.generator_url.clone_from(&alert.generator_url);
        row.runbook_url.clone_from(&alert.links.runbook_url);
        row.flags.0.clone_from(&alert.flags);
        if begins {
            // The integration's settings may name another service by now; while it fires its incident has the old one.
            row.service_name.clone_from(&alert.service);
        }
        self.changed = true;
        !same
    }

    /// Whether the rule's expression is another than before. Its address differs between two that watch the same, of which
    /// each writes its own.
    fn is_asked_differently(&self, alert: &alerts::Alert) -> bool {
        let before = self.row.generator_url.as_deref();
        before != alert.generator_url.as_deref() && before.and_then(alerts::expression) != alert.expression
    }

    /// Keeps what is odd about the statement that ended it.
    pub fn note_end(&mut self, alert: &alerts::Alert) {
        self.row.flags.0.clone_from(&alert.flags);
    }

    /// Whether the alert fires, and what is kept of it is what `alert` says.
    pub fn is_told_by(&self, alert: &alerts::Alert) -> bool {
        !self.heartbeat
            && self.episode.is_some()
            && alert.status == alerts::Status::Firing
            && self.row.annotations.0 == alert.annotations
            && self.row.severity == Severity::from(alert.severity)
    }

    /// Counts a statement that was received at `at`.
    pub fn hear(&mut self, at: Ts) {
        if self.heartbeat && self.first.is_none() {
            let gap = at.seconds_since(self.row.last_seen_at).ceil() as i64;
            self.changed |= gap > self.row.longest_gap_s;
            self.row.longest_gap_s = self.row.longest_gap_s.max(gap);
        }
        self.row.last_seen_at = self.row.last_seen_at.max(at);
        self.row.statements += 1;
        self.heard += 1;
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
