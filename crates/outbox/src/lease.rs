//! Work claimed by lease, with a fencing number that every result is checked against.
//!
//! A job is claimed in one transaction, worked on with no transaction open, and finished in a second
//! one that fails when somebody else has claimed it since. A worker that dies is replaced when its
//! lease runs out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::retention::Old;
use crate::sabotage;
use crate::sql::{Db, Tx, TxConn};
use crate::time::Ts;
use crate::{on_tx, write_all};

/// A job to put on a queue.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// Who owns it.
    pub owner: Uuid,
    /// Which queue it waits in.
    pub queue: &'static str,
    /// What it is about; one unfinished job a key, so that asking twice is asking once.
    pub key: String,
    /// What the worker needs to know.
    pub payload: Value,
    /// Not before this instant.
    pub run_at: Ts,
}

/// A claimed job.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Job {
    /// Who owns it.
    #[sqlx(rename = "tenant_id")]
    pub owner: Uuid,
    /// Names the job.
    pub id: Uuid,
    /// What it is about.
    pub key: String,
    /// What the worker needs to know.
    pub payload: Json<Value>,
    /// Rises with every claim; a result with an older number is refused.
    pub fence: i64,
    /// How often it was claimed, this time included.
    pub attempts: i64,
}

/// Puts a job on its queue, or does nothing when an unfinished one with its key is there.
///
/// # Errors
/// When the database refused.
pub async fn enqueue(tx: &mut Tx, job: NewJob) -> sqlx::Result<()> {
    tx.wake_job();
    on_tx!(tx, c => sqlx::query(
        "insert into jobs (tenant_id, id, queue, key, payload, run_at, fence, attempts)
         values ($1, $2, $3, $4, $5, $6, 0, 0)
         on conflict (tenant_id, queue, key) where done_at is null do nothing")
        .bind(job.owner).bind(Uuid::now_v7()).bind(job.queue).bind(job.key).bind(Json(job.payload)).bind(job.run_at)
        .execute(c).await.map(drop))
}

/// Puts jobs on their queues, except those of which an unfinished one with the same key is there.
///
/// # Errors
/// When the database refused.
pub async fn enqueue_all(tx: &mut Tx, jobs: &[NewJob]) -> sqlx::Result<()> {
    tx.wake_job();
    write_all!(tx, jobs,
        "insert into jobs (tenant_id, id, queue, key, payload, run_at, fence, attempts) ",
        (bind, job) => {
            bind.push_bind(job.owner).push_bind(Uuid::now_v7()).push_bind(job.queue).push_bind(&job.key)
                .push_bind(Json(&job.payload)).push_bind(job.run_at).push_bind(0_i64).push_bind(0_i64);
        },
        " on conflict (tenant_id, queue, key) where done_at is null do nothing")
}

/// Has a job that nobody has claimed yet done at once, however late it was to be done.
///
/// # Errors
/// When the database refused.
pub async fn hurry(tx: &mut Tx, owner: Uuid, queue: &str, key: &str) -> sqlx::Result<()> {
    tx.wake_job();
    let now = tx.now();
    on_tx!(tx, c => sqlx::query(
        "update jobs set run_at = $4
         where tenant_id = $1 and queue = $2 and key = $3 and done_at is null and attempts = 0 and run_at > $4")
        .bind(owner).bind(queue).bind(key).bind(now).execute(c).await.map(drop))
}

const CLAIM_POSTGRES: &str = "
    update jobs set lease_until = $3, fence = fence + $4, attempts = attempts + 1
    where (tenant_id, id) = (
        select tenant_id, id from jobs
        where queue = $1 and done_at is null and run_at <= $2 and (lease_until is null or lease_until < $2)
            and tenant_id > $5
        order by tenant_id, run_at limit 1 for update skip locked)
    returning tenant_id, id, key, payload, fence, attempts";

const CLAIM_SQLITE: &str = "
    update jobs set lease_until = $3, fence = fence + $4, attempts = attempts + 1
    where rowid = (
        select rowid from jobs
        where queue = $1 and done_at is null and run_at <= $2 and (lease_until is null or lease_until < $2)
            and tenant_id > $5
        order by tenant_id, run_at limit 1)
    returning tenant_id, id, key, payload, fence, attempts";

/// Whose job this process claimed last from each queue.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turns(Arc<Mutex<HashMap<String, Uuid>>>);

impl Turns {
    fn last(&self, queue: &str) -> Uuid {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(queue).copied().unwrap_or_default()
    }

    fn was(&self, queue: &str, owner: Uuid) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(queue.to_owned(), owner);
    }
}

/// Claims a due job of `queue` for `lease_seconds`, or `None` when there is none: the oldest of the owner whose turn it is,
/// so that no owner's ten thousand keep the others waiting.
///
/// # Errors
/// When the database refused.
pub async fn claim(db: &Db, queue: &str, lease_seconds: i64) -> sqlx::Result<Option<Job>> {
    if !due(db, queue).await? {
        return Ok(None);
    }
    let mut tx = db.begin_across("jobs").await?;
    let now = tx.now();
    let until = now.plus_seconds(lease_seconds);
    let step = i64::from(!sabotage::broken("no-fence"));
    let mut job = None;
    for after in [db.turns().last(queue), Uuid::nil()] {
        job = match tx.conn() {
            TxConn::Postgres(open) => {
                let claim = sqlx::query_as(CLAIM_POSTGRES).bind(queue).bind(now).bind(until);
                claim.bind(step).bind(after).fetch_optional(&mut **open).await?
            }
            TxConn::Sqlite(open) => {
                let claim = sqlx::query_as(CLAIM_SQLITE).bind(queue).bind(now).bind(until);
                claim.bind(step).bind(after).fetch_optional(&mut **open).await?
            }
        };
        if job.is_some() {
            break;
        }
    }
    tx.commit().await?;
    if let Some(Job { owner, .. }) = &job {
        db.turns().was(queue, *owner);
    }
    Ok(job)
}

/// Whether `queue` has a job that could be claimed now: a read, so that an idle worker writes nothing.
///
/// # Errors
/// When the database refused.
pub async fn due(db: &Db, queue: &str) -> sqlx::Result<bool> {
    let mut tx = db.read_across("jobs").await?;
    let now = tx.now();
    on_tx!(tx, c => sqlx::query_scalar(
        "select exists (select 1 from jobs where queue = $1 and done_at is null and run_at <= $2
         and (lease_until is null or lease_until < $2))")
        .bind(queue).bind(now).fetch_one(c).await)
}

/// Finished jobs; an earlier version kept them.
pub const FINISHED: Old =
    Old { look_up: "housekeeping", table: "jobs", rule: "done_at < $1 order by done_at" };

/// What waits in a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Waits {
    /// Jobs that are due and that nobody holds, counted up to [`MOST_COUNTED`].
    pub jobs: i64,
    /// For how long the oldest of them has been due, in seconds.
    pub oldest_s: f64,
}

