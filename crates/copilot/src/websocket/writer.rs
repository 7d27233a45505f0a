//! What a client is sent: hello, then every event in order, or a resync.

use axum::extract::ws::{Message as Frame, Utf8Bytes, WebSocket};
use futures_util::SinkExt as _;
use futures_util::stream::SplitSink;
use outbox::{Stream, StreamHead, sabotage};
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};
use uuid::Uuid;

use super::feed::{Follower, Item};
use super::history::{self, Page};
use super::hub::Hub;
use super::message::{self, Message};
use super::request::{Fault, Filter, Place, Request};
use super::socket::End;

/// Bytes that may wait for a slow client.
const MAX_WAITING: u64 = 1024 * 1024;

/// Messages put into one write at most.
const BATCH: usize = 64;

/// Invalid messages after which the socket is closed.
const MAX_INVALID: u32 = 10;

/// A step that may end the socket.
type Step<T = ()> = Result<T, End>;

/// Speaks to one client.
pub(super) struct Writer<'a> {
    hub: &'a Hub,
    project: Stream,
    sink: &'a mut SplitSink<WebSocket, Frame>,
    follower: Follower,
    filter: Filter,
    /// The last event that the client was sent or did not want.
    at: StreamHead,
    /// Bytes of the feed up to that event.
    through: u64,
    /// When the client was last told to look again because it was slow.
    overflowed: Option<Instant>,
    /// Whether the last write took long.
    slow: bool,
    /// Invalid messages so far.
    invalid: u32,
}

impl<'a> Writer<'a> {
    /// Speaks through `sink` of `project`.
    pub(super) fn new(hub: &'a Hub, project: Stream, sink: &'a mut SplitSink<WebSocket, Frame>) -> Self {
        Self {
            hub,
            project,
            sink,
            follower: hub.follow(project),
            filter: Filter::ALL,
            at: StreamHead { epoch: Uuid::nil(), seq: 0 },
            through: 0,
            overflowed: None,
            slow: false,
            invalid: 0,
        }
    }

