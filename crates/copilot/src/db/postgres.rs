//! PostgreSQL: refused where it would lose acknowledged writes, migrated by its owner, used by a role that owns nothing.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use outbox::{APP_ROLE, Pool, passes};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgConnection};

use super::ACQUIRE;

/// How often a file of the schema is tried again, and how long requests have the tables to themselves in between.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(200);

/// The oldest version that is known to work, as the server counts.
const OLDEST: i32 = 150_000;

/// What a `database_url` may say behind its `?`, as the driver reads it.
const PARAMETERS: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// The names of parameters that the driver does not know. It would tell of them with their values, which may be secret.
pub(super) fn unknown_parameters(url: &str) -> Vec<String> {
    let Ok(url) = url::Url::parse(url) else { return Vec::new() };
    let names = url.query_pairs().map(|(name, _)| name.into_owned());
    names.filter(|name| !PARAMETERS.contains(&name.as_str()) && !name.starts_with("options[")).collect()
}

/// The schema, file by file. Missing ones were applied by a newer version, whose schema this one can work with.
pub(super) fn files() -> Migrator {
    let mut files = sqlx::migrate!("../../migrations/postgres");
    files.set_ignore_missing(true);
    files
}

/// The number of the schema's file that was applied last; `None` when there is no schema.
pub async fn schema(options: &PgConnectOptions) -> anyhow::Result<Option<i64>> {
    let mut open = PgConnection::connect_with(options).await?;
    let known: bool =
        sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null").fetch_one(&mut open).await?;
    if !known {
        return Ok(None);
    }
    Ok(sqlx::query_scalar("select max(version) from _sqlx_migrations").fetch_one(&mut open).await?)
}

/// Opens the database, migrated.
pub(super) async fn open(options: PgConnectOptions, connections: u32) -> anyhow::Result<Pool> {
    let options = options.application_name("sre-copilot");
    let mut owner = PgConnection::connect_with(&options).await?;
    let version: i32 =
        sqlx::query_scalar("select current_setting('server_version_num')::int").fetch_one(&mut owner).await?;
    ensure!(version >= OLDEST, "PostgreSQL 15 or newer is needed; this is {}", version / 10_000);
    if let Some(setting) = careless(&mut owner).await? {
        bail!("PostgreSQL runs with {setting}=off and would lose acknowledged alerts; turn it on");
    }
    may_have_role(&mut owner).await?;
    migrate(&mut owner).await?;
    protect(&mut owner).await?;
    owner.close().await?;
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .after_connect(|connection, _| {
            Box::pin(async move {
                // It may have been turned off since, for the server, the database or the role.
                match careless(connection).await? {
                    Some(setting) => Err(sqlx::Error::Configuration(format!("{setting} is off").into())),
                    None => Ok(()),
                }
            })
        })
        .connect_with(options)
        .await?;
    Ok(Pool::Postgres(pool))
}

/// Brings the schema to this version, while a version before may be working on it.
///
/// One process at a time: the migrator holds an advisory lock. Each file is one transaction, so that a kill at any
/// statement leaves it undone. A file that waits for requests under way, as they may wait for it, gives up before
/// PostgreSQL looks for a deadlock (`deadlock_timeout`, 1 s) and ends one of them; then it is tried again.
async fn migrate(owner: &mut PgConnection) -> anyhow::Result<()> {
    let files = files();
    sqlx::query("set lock_timeout = '500ms'").execute(&mut *owner).await?;
    let mut left = TRIES;
    while let Err(error) = files.run(&mut *owner).await {
        match &error {
            // Another process migrates, for as long as it takes.
            MigrateError::Execute(sqlx::Error::Database(refused)) if passes(refused.as_ref()) => {}
            MigrateError::ExecuteMigration(sqlx::Error::Database(refused), number)
                if passes(refused.as_ref()) && left > 0 =>
            {
                left -= 1;
                tracing::info!(number, error = refused.to_string(), "the schema is in use; trying again");
            }
            _ => return Err(error).context("migrating it"),
        }
        tokio::time::sleep(PAUSE).await;
    }
    sqlx::query("reset lock_timeout").execute(&mut *owner).await?;
    Ok(())
}

/// A setting in force on this connection that gives up durability.
async fn careless(connection: &mut PgConnection) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(
        "select setting from unnest(array['fsync', 'synchronous_commit', 'full_page_writes']) setting
         where current_setting(setting) = 'off' limit 1",
    )
    .fetch_optional(connection)
    .await
}

/// Whether the role of the application is there, or can be made, and has no power of its own.
async fn may_have_role(owner: &mut PgConnection) -> anyhow::Result<()> {
    let (user, superuser, creates): (String, bool, bool) = sqlx::query_as(
        "select rolname::text, rolsuper, rolcreaterole from pg_roles where rolname = current_user",
    )
    .fetch_one(&mut *owner)
    .await?;
    let powers: Option<(bool, bool)> = sqlx::query_as(
        "select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication,
             pg_has_role(current_user, rolname, 'member') from pg_roles where rolname = $1",
    )
    .bind(APP_ROLE)
    .fetch_optional(&mut *owner)
    .await?;
    if superuser {
        tracing::warn!(
            user,
            "database_url names a superuser: a role that owns only this database would be enough"
        );
    }
    let remedy = format!(
        "run this as a superuser and start again:\n    create role {APP_ROLE} nologin;\n    \
         grant {APP_ROLE} to \"{user}\";"
    );
    match powers {
        Some((true, _)) => bail!(
            "the role {APP_ROLE} has powers that it must not have; run this as a superuser and start again:\n    \
             alter role {APP_ROLE} nosuperuser nobypassrls nocreaterole nocreatedb noreplication;"
        ),
        Some((_, true)) => Ok(()),
        Some((_, false)) if superuser || creates => Ok(()),
        Some((_, false)) => bail!("{user} may not take on the role {APP_ROLE}; {remedy}"),
        None if superuser || creates => Ok(()),
        None => bail!("the role {APP_ROLE} is missing and {user} may not create it; {remedy}"),
    }
}

/// Gives tables that have none yet their barrier between tenants, and checks that the role can be taken on.
async fn protect(owner: &mut PgConnection) -> anyhow::Result<()> {
    let mut tx = owner.begin().await?;
    sqlx::query("select pg_advisory_xact_lock(hashtext('sre-copilot protect'))").execute(&mut *tx).await?;
    sqlx::query("select sre_copilot_protect()").execute(&mut *tx).await.context("protecting the tables")?;
    tx.commit().await?;
    let owns: i64 = sqlx::query_scalar(
        "select count(*) from pg_class where relowner = (select oid from pg_roles where rolname = $1)",
    )
    .bind(APP_ROLE)
    .fetch_one(&mut *owner)
    .await?;
    ensure!(owns == 0, "the role {APP_ROLE} owns {owns} tables or indexes; it must own none");
    let mut tx = owner.begin().await?;
    sqlx::query("select set_config('role', $1, true)").bind(APP_ROLE).execute(&mut *tx).await.with_context(
        || {
            format!(
                "taking on the role {APP_ROLE}; as a superuser: grant {APP_ROLE} to the user of database_url"
            )
        },
    )?;
    tx.rollback().await?;
    Ok(())
}
