//! An incident as it is stored, and the changes that can be made to it. Pure.

use std::collections::BTreeMap;

use outbox::Ts;

use super::{Incident, Severity, State};
use crate::error::Error;
use crate::ids::{IncidentId, ProjectId};

/// The incident and what only the engine needs to know of it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Record {
    /// What people see.
    #[sqlx(flatten)]
    pub incident: Incident,
    /// A person chose the severity; alerts no longer raise it.
    pub severity_by_person: bool,
    /// `source` or `person`, once it is resolved.
    pub resolved_by: Option<String>,
    /// What firings join it by; absent on manual incidents.
    pub incident_key: Option<Vec<u8>>,
    /// Words of its later alerts by which it is found.
    pub alert_words: Option<String>,
    /// Why a snooze of it ended before its time, and when that was.
    #[sqlx(skip)]
    pub woken: Option<(Ts, &'static str)>,
}

/// An incident to open.
#[derive(Clone, Debug)]
pub struct NewIncident<'a> {
    /// Its id, if it is new.
    pub id: IncidentId,
    /// The project.
    pub project: ProjectId,
    /// Its number, if it is new.
    pub number: i64,
    /// One line.
    pub title: &'a str,
    /// What is known.
    pub description: &'a str,
    /// The service it speaks of.
    pub service_name: Option<&'a str>,
    /// How bad it is.
    pub severity: Severity,
    /// Why the severity is what it is, when the sender did not say.
    pub severity_note: Option<String>,
    /// The integration's name, or `manual`.
    pub source: &'a str,
    /// The first alert's labels, or what a person gave.
    pub labels: &'a BTreeMap<String, String>,
    /// What firings join it by.
    pub incident_key: Option<[u8; 32]>,
    /// The closed incident of the same key before it.
    pub previous: Option<IncidentId>,
    /// Seconds of silence that make it stale, when it has a sender.
    pub stale_after_s: Option<i64>,
    /// When it was detected.
    pub now: Ts,
}

/// Who ends an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Its alerts closed.
    Source,
    /// Somebody said so.
    Person,
}

impl Record {
    /// The incident as it begins.
    pub fn new(new: &NewIncident<'_>) -> Self {
        let incident = Incident {
            id: new.id,
            number: new.number,
            project_id: new.project,
            title: new.title.to_owned(),
            description: new.description.to_owned(),
            service_name: new.service_name.map(str::to_owned),
            severity: new.severity,
            severity_note: new.severity_note.clone(),
            state: State::Detected,
            open: true,
            source: new.source.to_owned(),
            labels: new.labels.clone(),
            alert_count: 0,
            open_alert_count: 0,
            stale: false,
            flapping: false,
            snoozed_until: None,
            assigned_to: None,
            assigned_to_name: None,
            started_at: new.now,
            detected_at: new.now,
            acknowledged_at: None,
            acknowledged_by: None,
            investigating_at: None,
            mitigated_at: None,
            resolved_at: None,
            learned_at: None,
            root_cause: None,
            resolution_summary: None,
            merged_into: None,
            previous_incident_id: new.previous,
            created_at: new.now,
            updated_at: new.now,
            version: 1,
            analysis: None,
        };
        let incident_key = new.incident_key.map(|key| key.to_vec());
        Self {
            incident,
            severity_by_person: false,
            resolved_by: None,
            incident_key,
            alert_words: None,
            woken: None,
        }
    }

    /// Moves the incident to `to`, as `name` asked.
    ///
    /// # Errors
    /// [`Error::IllegalMove`] when the state can't be reached from the current one, which it can't from itself.
    pub fn move_to(&mut self, to: State, name: &str, now: Ts) -> Result<(), Error> {
        let from = self.incident.state;
        if !from.moves().contains(&to) {
            return Err(Error::IllegalMove {
                from: from.to_string(),
                to: to.to_string(),
                legal: from.moves().iter().map(ToString::to_string).collect(),
            });
        }
        self.enter(to, By::Person, now);
        if to == State::Acknowledged {
            self.incident.acknowledged_by.get_or_insert_with(|| name.to_owned());
        }
        Ok(())
    }

    /// Sets the state, its timestamp on first entry, and whether the incident is open.
    pub fn enter(&mut self, to: State, by: By, now: Ts) {
        let incident = &mut self.incident;
        if !incident.state.is_open() && to == State::Investigating {
            // A reopened incident is resolved anew.
            incident.resolved_at = None;
            self.resolved_by = None;
        }
        incident.state = to;
        incident.open = to.is_open();
        // Nothing need be heard of what is over.
        incident.stale &= incident.open;
        if !incident.open {
            self.wake("closed");
        }
        let incident = &mut self.incident;
        let entered = match to {
            State::Detected | State::Inconclusive => return,
            State::Acknowledged => &mut incident.acknowledged_at,
            State::Investigating => &mut incident.investigating_at,
            State::Mitigated => &mut incident.mitigated_at,
            State::Resolved => &mut incident.resolved_at,
            State::Learned => &mut incident.learned_at,
        };
        entered.get_or_insert(now);
        if to == State::Resolved {
            let by = if by == By::Source { "source" } else { "person" };
            self.resolved_by = Some(by.to_owned());
        }
    }

    /// Whether the source may reopen it: it was resolved by its alerts at most `within_s` seconds ago.
    pub fn reopens(&self, now: Ts, within_s: i64) -> bool {
        self.incident.state == State::Resolved
            && self.incident.merged_into.is_none()
            && self.resolved_by.as_deref() == Some("source")
            && self.incident.resolved_at.is_some_and(|at| now <= at.plus_seconds(within_s))
    }

    /// Raises the severity to that of an alert, unless a person chose it; says whether it changed.
    pub fn raise(&mut self, severity: Severity, note: Option<String>) -> bool {
        let raises = !self.severity_by_person && severity.rank() < self.incident.severity.rank();
        if raises {
            self.incident.severity = severity;
            self.incident.severity_note = note;
            self.wake("severity");
        }
        raises
    }

    /// Ends the snooze before its time, if it has one; the desk tells of it.
    pub fn wake(&mut self, why: &'static str) {
        if let Some(until) = self.incident.snoozed_until.take() {
            self.woken = Some((until, why));
        }
    }

    /// Dates a change that is about to be saved.
    pub fn touch(&mut self, now: Ts) {
        self.incident.version += 1;
        self.incident.updated_at = now;
    }
}
