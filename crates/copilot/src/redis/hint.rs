//! Wake-ups between processes: losing all of them costs two seconds, a forged one costs a look.

use std::collections::BTreeSet;
use std::time::Duration;

use outbox::{Hint, Wake};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use uuid::Uuid;

use super::Redis;
use super::link::Link;

/// The channel of wake-ups.
pub(super) const CHANNEL: &str = "sre-copilot:wake";

/// Streams named in one message.
const MOST: usize = 256;

/// Time between two rounds of waking, so that a flood of messages costs a bounded number of looks.
const PAUSE: Duration = Duration::from_millis(5);

/// What a process says it has committed.
#[derive(Debug, Deserialize, Serialize)]
struct Committed {
    /// The process, which need not hear itself.
    from: Uuid,
    streams: BTreeSet<Uuid>,
    job: bool,
}

impl Committed {
    fn new(from: Uuid) -> Self {
        Self { from, streams: BTreeSet::new(), job: false }
    }

    fn add(&mut self, hint: Hint) {
        match hint {
            Hint::Stream(stream) => drop(self.streams.insert(stream)),
            Hint::Job => self.job = true,
        }
    }
}

/// Tells other processes what this one commits; what gathers while a message is on its way goes into the next.
pub(super) async fn tell(redis: &Redis, wake: &Wake) {
    let Some(link) = &redis.0 else { return };
    let mut committed = wake.committed();
    loop {
        let Ok(first) = next(&mut committed).await else { return std::future::pending().await };
        let mut message = Committed::new(link.me);
        first.into_iter().for_each(|hint| message.add(hint));
        while message.streams.len() < MOST {
            match committed.try_recv() {
                Ok(hint) => message.add(hint),
                Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        let Ok(text) = serde_json::to_string(&message) else { continue };
        // While Redis is away the others look by themselves.
        if redis.publish(&[(CHANNEL, &text)]).await.is_ok() {
            metrics::counter!("sre_copilot_wakes_total", "direction" => "told").increment(1);
        }
    }
}

/// The next hint; `None` in place of some that were overtaken.
async fn next(committed: &mut broadcast::Receiver<Hint>) -> Result<Option<Hint>, RecvError> {
    match committed.recv().await {
        Ok(hint) => Ok(Some(hint)),
        Err(RecvError::Lagged(_)) => Ok(None),
        Err(closed) => Err(closed),
    }
}

/// Wakes this process when another one has committed something.
pub(super) async fn hear(link: &Link, wake: &Wake) {
    let mut heard = link.heard.lock().await;
    while let Some(first) = heard.recv().await {
        let mut all = Committed::new(link.me);
        let mut text = Some(first);
        while let Some(message) = text {
            take(&message, &mut all);
            text = heard.try_recv().ok();
        }
        if !all.streams.is_empty() || all.job {
            metrics::counter!("sre_copilot_wakes_total", "direction" => "heard").increment(1);
        }
        all.streams.iter().for_each(|stream| wake.hear(Hint::Stream(*stream)));
        if all.job {
            wake.hear(Hint::Job);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Adds what a message says, if it is one of ours and not from ourselves.
fn take(text: &[u8], all: &mut Committed) {
    match serde_json::from_slice::<Committed>(text) {
        Ok(message) if message.from == all.from => {}
        Ok(message) => {
            all.streams.extend(message.streams.into_iter().take(MOST));
            all.job |= message.job;
        }
        Err(_) => metrics::counter!("sre_copilot_wakes_total", "direction" => "unreadable").increment(1),
    }
}
