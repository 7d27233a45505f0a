//! Firing alerts that are known word for word, so that their repetition writes nothing but its receipt.
//!
//! An alert is here only while its episode and its incident are open and its text is what is stored. That can
//! change in any process, but never without an event: episodes, incidents, merges and descriptions each announce
//! what they change in the same commit. So what is known is known as of a number in the project's stream. Every commit
//! first reads where the stream stands, and whatever the events in between name is forgotten before it counts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alerts::{End, Sketch};
use jiff::Timestamp;
use outbox::{Stream, StreamHead, Tx, sabotage};
use uuid::Uuid;

use crate::error::Result;
use crate::event;
use crate::ids::{AlertId, IncidentId, ProjectId, TenantId};

/// Alerts that are known at most in one project; then all of it is learned anew. An alert takes about 250 bytes.
const MOST: usize = 250_000;

/// Projects of which anything is known at most.
const PROJECTS: usize = 1_000;

/// Events that are read to catch up; a project that is further behind is learned anew.
const EVENTS: i64 = 1_000;

/// A repetition that was recognised.
#[derive(Clone, Debug)]
pub struct Hit {
    /// Which alert it is.
    pub alert_key: [u8; 32],
    /// Its row.
    pub alert: AlertId,
    /// The incident it belongs to.
    pub incident: IncidentId,
    /// The sender's name for its labels.
    pub fingerprint: String,
    /// The rule's name.
    pub name: String,
}

/// A firing alert that is known word for word.
#[derive(Clone, Debug)]
pub struct Alert {
    /// By what it is recognised.
    pub digest: [u8; 16],
    /// What its end means.
    pub end: End,
    /// Which alert it is.
    pub alert_key: [u8; 32],
    /// Its row.
    pub alert: AlertId,
    /// The incident it belongs to.
    pub incident: IncidentId,
    /// The sender's name for its labels.
    pub fingerprint: Box<str>,
    /// The rule's name.
    pub name: Box<str>,
}

/// What is known of one project.
#[derive(Default)]
struct Project {
    /// As of where in the stream.
    at: Option<StreamHead>,
    alerts: HashMap<[u8; 16], (u64, Alert)>,
    digests: HashMap<AlertId, [u8; 16]>,
    /// Incidents that changed, each with the moment; what was learned before is forgotten.
    changed: HashMap<IncidentId, u64>,
    /// Counts the moments.
    moment: u64,
}

impl Project {
    fn clear(&mut self) {
        *self = Self { moment: self.moment + 1, ..Self::default() };
    }

    fn get(&self, digest: &[u8; 16]) -> Option<&Alert> {
        let (learned, alert) = self.alerts.get(digest)?;
        let changed = if self.changed.is_empty() { None } else { self.changed.get(&alert.incident) };
        changed.is_none_or(|changed| changed < learned).then_some(alert)
    }

    fn forget(&mut self, alert: AlertId) {
        if let Some(digest) = self.digests.remove(&alert) {
            self.alerts.remove(&digest);
        }
    }

    fn learn(&mut self, alert: Alert) {
        if self.alerts.len() >= MOST {
            let at = self.at;
            self.clear();
            self.at = at;
        }
        self.forget(alert.alert);
        self.digests.insert(alert.alert, alert.digest);
        self.alerts.insert(alert.digest, (self.moment, alert));
    }

    /// Forgets what an event names.
    fn note(&mut self, event: &outbox::Event) {
        let id = event.data.get("id").and_then(serde_json::Value::as_str).and_then(|id| id.parse().ok());
        match (event.kind.as_str(), id) {
            ("alert.fired" | "alert.resolved", Some(id)) => self.forget(AlertId(id)),
            ("incident.created" | "incident.updated", Some(id)) => {
                self.changed.insert(IncidentId(id), self.moment);
                if self.changed.len() > MOST / 10 {
                    self.clear();
                }
            }
            // An analysis changes no alert.
            ("hypothesis.generated", _) => {}
            _ => self.clear(),
        }
    }
}

