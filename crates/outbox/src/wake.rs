//! Wake-ups: hints, never the truth. Those of this process can be passed on to others, and theirs heard.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Notify, broadcast};
use uuid::Uuid;

/// How many stream hints are kept for a slow listener; one that falls behind simply looks at everything.
const HINTS: usize = 1024;

/// What was committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hint {
    /// This stream has new events.
    Stream(Uuid),
    /// Some queue has new work.
    Job,
}

/// Tells listeners in this process that something was committed, here or elsewhere.
#[derive(Clone, Debug)]
pub struct Wake {
    streams: broadcast::Sender<Uuid>,
    jobs: Arc<Notify>,
    committed: broadcast::Sender<Hint>,
    relaying: Arc<AtomicBool>,
}

impl Default for Wake {
    fn default() -> Self {
        Self {
            streams: broadcast::channel(HINTS).0,
            jobs: Arc::default(),
            committed: broadcast::channel(HINTS).0,
            relaying: Arc::default(),
        }
    }
}

impl Wake {
    /// Says what a transaction of this process has committed.
    pub(crate) fn commit(&self, hint: Hint) {
        self.hear(hint);
        // Nobody passing it on is not an error: other processes look by themselves.
        let _ = self.committed.send(hint);
    }

    /// Says what was committed elsewhere. A false hint costs one look.
    pub fn hear(&self, hint: Hint) {
        match hint {
            // Nobody listening is not an error: the events are in the database.
            Hint::Stream(stream) => drop(self.streams.send(stream)),
            Hint::Job => self.jobs.notify_waiters(),
        }
    }

    /// Listens for what this process commits, to pass it on.
    pub fn committed(&self) -> broadcast::Receiver<Hint> {
        self.committed.subscribe()
    }

    /// Listens for streams with new events.
    pub fn streams(&self) -> broadcast::Receiver<Uuid> {
        self.streams.subscribe()
    }

    /// Waits until some queue has new work.
    pub async fn next_job(&self) {
        self.jobs.notified().await;
    }

    /// From now on every commit also marks its events as not yet told outside; see [`crate::relay`].
    pub fn relay_events(&self) {
        self.relaying.store(true, Ordering::Relaxed);
    }

    pub(crate) fn relays_events(&self) -> bool {
        self.relaying.load(Ordering::Relaxed)
    }
}
