//! Requests that wait on this process's disk while the database is away, or slower than what comes in.
//!
//! Grafana never sends a request again, so one that can't be stored is kept in a durable queue (crate `queue-file`:
//! framed, checked by CRC-32, committed by its header) and answered after its fsync. While anything waits, every later
//! request goes behind it, so that nothing overtakes. [`drain`](super::drain) stores what waits. Only over PostgreSQL:
//! where SQLite can't write, a file next to it can't either.

mod record;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, bail};
use outbox::{sabotage, unsynced};
use queue_file::QueueFile;
use tokio::sync::{OwnedMutexGuard, oneshot};
use uuid::Uuid;

use crate::app::App;
use crate::config::Config;
use crate::db::create_private;
use crate::error::{Error, Result, seldom};
pub use record::Record;

/// Processes that may share a data folder, each with a queue of its own.
const PROCESSES: usize = 64;

const FULL: Error =
    Error::Unavailable("ingest-overloaded", "they can't be stored now, and the spool is full; send it again");

const FAILED: Error = Error::Unavailable("unavailable", "it could not be stored; send it again");

/// A request on its way to the disk.
struct Waiting {
    packed: Vec<u8>,
    /// It could not be stored; others go behind what waits, and only if anything does.
    must: bool,
    /// Told whether it was kept.
    reply: oneshot::Sender<Result<bool>>,
}

/// The queue, if this process has one.
pub struct Spool(Option<Arc<Parts>>);

struct Parts {
    folder: PathBuf,
    most: u64,
    behind: AtomicBool,
    waiting: Mutex<Vec<Waiting>>,
    /// Absent after an error, until it is opened again.
    queue: Arc<tokio::sync::Mutex<Option<QueueFile>>>,
    /// Held while the process lives, so that no other opens the same queue.
    _lock: File,
}

impl Spool {
    /// None: a request that can't be stored is refused.
    pub fn none() -> Self {
        Self(None)
    }

    /// The queue that the settings ask for, with what an earlier process left in it. One that can't be opened is reported and
    /// done without.
    pub fn open(config: &Config) -> Self {
        if !config.has_spool() {
            return Self::none();
        }
        match Parts::open(&config.data_dir, config.spool_mib * 1024 * 1024) {
            Ok(parts) => Self(Some(Arc::new(parts))),
            Err(error) => {
                let error = format!("{error:#}");
                tracing::warn!(error, "there is no spool: webhooks are refused while the database is away");
                Self::none()
            }
        }
    }

    /// Whether requests can be kept.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Whether anything waits, so that every request has to go behind it.
    pub fn is_behind(&self) -> bool {
        self.0.as_ref().is_some_and(|parts| parts.behind.load(Ordering::Acquire))
    }

    /// Keeps a request that could not be stored, or `unless` nothing waits any more says so; returns when it is on the
    /// disk.
    ///
    /// # Errors
    /// 503 when the queue is full or the disk refused.
    pub async fn keep(&self, app: &App, record: &Record, must: bool) -> Result<bool> {
        let Some(parts) = self.0.clone() else { return Ok(false) };
        let packed = record.pack().map_err(|error| Error::Internal(error.into()))?;
        let (reply, kept) = oneshot::channel();
        parts.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(Waiting { packed, must, reply });
        if sabotage::broken("spool-in-memory") {
            return Ok(true);
        }
        // In a task of its own: a sender that hangs up must not stop what others wait for.
        app.spawn(flush(parts));
        kept.await.unwrap_or(Err(FAILED))
    }

    /// The oldest requests, at most `count` of at most `bytes` together, and at least one if any waits.
    pub async fn oldest(&self, count: usize, bytes: usize) -> Held {
        let mut held = Held { parts: None, queue: None, records: Vec::new(), total: 0 };
        let Some(parts) = self.0.clone() else { return held };
        let queue = parts.queue.clone().lock_owned().await;
        let work = tokio::task::spawn_blocking(move || {
            let mut queue = queue;
            let read = read(&parts, &mut queue, count, bytes);
            (parts, queue, read)
        });
        let Ok((parts, queue, (records, total))) = work.await else { return held };
        held.parts = Some(parts);
        held.queue = Some(queue);
        (held.records, held.total) = (records, total);
        held
    }
}

