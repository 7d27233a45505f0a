//! Opening the database: which one, how durable, at which schema.

mod postgres;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use outbox::{Clock, Db, Pool};
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

/// How long a request waits for a connection before it is told to try again.
const ACQUIRE: Duration = Duration::from_secs(4);

/// Read connections to SQLite; readers never wait for the writer.
const SQLITE_READERS: u32 = 8;

/// Opens the database that `url` names, or a SQLite file in `data_dir`, and brings it to this schema.
///
/// # Errors
/// When it can't be reached, can't be migrated, or would lose acknowledged writes.
pub async fn open(url: &str, data_dir: &Path, clock: Clock) -> anyhow::Result<Db> {
    let pool = if url.is_empty() {
        create_private(data_dir)?;
        sqlite(SqliteConnectOptions::new().filename(data_dir.join("sre-copilot.db"))).await?
    } else if url.starts_with("sqlite:") {
        sqlite(url.parse().context("database_url")?).await?
    } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        postgres::open(url.parse().context("database_url")?).await?
    } else {
        bail!("database_url must begin with sqlite:// or postgres://");
    };
    Ok(Db::new(pool, clock))
}

/// Creates the data folder, readable by its owner alone.
///
/// # Errors
/// When it can't be created.
pub fn create_private(folder: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("creating the data folder {}", folder.display()))
}

async fn sqlite(options: SqliteConnectOptions) -> anyhow::Result<Pool> {
    let options = options
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // An acknowledged commit survives power loss only with FULL; NORMAL in WAL mode may lose the last ones.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .statement_cache_capacity(256);
    // SQLite itself rolls a transaction back when the disk is full; the driver's own roll-back then fails, and it takes
    // the connection to be inside of a transaction for ever. Such a one is replaced.
    let pool = || {
        let pool = SqlitePoolOptions::new().acquire_timeout(ACQUIRE);
        pool.before_acquire(|open, _| Box::pin(async move { Ok(!open.is_in_transaction()) }))
    };
    let writer =
        pool().max_connections(1).connect_with(options.clone()).await.context("opening the SQLite file")?;
    // Missing: applied by a newer version, whose schema this one can work with.
    sqlx::migrate!("../../migrations/sqlite")
        .set_ignore_missing(true)
        .run(&writer)
        .await
        .context("migrating the database")?;
    let readers = pool()
        .max_connections(SQLITE_READERS)
        .connect_with(options.read_only(true))
        .await
        .context("opening the SQLite file for reading")?;
    Ok(Pool::Sqlite { writer, readers })
}
