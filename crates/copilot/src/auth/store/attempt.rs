//! Attempts to sign in, one row a bucket. They exist before any tenant is known.

use outbox::{Old, Ts, Tx, on_tx};

/// What is known of a bucket.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub(in crate::auth) struct Attempts {
    pub failures: i64,
    pub last_at: Ts,
}

/// The bucket's attempts.
pub(in crate::auth) async fn find(tx: &mut Tx, bucket: &str) -> sqlx::Result<Option<Attempts>> {
    on_tx!(tx, c => sqlx::query_as("select failures, last_at from login_attempts where bucket = $1")
        .bind(bucket).fetch_optional(c).await)
}

/// Stores `new` if the bucket still is as it was read; `false` when another attempt came in between.
pub(in crate::auth) async fn replace(
    tx: &mut Tx,
    bucket: &str,
    old: Option<Attempts>,
    new: Attempts,
) -> sqlx::Result<bool> {
    let changed = match old {
        None => on_tx!(tx, c => sqlx::query(
            "insert into login_attempts (bucket, failures, last_at) values ($1, $2, $3) on conflict (bucket) do nothing")
            .bind(bucket).bind(new.failures).bind(new.last_at)
            .execute(c).await.map(|done| done.rows_affected()))?,
        Some(old) => on_tx!(tx, c => sqlx::query(
            "update login_attempts set failures = $2, last_at = $3 where bucket = $1 and failures = $4 and last_at = $5")
            .bind(bucket).bind(new.failures).bind(new.last_at).bind(old.failures).bind(old.last_at)
            .execute(c).await.map(|done| done.rows_affected()))?,
    };
    Ok(changed == 1)
}

/// Moves the bucket's last attempt to now.
pub(in crate::auth) async fn touch(tx: &mut Tx, bucket: &str) -> sqlx::Result<()> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query("update login_attempts set last_at = $2 where bucket = $1")
        .bind(bucket).bind(now).execute(c).await.map(drop))
}

/// Forgets the bucket.
pub(in crate::auth) async fn clear(tx: &mut Tx, bucket: &str) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query("delete from login_attempts where bucket = $1").bind(bucket).execute(c).await.map(drop))
}

/// Buckets without an attempt for a while.
pub(in crate::auth) const OLD: Old =
    Old { look_up: "housekeeping", table: "login_attempts", rule: "last_at < $1" };