/// How far a queue is counted, so that a long one costs no more.
pub const MOST_COUNTED: i64 = 10_000;

/// What waits in `queue`.
///
/// # Errors
/// When the database refused.
pub async fn waits(db: &Db, queue: &str) -> sqlx::Result<Waits> {
    let mut tx = db.read_across("jobs").await?;
    let now = tx.now();
    let (jobs, oldest): (i64, Option<Ts>) = on_tx!(tx, c => sqlx::query_as(
        "select count(*), min(run_at) from (
             select run_at from jobs where queue = $1 and done_at is null and run_at <= $2
             and (lease_until is null or lease_until < $2) order by run_at limit $3) waiting")
        .bind(queue).bind(now).bind(MOST_COUNTED).fetch_one(c).await)?;
    Ok(Waits { jobs, oldest_s: oldest.map_or(0.0, |oldest| now.seconds_since(oldest)) })
}

/// Ends `job` inside the transaction that stores its result; its row goes, and with it what its fence could match.
///
/// `false` means that somebody else holds it by now: the caller must roll back.
///
/// # Errors
/// When the database refused.
pub async fn finish(tx: &mut Tx, job: &Job) -> sqlx::Result<bool> {
    let gone = on_tx!(tx, c => sqlx::query(
        "delete from jobs where tenant_id = $1 and id = $2 and fence = $3 and done_at is null")
        .bind(job.owner).bind(job.id).bind(job.fence)
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(gone == 1)
}

/// Whether `job` is still held under its fence at this instant; for checks between the steps of long work. What it
/// leads to is stored only where [`finish`] or the same condition holds it.
///
/// # Errors
/// When the database refused.
pub async fn held(tx: &mut Tx, job: &Job) -> sqlx::Result<bool> {
    on_tx!(tx, c => sqlx::query_scalar(
        "select exists (select 1 from jobs where tenant_id = $1 and id = $2 and fence = $3 and done_at is null)")
        .bind(job.owner).bind(job.id).bind(job.fence).fetch_one(c).await)
}

/// Holds `job` for `lease_seconds` from now on, if nobody else has claimed it since.
///
/// # Errors
/// When the database refused.
pub async fn renew(tx: &mut Tx, job: &Job, lease_seconds: i64) -> sqlx::Result<bool> {
    let until = tx.now().plus_seconds(lease_seconds);
    let changed = on_tx!(tx, c => sqlx::query(
        "update jobs set lease_until = $4
         where tenant_id = $1 and id = $2 and fence = $3 and done_at is null")
        .bind(job.owner).bind(job.id).bind(job.fence).bind(until)
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(changed == 1)
}

/// Gives `job` back to its queue, to be gone on with at `run_at` with this payload: the claim is no attempt that failed, and is
/// not counted.
///
/// # Errors
/// When the database refused.
pub async fn go_on(tx: &mut Tx, job: &Job, run_at: Ts, payload: &Value) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "update jobs set run_at = $4, lease_until = null, attempts = attempts - 1, payload = $5
         where tenant_id = $1 and id = $2 and fence = $3 and done_at is null")
        .bind(job.owner).bind(job.id).bind(job.fence).bind(run_at).bind(Json(payload)).execute(c).await.map(drop))
}

/// Gives `job` back to its queue, to be tried again at `run_at`.
///
/// # Errors
/// When the database refused.
pub async fn retry(tx: &mut Tx, job: &Job, run_at: Ts) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "update jobs set run_at = $4, lease_until = null
         where tenant_id = $1 and id = $2 and fence = $3 and done_at is null")
        .bind(job.owner).bind(job.id).bind(job.fence).bind(run_at).execute(c).await.map(drop))
}
