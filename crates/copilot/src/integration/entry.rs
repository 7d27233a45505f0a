//! A webhook request that was read and waits to be stored.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use axum::body::Bytes;
use outbox::Ts;
use tokio::time::Instant;
use uuid::Uuid;

use super::Kind;
use super::deliveries::DeliveryResult;
use super::deliveries::receipt::Request;
use super::hook::Hook;
use super::known::{Hit, Lookup};
use super::room::Room;
use super::token::Proof;
use crate::ids::{DeliveryId, ProjectId};
use crate::incident::intake::{Applied, Outcome, Statement};
use crate::incident::tracked::store::Sent;

/// How long a request waits for its commit. Alertmanager gives up after 10 s at the earliest, so nothing is
/// committed for a sender that no longer listens.
const PATIENCE: std::time::Duration = std::time::Duration::from_millis(4500);

/// A body and how it came.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The route it came by.
    pub kind: Kind,
    /// The body, inflated.
    pub body: Bytes,
    /// When the request was received.
    pub received_at: Ts,
}

/// An alert with its keys.
pub struct Prepared {
    /// The alert.
    pub alert: Box<alerts::Alert>,
    /// Which alert it is.
    pub alert_key: [u8; 32],
    incident_key: [u8; 32],
    /// By what it is recognised when it is sent again.
    pub sketch: Option<([u8; 16], alerts::End)>,
}

/// An alert whose text is known to be a repetition, if that still holds when it is stored.
#[derive(Clone, Copy, Debug)]
pub struct Recognised {
    /// Its place in the body, from 0.
    pub index: usize,
    /// By what it was recognised.
    pub digest: [u8; 16],
}

/// A request that was read and waits to be stored.
pub struct Entry {
    /// Who sent it.
    pub proof: Arc<Proof>,
    /// What is known of it besides its alerts.
    pub request: Request,
    /// The body and how it came.
    pub reading: Reading,
    /// The alerts that must be applied.
    pub prepared: Vec<Prepared>,
    /// The alerts that only repeat what is known.
    pub recognised: Vec<Recognised>,
    /// What became of those that are read, in the order of the body.
    results: Vec<DeliveryResult>,
    /// Until when its sender listens.
    pub deadline: Instant,
    /// Its name in the spool, if it waited there.
    pub spooled: Option<Uuid>,
    /// Where its body is counted, if it came by the network.
    pub room: Option<Arc<Room>>,
}

impl Entry {
    /// Reads a request; alerts that `known` recognises are not read.
    ///
    /// # Errors
    /// When the body is not the sender's format, or too much.
    pub fn read(hook: &Hook, reading: Reading, known: Option<&Lookup>) -> Result<Self, alerts::ParseError> {
        let proof = hook.proof.clone();
        let received = reading.received_at.timestamp();
        let recognised = RefCell::new(Vec::new());
        let places: RefCell<Vec<(usize, Range<usize>)>> = RefCell::default();
        let start = reading.body.as_ptr() as usize;
        let is_known = |index: usize, json: &str| {
            let Some(known) = known else { return false };
            let sketch = alerts::Sketch::of(&proof.seed, json);
            if known.recognises(&sketch, received) {
                recognised.borrow_mut().push(Recognised { index, digest: sketch.digest });
                return true;
            }
            let from = json.as_ptr() as usize - start;
            places.borrow_mut().push((index, from..from + json.len()));
            false
        };
        let sender = reading.kind.sender();
        let batch = alerts::parse_unknown(sender, &reading.body, received, &proof.settings, &is_known)?;
        let request = Request {
            received_at: reading.received_at,
            remote: hook.remote.clone(),
            user_agent: hook.user_agent.clone(),
            sender: reading.kind.as_str(),
            format: batch.format.as_str(),
            truncated: i64::try_from(batch.truncated).unwrap_or(i64::MAX),
            flags: batch.flags.clone(),
            replay_of: None,
        };
        let (recognised, places) = (recognised.into_inner(), places.into_inner());
        let deadline = Instant::now() + PATIENCE;
        let mut entry = Self {
            proof,
            request,
            reading,
            prepared: Vec::new(),
            recognised,
            results: Vec::new(),
            deadline,
            spooled: None,
            room: None,
        };
        entry.prepare(batch, &places);
        Ok(entry)
    }

    /// Reads alerts that were recognised and no longer are.
    pub fn read_again(&mut self, unknown: &BTreeSet<usize>) {
        self.recognised.retain(|recognised| !unknown.contains(&recognised.index));
        let places: RefCell<Vec<(usize, Range<usize>)>> = RefCell::default();
        let (reading, proof) = (self.reading.clone(), self.proof.clone());
        let start = reading.body.as_ptr() as usize;
        let is_known = |index: usize, json: &str| {
            let from = json.as_ptr() as usize - start;
            places.borrow_mut().push((index, from..from + json.len()));
            !unknown.contains(&index)
        };
        let (sender, received) = (reading.kind.sender(), reading.received_at.timestamp());
        // It could be read before.
        let batch = alerts::parse_unknown(sender, &reading.body, received, &proof.settings, &is_known);
        if let Ok(batch) = batch {
            self.prepare(batch, &places.into_inner());
        }
        self.results.sort_by_key(|result| result.index);
    }