    /// Says hello, tells what happened after `place`, and goes on until the client must be ended.
    pub(super) async fn run(
        mut self,
        place: Option<Place>,
        mut asked: mpsc::Receiver<Result<Request, Fault>>,
    ) -> End {
        match self.speak(place, &mut asked).await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn speak(
        &mut self,
        place: Option<Place>,
        asked: &mut mpsc::Receiver<Result<Request, Fault>>,
    ) -> Step<std::convert::Infallible> {
        self.greet(place).await?;
        let mut pings = tokio::time::interval(self.hub.limits().ping);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some(asked) = asked.recv() => self.obey(asked).await?,
                item = self.follower.next() => self.deliver(item).await?,
                _ = pings.tick() => {
                    self.feed(Frame::Ping(Default::default())).await?;
                    self.flush().await?;
                }
            }
        }
    }

    /// Says where the stream stands, then tells what the client missed.
    async fn greet(&mut self, place: Option<Place>) -> Step {
        let begun = tokio::time::timeout(self.hub.limits().stalled, self.follower.head()).await;
        self.at = begun.ok().flatten().ok_or(End::Unavailable)?;
        self.through = self.follower.sent();
        let Some(place) = place.filter(|_| !sabotage::broken("resume-live-only")) else {
            self.say(message::hello(self.at)).await?;
            return self.flush().await;
        };
        match history::after(self.hub.db(), self.project, &place).await {
            Err(_) => Err(End::Unavailable),
            Ok(Page::Resync(head)) => {
                self.say(message::hello(head)).await?;
                self.at = head;
                self.say(message::resync(head)).await?;
                self.flush().await
            }
            Ok(Page::Events { head, .. }) => {
                self.at = StreamHead { seq: place.seq, ..head };
                self.say(message::hello(self.at)).await?;
                self.catch_up().await
            }
        }
    }

    /// Does what the client asked for, or says why not.
    async fn obey(&mut self, asked: Result<Request, Fault>) -> Step {
        match asked {
            Ok(Request::Ping) => self.say(message::pong()).await?,
            Ok(Request::Subscribe(filter)) => self.filter = filter,
            Ok(Request::Unsubscribe(filter)) => self.filter = self.filter.without(filter),
            Ok(Request::Resume(place)) => return self.resume(&place).await,
            Err(fault) => {
                self.say(message::error(fault.name())).await?;
                self.invalid += u32::from(fault == Fault::Invalid);
            }
        }
        self.flush().await?;
        if self.invalid >= MAX_INVALID { Err(End::Invalid) } else { Ok(()) }
    }

    async fn resume(&mut self, place: &Place) -> Step {
        match history::after(self.hub.db(), self.project, place).await {
            Err(_) => Err(End::Unavailable),
            Ok(Page::Resync(_)) => self.resync().await,
            Ok(Page::Events { head, .. }) => {
                self.at = StreamHead { seq: place.seq, ..head };
                self.catch_up().await
            }
        }
    }

    /// Sends `item` and what came with it in as few writes as possible.
    async fn deliver(&mut self, item: Result<Item, RecvError>) -> Step {
        let mut item = item;
        let begun = Instant::now();
        sabotage::point("socket.deliver").await.map_err(|_| End::Unavailable)?;
        for _ in 0..BATCH {
            match item {
                Ok(Item::Event { message, through }) => {
                    self.through = through;
                    self.tell(message).await?;
                }
                Ok(Item::Reset) => return self.resync().await,
                Err(RecvError::Lagged(_)) if sabotage::broken("lagged-ignored") => {}
                Err(RecvError::Lagged(_)) if self.slow => return self.overflow().await,
                // A burst was faster than this task: the client is not to blame.
                Err(RecvError::Lagged(_)) => return self.catch_up().await,
                Err(RecvError::Closed) => return Err(End::Restart),
            }
            item = match self.follower.ready() {
                Ok(next) => Ok(next),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Lagged(missed)) => Err(RecvError::Lagged(missed)),
                Err(TryRecvError::Closed) => Err(RecvError::Closed),
            };
        }
        self.flush().await?;
        self.slow = begun.elapsed() > self.hub.limits().slow;
        if self.slow && self.follower.sent().saturating_sub(self.through) > MAX_WAITING {
            return self.overflow().await;
        }
        Ok(())
    }

    /// Sends the event that follows the last one; those before it are known, and a gap is read again.
    async fn tell(&mut self, message: Message) -> Step {
        if message.seq <= self.at.seq {
            return Ok(());
        }
        if message.seq != self.at.seq + 1 && !sabotage::broken("lagged-ignored") {
            return self.catch_up().await;
        }
        self.at.seq = message.seq;
        if self.filter.admits(message.channel) {
            self.say(message.text).await?;
        }
        Ok(())
    }

    /// Reads what comes after the last event from the database until nothing is missing.
    async fn catch_up(&mut self) -> Step {
        loop {
            // First follow, then read: what is committed in between comes twice and is skipped once.
            self.follower.skip();
            self.through = self.follower.sent();
            let place = Place { epoch: self.at.epoch.to_string(), seq: self.at.seq };
            let page = history::after(self.hub.db(), self.project, &place).await;
            let Page::Events { head, messages } = page.map_err(|_| End::Unavailable)? else {
                return self.resync().await;
            };
            for message in messages {
                self.at.seq = message.seq;
                if self.filter.admits(message.channel) {
                    self.say(message.text).await?;
                }
            }
            self.flush().await?;
            if self.at.seq >= head.seq {
                return Ok(());
            }
        }
    }

    /// Tells a client that has not kept up to look again; the second time within a minute ends it.
    async fn overflow(&mut self) -> Step {
        let again = self.overflowed.is_some_and(|at| at.elapsed() < self.hub.limits().patience);
        metrics::counter!("sre_copilot_sockets_overflowed_total").increment(1);
        if again {
            return Err(End::Slow);
        }
        self.overflowed = Some(Instant::now());
        self.slow = false;
        self.resync().await
    }

    /// Goes on from where the stream stands now.
    async fn resync(&mut self) -> Step {
        self.follower.skip();
        self.at = self.follower.head().await.ok_or(End::Restart)?;
        self.through = self.follower.sent();
        self.say(message::resync(self.at)).await?;
        self.flush().await
    }

    async fn say(&mut self, text: Utf8Bytes) -> Step {
        self.feed(Frame::Text(text)).await
    }

    async fn feed(&mut self, frame: Frame) -> Step {
        let fed = tokio::time::timeout(self.hub.limits().stalled, self.sink.feed(frame)).await;
        fed.map_err(|_| End::Slow)?.map_err(|_| End::Left)
    }

    async fn flush(&mut self) -> Step {
        let flushed = tokio::time::timeout(self.hub.limits().stalled, self.sink.flush()).await;
        flushed.map_err(|_| End::Slow)?.map_err(|_| End::Left)
    }
}
