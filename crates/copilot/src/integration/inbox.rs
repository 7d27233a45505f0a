//! Group commit: requests that arrive together are stored together, and answered after it.
//!
//! A commit starts as soon as the one before has ended, with whatever has gathered; nobody waits on an idle
//! writer. Everything of a request is stored in one transaction: its receipt, its alerts, their incidents and
//! the events that announce them.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use futures_util::FutureExt as _;
use outbox::{Ts, sabotage};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::deliveries::{self, DeliveryResult, store::NewDelivery};
use super::hook::Hook;
use super::{Kind, Settings, store};
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::{DeliveryId, IntegrationId, ProjectId, TenantId};
use crate::incident::intake::{self, Outcome, Source, Statement};
use crate::incident::tracked::store::Sent;

/// Body bytes that may be in flight at once; beyond it a request is told to come back.
const BYTES_IN_FLIGHT: usize = 256 * 1024 * 1024;

/// What a body of unknown length is counted as until it is read, in bytes.
const UNKNOWN_LENGTH: usize = 64 * 1024;

/// Requests that may wait for the commit; beyond it a request is told to come back.
const QUEUE: usize = 4096;

/// Alerts that one commit takes at most, unless a single request has more.
const BATCH: usize = 500;

/// How long a request waits for its commit. Alertmanager gives up after 10 s at the earliest, so nothing is
/// committed for a sender that no longer listens.
const PATIENCE: Duration = Duration::from_millis(4500);

/// A body and how it is to be read.
#[derive(Debug)]
pub struct Reading {
    /// The route it came by.
    pub kind: Kind,
    /// The body, inflated.
    pub body: Bytes,
    /// When the request was received.
    pub received_at: Ts,
    /// What the integration changes about reading it.
    pub settings: Settings,
}

/// An alert with its keys.
struct Prepared {
    alert: Box<alerts::Alert>,
    alert_key: [u8; 32],
    incident_key: [u8; 32],
}

/// A request that was read and waits to be stored.
pub struct Entry {
    tenant: TenantId,
    project: ProjectId,
    integration: IntegrationId,
    source: Source,
    delivery: NewDelivery,
    alerts: Vec<Prepared>,
    deadline: Instant,
}

type Answer = Result<(DeliveryId, Vec<DeliveryResult>)>;

struct Waiting {
    entry: Entry,
    reply: oneshot::Sender<Answer>,
}

/// Webhooks waiting for the next commit.
pub struct Inbox {
    sender: mpsc::Sender<Waiting>,
    /// Held by whoever commits; work that panicked lets go of it and takes it again.
    receiver: Mutex<mpsc::Receiver<Waiting>>,
    bytes: Arc<Semaphore>,
}

impl Default for Inbox {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        Self {
            sender,
            receiver: Mutex::new(receiver),
            bytes: Arc::new(Semaphore::new(BYTES_IN_FLIGHT / 1024)),
        }
    }
}

const OVERLOADED: Error =
    Error::Unavailable("ingest-overloaded", "too much is waiting to be stored; send it again");

impl Inbox {
    /// Makes room for a body of `length` bytes until the permit is dropped.
    ///
    /// # Errors
    /// 503 when too many bytes are in flight.
    pub fn room(&self, length: Option<usize>) -> Result<OwnedSemaphorePermit> {
        let kib = length.unwrap_or(UNKNOWN_LENGTH).min(BYTES_IN_FLIGHT / 4) / 1024 + 1;
        self.bytes.clone().try_acquire_many_owned(kib as u32).map_err(|_| OVERLOADED)
    }

    /// Waits until the request is stored, and says what became of its alerts.
    ///
    /// # Errors
    /// 503 when it could not be stored in time; nothing of it is stored then.
    pub async fn submit(&self, entry: Entry) -> Answer {
        let (reply, answer) = oneshot::channel();
        if sabotage::broken("answer-before-commit") {
            let early = (entry.delivery.id, entry.delivery.results.clone());
            self.sender.try_send(Waiting { entry, reply }).map_err(|_| OVERLOADED)?;
            std::mem::forget(answer);
            return Ok(early);
        }
        self.sender.try_send(Waiting { entry, reply }).map_err(|_| OVERLOADED)?;
        answer.await.unwrap_or(Err(Error::Unavailable("unavailable", "stopping; send it again")))
    }
}

