//! Clients of the live events that come back after whatever befalls them, and note what they were not told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures_util::StreamExt as _;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::database::Database;
use super::load::now;
use super::site::{Site, text};
use super::{Report, until};

/// How long a client tries to connect before it asks the next address.
const CONNECT: Duration = Duration::from_secs(3);

/// How long a client waits before it connects again.
const AGAIN: Duration = Duration::from_millis(300);

/// How long the database may take to answer, whatever befalls it meanwhile.
const PATIENCE: Duration = Duration::from_secs(10);

/// Every subscriber of a trial.
#[derive(Debug)]
pub struct Audience {
    subscribers: Vec<Subscriber>,
    stream: String,
    patience: u32,
}

/// One client.
#[derive(Debug)]
struct Subscriber {
    shared: Arc<Shared>,
    _task: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    addresses: Vec<String>,
    key: String,
    database: Database,
    seen: Mutex<Seen>,
    cut: Notify,
    asleep: AtomicBool,
}

/// What a client knows.
#[derive(Debug, Default)]
struct Seen {
    /// Epoch and number of the last event.
    place: Option<(String, i64)>,
    /// Whether it was moved on and has not been told to look again yet.
    owed: bool,
    /// The newest version of each incident it was told or has looked up.
    versions: BTreeMap<String, i64>,
    connections: usize,
    events: usize,
    resyncs: usize,
    /// From the commit of each event to its coming.
    latencies_ms: Vec<f64>,
    wrong: Report,
}

impl Audience {
    /// Opens `count` sockets, spread over `addresses`, and waits until each was greeted.
    ///
    /// # Errors
    /// When one of them is not.
    pub async fn open(site: &Site, addresses: &[String], count: usize) -> anyhow::Result<Self> {
        let mut subscribers = Vec::new();
        for number in 0..count {
            let shared = Arc::new(Shared {
                addresses: addresses.to_vec(),
                key: site.key.clone(),
                database: site.database.clone(),
                seen: Mutex::default(),
                cut: Notify::new(),
                asleep: AtomicBool::new(false),
            });
            let mut task = JoinSet::new();
            task.spawn(run(shared.clone(), number));
            subscribers.push(Subscriber { shared, _task: task });
        }
        let audience = Self { subscribers, stream: site.project.replace('-', ""), patience: site.patience };
        let greeted = until(Duration::from_secs(20), async || {
            Ok(audience.seen().all(|seen| seen.place.is_some()).then_some(()))
        });
        greeted.await?.context("a subscriber was not greeted")?;
        Ok(audience)
    }

    fn seen(&self) -> impl Iterator<Item = MutexGuard<'_, Seen>> {
        self.subscribers.iter().map(|subscriber| subscriber.shared.seen())
    }

    /// Cuts every connection without a goodbye.
    pub fn cut(&self) {
        for subscriber in &self.subscribers {
            subscriber.shared.cut.notify_one();
        }
    }

    /// Lets every second client read nothing, or read on.
    pub fn sleep(&self, asleep: bool) {
        for subscriber in self.subscribers.iter().step_by(2) {
            subscriber.shared.asleep.store(asleep, Ordering::SeqCst);
        }
    }

    /// The p99 of the time from commit to client since it was last asked for, in milliseconds.
    pub fn latency_ms(&self) -> f64 {
        let mut all: Vec<f64> =
            self.seen().flat_map(|mut seen| std::mem::take(&mut seen.latencies_ms)).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len().saturating_sub(1) * 99 / 100).copied().unwrap_or_default()
    }

    /// Whether every client is told within `promised` of everything that is there now; why not is found.
    ///
    /// # Errors
    /// When the database can't be asked.
    pub async fn hears(&self, report: &mut Report, promised: Duration, when: &str) -> anyhow::Result<()> {
        let patience = promised * self.patience;
        let head = self.head().await?;
        let least = || self.seen().filter_map(|seen| seen.place.as_ref().map(|place| place.1)).min();
        let heard =
            until(patience, async || Ok(least().is_some_and(|least| least >= head).then_some(()))).await?;
        if heard.is_none() {
            let behind = least().unwrap_or_default();
            report.find("late", format!("{when}: a client is at {behind} of {head} after {patience:?}"));
        }
        Ok(())
    }

    async fn head(&self) -> anyhow::Result<i64> {
        let asked = until(PATIENCE, async || Ok(self.database()?.heads().await.ok()));
        let heads = asked.await?.context("the database does not answer")?;
        Ok(heads.into_iter().find(|(stream, _)| *stream == self.stream).map_or(0, |(_, seq)| seq))
    }

    fn database(&self) -> anyhow::Result<&Database> {
        Ok(&self.subscribers.first().context("a subscriber")?.shared.database)
    }

    /// Compares what every client knows with what is there; returns how often one came back, and how often one was told
    /// to look again.
    ///
    /// # Errors
    /// When the database can't be asked.
    pub async fn judge(&self, report: &mut Report) -> anyhow::Result<(usize, usize)> {
        self.hears(report, Duration::from_secs(10), "at the end").await?;
        let incidents = self.database()?.incidents().await?;
        let wanted: BTreeMap<String, i64> =
            incidents.into_iter().map(|incident| (incident.id, incident.version)).collect();
        let (mut events, mut returns, mut resyncs) = (0, 0, 0);
        for (number, mut seen) in self.seen().enumerate() {
            report.extend(std::mem::take(&mut seen.wrong));
            events += seen.events;
            returns += seen.connections - 1;
            resyncs += seen.resyncs;
            let differ =
                wanted.iter().filter(|(id, version)| seen.versions.get(*id) != Some(version)).count();
            if differ > 0 || seen.versions.len() != wanted.len() {
                let (has, there) = (seen.versions.len(), wanted.len());
                let what =
                    format!("client {number} sees {has} incidents of {there}, {differ} of them otherwise");
                report.find("view", what);
            }
        }
        let count = self.subscribers.len();
        report.note(format!("{count} clients, {events} deliveries, {returns} returns, {resyncs} resyncs"));
        Ok((returns, resyncs))
    }
}

