//! Looks into the database behind the product's back.

use std::path::Path;

use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};

/// A connection of the checker's own; on PostgreSQL as the superuser, who sees every tenant.
#[derive(Clone, Debug)]
pub enum Database {
    /// A SQLite file.
    Sqlite(SqlitePool),
    /// PostgreSQL.
    Postgres(PgPool),
}

/// An incident, as far as a check needs it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Incident {
    /// Its id in hexadecimal digits without dashes.
    pub id: String,
    /// The service, which the drivers make unique.
    pub service: String,
    /// Whether it is open.
    pub open: bool,
    /// How often it changed, its creation included.
    pub version: i64,
}

/// An event, as far as a check needs it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Event {
    /// The stream in hexadecimal digits.
    pub stream: String,
    /// Its number.
    pub seq: i64,
    /// What happened.
    pub kind: String,
    /// The rest, in JSON.
    pub data: String,
}

/// An entry of the product's ledger of model calls.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ModelCall {
    /// The service of its incident.
    pub service: String,
    /// How it ended.
    pub status: String,
    /// Tokens of the prompt; -1 when nobody knows.
    pub prompt_tokens: i64,
    /// What was reserved for it, in micro-USD.
    pub reserved_micros: Option<i64>,
    /// What it cost, in micro-USD.
    pub cost_micros: Option<i64>,
}

macro_rules! on_either {
    ($database:expr, $pool:ident => $body:expr) => {
        match $database {
            Database::Sqlite($pool) => $body,
            Database::Postgres($pool) => $body,
        }
    };
}

impl Database {
    /// Opens the SQLite file in a data folder.
    ///
    /// # Errors
    /// When it can't be opened.
    pub async fn sqlite(data: &Path) -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::new().filename(data.join("sre-copilot.db"));
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        Ok(Self::Sqlite(pool))
    }

    /// Opens a PostgreSQL database; connections that it ended are replaced.
    ///
    /// # Errors
    /// When it can't be reached.
    pub fn postgres(url: &str) -> anyhow::Result<Self> {
        Ok(Self::Postgres(PgPoolOptions::new().max_connections(2).connect_lazy(url)?))
    }

    /// Every incident.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn incidents(&self) -> anyhow::Result<Vec<Incident>> {
        const SQLITE: &str =
            "select lower(hex(id)) as id, coalesce(service_name, '') as service, open, version
             from incidents order by id";
        const POSTGRES: &str =
            "select replace(id::text, '-', '') as id, coalesce(service_name, '') as service,
             open, version from incidents order by id";
        Ok(match self {
            Self::Sqlite(pool) => sqlx::query_as(SQLITE).fetch_all(pool).await?,
            Self::Postgres(pool) => sqlx::query_as(POSTGRES).fetch_all(pool).await?,
        })
    }

    /// The service of every alert that belongs to an incident: its own, or the one of a storm.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn attached(&self) -> anyhow::Result<Vec<String>> {
        const SQL: &str = "select coalesce(service_name, '') from alerts where incident_id is not null";
        on_either!(self, pool => Ok(sqlx::query_scalar(SQL).fetch_all(pool).await?))
    }

    /// Every event, stream by stream, in order.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn events(&self) -> anyhow::Result<Vec<Event>> {
        const SQLITE: &str = "select lower(hex(stream_id)) as stream, seq, kind, data from events
             order by stream_id, seq";
        const POSTGRES: &str =
            "select replace(stream_id::text, '-', '') as stream, seq, kind, data::text as data
             from events order by stream_id, seq";
        Ok(match self {
            Self::Sqlite(pool) => sqlx::query_as(SQLITE).fetch_all(pool).await?,
            Self::Postgres(pool) => sqlx::query_as(POSTGRES).fetch_all(pool).await?,
        })
    }

    /// The number that each stream has reached.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn heads(&self) -> anyhow::Result<Vec<(String, i64)>> {
        const SQLITE: &str = "select lower(hex(stream_id)), seq from streams";
        const POSTGRES: &str = "select replace(stream_id::text, '-', ''), seq from streams";
        Ok(match self {
            Self::Sqlite(pool) => sqlx::query_as(SQLITE).fetch_all(pool).await?,
            Self::Postgres(pool) => sqlx::query_as(POSTGRES).fetch_all(pool).await?,
        })
    }

    /// The product's ledger of model calls.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn model_calls(&self) -> anyhow::Result<Vec<ModelCall>> {
        const SQL: &str = "select coalesce(i.service_name, '') as service, c.status,
             coalesce(c.prompt_tokens, -1) as prompt_tokens, c.reserved_micros, c.cost_micros
             from model_calls c join incidents i on i.tenant_id = c.tenant_id and i.id = c.incident_id
             order by c.id";
        on_either!(self, pool => Ok(sqlx::query_as(SQL).fetch_all(pool).await?))
    }

    /// What is shown as the model's: the service of the incident, and the claim.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn model_claims(&self) -> anyhow::Result<Vec<(String, String)>> {
        const SQL: &str = "select coalesce(i.service_name, ''), h.claim from hypotheses h
             join incidents i on i.tenant_id = h.tenant_id and i.id = h.incident_id where h.engine = 'llm'";
        on_either!(self, pool => Ok(sqlx::query_as(SQL).fetch_all(pool).await?))
    }

    /// What `sql` answers, row by row.
    ///
    /// # Errors
    /// When the database refuses, or a row has another form.
    pub async fn rows<T>(&self, sql: &'static str) -> anyhow::Result<Vec<T>>
    where
        T: Send + Unpin,
        T: for<'row> sqlx::FromRow<'row, sqlx::sqlite::SqliteRow>,
        T: for<'row> sqlx::FromRow<'row, sqlx::postgres::PgRow>,
    {
        on_either!(self, pool => Ok(sqlx::query_as(sql).fetch_all(pool).await?))
    }

    /// The single number that `sql` answers.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn count(&self, sql: &'static str) -> anyhow::Result<i64> {
        on_either!(self, pool => Ok(sqlx::query_scalar(sql).fetch_one(pool).await?))
    }

    /// Changes something behind the product's back.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn execute(&self, sql: &'static str) -> anyhow::Result<()> {
        on_either!(self, pool => Ok(sqlx::query(sql).execute(pool).await.map(drop)?))
    }

    /// Ends every connection but the one that says so; on PostgreSQL alone.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn end_others(&self) -> anyhow::Result<()> {
        self.count(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity
             where pid <> pg_backend_pid() and datname = current_database()",
        )
        .await
        .map(drop)
    }

    /// How many connections there are beside the one that asks; on PostgreSQL alone.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn connections(&self) -> anyhow::Result<i64> {
        self.count(
            "select count(*) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()",
        )
        .await
    }

    /// Runs `sql` in a transaction that stays open; on PostgreSQL alone.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn hold(&self, sql: &'static str) -> anyhow::Result<Held> {
        let Self::Postgres(pool) = self else { anyhow::bail!("only on PostgreSQL") };
        let mut open = pool.begin().await?;
        sqlx::query(sql).execute(&mut *open).await?;
        Ok(Held(open))
    }

    /// Ends every connection.
    pub async fn close(&self) {
        on_either!(self, pool => pool.close().await);
    }
}

/// A transaction that stays open until it is released.
#[derive(Debug)]
pub struct Held(sqlx::Transaction<'static, sqlx::Postgres>);

impl Held {
    /// Ends it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn release(self) -> anyhow::Result<()> {
        Ok(self.0.rollback().await?)
    }
}