/// What is to be stored of a request.
pub fn entry(hook: &Hook, reading: Reading, batch: alerts::Batch) -> Entry {
    let row = &hook.integration;
    let (tenant, project) = (hook.tenant.to_string(), row.project_id.to_string());
    let source = reading.settings.source.clone().unwrap_or_else(|| row.id.to_string());
    let group_by = reading.settings.group_by();
    let kind = batch.format.sender();
    let mut prepared = Vec::new();
    let mut results = Vec::with_capacity(batch.alerts.len());
    for parsed in batch.alerts {
        results.push(DeliveryResult::of(&parsed));
        if let alerts::Parsed::Alert(alert) = parsed {
            let alert_key = alerts::alert_key(&tenant, &project, &source, &alert, kind);
            let incident_key =
                alerts::incident_key(&tenant, &project, &source, &group_by, &alert, &alert_key);
            prepared.push(Prepared { alert, alert_key, incident_key });
        }
    }
    let settings = serde_json::to_value(&reading.settings).unwrap_or_default();
    Entry {
        tenant: hook.tenant,
        project: row.project_id,
        integration: row.id,
        source: Source::new(row.name.clone(), row.kind.as_str(), &settings),
        delivery: NewDelivery {
            id: DeliveryId::new(),
            project: row.project_id,
            integration: row.id,
            received_at: reading.received_at,
            remote: hook.remote.clone(),
            user_agent: hook.user_agent.clone(),
            sender: reading.kind.as_str(),
            format: Some(batch.format.as_str().to_owned()),
            status: "accepted",
            http_status: 200,
            reason: None,
            truncated: i64::try_from(batch.truncated).unwrap_or(i64::MAX),
            results,
            body: Some(deflate(&reading.body)),
            replay_of: None,
        },
        alerts: prepared,
        deadline: Instant::now() + PATIENCE,
    }
}

impl Entry {
    /// The same request again, as a replay of its receipt: only what was never applied is left in.
    pub fn replay_of(mut self, original: DeliveryId, mut applied: impl FnMut(&[u8; 32]) -> bool) -> Self {
        self.delivery.replay_of = Some(original);
        let results = &mut self.delivery.results;
        self.alerts.retain(|prepared| {
            let done = applied(&prepared.alert_key);
            if let (true, Some(result)) =
                (done, results.iter_mut().find(|row| row.index == prepared.alert.index))
            {
                result.outcome = Outcome::Suppressed;
                result.reason = Some("already-applied".to_owned());
            }
            !done
        });
        self
    }

    /// The keys of its alerts.
    pub fn keys(&self) -> impl Iterator<Item = &[u8; 32]> {
        self.alerts.iter().map(|prepared| &prepared.alert_key)
    }
}

/// Commits what waits, until `stop` and until nothing waits any more.
pub async fn run(app: App, stop: CancellationToken) {
    let mut receiver = app.inbox.receiver.lock().await;
    loop {
        let first = tokio::select! {
            first = receiver.recv() => first,
            () = stop.cancelled() => match receiver.try_recv() {
                Ok(waiting) => Some(waiting),
                Err(_) => return,
            },
        };
        let Some(first) = first else { return };
        let mut gathered = vec![first];
        let mut alerts = gathered.iter().map(|waiting| waiting.entry.alerts.len()).sum::<usize>();
        while alerts < BATCH {
            let Ok(next) = receiver.try_recv() else { break };
            alerts += next.entry.alerts.len();
            gathered.push(next);
        }
        metrics::histogram!("sre_copilot_commit_requests").record(gathered.len() as f64);
        for (_, batch) in by_owner(gathered) {
            // A panic costs the requests of one commit, which are told to come back, and no others.
            if AssertUnwindSafe(commit(&app, batch)).catch_unwind().await.is_err() {
                metrics::counter!("sre_copilot_panics_total").increment(1);
            }
        }
    }
}

