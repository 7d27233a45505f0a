//! What accepted statements do: alert by alert through the rules, incident by incident onto the desk.

mod join;
mod one;
mod source;

use std::collections::BTreeMap;

use outbox::{Ts, Tx};

use super::Severity;
use super::episode::Effect;
use super::tracked::{self, store::Sent};
use super::work::Desk;
use crate::error::Result;
use crate::event::{self, Event};
use crate::ids::{AlertId, DeliveryId, IncidentId, ProjectId, TenantId};
use one::One;
pub use source::{Origin, Source};

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
}

impl Applied {
    fn new(outcome: Outcome, reason: impl Into<Option<&'static str>>, incident: Option<IncidentId>) -> Self {
        Self { outcome, reason: reason.into(), incident }
    }
}

/// Incident key and alert key.
type Keys = ([u8; 32], [u8; 32]);

/// Applies statements of one project in the order of acceptance, and answers in the order given.
///
/// Alerts are taken in the order of their keys, so that two transactions never wait for each other in a
/// circle; within a request a key's firings come before its resolutions, because the order in a body is not time.
///
/// # Errors
/// When the database refused; nothing was applied then.
pub async fn apply(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    statements: &[Statement<'_>],
) -> Result<Vec<Applied>> {
    let mut by_key: BTreeMap<Keys, Vec<(usize, &Statement<'_>)>> = BTreeMap::new();
    for (index, statement) in statements.iter().enumerate() {
        let key = (statement.sent.incident_key, statement.sent.alert_key);
        by_key.entry(key).or_default().push((index, statement));
    }
    let now = tx.now();
    let mut intake = Intake { tenant, project, now, desk: Desk::new(tenant, project, now), open_count: None };
    let mut applied: Vec<Option<Applied>> = vec![None; statements.len()];
    for group in by_key.values_mut() {
        group.sort_by_key(|(index, statement)| (statement.order, statement.sent.alert.status, *index));
        for (index, answer) in intake.one_key(tx, group).await? {
            if let Some(slot) = applied.get_mut(index) {
                *slot = Some(answer);
            }
        }
    }
    intake.desk.clear(tx).await?;
    Ok(applied.into_iter().flatten().collect())
}

/// Does what was due for an alert by now without a statement: a hold or a flapping that ended.
///
/// # Errors
/// When the database refused.
pub async fn due(tx: &mut Tx, tenant: TenantId, project: ProjectId, id: AlertId) -> Result<()> {
    let Some(tracked) = tracked::store::find(tx, tenant, id).await? else { return Ok(()) };
    let now = tx.now();
    let mut intake = Intake { tenant, project, now, desk: Desk::new(tenant, project, now), open_count: None };
    let stored = tracked::store::stored(tx, tenant, id).await?;
    let origin = stored.origin();
    let mut one = One::stored(tracked, stored);
    intake.settle(tx, &mut one, now, &origin).await?;
    intake.save(tx, &one).await?;
    intake.desk.clear(tx).await?;
    Ok(())
}

struct Intake {
    tenant: TenantId,
    project: ProjectId,
    now: Ts,
    desk: Desk,
    open_count: Option<i64>,
}

impl Intake {
    /// Applies the statements about one alert key, in order.
    async fn one_key(
        &mut self,
        tx: &mut Tx,
        group: &[(usize, &Statement<'_>)],
    ) -> Result<Vec<(usize, Applied)>> {
        let Some((_, first)) = group.first() else { return Ok(Vec::new()) };
        if first.sent.alert.is_heartbeat {
            tracked::store::note_gap(tx, self.tenant, self.project, &first.sent.alert_key, self.now).await?;
        }
        let sent = Sent { statements: group.len() as i64, ..first.sent };
        let row = tracked::store::touch(tx, self.tenant, self.project, &sent, self.now).await?;
        let mut one = One::sent(row, &first.sent);
        let mut applied = Vec::with_capacity(group.len());
        for (index, statement) in group {
            let origin = Origin { source: statement.source.clone(), delivery: Some(statement.delivery) };
            applied.push((*index, self.statement(tx, &mut one, statement, &origin).await?));
        }
        self.save(tx, &one).await?;
        Ok(applied)
    }

    async fn statement(
        &mut self,
        tx: &mut Tx,
        one: &mut One,
        statement: &Statement<'_>,
        origin: &Origin,
    ) -> Result<Applied> {
        let alert = statement.sent.alert;
        if one.heartbeat {
            return Ok(Applied::new(Outcome::Suppressed, "heartbeat", None));
        }
        self.settle(tx, one, self.now, origin).await?;
        let starts_at = Ts::from(alert.starts_at);
        let ends_at = alert.ends_at.map_or(self.now, Ts::from);
        match alert.status {
            alerts::Status::Firing => {
                self.describe(tx, one, alert).await?;
                let effect = one.track.firing(starts_at, self.now);
                self.fired(tx, one, effect, origin).await
            }
            alerts::Status::Resolved => {
                let effect = one.track.resolved(starts_at, ends_at, self.now);
                self.ended(tx, one, effect).await
            }
        }
    }

    /// What a firing led to.
    async fn fired(
        &mut self,
        tx: &mut Tx,
        one: &mut One,
        effect: Effect,
        origin: &Origin,
    ) -> Result<Applied> {
        one.changed |= effect != Effect::Refreshed;
        match effect {
            Effect::Opened { starts_at, at } => self.begin(tx, one, starts_at, at, origin).await,
            Effect::OpenedClosed { starts_at, ends_at } => {
                self.begin(tx, one, starts_at, self.now, origin).await?;
                self.close(tx, one, ends_at).await?;
                Ok(Applied::new(Outcome::Resolved, "swapped-pair", one.incident))
            }
            Effect::Held => Ok(Applied::new(Outcome::Held, "maybe-an-echo", one.incident)),
            _ if one.incident.is_some() && one.row.incident_open == Some(false) => {
                self.still_firing(tx, one, origin).await
            }
            _ => Ok(Applied::new(Outcome::Repeated, None, one.incident)),
        }
    }

    /// What a resolution led to.
    async fn ended(&mut self, tx: &mut Tx, one: &mut One, effect: Effect) -> Result<Applied> {
        match effect {
            Effect::Closed { ends_at } => {
                one.changed = true;
                self.close(tx, one, ends_at).await?;
                Ok(Applied::new(Outcome::Resolved, None, one.incident))
            }
            Effect::Older => Ok(Applied::new(Outcome::Suppressed, "older-episode", one.incident)),
            Effect::HoldEnded => {
                one.changed = true;
                Ok(Applied::new(Outcome::Suppressed, "hold-ended", one.incident))
            }
            _ => {
                one.changed = true;
                Ok(Applied::new(Outcome::Suppressed, "nothing-open", one.incident))
            }
        }
    }

    /// Ends a hold or a flapping whose time has come.
    async fn settle(&mut self, tx: &mut Tx, one: &mut One, now: Ts, origin: &Origin) -> Result<()> {
        if let Some(Effect::Opened { starts_at, at }) = one.track.due(now) {
            one.changed = true;
            self.begin(tx, one, starts_at, at, origin).await?;
        }
        if one.track.settle_flapping(now) {
            one.changed = true;
            self.save(tx, one).await?;
            if let Some(incident) = one.incident {
                self.desk.set_flapping(tx, incident, false).await?;
            }
        }
        Ok(())
    }

    async fn close(&mut self, tx: &mut Tx, one: &mut One, ends_at: Ts) -> Result<()> {
        if let Some(episode) = one.episode.take() {
            tracked::store::end(tx, self.tenant, episode, ends_at, self.now).await?;
        }
        event::append(tx, self.tenant, self.project, &Event::AlertResolved(one.summary()));
        if let Some(incident) = one.incident {
            if one.track.is_flapping() {
                self.desk.set_flapping(tx, incident, true).await?;
            }
            self.desk.alert_closed(tx, incident).await?;
        }
        Ok(())
    }

    /// Keeps what the sender says by now, and tells when it says something else.
    async fn describe(&mut self, tx: &mut Tx, one: &mut One, alert: &alerts::Alert) -> Result<()> {
        let severity = Severity::from(alert.severity);
        let row = &mut one.row;
        if row.annotations.0 == alert.annotations && row.severity == severity {
            return Ok(());
        }
        row.annotations.0.clone_from(&alert.annotations);
        row.severity = severity;
        tracked::store::describe(tx, self.tenant, row.id, alert).await?;
        if let (Some(incident), Some(_)) = (one.incident, one.episode) {
            self.desk.take(tx, incident).await?.raise(severity, one.severity_note.clone());
            self.desk.changed(incident);
        }
        Ok(())
    }

    async fn save(&self, tx: &mut Tx, one: &One) -> Result<()> {
        if one.changed {
            tracked::store::save(tx, self.tenant, one.row.id, &one.track, one.incident, one.episode).await?;
        }
        Ok(())
    }
}
