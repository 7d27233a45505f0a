//! What one transaction writes about alerts, gathered until the end: one statement a table.

use outbox::{Ts, Tx};
use serde_json::{Value, json};

use super::Origin;
use super::one::One;
use crate::ids::{EpisodeId, IncidentId, ProjectId, TenantId};
use crate::incident::tracked::store::Sent;
use crate::incident::tracked::store::bulk::{self, Heard, NewEpisode, Write};
use crate::incident::work::Desk;

/// Alerts of one incident and transaction that get a step of their own; the others share one.
const STEPS: usize = 10;

/// Names of alerts that the shared step tells.
const NAMES: usize = 20;

/// What one transaction writes about alerts.
#[derive(Default)]
pub(super) struct Writes<'a> {
    new: Vec<(Sent<'a>, Write<'a>)>,
    known: Vec<Write<'a>>,
    heard: Vec<Heard>,
    begun: Vec<NewEpisode>,
    ended: Vec<(EpisodeId, Ts, Ts)>,
    moved: Vec<(EpisodeId, IncidentId)>,
}

impl<'a> Writes<'a> {
    /// Writes alerts as far as they changed.
    pub fn alerts(&mut self, ones: impl IntoIterator<Item = One<'a>>) {
        for one in ones {
            self.alert(one);
        }
    }

    fn alert(&mut self, one: One<'a>) {
        let One { row, first, track, incident, episode, changed, heard, .. } = one;
        if !changed && first.is_none() {
            if heard > 0 {
                self.heard.push(Heard { alert: row.id, at: row.last_seen_at, statements: heard });
            }
            return;
        }
        let write = Write { first, row, track, incident, episode };
        match first {
            Some(sent) => self.new.push((sent, write)),
            None => self.known.push(write),
        }
    }

    /// Begins an episode.
    pub fn begin(&mut self, id: EpisodeId, one: &One<'_>, starts_at: Ts, opened_at: Ts) {
        let (alert, incident) = (one.row.id, one.incident);
        self.begun.push(NewEpisode { id, alert, incident, starts_at, opened_at, ended: None });
    }

    /// Ends an episode.
    pub fn end(&mut self, id: EpisodeId, ends_at: Ts, now: Ts) {
        match self.begun.iter_mut().rev().find(|begun| begun.id == id) {
            Some(begun) => begun.ended = Some((ends_at, now)),
            None => self.ended.push((id, ends_at, now)),
        }
    }

    /// Moves an open episode to another incident.
    pub fn move_to(&mut self, id: EpisodeId, incident: IncidentId) {
        match self.begun.iter_mut().rev().find(|begun| begun.id == id) {
            Some(begun) => begun.incident = Some(incident),
            None => self.moved.push((id, incident)),
        }
    }

    /// Writes everything.
    pub async fn flush(mut self, tx: &mut Tx, tenant: TenantId, project: ProjectId) -> sqlx::Result<()> {
        // Keys in order: two processes that see the same alerts for the first time never wait in a circle.
        self.new.sort_by_key(|(sent, _)| sent.alert_key);
        self.heard.sort_by_key(|heard| heard.alert);
        bulk::insert(tx, tenant, project, &self.new).await?;
        bulk::save(tx, tenant, &self.known).await?;
        bulk::hear(tx, tenant, &self.heard).await?;
        bulk::begin(tx, tenant, project, &self.begun).await?;
        bulk::end(tx, tenant, &self.ended).await?;
        bulk::move_to(tx, tenant, &self.moved).await
    }
}

/// The alerts that an incident received in one transaction: the first few have a step each, the others share one.
#[derive(Default)]
pub(super) struct Arrivals {
    count: usize,
    names: Vec<Value>,
    source: Option<String>,
}

impl Arrivals {
    /// Notes an alert that its incident receives for the first time.
    pub fn note(&mut self, desk: &mut Desk, incident: IncidentId, detail: Value, origin: &Origin) {
        self.count += 1;
        if self.count <= STEPS {
            desk.step(incident, "alert_received", detail, Some(&origin.source.name));
            return;
        }
        if self.names.len() < NAMES {
            self.names.extend(detail.get("title").cloned());
        }
        self.source.get_or_insert_with(|| origin.source.name.clone());
    }

    /// Tells of those that have no step of their own.
    pub fn rest(self, desk: &mut Desk, incident: IncidentId) {
        let Some(more) = self.count.checked_sub(STEPS).filter(|more| *more > 0) else { return };
        let detail = json!({
            "name": format!("{more} more"), "title": format!("{more} more alerts"), "count": more,
            "titles": self.names, "source": self.source,
        });
        desk.step(incident, "alert_received", detail, self.source.as_deref());
    }
}
