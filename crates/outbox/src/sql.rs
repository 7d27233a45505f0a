//! One transaction type over PostgreSQL and SQLite.

use std::time::{Duration, Instant};

use sqlx::postgres::PgPool;
use sqlx::sqlite::SqlitePool;
use sqlx::{Postgres, Sqlite, Transaction};
use uuid::Uuid;

use crate::event::{self, NewEvent, Stream};
use crate::lease::Turns;
use crate::sabotage;
use crate::time::{Clock, Ts};
use crate::unsynced;
use crate::wake::{Hint, Wake};

/// The role that every transaction on PostgreSQL takes on; it owns nothing and row-level security holds for it.
pub const APP_ROLE: &str = "sre_copilot_app";

/// Who a transaction is, whose rows it sees and how long it may take: a statement 5 s, a lock 2 s, idle 10 s.
const BEGIN_POSTGRES: &str = "
    select clock_timestamp() from (select
        set_config('role', $1, true), set_config('app.tenant', $2, true), set_config('app.across', $3, true),
        set_config('statement_timeout', '5000', true), set_config('lock_timeout', '2000', true),
        set_config('idle_in_transaction_session_timeout', '10000', true) offset 0) settings";

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
    turns: Turns,
    begun: fn(Duration),
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
    now: Option<Ts>,
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
        Self { pool, clock, wake: Wake::default(), turns: Turns::default(), begun: |_| {} }
    }

    /// The same database, which tells `begun` how long it took to begin each transaction, or to learn that it can't be.
    pub fn telling(self, begun: fn(Duration)) -> Self {
        Self { begun, ..self }
    }

    /// The connections, for what is not a transaction: migrations and closing.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The clock that dates rows.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Whose turn it is at each queue.
    pub(crate) fn turns(&self) -> &Turns {
        &self.turns
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
        self.begin_as(Some(owner), "").await
    }

    /// Begins a read-only transaction over rows of `owner`: one snapshot, no waiting for writers.
    ///
    /// # Errors
    /// As [`Db::begin`].
    pub async fn read(&self, owner: Uuid) -> sqlx::Result<Tx> {
        self.read_as(Some(owner), "").await
    }

    /// Begins a transaction that sees no owner's rows until [`Tx::scope`] names one.
    ///
    /// # Errors
    /// As [`Db::begin`].
    pub async fn begin_unscoped(&self) -> sqlx::Result<Tx> {
        self.begin_as(None, "").await
    }

    /// Begins a read-only transaction that sees no owner's rows.
    ///
    /// # Errors
    /// As [`Db::begin`].
    pub async fn read_unscoped(&self) -> sqlx::Result<Tx> {
        self.read_as(None, "").await
    }

    /// Begins a transaction for one look-up across owners, until [`Tx::scope`] names one: on PostgreSQL a policy for
    /// exactly this `look_up` admits it to the tables it needs, and to no other.
    ///
    /// # Errors
    /// As [`Db::begin`].
    pub async fn begin_across(&self, look_up: &'static str) -> sqlx::Result<Tx> {
        self.begin_as(None, look_up).await
    }

    /// As [`Db::begin_across`], read-only.
    ///
    /// # Errors
    /// As [`Db::begin`].
    pub async fn read_across(&self, look_up: &'static str) -> sqlx::Result<Tx> {
        self.read_as(None, look_up).await
    }

    async fn begin_as(&self, owner: Option<Uuid>, look_up: &'static str) -> sqlx::Result<Tx> {
        let asked = Instant::now();
        let begun = self.try_begin(owner, look_up).await;
        (self.begun)(asked.elapsed());
        begun
    }

    async fn try_begin(&self, owner: Option<Uuid>, look_up: &'static str) -> sqlx::Result<Tx> {
        match &self.pool {
            Pool::Postgres(pool) => self.postgres(pool.begin().await?, owner, look_up).await,
            // A deferred transaction that upgrades fails with SQLITE_BUSY at once; an immediate one waits.
            Pool::Sqlite { writer, .. } => {
                Ok(self.tx(TxConn::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?), None))
            }
        }
    }

    async fn read_as(&self, owner: Option<Uuid>, look_up: &'static str) -> sqlx::Result<Tx> {
        let asked = Instant::now();
        let begun = self.try_read(owner, look_up).await;
        (self.begun)(asked.elapsed());
        begun
    }

    async fn try_read(&self, owner: Option<Uuid>, look_up: &'static str) -> sqlx::Result<Tx> {
        match &self.pool {
            Pool::Postgres(pool) => {
                let open = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
                self.postgres(open, owner, look_up).await
            }
            Pool::Sqlite { readers, .. } => Ok(self.tx(TxConn::Sqlite(readers.begin().await?), None)),
        }
    }

    /// Everything that a transaction on PostgreSQL needs to be set, in one statement and for it alone: nothing stays
    /// on the connection, so that a pooler may hand it to anybody between two transactions.
    async fn postgres(
        &self,
        mut open: Transaction<'static, Postgres>,
        owner: Option<Uuid>,
        look_up: &'static str,
    ) -> sqlx::Result<Tx> {
        let owner = owner.map(|owner| owner.to_string()).unwrap_or_default();
        let now: Ts = sqlx::query_scalar(BEGIN_POSTGRES)
            .bind(APP_ROLE)
            .bind(owner)
            .bind(look_up)
            .fetch_one(&mut *open)
            .await?;
        // One clock for all processes: the database's. A clock that is moved by hand stays what it is.
        let own = matches!(self.clock, Clock::Manual(_)) || sabotage::broken("own-clock");
        let now = (!own).then_some(now);
        Ok(self.tx(TxConn::Postgres(open), now))
    }

    /// Has PostgreSQL look at its `tables` anew if `rows` or fewer were in the `first` when it last did; returns how many are in
    /// it by what it then knows. `None` where that can't be done: for a role that does not own them PostgreSQL skips them and
    /// complains, and SQLite's planner needs none.
    ///
    /// # Errors
    /// When no connection could be had in time, or the database refused.
    pub async fn renew_statistics(
        &self,
        first: &str,
        rows: u64,
        tables: &[&'static str],
    ) -> sqlx::Result<Option<u64>> {
        let Pool::Postgres(pool) = &self.pool else { return Ok(None) };
        let mut connection = pool.acquire().await?;
        let known = "select greatest(reltuples, 0)::bigint from pg_class
            where oid = to_regclass($1) and pg_has_role(relowner, 'usage')";
        let mut count: Option<i64> =
            sqlx::query_scalar(known).bind(first).fetch_optional(&mut *connection).await?;
        if count.is_some_and(|count| count.unsigned_abs() <= rows) {
            let analyze = format!("analyze {}", tables.join(", "));
            sqlx::raw_sql(sqlx::AssertSqlSafe(analyze)).execute(&mut *connection).await?;
            count = sqlx::query_scalar(known).bind(first).fetch_optional(&mut *connection).await?;
        }
        Ok(count.map(i64::unsigned_abs))
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

    fn tx(&self, conn: TxConn, now: Option<Ts>) -> Tx {
        Tx {
            conn,
            now,
            clock: self.clock.clone(),
            wake: self.wake.clone(),
            events: Vec::new(),
            woke_job: false,
        }
    }
}

impl Tx {
    /// The open connection.
    pub fn conn(&mut self) -> &mut TxConn {
        &mut self.conn
    }

    /// The instant that dates this transaction's rows: on PostgreSQL its beginning by the database's clock, so that
    /// a process whose own clock is wrong can neither take over a lease nor date an event before another.
    pub fn now(&self) -> Ts {
        self.now.unwrap_or_else(|| self.clock.now())
    }

    /// Limits the transaction to rows of `owner`, and ends what else it was admitted to: what row-level security on PostgreSQL compares with.
    ///
    /// # Errors
    /// When the database refused.
    pub async fn scope(&mut self, owner: Uuid) -> sqlx::Result<()> {
        if let TxConn::Postgres(open) = &mut self.conn {
            sqlx::query("select set_config('app.tenant', $1, true), set_config('app.across', '', true)")
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

    /// Whether events are also told outside.
    pub(crate) fn relays_events(&self) -> bool {
        self.wake.relays_events()
    }

    /// Numbers the appended events, commits everything together, then wakes the listeners.
    ///
    /// # Errors
    /// When the database refused; nothing of the transaction is kept then. Where SQLite could not sync, the process ends.
    pub async fn commit(self) -> sqlx::Result<()> {
        self.commit_numbered().await.map(drop)
    }

    /// As [`Tx::commit`], and returns each stream that was written to with the numbers of its first and last new event.
    ///
    /// # Errors
    /// As [`Tx::commit`].
    pub async fn commit_numbered(mut self) -> sqlx::Result<Vec<(Uuid, i64, i64)>> {
        sabotage::point("commit.before").await?;
        if sabotage::broken("lose-an-event") {
            self.events.pop();
        }
        let events = std::mem::take(&mut self.events);
        // The number is taken last, so that the stream's row is locked for as short a time as possible.
        let streams = event::write(&mut self, events).await?;
        sabotage::point("commit.numbered").await?;
        match self.conn {
            TxConn::Postgres(open) => open.commit().await?,
            TxConn::Sqlite(open) => unsynced::checked(open.commit().await)?,
        }
        sabotage::point("commit.done").await?;
        for (stream, ..) in &streams {
            self.wake.commit(Hint::Stream(*stream));
        }
        if self.woke_job {
            self.wake.commit(Hint::Job);
        }
        sabotage::point("commit.published").await?;
        Ok(streams)
    }
}
