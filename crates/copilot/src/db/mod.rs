//! Opening the database: which one, how durable, at which schema.

mod postgres;
mod sqlite;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use outbox::{Clock, Db};
use sqlx::sqlite::SqliteConnectOptions;

/// How long a request waits for a connection before it is told to try again.
const ACQUIRE: Duration = Duration::from_secs(4);

/// Opens the database that `url` names, or a SQLite file in `data_dir`, and brings it to this schema.
///
/// # Errors
/// When it can't be reached, can't be migrated, or would lose acknowledged writes.
pub async fn open(url: &str, data_dir: &Path, clock: Clock) -> anyhow::Result<Db> {
    let pool = if url.is_empty() {
        create_private(data_dir)?;
        sqlite::open(SqliteConnectOptions::new().filename(data_dir.join("sre-copilot.db"))).await?
    } else if url.starts_with("sqlite:") {
        sqlite::open(url.parse().context("database_url")?).await?
    } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        for name in postgres::unknown_parameters(url) {
            tracing::warn!(name, "database_url has a parameter that is not known here, and is ignored");
        }
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
