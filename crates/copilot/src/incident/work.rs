//! The incidents that one transaction works on: each is read once, changed in memory, written and announced once.

use std::collections::{BTreeMap, BTreeSet};

use outbox::{Ts, Tx};
use serde_json::json;

use super::record::{By, NewIncident, Record};
use super::store::bulk::{DoneStep, New};
use super::vocabulary::Vocabulary;
use super::{Incident, Severity, State, explain, store, tracked};
use crate::error::{Error, Result};
use crate::event::{self, Event};
use crate::ids::{AlertId, IncidentId, ProjectId, StepId, TenantId};

/// An incident being worked on.
struct Working {
    record: Record,
    /// As it was opened, when this transaction opened it.
    opened: Option<Incident>,
    /// It is not in the database yet; with the silence in seconds that makes it stale.
    unwritten: Option<Option<i64>>,
    changed: bool,
    /// Until when it was put off as it was read.
    snoozed_until: Option<Ts>,
    stale_at: Option<Ts>,
    /// What it is found by, once an alert added to that.
    vocabulary: Option<Vocabulary>,
}

impl Working {
    fn read(record: Record) -> Self {
        let snoozed_until = record.incident.snoozed_until;
        Self {
            record,
            opened: None,
            unwritten: None,
            changed: false,
            snoozed_until,
            stale_at: None,
            vocabulary: None,
        }
    }

    /// Whether it was put off, or woken.
    fn turned(&self) -> bool {
        self.snoozed_until != self.record.incident.snoozed_until
    }
}

/// The incidents of one project that a transaction works on.
pub struct Desk {
    tenant: TenantId,
    project: ProjectId,
    now: Ts,
    open: BTreeMap<IncidentId, Working>,
    steps: Vec<DoneStep>,
    /// Incidents that are to be explained when everything is written.
    unexplained: BTreeSet<IncidentId>,
    /// Alerts whose flapping this transaction changes, each with the incident that it makes flap by now.
    flapping: BTreeMap<AlertId, Option<IncidentId>>,
    /// What is written back is what senders and time can change; people's changes are written in full.
    by_sender: bool,
}

impl Desk {
    /// An empty desk; `now` dates every change.
    pub fn new(tenant: TenantId, project: ProjectId, now: Ts) -> Self {
        Self {
            tenant,
            project,
            now,
            open: BTreeMap::new(),
            steps: Vec::new(),
            unexplained: BTreeSet::new(),
            flapping: BTreeMap::new(),
            by_sender: false,
        }
    }

    /// An empty desk for what senders and time do: it writes many incidents at once.
    pub fn of_senders(tenant: TenantId, project: ProjectId, now: Ts) -> Self {
        Self { by_sender: true, ..Self::new(tenant, project, now) }
    }

