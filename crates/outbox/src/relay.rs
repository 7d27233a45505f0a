//! Telling events to the world outside, in order and at least once.
//!
//! The transaction that appends events also leaves a mark: one unfinished job a stream, holding the first number
//! that was not told yet. Whoever claims it tells from there and takes the mark away under the stream's lock, so
//! that a commit either is told in this round or leaves a mark of its own. The mark moves on with every page. A teller
//! that dies is replaced when its lease runs out; its successor repeats that page, so a listener skips numbers that it
//! has seen.

use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::types::Json;
use uuid::Uuid;

use crate::event::{self, Event, Stream};
use crate::lease::{self, Job};
use crate::on_tx;
use crate::sql::{Db, Tx, TxConn};

/// The queue of marks; a job's key is the stream's id.
const QUEUE: &str = "relay";

/// Seconds for which a claimed stream is told by nobody else, from its last page on.
const LEASE_S: i64 = 20;

/// Where to begin.
#[derive(Serialize, Deserialize)]
struct Mark {
    from: i64,
}

/// A stream with events to tell, claimed.
#[derive(Debug)]
pub struct Relay {
    /// The stream.
    pub stream: Stream,
    /// The number of the next event to tell.
    next: i64,
    /// What the mark says.
    marked: i64,
    job: Job,
}

/// What is left of a claimed stream.
#[derive(Debug)]
pub enum Left {
    /// Events to tell; call [`Relay::told`] when that is done.
    Events(Vec<Event>),
    /// Nothing: the mark is gone.
    Nothing,
    /// Somebody else has claimed it since.
    Lost,
}

/// Notes that the events of `stream` from number `from` on were not told yet; one that is there already says more.
pub(crate) async fn mark(tx: &mut Tx, stream: Stream, from: i64) -> sqlx::Result<()> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query(
        "insert into jobs (tenant_id, id, queue, key, payload, run_at, fence, attempts)
         values ($1, $2, $3, $4, $5, $6, 0, 0)
         on conflict (tenant_id, queue, key) where done_at is null do nothing")
        .bind(stream.owner).bind(Uuid::now_v7()).bind(QUEUE).bind(stream.id.to_string())
        .bind(Json(Mark { from })).bind(now).execute(c).await.map(drop))
}

impl Relay {
    /// Claims a stream with events to tell, or `None` when there is none.
    ///
    /// # Errors
    /// When the database refused.
    pub async fn claim(db: &Db) -> sqlx::Result<Option<Self>> {
        let Some(job) = lease::claim(db, QUEUE, LEASE_S).await? else { return Ok(None) };
        let mark = serde_json::from_value::<Mark>(job.payload.0.clone());
        // A mark that can't be read is from nobody we know: everything that is still there is told.
        let next = mark.map_or(1, |mark| mark.from);
        let id = job.key.parse().unwrap_or(Uuid::nil());
        Ok(Some(Self { stream: Stream { owner: job.owner, id }, next, marked: next, job }))
    }

    /// The next events, at most `limit`; when there are none the mark is taken away.
    ///
    /// # Errors
    /// When the database refused.
    pub async fn left(&mut self, db: &Db, limit: i64) -> sqlx::Result<Left> {
        if self.next != self.marked && !self.save(db).await? {
            return Ok(Left::Lost);
        }
        let mut tx = db.read(self.stream.owner).await?;
        if !lease::held(&mut tx, &self.job).await? {
            return Ok(Left::Lost);
        }
        let events = event::after(&mut tx, self.stream, self.next - 1, limit).await?;
        drop(tx);
        if events.is_empty() { self.settle(db).await } else { Ok(Left::Events(events)) }
    }

    /// Remembers that the events up to number `seq` were told.
    pub fn told(&mut self, seq: i64) {
        self.next = self.next.max(seq.saturating_add(1));
    }

    /// Moves the mark on and holds the stream from now; `false` when somebody else has claimed it since.
    async fn save(&mut self, db: &Db) -> sqlx::Result<bool> {
        let mut tx = db.begin(self.stream.owner).await?;
        let until = tx.now().plus_seconds(LEASE_S);
        let saved = on_tx!(tx, c => sqlx::query(
            "update jobs set payload = $4, lease_until = $5
             where tenant_id = $1 and id = $2 and fence = $3 and done_at is null")
            .bind(self.job.owner).bind(self.job.id).bind(self.job.fence)
            .bind(Json(json!(Mark { from: self.next }))).bind(until)
            .execute(c).await.map(|done| done.rows_affected()))?;
        tx.commit().await?;
        self.marked = self.next;
        Ok(saved == 1)
    }

    /// Gives the stream back, to be told on by whoever claims it in `seconds`.
    ///
    /// # Errors
    /// When the database refused; its lease runs out then.
    pub async fn give_back(self, db: &Db, seconds: i64) -> sqlx::Result<()> {
        let mut tx = db.begin(self.stream.owner).await?;
        let run_at = tx.now().plus_seconds(seconds);
        on_tx!(tx, c => sqlx::query(
            "update jobs set payload = $4, run_at = $5, lease_until = null
             where tenant_id = $1 and id = $2 and fence = $3 and done_at is null")
            .bind(self.job.owner).bind(self.job.id).bind(self.job.fence)
            .bind(Json(json!(Mark { from: self.next }))).bind(run_at).execute(c).await.map(drop))?;
        tx.commit().await
    }

    /// Takes the mark away, unless events were committed since: they found the mark and left none.
    async fn settle(&mut self, db: &Db) -> sqlx::Result<Left> {
        let mut tx = db.begin(self.stream.owner).await?;
        lock(&mut tx, self.stream).await?;
        let events = event::after(&mut tx, self.stream, self.next - 1, 1).await?;
        if !events.is_empty() {
            return Ok(Left::Events(events));
        }
        let gone = on_tx!(tx, c => sqlx::query(
            "delete from jobs where tenant_id = $1 and id = $2 and fence = $3 and done_at is null")
            .bind(self.job.owner).bind(self.job.id).bind(self.job.fence)
            .execute(c).await.map(|done| done.rows_affected()))?;
        tx.commit().await?;
        Ok(if gone == 1 { Left::Nothing } else { Left::Lost })
    }
}

/// Waits for the transactions that are numbering events of `stream`, and keeps others from it.
async fn lock(tx: &mut Tx, stream: Stream) -> sqlx::Result<()> {
    if let TxConn::Postgres(open) = tx.conn() {
        sqlx::query("select 1 from streams where tenant_id = $1 and stream_id = $2 for update")
            .bind(stream.owner)
            .bind(stream.id)
            .execute(&mut **open)
            .await?;
    }
    // SQLite has one writer, and this transaction is it.
    Ok(())
}
