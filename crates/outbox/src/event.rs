//! Numbered events: appended inside a transaction, read back in order.

use std::collections::BTreeMap;

use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::retention::Old;
use crate::sabotage;
use crate::sql::Tx;
use crate::time::Ts;
use crate::{on_tx, relay, write_all};

/// Names a stream and who owns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stream {
    /// The owner; every key starts with it.
    pub owner: Uuid,
    /// The stream; its events carry consecutive numbers.
    pub id: Uuid,
}

/// An event that has no number yet.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// What happened, such as `incident.created`.
    pub kind: &'static str,
    /// What a listener needs to decide whether to look.
    pub data: Value,
}

/// A committed event.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Event {
    /// Its number in the stream: one more than the event before it.
    pub seq: i64,
    /// What happened.
    pub kind: String,
    /// What a listener needs to decide whether to look.
    pub data: Json<Value>,
    /// When the transaction that appended it committed, to within its own length.
    pub at: Ts,
}

/// Where a stream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StreamHead {
    /// Changes when numbers may have been given out twice, as after a restore.
    pub epoch: Uuid,
    /// The number of the newest event; 0 before the first.
    pub seq: i64,
}

/// Writes `events` with the next numbers of their streams; returns the streams with the first and last of them.
pub(crate) async fn write(
    tx: &mut Tx,
    events: Vec<(Stream, NewEvent)>,
) -> sqlx::Result<Vec<(Uuid, i64, i64)>> {
    let now = tx.now();
    let mut by_stream: BTreeMap<Stream, Vec<NewEvent>> = BTreeMap::new();
    for (stream, event) in events {
        by_stream.entry(stream).or_default().push(event);
    }
    let mut written = Vec::with_capacity(by_stream.len());
    for (stream, events) in by_stream {
        let count = events.len() as i64;
        let last = sabotage::numbered(advance(tx, stream, count).await?, count);
        let first = last - events.len() as i64 + 1;
        if tx.relays_events() {
            relay::mark(tx, stream, first).await?;
        }
        let numbered: Vec<(i64, NewEvent)> = (first..).zip(events).collect();
        write_all!(tx, &numbered,
            "insert into events (tenant_id, stream_id, seq, kind, data, at) ",
            (row, event) => row.push_bind(stream.owner).push_bind(stream.id).push_bind(event.0)
                .push_bind(event.1.kind).push_bind(Json(&event.1.data)).push_bind(now),
            "")?;
        written.push((stream.id, first, last));
    }
    Ok(written)
}

/// Takes `count` numbers under the stream's row lock and returns the last of them.
async fn advance(tx: &mut Tx, stream: Stream, count: i64) -> sqlx::Result<i64> {
    on_tx!(tx, c => sqlx::query_scalar(
        "insert into streams (tenant_id, stream_id, epoch, seq) values ($1, $2, $3, $4)
         on conflict (tenant_id, stream_id) do update set seq = streams.seq + excluded.seq returning seq")
        .bind(stream.owner).bind(stream.id).bind(Uuid::new_v4()).bind(count)
        .fetch_one(c).await)
}

/// Where `stream` stands; a stream without events is created so that its epoch is stable.
///
/// # Errors
/// When the database refused.
pub async fn head(tx: &mut Tx, stream: Stream) -> sqlx::Result<StreamHead> {
    let found: Option<StreamHead> = on_tx!(tx, c => sqlx::query_as(
        "select epoch, seq from streams where tenant_id = $1 and stream_id = $2")
        .bind(stream.owner).bind(stream.id).fetch_optional(c).await)?;
    Ok(found.unwrap_or(StreamHead { epoch: Uuid::nil(), seq: 0 }))
}

/// Makes sure that `stream` has an epoch of its own before anyone listens to it.
///
/// # Errors
/// When the database refused.
pub async fn create(tx: &mut Tx, stream: Stream) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "insert into streams (tenant_id, stream_id, epoch, seq) values ($1, $2, $3, 0)
         on conflict (tenant_id, stream_id) do nothing")
        .bind(stream.owner).bind(stream.id).bind(Uuid::new_v4()).execute(c).await.map(drop))
}

/// At most `limit` events after number `after`, in order.
///
/// # Errors
/// When the database refused.
pub async fn after(tx: &mut Tx, stream: Stream, after: i64, limit: i64) -> sqlx::Result<Vec<Event>> {
    on_tx!(tx, c => sqlx::query_as(
        "select seq, kind, data, at from events
         where tenant_id = $1 and stream_id = $2 and seq > $3 order by seq limit $4")
        .bind(stream.owner).bind(stream.id).bind(after).bind(limit).fetch_all(c).await)
}

/// The events of every stream from before an instant.
///
/// Numbers are never given out again: a listener that asks for a forgotten event sees that the next one it gets is
/// not the one after its own.
pub const OLD: Old = Old { look_up: "events", table: "events", rule: "at < $1 order by at" };