/// The oldest requests, with the queue locked: nothing is added meanwhile.
pub struct Held {
    parts: Option<Arc<Parts>>,
    queue: Option<OwnedMutexGuard<Option<QueueFile>>>,
    /// The requests, oldest first.
    pub records: Vec<Record>,
    /// How many places of the queue they take, those included that can't be read.
    total: usize,
}

impl Held {
    /// Lets others add to the queue again, where they waited so far.
    pub fn release(&mut self) {
        self.queue = None;
    }

    /// Removes the requests, which are stored; if nothing waits then, requests are stored directly from now on.
    ///
    /// # Errors
    /// When the disk refused; they are read again then, and recognised.
    pub async fn remove(mut self) -> Result<()> {
        let Some(parts) = self.parts.take() else { return Ok(()) };
        let queue = match self.queue.take() {
            Some(queue) => queue,
            None => parts.queue.clone().lock_owned().await,
        };
        let total = self.total;
        let removed = tokio::task::spawn_blocking(move || {
            let mut queue = queue;
            let opened = opened(&parts, &mut queue)?;
            opened.remove_n(total).context("removing from the spool").inspect_err(check)?;
            parts.tell(opened);
            parts.behind.store(!opened.is_empty(), Ordering::Release);
            anyhow::Ok(())
        });
        Ok(removed.await.map_err(anyhow::Error::from)??)
    }
}

impl Parts {
    fn open(data_dir: &Path, most: u64) -> anyhow::Result<Self> {
        for number in 0..PROCESSES {
            let folder = data_dir.join("spool").join(number.to_string());
            create_private(&folder)?;
            let lock = File::create(folder.join("lock")).context("opening the spool's lock")?;
            if lock.try_lock().is_err() {
                continue;
            }
            let parts = Self {
                folder,
                most,
                behind: AtomicBool::new(false),
                waiting: Mutex::default(),
                queue: Arc::default(),
                _lock: lock,
            };
            metrics::gauge!("sre_copilot_spool_capacity_bytes").set(most as f64);
            let mut queue = None;
            let waits = opened(&parts, &mut queue)?.size();
            parts.behind.store(waits > 0, Ordering::Release);
            if waits > 0 {
                tracing::warn!(requests = waits, "webhooks of an earlier process wait in the spool");
            }
            return Ok(Self { queue: Arc::new(tokio::sync::Mutex::new(queue)), ..parts });
        }
        bail!("{PROCESSES} other processes use {}", data_dir.display())
    }

    fn path(&self) -> PathBuf {
        self.folder.join("webhooks")
    }

    /// Sets the gauges.
    fn tell(&self, queue: &QueueFile) {
        let bytes = if queue.is_empty() { 0 } else { queue.used_bytes() };
        metrics::gauge!("sre_copilot_spool_bytes").set(bytes as f64);
        metrics::gauge!("sre_copilot_spool_requests").set(queue.size() as f64);
    }

    /// Puts a queue that can't be read out of the way, and keeps it for a person to look at.
    fn set_aside(&self, why: &str) {
        let aside = self.folder.join(format!("damaged-{}", Uuid::now_v7().simple()));
        let moved = std::fs::rename(self.path(), &aside);
        let aside = aside.display().to_string();
        tracing::error!(
            why,
            aside,
            moved = moved.is_ok(),
            "the spool is damaged; webhooks in it were not stored"
        );
        metrics::counter!("sre_copilot_spool_damaged_total").increment(1);
        metrics::gauge!("sre_copilot_spool_bytes").set(0.0);
        metrics::gauge!("sre_copilot_spool_requests").set(0.0);
    }
}

/// The queue, opened if it is not.
fn opened<'q>(parts: &Parts, queue: &'q mut Option<QueueFile>) -> anyhow::Result<&'q mut QueueFile> {
    if queue.is_none() {
        *queue = Some(match QueueFile::open(parts.path()) {
            Err(queue_file::Error::Io { source }) => return Err(source).context("opening the spool"),
            Err(damaged) => {
                parts.set_aside(&damaged.to_string());
                QueueFile::open(parts.path()).context("opening the spool")?
            }
            Ok(queue) => queue,
        });
        queue.iter().for_each(|opened| parts.tell(opened));
        // The name must survive a power loss too, not only what the file holds.
        File::open(&parts.folder)
            .and_then(|folder| folder.sync_all())
            .context("syncing the spool's folder")?;
    }
    queue.as_mut().context("the spool")
}

