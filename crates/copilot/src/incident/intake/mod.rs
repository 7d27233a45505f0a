//! What accepted statements do: alert by alert through the rules, incident by incident onto the desk.

mod join;
mod one;
mod source;
mod writes;

use std::collections::{BTreeMap, BTreeSet};

use outbox::{Ts, Tx, sabotage};

use super::episode::{Due, Effect};
use super::store::{self, bulk::Lead};
use super::tracked::{self, Tracked, store::Sent};
use super::work::Desk;
use crate::error::Result;
use crate::event::{self, Event};
use crate::ids::{AlertId, DeliveryId, IncidentId, ProjectId, TenantId};
use one::One;
pub use source::{Origin, Source};
use writes::{Arrivals, Writes};

crate::words! {
    /// What became of one alert of a webhook request.
    pub enum Outcome {
        /// It opened an incident.
        Opened = "opened",
        /// It joined an open incident.
        Attached = "attached",
        /// It was known to fire.
        Repeated = "repeated",
        /// It closed.
        Resolved = "resolved",
        /// It reopened an incident.
        Reopened = "reopened",
        /// It looks like an echo of the last episode and is believed in a minute.
        Held = "held",
        /// It was recorded and changed no incident.
        Suppressed = "suppressed",
        /// It could not be read; it is kept as it came.
        Quarantined = "quarantined",
    }
}

/// One accepted statement about one alert.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a> {
    /// The alert and its keys.
    pub sent: Sent<'a>,
    /// The integration it came through.
    pub source: &'a Source,
    /// The receipt it is listed on.
    pub delivery: DeliveryId,
    /// Its request's place in the order of acceptance.
    pub order: usize,
    /// When its request was received: before now, if it waited.
    pub heard_at: Ts,
}

/// What a statement did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// In one word.
    pub outcome: Outcome,
    /// Why, where the word does not say.
    pub reason: Option<&'static str>,
    /// The incident it concerns.
    pub incident: Option<IncidentId>,
    /// The alert.
    pub alert: AlertId,
    /// Whether the same statement again would change nothing: the alert fires, its incident is open, and what is
    /// stored of it is what this statement says.
    pub steady: bool,
}

/// What a statement did, before it is known how its alert ends up.
struct Done {
    outcome: Outcome,
    reason: Option<&'static str>,
    incident: Option<IncidentId>,
}

impl Done {
    fn new(outcome: Outcome, reason: impl Into<Option<&'static str>>, incident: Option<IncidentId>) -> Self {
        Self { outcome, reason: reason.into(), incident }
    }
}

/// The statements about one alert key, each with its place among those given.
type Group<'s, 'a> = Vec<(usize, &'s Statement<'a>)>;

/// Applies statements of one project in the order of acceptance, and answers in the order given; `None` when the project
/// was deleted.
///
/// What the statements speak of is read and locked with a few statements for all, the rules are applied in memory,
/// and what changed is written with one statement a table. Within a request firings come before resolutions, because
/// the order in a body is not time: what ends must not take an incident along that something else keeps open.
///
/// # Errors
/// When the database refused; nothing was applied then. A unique violation means that another process was faster,
/// and the whole transaction is to be tried again.
pub async fn apply(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    statements: &[Statement<'_>],
) -> Result<Option<Vec<Applied>>> {
    let mut groups: BTreeMap<[u8; 32], Group<'_, '_>> = BTreeMap::new();
    for (index, statement) in statements.iter().enumerate() {
        groups.entry(statement.sent.alert_key).or_default().push((index, statement));
    }
    let mut ordered: Group<'_, '_> = statements.iter().enumerate().collect();
    ordered.sort_by_key(|(index, statement)| (statement.order, statement.sent.alert.status, *index));
    if !store::lock_project(tx, tenant, project).await? {
        return Ok(None);
    }
    let mut intake = Intake::new(tenant, project, tx.now());
    let mut known = intake.load(tx, &groups).await?;
    let mut ones: BTreeMap<[u8; 32], One<'_>> = BTreeMap::new();
    let mut done = Vec::with_capacity(statements.len());
    for (index, statement) in ordered {
        let key = statement.sent.alert_key;
        let one =
            ones.entry(key).or_insert_with(|| One::sent(known.remove(&key[..]), &statement.sent, intake.now));
        let group = groups.get(&key).map_or(&[][..], Vec::as_slice);
        done.push((index, intake.accept(tx, one, statement, group).await?));
    }
    intake.heard_again(tx, &ones).await?;
    done.sort_unstable_by_key(|(index, _)| *index);
    let applied = statements.iter().zip(done).filter_map(|(statement, (_, done))| {
        Some(intake.applied(ones.get(&statement.sent.alert_key)?, statement, done))
    });
    let applied = applied.collect();
    intake.writes.alerts(ones.into_values());
    sabotage::point("intake.before_incidents").await?;
    intake.finish(tx).await?;
    sabotage::point("intake.incidents_written").await?;
    Ok(Some(applied))
}

/// Does what was due for an alert by now without a statement: a hold or a flapping that ended. In a deleted project nothing is.
///
/// # Errors
/// When the database refused.
pub async fn due(tx: &mut Tx, tenant: TenantId, project: ProjectId, id: AlertId) -> Result<()> {
    if !store::lock_project(tx, tenant, project).await? {
        return Ok(tracked::store::let_go(tx, tenant, id).await?);
    }
    let Some(tracked) = tracked::store::find(tx, tenant, id).await? else { return Ok(()) };
    let now = tx.now();
    let mut intake = Intake::new(tenant, project, now);
    let stored = tracked::store::stored(tx, tenant, id).await?;
    let origin = stored.origin();
    let mut one = One::stored(tracked, stored);
    intake.settle(tx, &mut one, &origin).await?;
    intake.writes.alerts([one]);
    intake.finish(tx).await
}

struct Intake<'a> {
    tenant: TenantId,
    project: ProjectId,
    now: Ts,
    desk: Desk,
    writes: Writes<'a>,
    /// Where incident keys lead to by now.
    leads: BTreeMap<[u8; 32], Lead>,
    /// The alerts that each incident received.
    arrivals: BTreeMap<IncidentId, Arrivals>,
    open_count: Option<i64>,
}