    fn prepare(&mut self, batch: alerts::Batch, places: &[(usize, Range<usize>)]) {
        let [tenant, project, source] = &self.proof.names;
        let kind = batch.format.sender();
        for parsed in batch.alerts {
            self.results.push(DeliveryResult::of(&parsed));
            let alerts::Parsed::Alert(alert) = parsed else { continue };
            let alert_key = alerts::alert_key(tenant, project, source, &alert, kind);
            let group_by = &self.proof.group_by;
            let incident_key = alerts::incident_key(tenant, project, source, group_by, &alert, &alert_key);
            let place = places.binary_search_by_key(&alert.index, |(index, _)| *index);
            let place = place.ok().and_then(|at| places.get(at));
            let text = place.and_then(|(_, range)| self.reading.body.get(range.clone()));
            let text = text.and_then(|bytes| str::from_utf8(bytes).ok());
            let sketch = text.and_then(|json| {
                let end = alerts::End::of(json).filter(|_| alert.status == alerts::Status::Firing)?;
                Some((alerts::Sketch::of(&self.proof.seed, json).digest, end))
            });
            self.prepared.push(Prepared { alert, alert_key, incident_key, sketch });
        }
    }

    /// The same request again, as a replay of its receipt: only what was never applied is left in.
    pub fn replay_of(mut self, original: DeliveryId, mut applied: impl FnMut(&[u8; 32]) -> bool) -> Self {
        self.request.replay_of = Some(original);
        self.leave_out(|prepared| applied(&prepared.alert_key));
        self
    }

    /// The same request, which waited in the spool under this name.
    pub fn spooled(self, name: Uuid) -> Self {
        Self { spooled: Some(name), ..self }
    }

    /// The project it belongs to.
    pub fn project(&self) -> ProjectId {
        self.proof.integration.project_id
    }

    /// What is known of each alert before any is applied: that it waits in the spool.
    pub fn waits(&self) -> Vec<DeliveryResult> {
        let mut results = self.results.clone();
        for result in results.iter_mut().filter(|result| result.reason.is_none()) {
            result.outcome = Outcome::Held;
            result.reason = Some("spooled".to_owned());
        }
        results
    }

    /// Leaves alerts out that were applied before.
    pub fn leave_out(&mut self, mut applied: impl FnMut(&Prepared) -> bool) {
        let results = &mut self.results;
        self.prepared.retain(|prepared| {
            let done = applied(prepared);
            if let (true, Some(result)) =
                (done, results.iter_mut().find(|row| row.index == prepared.alert.index))
            {
                result.outcome = Outcome::Suppressed;
                result.reason = Some("already-applied".to_owned());
            }
            !done
        });
    }

    /// The keys of its alerts.
    pub fn keys(&self) -> impl Iterator<Item = &[u8; 32]> {
        self.prepared.iter().map(|prepared| &prepared.alert_key)
    }

    /// What is to be applied of it; `order` is its place in the order of acceptance.
    pub fn statements(&self, order: usize, delivery: DeliveryId) -> impl Iterator<Item = Statement<'_>> {
        self.prepared.iter().map(move |prepared| Statement {
            sent: Sent {
                alert: &prepared.alert,
                alert_key: prepared.alert_key,
                incident_key: prepared.incident_key,
                integration: self.proof.integration.id,
            },
            source: &self.proof.source,
            delivery,
            order,
            heard_at: self.reading.received_at,
        })
    }

    /// What became of each of its alerts, in the order of the body: `applied` in the order of [`Entry::statements`],
    /// and `hits` in that of the recognised.
    pub fn outcomes<'r>(
        &self,
        applied: impl Iterator<Item = &'r Applied>,
        hits: impl Iterator<Item = Hit>,
    ) -> Vec<DeliveryResult> {
        let mut results = self.results.clone();
        for (prepared, applied) in self.prepared.iter().zip(applied) {
            let at = results.binary_search_by_key(&prepared.alert.index, |result| result.index);
            if let Some(result) = at.ok().and_then(|at| results.get_mut(at)) {
                result.outcome = applied.outcome;
                result.reason = applied.reason.map(str::to_owned);
                result.incident_id = applied.incident;
            }
        }
        results.extend(self.recognised.iter().zip(hits).map(|(recognised, hit)| DeliveryResult {
            index: recognised.index,
            fingerprint: Some(hit.fingerprint),
            name: Some(hit.name),
            outcome: Outcome::Repeated,
            reason: None,
            incident_id: Some(hit.incident),
        }));
        results.sort_by_key(|result| result.index);
        results
    }
}