/// Writes what has gathered, with one fsync for all of it.
async fn flush(parts: Arc<Parts>) {
    let queue = parts.queue.clone().lock_owned().await;
    let waiting = std::mem::take(&mut *parts.waiting.lock().unwrap_or_else(PoisonError::into_inner));
    if waiting.is_empty() {
        return;
    }
    if !parts.behind.load(Ordering::Acquire) && !waiting.iter().any(|one| one.must) {
        for one in waiting {
            let _ = one.reply.send(Ok(false));
        }
        return;
    }
    let (packed, replies): (Vec<Vec<u8>>, Vec<_>) =
        waiting.into_iter().map(|one| (one.packed, one.reply)).unzip();
    let count = replies.len() as u64;
    let written = tokio::task::spawn_blocking(move || {
        let mut queue = queue;
        write(&parts, &mut queue, &packed)
    });
    let outcome = written.await.unwrap_or(Err(FAILED));
    if outcome.is_ok() {
        metrics::counter!("sre_copilot_spooled_total").increment(count);
    }
    for reply in replies {
        let _ = reply.send(match &outcome {
            Ok(()) => Ok(true),
            Err(Error::Unavailable(slug, why)) => Err(Error::Unavailable(slug, why)),
            Err(_) => Err(FAILED),
        });
    }
}

fn write(parts: &Parts, queue: &mut Option<QueueFile>, packed: &[Vec<u8>]) -> Result<()> {
    let added = (|| {
        let opened = opened(parts, queue)?;
        let length: u64 = packed.iter().map(|one| one.len() as u64).sum();
        if opened.used_bytes() + length > parts.most {
            return anyhow::Ok(false);
        }
        if !parts.behind.swap(true, Ordering::AcqRel) {
            tracing::error!("webhooks can't be stored as they come: they are spooled until they can");
        }
        opened.add_n(packed).context("writing the spool")?;
        parts.tell(opened);
        Ok(true)
    })();
    match added {
        Ok(true) => Ok(()),
        Ok(false) => {
            metrics::counter!("sre_copilot_spool_full_total").increment(1);
            Err(FULL)
        }
        Err(error) => {
            check(&error);
            metrics::counter!("sre_copilot_spool_failures_total").increment(1);
            // What the file holds is read from it again; what was refused here is not in it, or is sent again.
            *queue = None;
            if let Some(times) = seldom("a webhook could not be spooled", "") {
                tracing::error!(error = format!("{error:#}"), times, "a webhook could not be spooled");
            }
            Err(FAILED)
        }
    }
}

/// Ends the process if the file, or the folder that names it, could not be synced.
fn check(error: &anyhow::Error) {
    let of_file = error.chain().find_map(|cause| match cause.downcast_ref() {
        Some(queue_file::Error::Io { source }) => Some(source), // it has no cause of its own
        _ => cause.downcast_ref(),
    });
    if let Some(error) = of_file {
        unsynced::check_file("the spool", error);
    }
}

/// The oldest requests, and how many places they take.
fn read(parts: &Parts, queue: &mut Option<QueueFile>, count: usize, bytes: usize) -> (Vec<Record>, usize) {
    let Ok(opened) = opened(parts, queue) else { return (Vec::new(), 0) };
    let (mut records, mut total, mut length) = (Vec::new(), 0, 0);
    for packed in opened.iter().take(count) {
        length += packed.len();
        if total > 0 && length > bytes {
            break;
        }
        total += 1;
        match Record::unpack(&packed.into()) {
            Some(record) => records.push(record),
            None => {
                metrics::counter!("sre_copilot_spool_damaged_total").increment(1);
                tracing::error!("a spooled webhook can't be read");
            }
        }
    }
    let waits = opened.size();
    if total == 0 && waits > 0 {
        *queue = None;
        parts.set_aside("its oldest request can't be read");
        parts.behind.store(false, Ordering::Release);
        return (Vec::new(), 0);
    }
    parts.behind.store(waits > 0, Ordering::Release);
    (records, total)
}