impl<'a> Intake<'a> {
    fn new(tenant: TenantId, project: ProjectId, now: Ts) -> Self {
        let desk = Desk::of_senders(tenant, project, now);
        let (writes, leads, arrivals) = (Writes::default(), BTreeMap::new(), BTreeMap::new());
        Self { tenant, project, now, desk, writes, leads, arrivals, open_count: None }
    }

    /// Reads what the statements speak of: the known alerts, their incidents, and those that new episodes may join.
    async fn load(
        &mut self,
        tx: &mut Tx,
        groups: &BTreeMap<[u8; 32], Group<'_, '_>>,
    ) -> Result<BTreeMap<Vec<u8>, Tracked>> {
        let keys: Vec<&[u8]> = groups.keys().map(|alert_key| &alert_key[..]).collect();
        let known = tracked::store::bulk::load(tx, self.tenant, self.project, &keys).await?;
        let mut joining = BTreeSet::new();
        let mut incidents = BTreeSet::new();
        for (alert_key, group) in groups {
            let row = known.get(&alert_key[..]);
            let fires = group.iter().any(|(_, one)| one.sent.alert.status == alerts::Status::Firing);
            let open = row.is_some_and(|row| row.episode_id.is_some());
            if fires && !open {
                joining.extend(group.iter().map(|(_, one)| one.sent.incident_key));
            }
            let steady = |row: &Tracked| row.incident_open() == Some(true) && !row.incident_stale();
            let quiet = open && fires && row.is_some_and(steady);
            incidents.extend(row.and_then(|row| row.incident_id).filter(|_| !quiet));
        }
        let joining: Vec<[u8; 32]> = joining.into_iter().collect();
        for lead in store::bulk::leads(tx, self.tenant, self.project, &joining).await? {
            incidents.extend(lead.incident());
            if let Ok(key) = lead.incident_key.as_slice().try_into() {
                self.leads.insert(key, lead);
            }
        }
        self.desk.load(tx, &incidents).await?;
        Ok(known)
    }

    /// Writes everything.
    async fn finish(mut self, tx: &mut Tx) -> Result<()> {
        for (incident, arrivals) in std::mem::take(&mut self.arrivals) {
            arrivals.rest(&mut self.desk, incident);
        }
        self.desk.clear(tx).await?;
        Ok(self.writes.flush(tx, self.tenant, self.project).await?)
    }

    /// Applies one statement; `group` are all about its alert.
    async fn accept(
        &mut self,
        tx: &mut Tx,
        one: &mut One<'a>,
        statement: &Statement<'a>,
        group: &[(usize, &Statement<'a>)],
    ) -> Result<Done> {
        let origin = Origin { source: statement.source.clone(), delivery: Some(statement.delivery) };
        one.hear(statement.heard_at);
        if self.is_outlived(statement, group) {
            return Ok(Done::new(Outcome::Suppressed, "older-episode", one.incident));
        }
        self.statement(tx, one, statement, &origin).await
    }

    /// Takes the mark off incidents that were stale and of which something is heard.
    async fn heard_again(&mut self, tx: &mut Tx, ones: &BTreeMap<[u8; 32], One<'_>>) -> Result<()> {
        for id in ones.values().filter(|one| one.row.incident_stale()).filter_map(|one| one.incident) {
            self.desk.take(tx, id).await?;
            self.desk.heard_again(id);
        }
        Ok(())
    }

    /// What a statement did, now that it is known how its alert ends up.
    fn applied(&self, one: &One<'a>, statement: &Statement<'a>, done: Done) -> Applied {
        let steady = self.is_open(one) == Some(true) && one.is_told_by(statement.sent.alert);
        let Done { outcome, reason, incident } = done;
        Applied { outcome, reason, incident, alert: one.row.id, steady }
    }

    /// Whether the alert's incident is open by now.
    fn is_open(&self, one: &One<'a>) -> Option<bool> {
        one.incident.and_then(|id| self.desk.is_open(id).or(one.row.incident_open()))
    }

    /// Whether a resolution ends before a firing of its own request begins: it is about an episode before that one, which the
    /// firing has only refreshed, and would hide what fires now.
    fn is_outlived(&self, statement: &Statement<'_>, group: &[(usize, &Statement<'_>)]) -> bool {
        let alert = statement.sent.alert;
        let ends_at = alert.ends_at.map_or(self.now, Ts::from);
        alert.status == alerts::Status::Resolved
            && group.iter().any(|(_, other)| {
                other.order == statement.order
                    && other.sent.alert.status == alerts::Status::Firing
                    && Ts::from(other.sent.alert.starts_at) > ends_at
            })
    }

