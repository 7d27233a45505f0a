//! Follows one project's events, once for all of its sockets in this process.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use outbox::{Db, Event, Stream, StreamHead, event, sabotage};
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, watch};
use uuid::Uuid;

use super::hub::Hub;
use super::message::Message;

/// Messages kept for a socket that has not taken them yet.
const QUEUE: usize = 256;

/// Events read at once: fewer than the queue holds, so that a burst does not look like a slow client.
const PAGE: i64 = 64;

/// What a feed tells its followers.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// The next event.
    Event {
        /// The event.
        message: Message,
        /// Bytes this feed has sent up to its end.
        through: u64,
    },
    /// The numbers begin anew: what followers know is not to be built upon.
    Reset,
}

/// One project's events, as they are committed.
pub(super) struct Feed {
    stream: Stream,
    items: broadcast::Sender<Item>,
    position: watch::Sender<Option<StreamHead>>,
    sent: Arc<AtomicU64>,
}

/// Receives a feed's items from where it began to follow.
pub(super) struct Follower {
    items: broadcast::Receiver<Item>,
    position: watch::Receiver<Option<StreamHead>>,
    sent: Arc<AtomicU64>,
}

impl Feed {
    /// A feed that has not looked yet.
    pub(super) fn new(stream: Stream) -> Self {
        let room = if sabotage::broken("unbounded-queue") { 1 << 20 } else { QUEUE };
        let items = broadcast::channel(room).0;
        Self { stream, items, position: watch::channel(None).0, sent: Arc::default() }
    }

    pub(super) fn stream(&self) -> Stream {
        self.stream
    }

    pub(super) fn followers(&self) -> usize {
        self.items.receiver_count()
    }

    pub(super) fn follow(&self) -> Follower {
        Follower {
            items: self.items.subscribe(),
            position: self.position.subscribe(),
            sent: Arc::clone(&self.sent),
        }
    }

    /// Reads each event once and tells every follower, until the last of them has gone.
    ///
    /// Takes the feed by a counted reference that dies with it: followers of a feed that ended notice.
    pub(super) async fn run(self: Arc<Self>, hub: Hub) {
        let mut wakes = hub.db().wake().streams();
        let mut failing = false;
        let mut cause = "start";
        while !hub.retire(&self) {
            match self.advance(hub.db(), cause).await {
                Ok(true) => {
                    tokio::task::yield_now().await;
                    continue;
                }
                Ok(false) => failing = false,
                Err(error) => {
                    if !failing {
                        tracing::warn!(error = error.to_string(), "live events can't be read; trying on");
                    }
                    failing = true;
                    if sabotage::broken("feed-ends-on-error") {
                        return hub.stop().cancelled().await;
                    }
                }
            }
            tokio::select! {
                () = woken(&mut wakes, self.stream.id) => cause = "wake",
                () = tokio::time::sleep(hub.limits().poll), if !sabotage::broken("wake-ups-only") => cause = "poll",
                () = hub.stop().cancelled() => return,
            }
        }
    }

    /// Tells the next events, which `cause` made it look for; true when there may be more.
    async fn advance(&self, db: &Db, cause: &'static str) -> sqlx::Result<bool> {
        sabotage::point("feed.read").await?;
        let known = *self.position.borrow();
        let (head, events) = match known {
            None => (begin(db, self.stream).await?, Vec::new()),
            Some(known) => read(db, self.stream, known).await?,
        };
        let expected = known.map_or(head, |known| StreamHead { seq: known.seq + 1, ..known });
        let broken = known.is_some_and(|known| head.seq < known.seq)
            || head.epoch != expected.epoch
            || events.first().is_some_and(|first| first.seq != expected.seq)
            || (events.is_empty() && known.is_some_and(|known| head.seq > known.seq));
        if known.is_none() || broken {
            self.position.send_replace(Some(head));
            if broken {
                let _ = self.items.send(Item::Reset);
            }
            return Ok(false);
        }
        let Some(last) = events.last().map(|event| event.seq) else { return Ok(false) };
        // The position moves before the events are told: who follows from now on begins after them and
        // skips what it still hears of them.
        self.position.send_replace(Some(StreamHead { epoch: head.epoch, seq: last }));
        metrics::counter!("sre_copilot_feed_events_total", "noticed_by" => cause)
            .increment(events.len() as u64);
        for event in &events {
            self.tell(event);
        }
        Ok(last < head.seq)
    }

    fn tell(&self, event: &Event) {
        let message = Message::new(self.stream, event);
        let length = message.text.len() as u64;
        let through = self.sent.fetch_add(length, Ordering::Relaxed) + length;
        // Nobody following is not an error: the next round ends the feed.
        let _ = self.items.send(Item::Event { message, through });
    }
}

impl Follower {
    /// Where the stream stands for those who begin now: every later event is among the items.
    ///
    /// `None` when the feed has ended.
    pub(super) async fn head(&mut self) -> Option<StreamHead> {
        self.position.wait_for(Option::is_some).await.ok().and_then(|head| *head)
    }

    /// The next item.
    pub(super) async fn next(&mut self) -> Result<Item, RecvError> {
        self.items.recv().await
    }

    /// The next item if it is there already.
    pub(super) fn ready(&mut self) -> Result<Item, TryRecvError> {
        self.items.try_recv()
    }

    /// Skips everything told so far.
    pub(super) fn skip(&mut self) {
        self.items = self.items.resubscribe();
    }

    /// Bytes that the feed has told so far.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

/// Waits for a wake-up of `stream`; several that came together are one.
async fn woken(wakes: &mut broadcast::Receiver<Uuid>, stream: Uuid) {
    loop {
        match wakes.recv().await {
            Ok(id) if id == stream => break,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => break,
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
    while !matches!(wakes.try_recv(), Err(TryRecvError::Empty | TryRecvError::Closed)) {}
}

/// Where `stream` stands; one that nothing was written to yet gets its epoch now.
async fn begin(db: &Db, stream: Stream) -> sqlx::Result<StreamHead> {
    let mut tx = db.read(stream.owner).await?;
    let head = event::head(&mut tx, stream).await?;
    if !head.epoch.is_nil() {
        return Ok(head);
    }
    drop(tx);
    let mut tx = db.begin(stream.owner).await?;
    event::create(&mut tx, stream).await?;
    let head = event::head(&mut tx, stream).await?;
    tx.commit().await?;
    Ok(head)
}

/// Where `stream` stands, and the next events after `known`.
async fn read(db: &Db, stream: Stream, known: StreamHead) -> sqlx::Result<(StreamHead, Vec<Event>)> {
    let mut tx = db.read(stream.owner).await?;
    let head = event::head(&mut tx, stream).await?;
    if head.epoch != known.epoch || head.seq <= known.seq {
        return Ok((head, Vec::new()));
    }
    let events = event::after(&mut tx, stream, known.seq, PAGE).await?;
    Ok((head, events))
}
