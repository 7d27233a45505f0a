//! What a client missed while it was away.

use outbox::{Db, Stream, StreamHead, event};

use super::message::Message;
use super::request::Place;

/// Events of one page.
const PAGE: i64 = 200;

/// The farthest that a client may be behind, in events; beyond it, looking again is cheaper for both.
const MAX_BEHIND: i64 = 10_000;

/// The age of the oldest event that is told again, in seconds.
const MAX_AGE_S: f64 = 24.0 * 60.0 * 60.0;

/// The next part of what a client missed.
pub(super) enum Page {
    /// It can't be told event by event; the stream stands here.
    Resync(StreamHead),
    /// The next events, in order.
    Events {
        /// Where the stream stood when they were read.
        head: StreamHead,
        /// Every event after the place asked for, or the first of them.
        messages: Vec<Message>,
    },
}

/// Reads what comes after `place`.
///
/// # Errors
/// When the database refused.
pub(super) async fn after(db: &Db, stream: Stream, place: &Place) -> sqlx::Result<Page> {
    let mut tx = db.read(stream.owner).await?;
    let head = event::head(&mut tx, stream).await?;
    let behind = head.seq.saturating_sub(place.seq);
    if place.epoch != head.epoch.to_string() || !(0..=MAX_BEHIND).contains(&behind) {
        return Ok(Page::Resync(head));
    }
    let events = event::after(&mut tx, stream, place.seq, PAGE).await?;
    let complete = match events.first() {
        Some(first) => first.seq == place.seq + 1 && tx.now().seconds_since(first.at) <= MAX_AGE_S,
        None => behind == 0,
    };
    if !complete {
        return Ok(Page::Resync(head));
    }
    let messages = events.iter().map(|event| Message::new(stream, event)).collect();
    Ok(Page::Events { head, messages })
}
