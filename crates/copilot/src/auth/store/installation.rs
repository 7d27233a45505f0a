//! What the database was set up with, and the processes that have its keys.

use outbox::{Ts, Tx, on_tx};
use uuid::Uuid;

/// What is known of the master key, each as [`Master::check`](crate::auth::master::Master::check) tells it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(in crate::auth) struct Noted {
    /// The one in use.
    pub key_check: Vec<u8>,
    /// The one before it, while values may be sealed with it.
    pub previous_check: Option<Vec<u8>>,
}

/// A running process.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(in crate::auth) struct Holder {
    /// The key that it uses.
    pub in_use: Vec<u8>,
    /// The other one that it has.
    pub other: Option<Vec<u8>>,
    /// When it said so.
    pub seen_at: Ts,
}

impl Holder {
    /// Whether it has this key.
    pub fn has(&self, check: &[u8]) -> bool {
        self.in_use == check || self.other.as_deref() == Some(check)
    }
}

/// What is known of the master key in use.
pub(in crate::auth) async fn key_check(tx: &mut Tx) -> sqlx::Result<Option<Vec<u8>>> {
    on_tx!(tx, c => sqlx::query_scalar("select key_check from installation").fetch_optional(c).await)
}

/// Notes it, unless something is noted.
pub(in crate::auth) async fn note_key(tx: &mut Tx, check: &[u8]) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query("insert into installation (id, key_check) values (1, $1) on conflict do nothing")
        .bind(check).execute(c).await.map(drop))
}

/// What is noted; nobody else changes it until the transaction ends.
pub(in crate::auth) async fn hold(tx: &mut Tx) -> sqlx::Result<Option<Noted>> {
    on_tx!(tx, c => sqlx::query_as("update installation set id = id returning key_check, previous_check")
        .fetch_optional(c).await)
}

/// Notes another key as the one in use, and which one was.
pub(in crate::auth) async fn bring_into_use(tx: &mut Tx, check: &[u8], previous: &[u8]) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query("update installation set key_check = $1, previous_check = $2")
        .bind(check).bind(previous).execute(c).await.map(drop))
}

/// Notes that nothing is sealed with the previous key any more; `false` if that was known.
pub(in crate::auth) async fn end(tx: &mut Tx) -> sqlx::Result<bool> {
    on_tx!(tx, c => sqlx::query("update installation set previous_check = null where previous_check is not null")
        .execute(c).await.map(|done| done.rows_affected() > 0))
}

/// Forgets it, and says whether there was anything to forget.
pub(in crate::auth) async fn forget_key(tx: &mut Tx) -> sqlx::Result<bool> {
    on_tx!(tx, c => sqlx::query("delete from installation").execute(c).await.map(|done| done.rows_affected() > 0))
}

/// Asks every process to say which keys it has.
pub(in crate::auth) async fn call(tx: &mut Tx, at: Ts) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query("update installation set called_at = $1").bind(at).execute(c).await.map(drop))
}

/// Whether a process has not said since it was asked.
pub(in crate::auth) async fn is_called(tx: &mut Tx, holder: Uuid) -> sqlx::Result<bool> {
    on_tx!(tx, c => sqlx::query_scalar::<_, i64>(
        "select count(*) from installation where called_at is not null
         and not exists (select 1 from key_holders where id = $1 and seen_at >= called_at)")
        .bind(holder).fetch_one(c).await)
    .map(|count| count > 0)
}

/// Notes which keys a process has.
pub(in crate::auth) async fn register(
    tx: &mut Tx,
    holder: Uuid,
    in_use: &[u8],
    other: Option<&[u8]>,
) -> sqlx::Result<()> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query(
        "insert into key_holders (id, in_use, other, seen_at) values ($1, $2, $3, $4)
         on conflict (id) do update set in_use = excluded.in_use, other = excluded.other, seen_at = excluded.seen_at")
        .bind(holder).bind(in_use).bind(other).bind(now).execute(c).await.map(drop))
}

/// Every process that has said which keys it has.
pub(in crate::auth) async fn holders(tx: &mut Tx) -> sqlx::Result<Vec<Holder>> {
    on_tx!(tx, c => sqlx::query_as("select in_use, other, seen_at from key_holders").fetch_all(c).await)
}

/// Forgets a process that ends.
pub(in crate::auth) async fn leave(tx: &mut Tx, holder: Uuid) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query("delete from key_holders where id = $1").bind(holder).execute(c).await.map(drop))
}

/// Forgets the processes that have not said so since `called`.
pub(in crate::auth) async fn bury(tx: &mut Tx, called: Ts) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query("delete from key_holders where seen_at < $1").bind(called).execute(c).await.map(drop))
}
