//! Group commit: requests of a project that arrive together are stored together, and answered after it.
//!
//! Each project has a lane. Its commit starts as soon as the one before has ended, with whatever has gathered; nobody
//! waits on an idle writer, and no project waits for another's statements. [`commit`](super::commit) says what one
//! commit does.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use outbox::sabotage;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use tracing::field::Empty;

use super::commit;
use super::deliveries::{DeliveryResult, receipt};
use super::entry::Entry;
use super::known::Known;
use super::noted::Noted;
use super::room::Rooms;
use super::statistics::Statistics;
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::{DeliveryId, ProjectId};
use crate::traces::{self, span};

/// Requests that wait when there is a storm.
const BUSY: usize = 32;

/// Alerts that write rows and wait when there is a storm: a few senders with large groups are one as well.
const BUSY_ALERTS: usize = 64;

/// How often it is looked whether it is over.
const LOOK: Duration = Duration::from_millis(20);

/// Alerts that write rows of which one commit takes at most so many, unless a single request has more.
const BATCH: usize = 500;

/// As [`BATCH`], of a database that is fast: the more alerts at once, the fewer times the same page of an index is written.
const LARGE_BATCH: usize = 2000;

/// How long a commit may take; after a longer one the next take less, because others wait for it, people among them.
const SLOW: Duration = Duration::from_millis(500);

/// Bytes of bodies that one commit takes at most, unless a single request has more.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Commits that run at once: fewer than there are connections, so that people are served too.
const COMMITS: usize = 8;

/// How long a lane waits for a request before it ends.
const IDLE: Duration = Duration::from_secs(60);

/// What a request is answered with.
pub type Answer = Result<(DeliveryId, Vec<DeliveryResult>)>;

/// A request and who waits for its answer.
pub struct Waiting {
    /// The request.
    pub entry: Entry,
    /// Takes its answer.
    pub reply: oneshot::Sender<Answer>,
    /// By what its request is followed.
    pub request_id: String,
    /// Its place in the queue.
    _place: Place,
}

/// One of the places in the queue, and how many alerts that write rows are in it.
struct Place {
    _permit: OwnedSemaphorePermit,
    alerts: usize,
    all_alerts: Arc<AtomicUsize>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.all_alerts.fetch_sub(self.alerts, Ordering::Relaxed);
    }
}

/// The lanes that are open; none once the process stops.
struct Lanes {
    open: HashMap<ProjectId, mpsc::UnboundedSender<Waiting>>,
    closed: bool,
}

/// Webhooks waiting for the next commit.
pub struct Inbox {
    lanes: Arc<Mutex<Lanes>>,
    places: Arc<Semaphore>,
    most: usize,
    alerts: Arc<AtomicUsize>,
    commits: Arc<Semaphore>,
    /// The memory of bodies.
    pub rooms: Rooms,
    /// The alerts whose repetitions write nothing.
    pub known: Known,
    /// What is stored of the integrations' last requests.
    pub noted: Noted,
    /// What the database's planner knows.
    pub statistics: Statistics,
}

/// Too much waits: the sender is to come back.
pub const OVERLOADED: Error =
    Error::Unavailable("ingest-overloaded", "too much is waiting to be stored; send it again");

/// Another process takes it, or this one once it runs again.
const STOPPING: Error = Error::Unavailable("stopping", "this process is stopping; send it again");

impl Inbox {
    /// One in which at most so many requests wait for their commits.
    pub fn of(most: usize) -> Self {
        Self {
            most,
            lanes: Arc::new(Mutex::new(Lanes { open: HashMap::new(), closed: false })),
            rooms: Rooms::default(),
            places: Arc::new(Semaphore::new(most)),
            alerts: Arc::default(),
            commits: Arc::new(Semaphore::new(COMMITS)),
            known: Known::default(),
            noted: Noted::default(),
            statistics: Statistics::default(),
        }
    }

    /// Stores a request with the next commit of its project and says what became of it.
    ///
    /// # Errors
    /// 503 when too much waits already, it took too long, or the database refused.
    pub async fn submit(&self, app: &App, entry: Entry) -> Answer {
        let deadline = entry.deadline;
        let _place = self.place(entry.prepared.len())?;
        let (reply, answer) = oneshot::channel();
        let request_id = crate::http::request_id();
        self.send(app, Waiting { entry, reply, request_id, _place })?;
        if sabotage::broken("answer-before-commit") {
            std::mem::forget(answer);
            return Ok((DeliveryId::new(), Vec::new()));
        }
        let span = span!("webhook commit", otel.status_code = Empty, error.type = Empty);
        let answered = tokio::time::timeout_at(deadline, answer).instrument(span.clone()).await;
        if !matches!(answered, Ok(Ok(Ok(_)))) {
            traces::failed(&span, "not_stored");
        }
        match answered {
            Ok(Ok(Err(_))) if sabotage::broken("swallow-insert-error") => Ok((DeliveryId::new(), Vec::new())),
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => {
                Err(Error::Unavailable("unavailable", "it could not be stored in time; send it again"))
            }
        }
    }

    /// A place in the queue for a request with so many alerts that write rows.
    fn place(&self, alerts: usize) -> Result<Place> {
        let _permit = self.places.clone().try_acquire_owned().map_err(|_| OVERLOADED)?;
        self.alerts.fetch_add(alerts, Ordering::Relaxed);
        Ok(Place { _permit, alerts, all_alerts: self.alerts.clone() })
    }

    /// Whether more waits than a commit or two will store.
    fn is_busy(&self) -> bool {
        self.waiting() > BUSY || self.alerts.load(Ordering::Relaxed) > BUSY_ALERTS
    }

    /// Requests that wait for their commit.
    pub fn waiting(&self) -> usize {
        self.most - self.places.available_permits()
    }