    async fn statement(
        &mut self,
        tx: &mut Tx,
        one: &mut One<'a>,
        statement: &Statement<'a>,
        origin: &Origin,
    ) -> Result<Done> {
        let alert = statement.sent.alert;
        if one.heartbeat {
            return Ok(Done::new(Outcome::Suppressed, "heartbeat", None));
        }
        self.settle(tx, one, origin).await?;
        let starts_at = Ts::from(alert.starts_at);
        let ends_at = alert.ends_at.map_or(self.now, Ts::from);
        match alert.status {
            alerts::Status::Firing => {
                self.describe(tx, one, alert).await?;
                let before = one.track.open;
                let effect = one.track.firing(starts_at, self.now);
                // An earlier start is kept, because resolutions are compared with it.
                one.changed |= before != one.track.open;
                self.fired(tx, one, effect, origin).await
            }
            alerts::Status::Resolved => {
                let effect = one.track.resolved(starts_at, ends_at, self.now);
                if matches!(effect, Effect::Closed { .. }) {
                    one.note_end(alert);
                }
                self.ended(tx, one, effect).await
            }
        }
    }

    /// What a firing led to.
    async fn fired(
        &mut self,
        tx: &mut Tx,
        one: &mut One<'a>,
        effect: Effect,
        origin: &Origin,
    ) -> Result<Done> {
        one.changed |= effect != Effect::Refreshed;
        match effect {
            Effect::Opened { starts_at, at } => self.begin(tx, one, starts_at, at, origin).await,
            Effect::OpenedClosed { starts_at, ends_at } => {
                self.begin(tx, one, starts_at, self.now, origin).await?;
                self.close(tx, one, ends_at).await?;
                Ok(Done::new(Outcome::Resolved, "swapped-pair", one.incident))
            }
            Effect::Held => Ok(Done::new(Outcome::Held, "maybe-an-echo", one.incident)),
            _ if self.is_open(one) == Some(false) => self.still_firing(tx, one, origin).await,
            _ => Ok(Done::new(Outcome::Repeated, None, one.incident)),
        }
    }

    /// What a resolution led to.
    async fn ended(&mut self, tx: &mut Tx, one: &mut One<'a>, effect: Effect) -> Result<Done> {
        match effect {
            Effect::Closed { ends_at } => {
                one.changed = true;
                self.close(tx, one, ends_at).await?;
                Ok(Done::new(Outcome::Resolved, None, one.incident))
            }
            Effect::Older => Ok(Done::new(Outcome::Suppressed, "older-episode", one.incident)),
            Effect::HoldEnded => {
                one.changed = true;
                Ok(Done::new(Outcome::Suppressed, "hold-ended", one.incident))
            }
            _ => {
                one.changed = true;
                Ok(Done::new(Outcome::Suppressed, "nothing-open", one.incident))
            }
        }
    }

    /// Ends holds and flapping whose time has come.
    async fn settle(&mut self, tx: &mut Tx, one: &mut One<'a>, origin: &Origin) -> Result<()> {
        while let Some(due) = one.track.due(self.now) {
            one.changed = true;
            match due {
                Due::Believed { starts_at, at } => {
                    self.begin(tx, one, starts_at, at, origin).await?;
                }
                Due::Calm => {
                    self.desk.flaps(one.row.id, None);
                    if let Some(incident) = one.incident {
                        self.desk.mark_flapping(tx, incident).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn close(&mut self, tx: &mut Tx, one: &mut One<'a>, ends_at: Ts) -> Result<()> {
        if let Some(episode) = one.episode.take() {
            self.writes.end(episode, ends_at, self.now);
        }
        event::append(tx, self.tenant, self.project, &Event::AlertResolved(one.summary()));
        if let Some(incident) = one.incident {
            if one.track.is_flapping() {
                self.desk.flaps(one.row.id, Some(incident));
                self.desk.mark_flapping(tx, incident).await?;
            }
            self.desk.alert_closed(tx, incident).await?;
        }
        Ok(())
    }

    /// Keeps what the sender says by now, and tells when it says something else.
    async fn describe(&mut self, tx: &mut Tx, one: &mut One<'a>, alert: &alerts::Alert) -> Result<()> {
        if !one.describe(alert) {
            return Ok(());
        }
        if let (Some(incident), Some(_)) = (one.incident, one.episode) {
            let (severity, note) = (one.row.severity, one.severity_note.clone());
            self.desk.take(tx, incident).await?.raise(severity, note);
            self.desk.changed(incident);
        }
        Ok(())
    }
}