    /// Takes incidents to work on, reading and locking those that were not taken before; others stay away.
    ///
    /// # Errors
    /// When the database refused.
    pub async fn load(&mut self, tx: &mut Tx, ids: &BTreeSet<IncidentId>) -> Result<()> {
        let ids: Vec<IncidentId> = ids.iter().copied().filter(|id| !self.open.contains_key(id)).collect();
        for record in store::bulk::load(tx, self.tenant, self.project, &ids).await? {
            self.open.insert(record.incident.id, Working::read(record));
        }
        Ok(())
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
            self.open.insert(id, Working::read(record));
        }
        self.open.get_mut(&id).map(|working| &mut working.record).ok_or(Error::NotFound)
    }

    /// Opens an incident, or takes the open one that already has its key; says which.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the project was deleted, others when the database refused.
    pub async fn open(&mut self, tx: &mut Tx, mut new: NewIncident<'_>) -> Result<(IncidentId, bool)> {
        new.number = store::next_number(tx, self.tenant, self.project).await.map_err(Error::gone)?;
        let record = store::open(tx, self.tenant, &new).await?;
        let (id, fresh) = (record.incident.id, record.incident.id == new.id);
        let opened = fresh.then(|| record.incident.clone());
        self.open.entry(id).or_insert_with(|| Working { opened, ..Working::read(record) });
        Ok((id, fresh))
    }

    /// Opens an incident whose key is known to have no open one; it is numbered and written by [`Desk::clear`], which
    /// fails when somebody was faster.
    pub fn open_later(&mut self, new: &NewIncident<'_>) -> IncidentId {
        let record = Record::new(new);
        let opened = Some(record.incident.clone());
        let working = Working {
            opened,
            unwritten: Some(new.stale_after_s),
            stale_at: new.stale_after_s.map(|seconds| new.now.plus_seconds(seconds)),
            ..Working::read(record)
        };
        self.open.insert(new.id, working);
        new.id
    }

    /// Whether a taken incident is open by now.
    pub fn is_open(&self, id: IncidentId) -> Option<bool> {
        self.open.get(&id).map(|working| working.record.incident.open)
    }

    /// Says that a taken incident was changed and must be written and announced.
    pub fn changed(&mut self, id: IncidentId) {
        if let Some(working) = self.open.get_mut(&id) {
            working.changed = true;
        }
    }

    /// Says that a statement about a taken incident was heard; it goes stale at `stale_at` or later, unless another is.
    pub fn heard(&mut self, id: IncidentId, stale_at: Ts) {
        if let Some(working) = self.open.get_mut(&id) {
            working.stale_at = Some(stale_at);
        }
        self.heard_again(id);
    }

    /// Takes the mark off a taken incident that was stale.
    pub fn heard_again(&mut self, id: IncidentId) {
        let Some(working) = self.open.get_mut(&id) else { return };
        if std::mem::take(&mut working.record.incident.stale) {
            working.changed = true;
            let detail = json!({ "last_statement_at": self.now });
            self.step(id, "heard_again", detail, None);
        }
    }

    /// Asks for an analysis of an incident when the desk is cleared.
    pub fn explain(&mut self, id: IncidentId) {
        self.unexplained.insert(id);
    }

    /// Counts an alert that began to fire at `starts_at` by its sender's clock, and raises the severity to its.
    ///
    /// # Errors
    /// When the incident can't be read.
    pub async fn alert_opened(
        &mut self,
        tx: &mut Tx,
        id: IncidentId,
        first_time: bool,
        starts_at: Ts,
        (severity, note): (Severity, Option<String>),
    ) -> Result<()> {
        let record = self.take(tx, id).await?;
        record.incident.started_at = record.incident.started_at.min(starts_at);
        record.incident.alert_count += i64::from(first_time);
        record.incident.open_alert_count += 1;
        record.raise(severity, note);
        self.changed(id);
        Ok(())
    }

    /// Has a taken incident found by these texts as well.
    pub fn hear<'a>(&mut self, id: IncidentId, texts: impl IntoIterator<Item = &'a String>) {
        let Some(working) = self.open.get_mut(&id) else { return };
        if working.vocabulary.is_none() && Vocabulary::is_full(&working.record) {
            return;
        }
        let vocabulary = working.vocabulary.get_or_insert_with(|| Vocabulary::of(&working.record));
        for text in texts {
            vocabulary.hear(text);
        }
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

    /// Notes which incident an alert makes flap by now, if any.
    pub fn flaps(&mut self, alert: AlertId, incident: Option<IncidentId>) {
        self.flapping.insert(alert, incident);
    }

    /// Marks the incident as flapping, or takes the mark off when none of its alerts flaps any more.
    ///
    /// # Errors
    /// When the incident can't be read or written.
    pub async fn mark_flapping(&mut self, tx: &mut Tx, id: IncidentId) -> Result<()> {
        let mut still = self.flapping.values().any(|incident| *incident == Some(id));
        if !still {
            let stored = tracked::store::flapping(tx, self.tenant, id).await?;
            still = stored.iter().any(|alert| !self.flapping.contains_key(alert));
        }
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
        self.step(id, "state_changed", detail, None);
        Ok(())
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
        self.step(id, "reopened", detail, None);
        Ok(())
    }

    /// Records a step of a taken incident.
    pub fn step(
        &mut self,
        incident: IncidentId,
        step_type: &'static str,
        detail: serde_json::Value,
        actor: Option<&str>,
    ) {
        let actor = actor.map(str::to_owned);
        self.steps.push(DoneStep { id: StepId::new(), incident, step_type, detail, actor });
    }

    /// Writes and announces every changed incident, each with one event a version, and returns them.
    ///
    /// # Errors
    /// When the database refused; a unique violation when an incident would be the second open one of its key.
    pub async fn clear(mut self, tx: &mut Tx) -> Result<Vec<Incident>> {
        self.tell_of_woken();
        self.number(tx).await?;
        self.announce(tx);
        let unwritten = self.open.values().filter_map(|working| {
            let stale_after_s = working.unwritten?;
            Some(New { record: &working.record, stale_at: working.stale_at, stale_after_s })
        });
        store::bulk::insert(tx, self.tenant, &unwritten.collect::<Vec<_>>()).await?;
        let written = self.open.values().filter(|working| working.unwritten.is_none());
        let changed: Vec<&Record> =
            written.clone().filter(|working| working.changed).map(|working| &working.record).collect();
        if self.by_sender {
            store::bulk::save(tx, self.tenant, &changed).await?;
        } else {
            for record in changed {
                store::save(tx, self.tenant, record).await?;
            }
        }
        for Working { record, .. } in written.clone().filter(|working| working.turned()) {
            let Incident { id, snoozed_until, .. } = record.incident;
            store::set_snoozed(tx, self.tenant, id, snoozed_until).await?;
        }
        let heard: Vec<(IncidentId, Ts)> =
            written.filter_map(|working| Some((working.record.incident.id, working.stale_at?))).collect();
        store::bulk::set_stale_at(tx, self.tenant, &heard).await?;
        let words =
            self.open.iter().filter_map(|(id, working)| Some((*id, working.vocabulary.as_ref()?.unsaved()?)));
        store::bulk::set_words(tx, self.tenant, &words.collect::<Vec<_>>()).await?;
        store::bulk::record(tx, self.tenant, &self.steps, self.now).await?;
        let is_new = |id: &IncidentId| self.open.get(id).is_some_and(|working| working.unwritten.is_some());
        let (new, known): (Vec<_>, Vec<_>) = self.unexplained.iter().copied().partition(is_new);
        explain::request_first(tx, self.tenant, new).await?;
        for incident in known {
            explain::request_anew(tx, self.tenant, incident).await?;
        }
        let all = self.open.into_values();
        let touched = all.filter(|working| working.changed || working.opened.is_some());
        Ok(touched.map(|working| working.record.incident).collect())
    }

    /// Records which snoozes ended before their time.
    fn tell_of_woken(&mut self) {
        let woken =
            self.open.iter_mut().filter_map(|(id, working)| Some((*id, working.record.woken.take()?)));
        for (id, (until, why)) in woken.collect::<Vec<_>>() {
            self.step(id, "snooze_ended", json!({"until": until, "why": why}), None);
        }
    }

    /// Numbers the incidents that are not written yet, in the order in which they were opened.
    async fn number(&mut self, tx: &mut Tx) -> Result<()> {
        let unwritten = self.open.values_mut().filter(|working| working.unwritten.is_some());
        let unwritten: Vec<&mut Working> = unwritten.collect();
        let count = unwritten.len() as i64;
        if count == 0 {
            return Ok(());
        }
        let last = store::bulk::take_numbers(tx, self.tenant, self.project, count).await?;
        for (number, working) in (last - count + 1..).zip(unwritten) {
            working.record.incident.number = number;
            if let Some(opened) = &mut working.opened {
                opened.number = number;
            }
        }
        Ok(())
    }

    fn announce(&mut self, tx: &mut Tx) {
        let (tenant, project) = (self.tenant, self.project);
        for working in self.open.values_mut() {
            match &working.opened {
                Some(opened) if opened.state != working.record.incident.state => {
                    event::append(tx, tenant, project, &Event::IncidentCreated(opened));
                    working.record.touch(self.now);
                    event::append(tx, tenant, project, &Event::IncidentUpdated(&working.record.incident));
                }
                Some(_) => {
                    event::append(tx, tenant, project, &Event::IncidentCreated(&working.record.incident));
                }
                None if working.changed => {
                    working.record.touch(self.now);
                    event::append(tx, tenant, project, &Event::IncidentUpdated(&working.record.incident));
                }
                None => {}
            }
            working.changed |= working.opened.is_some();
        }
    }
}
