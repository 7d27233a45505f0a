//! Waiting for a database that is on its way: a unit may start before the server that it needs.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use outbox::passes;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection};

use super::Place;
use crate::config::Config;

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(3);

/// How long to wait between two of them.
const PAUSE: Duration = Duration::from_secs(2);

/// Returns once the server of these settings takes connections; a SQLite file is there or can be made.
///
/// # Errors
/// When the server refuses for good, or could not be reached for as long as the settings say.
pub async fn reachable(config: &Config) -> anyhow::Result<()> {
    let place = Place::of(&config.database_url, &config.data_dir)?;
    let Place::Postgres(server) = &place else { return Ok(()) };
    let (begun, most) = (Instant::now(), Duration::from_secs(config.database_wait_s));
    loop {
        let Err(error) = attempt(server).await else { return Ok(()) };
        if !is_away(&error) || begun.elapsed() >= most {
            return Err(error).with_context(|| format!("opening the database {place}"));
        }
        let left_s = most.saturating_sub(begun.elapsed()).as_secs();
        let database = place.to_string();
        tracing::warn!(database, error = error.to_string(), left_s, "waiting for the database");
        tokio::time::sleep(PAUSE.min(most.saturating_sub(begun.elapsed()))).await;
    }
}

async fn attempt(server: &PgConnectOptions) -> sqlx::Result<()> {
    let connected = tokio::time::timeout(ATTEMPT, PgConnection::connect_with(server)).await;
    connected.unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))?.close().await
}

/// Whether nobody answers, or somebody who is starting, stopping or full.
fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(refused) => passes(&**refused),
        _ => false,
    }
}
