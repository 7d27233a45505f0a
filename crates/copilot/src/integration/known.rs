//! Firing alerts that are known word for word, so that their repetition writes nothing but its receipt.
//!
//! An alert is here only while its episode and its incident are open and its text is what is stored. That can
//! change in any process, but never without an event: episodes, incidents, merges and descriptions each announce
//! what they change in the same commit. So what is known is known as of a number in the project's stream. Every commit
//! first reads where the stream stands, and whatever the events in between name is forgotten before it counts: those of
//! others, because what its own commits did is known already.

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

/// Others' events that are read to catch up; a project that is further behind is learned anew.
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

/// Runs of events that this process appended itself, first and last number each, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Own(Vec<(i64, i64)>);

impl Own {
    /// Adds a run whose commit has just been taken over. What was committed after it was taken over before it, and may
    /// have been undone by it: those events are read like anybody's.
    fn add(&mut self, first: i64, last: i64) {
        self.0.retain(|(_, earlier)| *earlier < first);
        self.0.push((first, last));
    }

    /// Where others' events are after number `at` and up to `head`: the number before each run, and its length.
    fn gaps(&self, at: i64, head: i64) -> Vec<(i64, i64)> {
        let mut gaps = Vec::new();
        let mut at = at;
        for (first, last) in self.0.iter().copied().chain([(head + 1, head + 1)]) {
            let end = first.min(head + 1);
            if end > at + 1 {
                gaps.push((at, end - at - 1));
            }
            at = at.max(last);
        }
        gaps
    }
}

/// What is known of one project.
#[derive(Default)]
struct Project {
    /// As of where in the stream.
    at: Option<StreamHead>,
    /// What of the events after that is our own.
    own: Own,
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
            let (at, own) = (self.at, std::mem::take(&mut self.own));
            self.clear();
            (self.at, self.own) = (at, own);
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

