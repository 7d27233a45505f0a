//! Which incident an episode belongs to: the open one of its key, one to reopen, or a new one.

use std::collections::BTreeMap;

use outbox::{Ts, Tx};
use serde_json::json;

use super::one::One;
use super::source::Origin;
use super::{Done, Intake, Outcome};
use crate::error::Result;
use crate::event::{self, Event};
use crate::ids::{EpisodeId, IncidentId, ProjectId};
use crate::incident::episode::{HOLD_S, REOPEN_S};
use crate::incident::record::{NewIncident, Record};
use crate::incident::store::bulk::Lead;
use crate::incident::{Severity, State, store};

/// Open incidents of a project from which on further alerts join one storm incident.
pub const STORM: i64 = 5_000;

impl Intake<'_> {
    /// Begins an episode and finds the incident it belongs to.
    pub(super) async fn begin(
        &mut self,
        tx: &mut Tx,
        one: &mut One<'_>,
        starts_at: Ts,
        at: Ts,
        origin: &Origin,
    ) -> Result<Done> {
        let quiet = one.row.severity == Severity::Info && !origin.source.open_info;
        let outcome = if quiet { Outcome::Suppressed } else { self.join(tx, one, at, origin).await? };
        if quiet {
            self.leave(tx, one).await?;
        }
        let episode = EpisodeId::new();
        self.writes.begin(episode, one, starts_at, at);
        one.episode = Some(episode);
        event::append(tx, self.tenant, self.project, &Event::AlertFired(one.summary()));
        if let Some(incident) = one.incident {
            self.attach(tx, one, incident, starts_at, origin).await?;
        }
        Ok(Done::new(outcome, quiet.then_some("severity-info"), one.incident))
    }

    /// Counts a new episode on its incident.
    async fn attach(
        &mut self,
        tx: &mut Tx,
        one: &mut One<'_>,
        incident: IncidentId,
        starts_at: Ts,
        origin: &Origin,
    ) -> Result<()> {
        let first_time = one.row.incident_id != Some(incident);
        let severity = (one.row.severity, one.severity_note.clone());
        self.desk.alert_opened(tx, incident, first_time, starts_at, severity).await?;
        if first_time {
            let told = &self.desk.take(tx, incident).await?.incident;
            // The alert that opened it has said all of this.
            if told.title != one.row.title || told.labels != *one.labels {
                let texts = [&one.row.name, &one.row.title, &one.row.description];
                self.desk.hear(incident, texts.into_iter().chain(one.labels.values()));
            }
            let detail = json!({
                "alert_id": one.row.id, "name": one.row.name, "title": one.row.title,
                "source": origin.source.name, "delivery_id": origin.delivery,
            });
            self.arrivals.entry(incident).or_default().note(&mut self.desk, incident, detail, origin);
        }
        let before = one.row.incident_id.replace(incident);
        self.desk.heard(incident, self.now.plus_seconds(origin.source.stale_after_s));
        if one.track.is_flapping() {
            self.desk.flaps(one.row.id, Some(incident));
            self.desk.mark_flapping(tx, incident).await?;
            if let Some(before) = before.filter(|before| *before != incident) {
                self.desk.mark_flapping(tx, before).await?;
            }
        }
        Ok(())
    }

    /// Takes an alert that opens no incident out of the one it was in.
    async fn leave(&mut self, tx: &mut Tx, one: &mut One<'_>) -> Result<()> {
        let before = one.incident.take();
        if let Some(before) = before.filter(|_| one.track.is_flapping()) {
            self.desk.flaps(one.row.id, None);
            self.desk.mark_flapping(tx, before).await?;
        }
        Ok(())
    }

    /// Finds the incident of an episode that began at `at`: the open one of its key, one to reopen, or a new one.
    async fn join(&mut self, tx: &mut Tx, one: &mut One<'_>, at: Ts, origin: &Origin) -> Result<Outcome> {
        let mut key = one.incident_key;
        let mut previous = None;
        let lead = self.lead(tx, &key).await?;
        // A person may have opened one of the key's own incidents again since the key was redirected.
        for id in [lead.redirected, lead.open.or(lead.newest)].into_iter().flatten() {
            let record = self.desk.take(tx, id).await?;
            if record.incident.open {
                one.incident = Some(id);
                return Ok(Outcome::Attached);
            }
            if record.reopens(at, REOPEN_S) {
                one.incident = Some(id);
                self.reopen(tx, id, "it fires again").await?;
                self.explain(one, id);
                return Ok(Outcome::Reopened);
            }
            previous.get_or_insert(id);
            if lead.redirected == Some(id) {
                store::forget_redirect(tx, self.tenant, self.project, &key).await?;
                self.leads.entry(key).and_modify(|lead| lead.redirected = None);
            }
        }
        let storm = self.open_count(tx).await? >= STORM;
        if storm {
            key = storm_key(self.project);
            previous = None;
            if let Some(open) = self.lead(tx, &key).await?.open {
                one.incident = Some(open);
                return Ok(Outcome::Attached);
            }
        }
        self.open(one, origin, key, previous, storm);
        Ok(Outcome::Opened)
    }

    /// Where an incident key leads to by now.
    async fn lead(&mut self, tx: &mut Tx, key: &[u8; 32]) -> Result<Lead> {
        if let Some(lead) = self.leads.get(key) {
            return Ok(lead.clone());
        }
        let found = store::bulk::leads(tx, self.tenant, self.project, &[*key]).await?;
        let lead = found.into_iter().next().unwrap_or_default();
        self.leads.insert(*key, lead.clone());
        Ok(lead)
    }

    fn open(
        &mut self,
        one: &mut One<'_>,
        origin: &Origin,
        key: [u8; 32],
        previous: Option<IncidentId>,
        storm: bool,
    ) {
        let none = BTreeMap::new();
        let new = NewIncident {
            id: IncidentId::new(),
            project: self.project,
            number: 0,
            title: if storm { "Alert storm: too many open incidents" } else { &one.row.title },
            description: if storm {
                "Further alerts are attached here until incidents are closed."
            } else {
                &one.row.description
            },
            service_name: one.row.service_name.as_deref().filter(|_| !storm),
            severity: if storm { Severity::Critical } else { one.row.severity },
            severity_note: one.severity_note.clone().filter(|_| !storm),
            source: &origin.source.name,
            labels: if storm { &none } else { one.labels.as_ref() },
            incident_key: Some(key),
            previous,
            stale_after_s: Some(origin.source.stale_after_s),
            now: self.now,
        };
        let id = self.desk.open_later(&new);
        one.incident = Some(id);
        let lead = Lead { open: Some(id), newest: Some(id), ..Lead::default() };
        self.leads.insert(key, lead);
        self.open_count = self.open_count.map(|count| count + 1);
        let detail =
            json!({"source": origin.source.name, "alert": one.row.name, "previous_incident_id": previous});
        self.desk.step(id, "incident_created", detail, None);
        self.explain(one, id);
    }

    /// Asks for an analysis, unless the alert flaps: an answer would be out of date before it is read.
    fn explain(&mut self, one: &One<'_>, incident: IncidentId) {
        if !one.track.is_flapping() {
            self.desk.explain(incident);
        }
    }

    /// An alert that fires on after a person closed its incident.
    pub(super) async fn still_firing(
        &mut self,
        tx: &mut Tx,
        one: &mut One<'_>,
        origin: &Origin,
    ) -> Result<Done> {
        let Some(id) = one.incident else { return Ok(Done::new(Outcome::Repeated, None, None)) };
        let now = self.now;
        let incident = &self.desk.take(tx, id).await?.incident;
        if incident.open {
            return Ok(Done::new(Outcome::Repeated, None, one.incident));
        }
        // Who resolves it sees it end before its sender does; who closed it for good is told at once.
        let resolved_at = incident.resolved_at.filter(|_| incident.state == State::Resolved);
        if resolved_at.is_some_and(|at| now <= at.plus_seconds(HOLD_S)) {
            return Ok(Done::new(Outcome::Repeated, "just-resolved-by-hand", one.incident));
        }
        let reopens = incident.state == State::Resolved && incident.merged_into.is_none();
        // Another alert of the key may have opened a new incident since, and a key has one open incident.
        if reopens && !self.has_open(tx, id).await? {
            self.reopen(tx, id, "resolved by hand, but its alert fires on").await?;
            return Ok(Done::new(Outcome::Reopened, "still-firing", one.incident));
        }
        let outcome = self.join(tx, one, now, origin).await?;
        if let (Some(to), Some(episode)) = (one.incident, one.episode) {
            self.writes.move_to(episode, to);
            self.desk.alert_closed(tx, id).await?;
            self.attach(tx, one, to, one.track.open.map_or(now, |open| open.starts_at), origin).await?;
            one.changed = true;
        }
        Ok(Done::new(outcome, "still-firing", one.incident))
    }

    /// Whether the key of an incident has an open incident. A merge may have given the incident alerts of other keys.
    async fn has_open(&mut self, tx: &mut Tx, id: IncidentId) -> Result<bool> {
        let Some(key) = own_key(self.desk.take(tx, id).await?) else { return Ok(false) };
        let open = self.lead(tx, &key).await?.open;
        Ok(open.is_some_and(|open| self.desk.is_open(open) != Some(false)))
    }

    /// Reopens an incident, to which its key leads from now on.
    async fn reopen(&mut self, tx: &mut Tx, id: IncidentId, why: &str) -> Result<()> {
        self.desk.reopen(tx, id, why).await?;
        if let Some(key) = own_key(self.desk.take(tx, id).await?) {
            let lead = Lead { open: Some(id), ..self.lead(tx, &key).await? };
            self.leads.insert(key, lead);
        }
        Ok(())
    }

    async fn open_count(&mut self, tx: &mut Tx) -> Result<i64> {
        if self.open_count.is_none() {
            self.open_count = Some(store::count_open(tx, self.tenant, self.project, STORM).await?);
        }
        Ok(self.open_count.unwrap_or_default())
    }
}

fn own_key(record: &Record) -> Option<[u8; 32]> {
    record.incident_key.as_deref()?.try_into().ok()
}

/// The key of a project's storm incident: no alert's grouping values can produce it.
fn storm_key(project: ProjectId) -> [u8; 32] {
    use sha2::{Digest as _, Sha256};
    Sha256::new().chain_update(b"storm\0").chain_update(project.0.as_bytes()).finalize().into()
}
