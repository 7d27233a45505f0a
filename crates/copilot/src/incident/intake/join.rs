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
use crate::incident::record::NewIncident;
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
        let outcome = if quiet { Outcome::Suppressed } else { self.join(tx, one, origin).await? };
        if quiet {
            one.incident = None;
        }
        let episode = EpisodeId::new();
        self.writes.begin(episode, one, starts_at, at);
        one.episode = Some(episode);
        event::append(tx, self.tenant, self.project, &Event::AlertFired(one.summary()));
        if let Some(incident) = one.incident {
            self.attach(tx, one, incident, origin).await?;
        }
        Ok(Done::new(outcome, quiet.then_some("severity-info"), one.incident))
    }

    /// Counts a new episode on its incident.
    async fn attach(
        &mut self,
        tx: &mut Tx,
        one: &mut One<'_>,
        incident: IncidentId,
        origin: &Origin,
    ) -> Result<()> {
        let first_time = one.row.incident_id != Some(incident);
        let note = one.severity_note.clone();
        self.desk.alert_opened(tx, incident, first_time, one.row.severity, note).await?;
        if first_time {
            let detail = json!({
                "alert_id": one.row.id, "name": one.row.name, "title": one.row.title,
                "source": origin.source.name, "delivery_id": origin.delivery,
            });
            self.arrivals.entry(incident).or_default().note(&mut self.desk, incident, detail, origin);
        }
        one.row.incident_id = Some(incident);
        self.desk.heard(incident, self.now.plus_seconds(origin.source.stale_after_s));
        if one.track.is_flapping() {
            self.desk.set_flapping(tx, incident, true).await?;
        }
        Ok(())
    }

    /// Finds the incident of a new episode: the open one of its key, one to reopen, or a new one.
    async fn join(&mut self, tx: &mut Tx, one: &mut One<'_>, origin: &Origin) -> Result<Outcome> {
        let mut key = one.incident_key;
        let mut previous = None;
        let lead = self.lead(tx, &key).await?;
        if let Some(id) = lead.incident() {
            let record = self.desk.take(tx, id).await?;
            if record.incident.open {
                one.incident = Some(id);
                return Ok(Outcome::Attached);
            }
            if record.reopens(self.now, REOPEN_S) {
                one.incident = Some(id);
                self.desk.reopen(tx, id, "it fires again").await?;
                self.explain(one, id);
                return Ok(Outcome::Reopened);
            }
            previous = Some(id);
            if lead.redirected.is_some() {
                store::forget_redirect(tx, self.tenant, self.project, &key).await?;
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
        let closed_at = incident.learned_at.or(incident.resolved_at).unwrap_or(incident.updated_at);
        if incident.open || now <= closed_at.plus_seconds(HOLD_S) {
            return Ok(Done::new(Outcome::Repeated, "just-resolved-by-hand", one.incident));
        }
        let reopens = incident.state == State::Resolved && incident.merged_into.is_none();
        // Another alert of the key may have opened a new incident since, and a key has one open incident.
        let mut lead = self.lead(tx, &one.incident_key).await?;
        if reopens && lead.open.is_none() {
            self.desk.reopen(tx, id, "resolved by hand, but its alert fires on").await?;
            lead.open = Some(id);
            self.leads.insert(one.incident_key, lead);
            one.row.incident_open = Some(true);
            return Ok(Done::new(Outcome::Reopened, "still-firing", one.incident));
        }
        let outcome = self.join(tx, one, origin).await?;
        if let (Some(to), Some(episode)) = (one.incident, one.episode) {
            self.writes.move_to(episode, to);
            self.desk.alert_closed(tx, id).await?;
            self.attach(tx, one, to, origin).await?;
            one.row.incident_open = Some(true);
            one.changed = true;
        }
        Ok(Done::new(outcome, "still-firing", one.incident))
    }

    async fn open_count(&mut self, tx: &mut Tx) -> Result<i64> {
        if self.open_count.is_none() {
            self.open_count = Some(store::count_open(tx, self.tenant, self.project, STORM).await?);
        }
        Ok(self.open_count.unwrap_or_default())
    }
}

/// The key of a project's storm incident: no alert's grouping values can produce it.
fn storm_key(project: ProjectId) -> [u8; 32] {
    use sha2::{Digest as _, Sha256};
    Sha256::new().chain_update(b"storm\0").chain_update(project.0.as_bytes()).finalize().into()
}
