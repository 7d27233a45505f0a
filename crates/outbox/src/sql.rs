//! One transaction type over PostgreSQL and SQLite.

use sqlx::postgres::PgPool;
use sqlx::sqlite::SqlitePool;
use sqlx::{Postgres, Sqlite, Transaction};
use uuid::Uuid;

use crate::event::{self, NewEvent, Stream};
use crate::fault;
use crate::time::{Clock, Ts};
use crate::wake::Wake;

/// The connections of one database.
#[derive(Clone, Debug)]
pub enum Pool {
    /// PostgreSQL 15 or newer.
    Postgres(PgPool),
    /// SQLite in WAL mode: one writer, because a second could only wait, and readers beside it.
    Sqlite {
        /// The only connection that writes.
        writer: SqlitePool,
        /// Connections that see the last commit and never wait for the writer.
        readers: SqlitePool,
    },
}

/// A database, the clock that dates its rows and the wake-ups that follow its commits.
#[derive(Clone, Debug)]
pub struct Db {
    pool: Pool,
    clock: Clock,
    wake: Wake,
}

/// The connection inside a transaction; [`on_tx!`](crate::on_tx) matches on it.
#[derive(Debug)]
pub enum TxConn {
    /// PostgreSQL.
    Postgres(Transaction<'static, Postgres>),
    /// SQLite.
    Sqlite(Transaction<'static, Sqlite>),
}

/// An open transaction with the events it will append when it commits.
///
/// Dropped without [`Tx::commit`] it rolls back, events included.
#[derive(Debug)]
pub struct Tx {
    conn: TxConn,
    clock: Clock,
    wake: Wake,
    events: Vec<(Stream, NewEvent)>,
    woke_job: bool,
}

/// Runs one body with the open connection, whichever database it belongs to.
///
/// `on_tx!(tx, c => sqlx::query("…").bind(1).execute(c).await)`: `c` is the engine's own connection,
/// and the body is compiled once for each engine.
#[macro_export]
macro_rules! on_tx {
    ($tx:expr, $c:ident => $body:expr) => {
        match $tx.conn() {
            $crate::TxConn::Postgres(open) => {
                let $c = &mut **open;
                $body
            }
            $crate::TxConn::Sqlite(open) => {
                let $c = &mut **open;
                $body
            }
        }
    };
}

impl Db {
    /// Puts a clock and wake-ups around a pool.
    pub fn new(pool: Pool, clock: Clock) -> Self {
        Self { pool, clock, wake: Wake::default() }
    }

    /// The connections, for what is not a transaction: migrations and closing.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The clock that dates rows.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The wake-ups that follow commits.
    pub fn wake(&self) -> &Wake {
        &self.wake
    }

    /// Begins a transaction that may write rows of `owner`.
    ///
    /// # Errors
    /// When no connection could be had in time, or the database refused.
    pub async fn begin(&self, owner: Uuid) -> sqlx::Result<Tx> {
        let mut tx = self.begin_unscoped().await?;
        tx.scope(owner).await?;
        Ok(tx)
    }

    /// Begins a read-only transaction over rows of `owner`: one snapshot, no waiting for writers.
    ///
    /// # Errors
    /// As [`Db::begin`].
    pub async fn read(&self, owner: Uuid) -> sqlx::Result<Tx> {
        let mut tx = self.read_unscoped().await?;
        tx.scope(owner).await?;
        Ok(tx)
    }

    /// Begins a transaction before its owner is known: signing in, claiming work.
    ///
    /// # Errors
    /// As [`Db::begin`].
    pub async fn begin_unscoped(&self) -> sqlx::Result<Tx> {
        Ok(self.tx(match &self.pool {
            Pool::Postgres(pool) => TxConn::Postgres(pool.begin().await?),
            // A deferred transaction that upgrades fails with SQLITE_BUSY at once; an immediate one waits.
            Pool::Sqlite { writer, .. } => TxConn::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
        }))
    }

    /// Begins a read-only transaction before its owner is known.
    ///
    /// # Errors
    /// As [`Db::begin`].
    pub async fn read_unscoped(&self) -> sqlx::Result<Tx> {
        Ok(self.tx(match &self.pool {
            Pool::Postgres(pool) => {
                TxConn::Postgres(pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?)
            }
            Pool::Sqlite { readers, .. } => TxConn::Sqlite(readers.begin().await?),
        }))
    }

    /// Closes every connection after the running statements.
    pub async fn close(&self) {
        match &self.pool {
            Pool::Postgres(pool) => pool.close().await,
            Pool::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
        }
    }

    fn tx(&self, conn: TxConn) -> Tx {
        Tx { conn, clock: self.clock.clone(), wake: self.wake.clone(), events: Vec::new(), woke_job: false }
    }
}

impl Tx {
    /// The open connection.
    pub fn conn(&mut self) -> &mut TxConn {
        &mut self.conn
    }

    /// The instant that dates this transaction's rows.
    pub fn now(&self) -> Ts {
        self.clock.now()
    }

    /// Limits the transaction to rows of `owner`: what row-level security on PostgreSQL compares with.
    ///
    /// # Errors
    /// When the database refused.
    pub async fn scope(&mut self, owner: Uuid) -> sqlx::Result<()> {
        if let TxConn::Postgres(open) = &mut self.conn {
            sqlx::query("select set_config('app.tenant', $1, true)")
                .bind(owner.to_string())
                .execute(&mut **open)
                .await?;
        }
        Ok(())
    }

    /// Adds an event to what this transaction commits.
    pub fn append(&mut self, stream: Stream, event: NewEvent) {
        self.events.push((stream, event));
    }

    /// Remembers to wake the workers after the commit.
    pub(crate) fn wake_job(&mut self) {
        self.woke_job = true;
    }

    /// Numbers the appended events, commits everything together, then wakes the listeners.
    ///
    /// # Errors
    /// When the database refused; nothing of the transaction is kept then.
    pub async fn commit(mut self) -> sqlx::Result<()> {
        fault::point("commit.before").await?;
        let events = std::mem::take(&mut self.events);
        // The number is taken last, so that the stream's row is locked for as short a time as possible.
        let streams = event::write(&mut self, events).await?;
        match self.conn {
            TxConn::Postgres(open) => open.commit().await?,
            TxConn::Sqlite(open) => open.commit().await?,
        }
        fault::point("commit.done").await?;
        for stream in streams {
            self.wake.stream(stream);
        }
        if self.woke_job {
            self.wake.job();
        }
        fault::point("commit.published").await?;
        Ok(())
    }
}
