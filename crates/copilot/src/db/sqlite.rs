//! Opening SQLite: one writer, readers beside it, and the log that is written back to the file between commits.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use outbox::{Pool, unsynced};
use sqlx::Connection as _;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};

use super::ACQUIRE;

/// Read connections; readers never wait for the writer.
const READERS: u32 = 8;

/// Pages in the log, of 4 KiB, from which on they are written back: as many as SQLite takes by itself.
const PAGES: i64 = 1000;

/// The schema, file by file. Missing ones were applied by a newer version, whose schema this one can work with.
pub(super) fn files() -> Migrator {
    let mut files = sqlx::migrate!("../../migrations/sqlite");
    files.set_ignore_missing(true);
    files
}

/// The number of the schema's file that was applied last; `None` when there is no schema, or no file.
pub async fn schema(options: &SqliteConnectOptions) -> anyhow::Result<Option<i64>> {
    if !options.get_filename().exists() {
        return Ok(None);
    }
    let mut open = SqliteConnection::connect_with(&options.clone().read_only(true)).await?;
    let known: bool =
        sqlx::query_scalar("select exists (select 1 from sqlite_master where name = '_sqlx_migrations')")
            .fetch_one(&mut open)
            .await?;
    if !known {
        return Ok(None);
    }
    Ok(sqlx::query_scalar("select max(version) from _sqlx_migrations").fetch_one(&mut open).await?)
}

/// Makes the file, which its owner alone may read; what SQLite keeps beside it gets the same mode.
fn create(file: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    // What is in memory has a name and no file.
    if file.to_string_lossy().starts_with("file:") {
        return Ok(());
    }
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    match made {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error).context("creating it"),
        _ => Ok(()),
    }
}

/// Opens the file, brings it to this version's schema and reads what an earlier process left in its log.
///
/// # Errors
/// When it can't be opened or migrated.
pub async fn open(options: SqliteConnectOptions) -> anyhow::Result<Pool> {
    create(options.get_filename())?;
    let options = options
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
    let writer = pool()
        .max_connections(1)
        .after_release(|open, _| {
            Box::pin(async move {
                write_back(open).await;
                Ok(true)
            })
        })
        // SQLite's own way keeps a failed fsync to itself.
        .connect_with(options.clone().pragma("wal_autocheckpoint", "0"))
        .await?;
    // After a failed fsync the log may be on the disk in part only, though it can be read: what follows in it would be
    // lost with a power cut. So it is written back to the file, and begins anew.
    let emptied = sqlx::query("pragma wal_checkpoint(truncate)").execute(&writer).await;
    if let Err(error) = unsynced::checked(emptied) {
        tracing::warn!(
            error = error.to_string(),
            "the log of an earlier process could not be written back yet"
        );
    }
    files().run(&writer).await.context("migrating it")?;
    let readers = pool().max_connections(READERS).connect_with(options.read_only(true)).await?;
    Ok(Pool::Sqlite { writer, readers })
}

/// Writes the log back to the file once it is long, as SQLite would by itself after a commit; but it would not tell of a failed
/// fsync, write the rest back another time, and reuse a log whose beginning never reached the disk.
async fn write_back(open: &mut SqliteConnection) {
    let written = async {
        // Whether it was busy, the pages in the log, and those of them that are written back.
        let (_, pages, back): (i64, i64, i64) =
            sqlx::query_as("pragma wal_checkpoint(noop)").fetch_one(&mut *open).await?;
        if pages >= PAGES && back < pages {
            sqlx::query("pragma wal_checkpoint(passive)").execute(&mut *open).await?;
        }
        Ok(())
    };
    // What else refuses, a full disk among it, is met again after the next commit.
    if let Err(error) = unsynced::checked(written.await) {
        tracing::debug!(error = error.to_string(), "the log could not be written back now");
    }
}