    /// Bytes that all requests hold, as [`Rooms`] counts them.
    pub fn in_flight_bytes(&self) -> usize {
        self.rooms.held()
    }

    /// Waits until little waits for its commit, for `at_most` so long: what can be done a moment later makes way.
    pub async fn lull(&self, at_most: Duration) {
        let quiet = async {
            while self.is_busy() {
                tokio::time::sleep(LOOK).await;
            }
        };
        let _ = tokio::time::timeout(at_most, quiet).await;
    }

    fn send(&self, app: &App, mut waiting: Waiting) -> Result<()> {
        let project = waiting.entry.proof.integration.project_id;
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if lanes.closed {
            return Err(STOPPING);
        }
        if let Some(lane) = lanes.open.get(&project) {
            match lane.send(waiting) {
                Ok(()) => return Ok(()),
                // It has just ended.
                Err(mpsc::error::SendError(back)) => waiting = back,
            }
        }
        let (sender, receiver) = mpsc::unbounded_channel();
        // The receiver is here.
        let _ = sender.send(waiting);
        lanes.open.insert(project, sender);
        let lane = Lane { receiver, lanes: self.lanes.clone(), commits: self.commits.clone(), project };
        app.spawn(lane.run(app.clone()));
        Ok(())
    }

    /// Lets the lanes end once they have stored what waits; nothing more is accepted.
    fn close(&self) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.closed = true;
        lanes.open.clear();
    }
}

/// Keeps the lanes open until `stop`.
pub async fn run(app: App, stop: CancellationToken) {
    super::webhook::hear(&app);
    stop.cancelled().await;
    app.inbox.close();
}

/// The requests of one project, one commit after the other.
struct Lane {
    receiver: mpsc::UnboundedReceiver<Waiting>,
    lanes: Arc<Mutex<Lanes>>,
    commits: Arc<Semaphore>,
    project: ProjectId,
}

impl Lane {
    async fn run(mut self, app: App) {
        let mut most = BATCH;
        loop {
            let first = match tokio::time::timeout(IDLE, self.receiver.recv()).await {
                Ok(Some(first)) => first,
                Ok(None) => return,
                Err(_) => match self.end() {
                    Some(first) => first,
                    None => return,
                },
            };
            let Ok(_running) = self.commits.clone().acquire_owned().await else { return };
            let (gathered, alerts) = self.gather(first, most);
            metrics::histogram!("sre_copilot_commit_requests").record(gathered.len() as f64);
            let begun = Instant::now();
            let ids = gathered.iter().map(|waiting| waiting.request_id.clone()).collect();
            crate::http::on_behalf_of(ids, commit::all(&app, gathered)).await;
            most = next_most(most, alerts, begun.elapsed());
        }
    }

    /// Leaves the open lanes, unless a request has just come in.
    fn end(&mut self) -> Option<Waiting> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = self.receiver.try_recv().ok();
        if waiting.is_none() {
            lanes.open.remove(&self.project);
        }
        waiting
    }

    /// What one commit takes, and how many alerts that are: the first request and those that wait behind it.
    fn gather(&mut self, first: Waiting, most: usize) -> (Vec<Waiting>, usize) {
        let weight = |waiting: &Waiting| (waiting.entry.prepared.len(), waiting.entry.reading.body.len());
        let (mut alerts, mut bytes) = weight(&first);
        let mut gathered = vec![first];
        while alerts < most && bytes < BATCH_BYTES && gathered.len() < receipt::MOST {
            let Ok(next) = self.receiver.try_recv() else { break };
            let more = weight(&next);
            (alerts, bytes) = (alerts + more.0, bytes + more.1);
            gathered.push(next);
        }
        let now = Instant::now();
        gathered.retain(|waiting| waiting.entry.deadline > now && !waiting.reply.is_closed());
        (gathered, alerts)
    }
}

/// How many alerts the next commit takes at most, after one of `alerts` that took so long.
fn next_most(most: usize, alerts: usize, took: Duration) -> usize {
    if took > SLOW {
        (most / 2).max(BATCH)
    } else if alerts >= most && took < SLOW / 2 {
        (most * 2).min(LARGE_BATCH)
    } else {
        most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_grow_while_the_database_is_fast_and_shrink_when_it_is_not() {
        let ms = Duration::from_millis;
        let grown =
            [(500, 500), (1000, 1000), (2000, 2000)].map(|(most, alerts)| next_most(most, alerts, ms(100)));
        assert_eq!(grown, [1000, 2000, 2000]);
        assert_eq!(next_most(1000, 300, ms(1)), 1000, "nobody waits for more");
        assert_eq!(next_most(2000, 2000, ms(300)), 2000);
        assert_eq!([2000, 1000, 500].map(|most| next_most(most, most, ms(600))), [1000, 500, 500]);
    }

    #[tokio::test]
    async fn a_storm_is_waited_for_until_it_is_over_or_time_is_up() {
        let inbox = Inbox::of(4096);
        let wait = Duration::from_millis(300);
        let many = || (0..=BUSY).map(|_| inbox.place(0)).collect::<Result<Vec<_>>>().unwrap();
        let large = || vec![inbox.place(BUSY_ALERTS).unwrap(), inbox.place(1).unwrap()];
        for storm in [&many as &dyn Fn() -> Vec<Place>, &large] {
            let storm = storm();
            let begun = Instant::now();
            inbox.lull(wait).await;
            assert!(begun.elapsed() >= wait, "it did not make way");
            let long = Duration::from_secs(600);
            let over = async { drop(storm) };
            tokio::time::timeout(long / 10, async { tokio::join!(inbox.lull(long), over) }).await.unwrap();
        }
        assert_eq!(inbox.alerts.load(Ordering::Relaxed), 0);
    }
}