/// One transaction belongs to one tenant, and the rules to one project.
fn by_owner(gathered: Vec<Waiting>) -> BTreeMap<(TenantId, ProjectId), Vec<Waiting>> {
    let mut owners: BTreeMap<_, Vec<Waiting>> = BTreeMap::new();
    for waiting in gathered {
        owners.entry((waiting.entry.tenant, waiting.entry.project)).or_default().push(waiting);
    }
    owners
}

/// Stores the requests together; when that fails, each alone, so that one can't cost the others.
async fn commit(app: &App, mut batch: Vec<Waiting>) {
    let now = Instant::now();
    batch.retain(|waiting| waiting.entry.deadline > now && !waiting.reply.is_closed());
    let entries: Vec<&Entry> = batch.iter().map(|waiting| &waiting.entry).collect();
    let mut answers = match in_time(app, &entries).await {
        Ok(answers) => answers.into_iter().map(Ok).collect(),
        Err(error) if entries.len() == 1 => vec![Err(error)],
        Err(_) => {
            let mut answers = Vec::with_capacity(entries.len());
            for entry in &entries {
                answers.push(in_time(app, std::slice::from_ref(entry)).await.map(|mut one| one.remove(0)));
            }
            answers
        }
    };
    for waiting in batch.into_iter().rev() {
        let answer = answers.pop().unwrap_or(Err(OVERLOADED));
        let answer = match answer {
            Err(_) if sabotage::broken("swallow-insert-error") => Ok(waiting.entry.delivery.results.clone()),
            answer => answer,
        };
        // A sender that no longer listens will send it again.
        let _ = waiting.reply.send(answer.map(|results| (waiting.entry.delivery.id, results)));
    }
}

async fn in_time(app: &App, entries: &[&Entry]) -> Result<Vec<Vec<DeliveryResult>>> {
    let limit = entries.iter().map(|entry| entry.deadline).max().unwrap_or_else(Instant::now);
    match tokio::time::timeout_at(limit, store_all(app, entries)).await {
        Ok(stored) => stored,
        Err(_) => Err(Error::Unavailable("unavailable", "it could not be stored in time; send it again")),
    }
}

async fn store_all(app: &App, entries: &[&Entry]) -> Result<Vec<Vec<DeliveryResult>>> {
    let Some(first) = entries.first() else { return Ok(Vec::new()) };
    let mut tx = app.db.begin(first.tenant.0).await?;
    let statements: Vec<Statement<'_>> =
        entries.iter().enumerate().flat_map(|(order, entry)| entry.statements(order)).collect();
    sabotage::point("intake.before_insert").await?;
    let mut applied = intake::apply(&mut tx, first.tenant, first.project, &statements).await?.into_iter();
    let mut stored = Vec::with_capacity(entries.len());
    for entry in entries {
        let mut results = entry.delivery.results.clone();
        for (prepared, applied) in entry.alerts.iter().zip(applied.by_ref()) {
            if let Some(result) = results.iter_mut().find(|result| result.index == prepared.alert.index) {
                result.outcome = applied.outcome;
                result.reason = applied.reason.map(str::to_owned);
                result.incident_id = applied.incident;
            }
        }
        let delivery = NewDelivery { results: results.clone(), ..entry.delivery.clone() };
        deliveries::store::insert(&mut tx, entry.tenant, &delivery).await?;
        store::note_delivery(&mut tx, entry.tenant, entry.integration, "accepted", entry.delivery.truncated)
            .await?;
        stored.push(results);
    }
    sabotage::point("intake.before_commit").await?;
    tx.commit().await?;
    sabotage::point("intake.committed").await?;
    Ok(stored)
}

impl Entry {
    fn statements(&self, order: usize) -> impl Iterator<Item = Statement<'_>> {
        self.alerts.iter().map(move |prepared| Statement {
            sent: Sent {
                alert: &prepared.alert,
                alert_key: prepared.alert_key,
                incident_key: prepared.incident_key,
                integration: self.integration,
            },
            source: &self.source,
            delivery: self.delivery.id,
            order,
        })
    }
}

/// The body as it is kept.
fn deflate(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    // Writing to memory can't fail.
    let _ = encoder.write_all(body);
    encoder.finish().unwrap_or_default()
}
