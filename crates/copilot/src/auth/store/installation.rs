//! What the database was set up with.

use outbox::{Tx, on_tx};

/// What is known of the master key.
pub(in crate::auth) async fn key_check(tx: &mut Tx) -> sqlx::Result<Option<Vec<u8>>> {
    on_tx!(tx, c => sqlx::query_scalar("select key_check from installation").fetch_optional(c).await)
}

/// Notes it, unless something is noted.
pub(in crate::auth) async fn note_key(tx: &mut Tx, check: &[u8]) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query("insert into installation (id, key_check) values (1, $1) on conflict do nothing")
        .bind(check).execute(c).await.map(drop))
}

/// Forgets it, and says whether there was anything to forget.
pub(in crate::auth) async fn forget_key(tx: &mut Tx) -> sqlx::Result<bool> {
    on_tx!(tx, c => sqlx::query("delete from installation").execute(c).await.map(|done| done.rows_affected() > 0))
}
