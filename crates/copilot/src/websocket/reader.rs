//! What a client sends.

use std::time::Duration;

use axum::extract::ws::{Message as Frame, WebSocket};
use futures_util::StreamExt as _;
use futures_util::stream::SplitStream;
use outbox::Stream;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::hub::Limits;
use super::request::{self, Fault, Request};
use super::socket::End;

/// The stretch in which messages are counted.
const MINUTE: Duration = Duration::from_secs(60);

/// Listens to one client.
pub(super) struct Reader<'a> {
    limits: &'a Limits,
    project: Stream,
    frames: &'a mut SplitStream<WebSocket>,
    counted: u32,
    counted_since: Instant,
    last_pong: Instant,
}

impl<'a> Reader<'a> {
    /// Listens to `frames` of a client that follows `project`.
    pub(super) fn new(limits: &'a Limits, project: Stream, frames: &'a mut SplitStream<WebSocket>) -> Self {
        let now = Instant::now();
        Self { limits, project, frames, counted: 0, counted_since: now, last_pong: now }
    }

    /// Passes what the client asks for on to the writer, until the client ends or must be ended.
    pub(super) async fn run(mut self, ask: mpsc::Sender<Result<Request, Fault>>) -> End {
        loop {
            let frame = tokio::time::timeout_at(self.last_pong + self.limits.dead, self.frames.next()).await;
            let frame = match frame {
                Err(_) => return End::Slow,
                Ok(None) => return End::Left,
                Ok(Some(Err(error))) => return End::of(&error),
                Ok(Some(Ok(frame))) => frame,
            };
            self.count();
            if self.counted > self.limits.requests_before_close {
                return End::TooMany;
            }
            match frame {
                Frame::Text(text) => {
                    let Some(asked) = self.read(&text) else { continue };
                    // A full channel makes this wait, and the client with it.
                    if ask.send(asked).await.is_err() {
                        return End::Left;
                    }
                }
                Frame::Binary(_) => return End::Binary,
                Frame::Pong(_) => self.last_pong = Instant::now(),
                Frame::Ping(_) => {}
                Frame::Close(_) => return End::Left,
            }
        }
    }

    fn count(&mut self) {
        if self.counted_since.elapsed() >= MINUTE {
            self.counted_since = Instant::now();
            self.counted = 0;
        }
        self.counted += 1;
    }

    /// What `text` asks for; nothing once the client has been told that it asks too often.
    fn read(&mut self, text: &str) -> Option<Result<Request, Fault>> {
        if self.counted > self.limits.requests_per_minute {
            return (self.counted == self.limits.requests_per_minute + 1).then_some(Err(Fault::Limit));
        }
        Some(request::parse(text, self.project))
    }
}
