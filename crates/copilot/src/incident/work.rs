//! The incidents that one transaction works on: each is read once, changed in memory, written and announced once.

use std::collections::BTreeMap;

use outbox::{Ts, Tx};
use serde_json::json;

use super::record::{By, NewIncident, Record};
use super::timeline::{self, NewStep};
use super::{Incident, Severity, State, store, tracked};
use crate::error::{Error, Result};
use crate::event::{self, Event};
use crate::ids::{IncidentId, ProjectId, TenantId};

/// An incident being worked on.
struct Working {
    record: Record,
    /// As it was opened, when this transaction opened it.
    opened: Option<Incident>,
    changed: bool,
}

/// The incidents of one project that a transaction works on.
pub struct Desk {
    tenant: TenantId,
    project: ProjectId,
    now: Ts,
    open: BTreeMap<IncidentId, Working>,
}

impl Desk {
    /// An empty desk; `now` dates every change.
    pub fn new(tenant: TenantId, project: ProjectId, now: Ts) -> Self {
        Self { tenant, project, now, open: BTreeMap::new() }
    }

    /// Takes an incident to work on, reading and locking it the first time.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not in this project.
    pub async fn take(&mut self, tx: &mut Tx, id: IncidentId) -> Result<&mut Record> {
        if !self.open.contains_key(&id) {
            let record = store::find(tx, self.tenant, id).await?;
            let record =
                record.filter(|record| record.incident.project_id == self.project).ok_or(Error::NotFound)?;
            self.open.insert(id, Working { record, opened: None, changed: false });
        }
        self.open.get_mut(&id).map(|working| &mut working.record).ok_or(Error::NotFound)
    }

    /// Opens an incident, or takes the open one that already has its key; says which.
    ///
    /// # Errors
    /// When the database refused.
    pub async fn open(&mut self, tx: &mut Tx, mut new: NewIncident<'_>) -> Result<(IncidentId, bool)> {
        new.number = store::next_number(tx, self.tenant, self.project).await?;
        let record = store::open(tx, self.tenant, &new).await?;
        let (id, fresh) = (record.incident.id, record.incident.id == new.id);
        let opened = fresh.then(|| record.incident.clone());
        self.open.entry(id).or_insert(Working { record, opened, changed: false });
        Ok((id, fresh))
    }

    /// Says that a taken incident was changed and must be written and announced.
    pub fn changed(&mut self, id: IncidentId) {
        if let Some(working) = self.open.get_mut(&id) {
            working.changed = true;
        }
    }

    /// Counts an alert that began to fire, and raises the severity to its.
    ///
    /// # Errors
    /// When the incident can't be read.
    pub async fn alert_opened(
        &mut self,
        tx: &mut Tx,
        id: IncidentId,
        first_time: bool,
        severity: Severity,
        note: Option<String>,
    ) -> Result<()> {
        let record = self.take(tx, id).await?;
        record.incident.alert_count += i64::from(first_time);
        record.incident.open_alert_count += 1;
        record.raise(severity, note);
        self.changed(id);
        Ok(())
    }

    /// Counts an alert that closed, and resolves the incident when it was the last one.
    ///
    /// # Errors
    /// When the incident can't be read or written.
    pub async fn alert_closed(&mut self, tx: &mut Tx, id: IncidentId) -> Result<()> {
        let record = self.take(tx, id).await?;
        record.incident.open_alert_count = (record.incident.open_alert_count - 1).max(0);
        self.changed(id);
        self.resolve_if_over(tx, id).await
    }

    /// Marks the incident as flapping, or takes the mark off when none of its alerts flaps any more.
    ///
    /// # Errors
    /// When the incident can't be read or written.
    pub async fn set_flapping(&mut self, tx: &mut Tx, id: IncidentId, flapping: bool) -> Result<()> {
        let still = flapping || tracked::store::any_flapping(tx, self.tenant, id).await?;
        let record = self.take(tx, id).await?;
        if record.incident.flapping != still {
            record.incident.flapping = still;
            self.changed(id);
        }
        self.resolve_if_over(tx, id).await
    }

    /// Resolves the incident as its source does: its last alert closed and none of them flaps.
    async fn resolve_if_over(&mut self, tx: &mut Tx, id: IncidentId) -> Result<()> {
        let now = self.now;
        let record = self.take(tx, id).await?;
        let incident = &record.incident;
        let from = incident.state;
        if incident.open_alert_count > 0 || incident.alert_count == 0 || incident.flapping || !from.is_open()
        {
            return Ok(());
        }
        record.enter(State::Resolved, By::Source, now);
        self.changed(id);
        let detail = json!({"from": from, "to": State::Resolved, "comment": "its last alert closed"});
        self.step(tx, id, "state_changed", detail, None).await
    }

    /// Reopens a resolved incident.
    ///
    /// # Errors
    /// When the incident can't be read or written.
    pub async fn reopen(&mut self, tx: &mut Tx, id: IncidentId, why: &str) -> Result<()> {
        let now = self.now;
        let record = self.take(tx, id).await?;
        let from = record.incident.state;
        record.enter(State::Investigating, By::Source, now);
        self.changed(id);
        let detail = json!({"from": from, "to": State::Investigating, "comment": why});
        self.step(tx, id, "reopened", detail, None).await
    }

    /// Records a step of a taken incident.
    ///
    /// # Errors
    /// When the database refused.
    pub async fn step(
        &self,
        tx: &mut Tx,
        incident: IncidentId,
        step_type: &str,
        detail: serde_json::Value,
        actor: Option<&str>,
    ) -> Result<()> {
        let step = NewStep { incident, step_type, started_at: self.now, detail, actor };
        timeline::store::record(tx, self.tenant, step).await?;
        Ok(())
    }

    /// Writes and announces every changed incident, each with one event a version.
    ///
    /// # Errors
    /// When the database refused.
    pub async fn clear(self, tx: &mut Tx) -> Result<Vec<Incident>> {
        let mut written = Vec::new();
        for (_, mut working) in self.open {
            match &working.opened {
                Some(opened) if opened.state != working.record.incident.state => {
                    event::append(tx, self.tenant, self.project, &Event::IncidentCreated(opened));
                    working.record.touch(self.now);
                    event::append(
                        tx,
                        self.tenant,
                        self.project,
                        &Event::IncidentUpdated(&working.record.incident),
                    );
                }
                Some(_) => {
                    event::append(
                        tx,
                        self.tenant,
                        self.project,
                        &Event::IncidentCreated(&working.record.incident),
                    );
                }
                None if working.changed => {
                    working.record.touch(self.now);
                    event::append(
                        tx,
                        self.tenant,
                        self.project,
                        &Event::IncidentUpdated(&working.record.incident),
                    );
                }
                None => continue,
            }
            store::save(tx, self.tenant, &working.record).await?;
            written.push(working.record.incident);
        }
        Ok(written)
    }
}
