//! Letting old rows go, however many there are: some thousands a transaction, so that none takes long, none is in vain,
//! and others write in between.

use sqlx::AssertSqlSafe;

use crate::sql::{Db, TxConn};

/// Rows of one transaction.
pub const BATCH: u64 = 5_000;

/// The rows of a table that are old.
#[derive(Clone, Copy, Debug)]
pub struct Old {
    /// The look-up that is admitted to all owners' rows of the table.
    pub look_up: &'static str,
    /// The table.
    pub table: &'static str,
    /// What holds for them, with the instant `$1` before which they are old; in an order where an index has one.
    pub rule: &'static str,
}

impl Old {
    /// Deletes those older than so many seconds and says how many there were.
    ///
    /// # Errors
    /// When the database refused; what was deleted until then stays so.
    pub async fn delete(self, db: &Db, age_s: i64) -> sqlx::Result<u64> {
        self.each_batch(db, &format!("delete from {}", self.table), age_s).await
    }

    /// Empties a column, of which the rule asks that it is not, and says in how many rows.
    ///
    /// # Errors
    /// As [`Old::delete`].
    pub async fn empty(self, db: &Db, column: &str, age_s: i64) -> sqlx::Result<u64> {
        self.each_batch(db, &format!("update {} set {column} = null", self.table), age_s).await
    }

    async fn each_batch(self, db: &Db, what: &str, age_s: i64) -> sqlx::Result<u64> {
        let Self { look_up, table, rule } = self;
        let mut all = 0;
        loop {
            let mut tx = db.begin_across(look_up).await?;
            let before = tx.now().plus_seconds(-age_s);
            // By their place in the table, so that each is found once.
            let batch = match tx.conn() {
                TxConn::Postgres(open) => {
                    let which = format!("select ctid from {table} where {rule} limit {BATCH}");
                    let sql = format!("{what} where ctid = any (array({which}))");
                    sqlx::query(AssertSqlSafe(sql)).bind(before).execute(&mut **open).await?.rows_affected()
                }
                TxConn::Sqlite(open) => {
                    let which = format!("select rowid from {table} where {rule} limit {BATCH}");
                    let sql = format!("{what} where rowid in ({which})");
                    sqlx::query(AssertSqlSafe(sql)).bind(before).execute(&mut **open).await?.rows_affected()
                }
            };
            tx.commit().await?;
            all += batch;
            if batch < BATCH {
                return Ok(all);
            }
            tokio::task::yield_now().await;
        }
    }
}
