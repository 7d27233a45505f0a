//! Opening the database: which one, how durable, at which schema.

mod alone;
mod postgres;
mod sqlite;
mod wait;

pub use alone::claim;
pub use wait::reachable;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use outbox::{Clock, Db};
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use crate::config::Config;

/// How long a request waits for a connection before it is told to try again.
const ACQUIRE: Duration = Duration::from_secs(4);

/// Connections that one process has to PostgreSQL, unless the settings say another number.
const CONNECTIONS: u32 = 16;

/// Which database is meant.
#[derive(Clone, Debug)]
enum Place {
    Sqlite(SqliteConnectOptions),
    Postgres(PgConnectOptions),
}

/// Opens the database of these settings, and brings it to this schema.
///
/// # Errors
/// When it can't be reached, can't be migrated, or would lose acknowledged writes.
pub async fn open_for(config: &Config, clock: Clock) -> anyhow::Result<Db> {
    let place = Place::of(&config.database_url, &config.data_dir)?;
    open_at(place, &config.data_dir, config.database_connections, clock).await
}

/// Opens the database that `url` names, or a SQLite file in `data_dir`, and brings it to this schema.
///
/// # Errors
/// As [`open_for`].
pub async fn open(url: &str, data_dir: &Path, clock: Clock) -> anyhow::Result<Db> {
    open_at(Place::of(url, data_dir)?, data_dir, CONNECTIONS, clock).await
}

/// Opens a database that is there and at this version's schema, for a command that shall neither make nor change one,
/// and says on stderr which one it is.
///
/// # Errors
/// When it is not there, or at the schema of a version before; otherwise as [`open_for`].
pub async fn open_existing(config: &Config) -> anyhow::Result<Db> {
    let place = Place::of(&config.database_url, &config.data_dir)?;
    eprintln!("database: {place}");
    let at = match &place {
        Place::Sqlite(file) => sqlite::schema(file).await,
        Place::Postgres(server) => postgres::schema(server).await,
    };
    match at.with_context(|| format!("looking for the database {place}"))? {
        None => bail!("nothing was set up in the database {place}; is it the one that `serve` uses?"),
        Some(at) if at < place.newest() => bail!(
            "the database {place} has the schema of an earlier version; `sre-copilot migrate` brings it to this one's"
        ),
        Some(_) => open_for(config, Clock::System).await,
    }
}

async fn open_at(place: Place, data_dir: &Path, connections: u32, clock: Clock) -> anyhow::Result<Db> {
    let failed = format!("opening the database {place}");
    let pool = match place {
        Place::Sqlite(file) => {
            if file.get_filename().parent() == Some(data_dir) {
                create_private(data_dir)?;
            }
            sqlite::open(file).await
        }
        Place::Postgres(server) => postgres::open(server, connections).await,
    };
    let told = |took: Duration| {
        metrics::histogram!("sre_copilot_database_begin_duration_seconds").record(took.as_secs_f64());
    };
    Ok(Db::new(pool.context(failed)?, clock).telling(told))
}

impl Place {
    fn of(url: &str, data_dir: &Path) -> anyhow::Result<Self> {
        if url.is_empty() {
            Ok(Self::Sqlite(SqliteConnectOptions::new().filename(data_dir.join("sre-copilot.db"))))
        } else if url.starts_with("sqlite:") {
            Ok(Self::Sqlite(url.parse().context("database_url")?))
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            for name in postgres::unknown_parameters(url) {
                tracing::warn!(name, "database_url has a parameter that is not known here, and is ignored");
            }
            Ok(Self::Postgres(url.parse().context("database_url")?))
        } else {
            bail!("database_url must begin with sqlite:// or postgres://");
        }
    }

    /// The number of the last file of this version's schema.
    fn newest(&self) -> i64 {
        let files = match self {
            Self::Sqlite(_) => sqlite::files(),
            Self::Postgres(_) => postgres::files(),
        };
        files.iter().map(|file| file.version).max().unwrap_or_default()
    }
}

/// Names it, without what opens it.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(f, "{}", file.get_filename().display()),
            Self::Postgres(server) => {
                let (host, port) = (server.get_host(), server.get_port());
                let name = server.get_database().unwrap_or(server.get_username());
                write!(f, "{name} of PostgreSQL at {host}:{port}")
            }
        }
    }
}

/// Which database the settings name, in one word.
pub fn kind(config: &Config) -> &'static str {
    if config.database_url.starts_with("postgres") { "postgresql" } else { "sqlite" }
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