async fn run(shared: Arc<Shared>, first: usize) {
    for turn in first.. {
        let Some(address) = shared.addresses.get(turn % shared.addresses.len().max(1)) else { return };
        // Whoever listens there may be dead just now; the next one is asked.
        let _ = shared.follow(address).await;
        tokio::time::sleep(AGAIN).await;
    }
}

impl Shared {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Listens until the connection ends.
    async fn follow(&self, address: &str) -> anyhow::Result<()> {
        let place = self.seen().place.clone();
        let after = place.map(|(epoch, seq)| format!("?epoch={epoch}&seq={seq}")).unwrap_or_default();
        let mut request = format!("ws://{address}/ws{after}").into_client_request()?;
        request.headers_mut().insert("authorization", format!("Bearer {}", self.key).parse()?);
        let (mut socket, _) = tokio::time::timeout(CONNECT, connect_async(request)).await??;
        self.seen().connections += 1;
        loop {
            if self.asleep.load(Ordering::SeqCst) {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
            let message = tokio::select! {
                message = socket.next() => message.context("the connection ended")??,
                () = self.cut.notified() => return Ok(()),
            };
            let Message::Text(said) = message else { continue };
            let looks = self.seen().take(&serde_json::from_str(&said)?)?;
            if looks {
                self.look().await?;
            }
        }
    }

    /// Looks up what there is, as a page does when it is told to.
    async fn look(&self) -> anyhow::Result<()> {
        let begun = Instant::now();
        let incidents = loop {
            match self.database.incidents().await {
                Ok(incidents) => break incidents,
                Err(error) if begun.elapsed() > PATIENCE => return Err(error),
                Err(_) => tokio::time::sleep(AGAIN).await,
            }
        };
        let mut seen = self.seen();
        for incident in incidents {
            let known = seen.versions.entry(incident.id).or_default();
            *known = incident.version.max(*known);
        }
        Ok(())
    }
}

impl Seen {
    /// Takes a message in, and says whether there is something to look up.
    fn take(&mut self, message: &Value) -> anyhow::Result<bool> {
        let kind = text(message, "/type")?;
        let Some(seq) = message.get("seq").and_then(Value::as_i64) else { return Ok(false) };
        if kind == "hello" || kind == "resync" {
            let new = (text(message, "/epoch")?, seq);
            let resumed = self.place.as_ref() == Some(&new);
            if kind == "hello" && self.place.is_some() {
                self.owed = !resumed;
                return Ok(false);
            }
            self.resyncs += usize::from(kind == "resync");
            self.owed = false;
            self.place = Some(new);
            return Ok(true);
        }
        let at = self.place.as_ref().map_or(0, |place| place.1);
        if self.owed || seq > at + 1 {
            self.owed = false;
            self.wrong.find("gap", format!("event {seq} follows {at}, and nobody said so"));
        } else if seq <= at {
            self.wrong.find("reordered", format!("event {seq} follows {at}"));
        }
        if let Some(place) = &mut self.place {
            place.1 = seq;
        }
        self.events += 1;
        let at: jiff::Timestamp = text(message, "/timestamp")?.parse()?;
        self.latencies_ms.push(now().duration_since(at).as_secs_f64() * 1000.0);
        if kind.starts_with("incident.") {
            let id = text(message, "/data/id")?.replace('-', "");
            let version = message.pointer("/data/version").and_then(Value::as_i64).unwrap_or_default();
            let known = self.versions.entry(id).or_default();
            *known = version.max(*known);
        }
        Ok(false)
    }
}