    /// Reads the events since what is known was last true, and forgets what they name; returns the number that it is true
    /// as of then.
    ///
    /// # Errors
    /// When the database refused; then nothing is known any more.
    pub async fn catch_up(&self, tx: &mut Tx, tenant: TenantId, id: ProjectId) -> Result<i64> {
        let stream = event::stream(tenant, id);
        let head = outbox::event::head(tx, stream).await?;
        let gaps = {
            let project = lock(&self.0);
            match project.at {
                Some(at) if at == head => return Ok(head.seq),
                Some(_) if sabotage::broken("known-for-ever") => return Ok(head.seq),
                Some(at) if at.epoch == head.epoch && at.seq < head.seq => {
                    Some(project.own.gaps(at.seq, head.seq))
                }
                _ => None,
            }
        };
        let gaps = gaps.filter(|gaps| gaps.iter().map(|(_, count)| count).sum::<i64>() <= EVENTS);
        let events = match gaps {
            Some(gaps) => within(tx, stream, gaps).await?,
            None => None,
        };
        let mut project = lock(&self.0);
        project.moment += 1;
        match events {
            Some(events) => events.iter().for_each(|event| project.note(event)),
            None => project.clear(),
        }
        project.moment += 1;
        project.at = Some(head);
        project.own.0.retain(|(_, last)| *last > head.seq);
        Ok(head.seq)
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

    /// Takes over what a commit did that caught up with number `caught_up`: alerts that are known now, alerts that are
    /// not, and the numbers of its events.
    ///
    /// What others announced in between is read by the next commit. When that one was faster, events after this commit's
    /// have been read already, and would not be again: then nothing is learned from it.
    pub fn committed(
        &self,
        steady: Vec<Alert>,
        touched: &[AlertId],
        caught_up: i64,
        numbers: Option<(i64, i64)>,
    ) {
        let mut project = lock(&self.0);
        for alert in touched {
            project.forget(*alert);
        }
        let (first, last) = numbers.unwrap_or((caught_up + 1, caught_up));
        if project.at.is_some_and(|at| at.seq <= last) {
            for alert in steady {
                project.learn(alert);
            }
        }
        project.own.add(first, last);
    }
}

/// The events of these runs (the number before each, and its length), if none of them is missing.
async fn within(tx: &mut Tx, stream: Stream, runs: Vec<(i64, i64)>) -> Result<Option<Vec<outbox::Event>>> {
    let mut all = Vec::new();
    for (after, count) in runs {
        let events = outbox::event::after(tx, stream, after, count).await?;
        if events.len() as i64 != count {
            return Ok(None);
        }
        all.extend(events);
    }
    Ok(Some(all))
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

#[cfg(test)]
mod tests {
    use outbox::{Clock, Db, NewEvent};
    use serde_json::json;

    use super::*;
    use crate::scratch::Scratch;

    struct Site {
        db: Db,
        tenant: TenantId,
        project: ProjectId,
        lookup: Lookup,
        _folder: tempfile::TempDir,
        _database: Scratch,
    }

    impl Site {
        /// A project with one event.
        async fn new() -> Self {
            let (folder, database) = (tempfile::tempdir().unwrap(), Scratch::new().await);
            let db = crate::db::open(&database.url(), folder.path(), Clock::System).await.unwrap();
            let (tenant, project) = (TenantId::new(), ProjectId::new());
            let lookup = Known::default().of(project);
            let site = Self { db, tenant, project, lookup, _folder: folder, _database: database };
            site.commit(1, "hypothesis.generated", Uuid::now_v7()).await;
            site
        }

        /// Commits events, and says which numbers they have.
        async fn commit(&self, count: usize, kind: &'static str, id: Uuid) -> (i64, i64) {
            let mut tx = self.db.begin(self.tenant.0).await.unwrap();
            for _ in 0..count {
                let event = NewEvent { kind, data: json!({"id": id}) };
                tx.append(event::stream(self.tenant, self.project), event);
            }
            numbers(&tx.commit_numbered().await.unwrap(), self.project).unwrap()
        }

        /// Whether the alert is still known at the next commit.
        async fn knows(&self, alert: &Alert) -> bool {
            let mut tx = self.db.begin(self.tenant.0).await.unwrap();
            self.lookup.catch_up(&mut tx, self.tenant, self.project).await.unwrap();
            self.lookup.hit(&alert.digest).is_some()
        }
    }

    fn alert() -> Alert {
        Alert {
            digest: [7; 16],
            end: End::Ignored,
            alert_key: [7; 32],
            alert: AlertId::new(),
            incident: IncidentId::new(),
            fingerprint: "f".into(),
            name: "Down".into(),
        }
    }

    /// A storm: a commit with more events than are read to catch up, while others' analyses end.
    #[tokio::test]
    async fn what_others_do_meanwhile_costs_only_what_it_names() {
        let (site, alert) = (Site::new().await, alert());
        assert!(!site.knows(&alert).await);
        site.commit(1, "hypothesis.generated", Uuid::now_v7()).await;
        let own = site.commit(EVENTS as usize + 1, "alert.fired", alert.alert.0).await;
        site.lookup.committed(vec![alert.clone()], &[alert.alert], 1, Some(own));
        site.commit(1, "hypothesis.generated", Uuid::now_v7()).await;
        assert!(site.knows(&alert).await);
        site.commit(1, "incident.updated", alert.incident.0).await;
        assert!(!site.knows(&alert).await);
    }

    /// The lane and the one who drains the spool commit at once, and the first of the two is slow to say what it did.
    #[tokio::test]
    async fn nothing_is_learned_from_a_commit_that_others_have_overtaken() {
        let (site, alert) = (Site::new().await, alert());
        assert!(!site.knows(&alert).await);
        let fired = site.commit(1, "alert.fired", alert.alert.0).await;
        let resolved = site.commit(1, "alert.resolved", alert.alert.0).await;
        site.lookup.committed(Vec::new(), &[alert.alert], fired.1, Some(resolved));
        assert!(!site.knows(&alert).await);
        site.lookup.committed(vec![alert.clone()], &[alert.alert], 1, Some(fired));
        assert!(!site.knows(&alert).await);
    }

    #[test]
    fn only_what_others_appended_is_read() {
        let mut own = Own::default();
        assert_eq!(own.gaps(3, 3), []);
        assert_eq!(own.gaps(3, 5), [(3, 2)]);
        own.add(4, 10);
        assert_eq!(own.gaps(3, 10), []);
        assert_eq!(own.gaps(3, 12), [(10, 2)]);
        assert_eq!(own.gaps(3, 6), [], "a head that was read before our commit");
        own.add(13, 20);
        assert_eq!(own.gaps(3, 20), [(10, 2)]);
        assert_eq!(own.gaps(2, 22), [(2, 1), (10, 2), (20, 2)]);
        assert_eq!(own.gaps(15, 20), [], "what is known already is among our own");
    }

    #[test]
    fn what_was_taken_over_too_early_is_read() {
        let mut own = Own::default();
        own.add(13, 20);
        own.add(4, 10);
        assert_eq!(own.gaps(3, 20), [(10, 10)]);
    }
}