/// What is known, by project.
#[derive(Default)]
pub struct Known {
    projects: Mutex<HashMap<ProjectId, Arc<Mutex<Project>>>>,
}

/// What is known of one project, for one request.
pub struct Lookup(Arc<Mutex<Project>>);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing here panics half-way; what a poisoned lock guards is as good as any other.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lookup {
    /// Whether a text is that of a known alert that fires on. It still has to hold when the request is stored.
    pub fn recognises(&self, sketch: &Sketch<'_>, received: Timestamp) -> bool {
        let project = lock(&self.0);
        let end = project.get(&sketch.digest).map(|alert| alert.end);
        drop(project);
        end.is_some_and(|end| sketch.fires(end, received))
    }

    /// Reads the events since what is known was last true, and forgets what they name.
    ///
    /// # Errors
    /// When the database refused; then nothing is known any more.
    pub async fn catch_up(&self, tx: &mut Tx, tenant: TenantId, id: ProjectId) -> Result<()> {
        let stream = event::stream(tenant, id);
        let head = outbox::event::head(tx, stream).await?;
        let at = lock(&self.0).at;
        let behind = match at {
            Some(at) if at == head => return Ok(()),
            Some(_) if sabotage::broken("known-for-ever") => return Ok(()),
            Some(at) if at.epoch == head.epoch && (1..=EVENTS).contains(&(head.seq - at.seq)) => Some(at.seq),
            _ => None,
        };
        let events = self.between(tx, stream, behind, head).await?;
        let mut project = lock(&self.0);
        project.moment += 1;
        match events {
            Some(events) => events.iter().for_each(|event| project.note(event)),
            None => project.clear(),
        }
        project.moment += 1;
        project.at = Some(head);
        Ok(())
    }

    /// The events after `behind` up to `head`, if none of them is missing.
    async fn between(
        &self,
        tx: &mut Tx,
        stream: Stream,
        behind: Option<i64>,
        head: StreamHead,
    ) -> Result<Option<Vec<outbox::Event>>> {
        let Some(behind) = behind else { return Ok(None) };
        let count = head.seq - behind;
        let events = outbox::event::after(tx, stream, behind, count).await?;
        Ok((events.len() as i64 == count).then_some(events))
    }

    /// The known alert of a digest.
    pub fn hit(&self, digest: &[u8; 16]) -> Option<Hit> {
        let project = lock(&self.0);
        let Alert { alert_key, alert, incident, fingerprint, name, .. } = project.get(digest)?;
        Some(Hit {
            alert_key: *alert_key,
            alert: *alert,
            incident: *incident,
            fingerprint: fingerprint.to_string(),
            name: name.to_string(),
        })
    }

    /// Takes over what a commit did: alerts that are known now, alerts that are not, and the numbers of its events.
    ///
    /// When other events came between, the next commit reads them.
    pub fn committed(&self, steady: Vec<Alert>, touched: &[AlertId], numbers: Option<(i64, i64)>) {
        let mut project = lock(&self.0);
        for alert in touched {
            project.forget(*alert);
        }
        for alert in steady {
            project.learn(alert);
        }
        if let (Some(at), Some((first, last))) = (&mut project.at, numbers)
            && at.seq + 1 == first
        {
            at.seq = last;
        }
    }
}

impl Known {
    /// What is known of a project.
    pub fn of(&self, project: ProjectId) -> Lookup {
        let mut projects = lock(&self.projects);
        if projects.len() >= PROJECTS && !projects.contains_key(&project) {
            projects.clear();
        }
        Lookup(projects.entry(project).or_default().clone())
    }
}

/// The numbers of the events that a commit appended to a project's stream, first and last.
pub fn numbers(written: &[(Uuid, i64, i64)], project: ProjectId) -> Option<(i64, i64)> {
    written.iter().find(|(stream, ..)| *stream == project.0).map(|(_, first, last)| (*first, *last))
}
