//! Wake-ups inside one process: hints, never the truth.

use std::sync::Arc;

use tokio::sync::{Notify, broadcast};
use uuid::Uuid;

/// How many stream hints are kept for a slow listener; one that falls behind simply looks at everything.
const HINTS: usize = 1024;

/// Tells listeners in this process that something was committed.
#[derive(Clone, Debug)]
pub struct Wake {
    streams: broadcast::Sender<Uuid>,
    jobs: Arc<Notify>,
}

impl Default for Wake {
    fn default() -> Self {
        Self { streams: broadcast::channel(HINTS).0, jobs: Arc::default() }
    }
}

impl Wake {
    /// Says that `stream` has new events.
    pub fn stream(&self, stream: Uuid) {
        // Nobody listening is not an error: the events are in the database.
        let _ = self.streams.send(stream);
    }

    /// Says that a queue has new work.
    pub fn job(&self) {
        self.jobs.notify_waiters();
    }

    /// Listens for streams with new events.
    pub fn streams(&self) -> broadcast::Receiver<Uuid> {
        self.streams.subscribe()
    }

    /// Waits until some queue has new work.
    pub async fn next_job(&self) {
        self.jobs.notified().await;
    }
}
