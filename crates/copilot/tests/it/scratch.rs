//! A database for one test: on the PostgreSQL that `SRE_COPILOT_TEST_DATABASE_URL` names, or else SQLite's own file.
//!
//! `scripts/postgres run cargo test …` starts such a server and sets the variable.

use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// The one switch between the two databases.
const SWITCH: &str = "SRE_COPILOT_TEST_DATABASE_URL";

/// The master key of every test on PostgreSQL, where the product does not make one up.
const MASTER_KEY: &str = "sVQ4B0C9xk3mJpR7tYwZ1uEoLhNfGdKa5iXr2cMvTbI=";

/// One advisory lock for everybody who makes the template.
const TEMPLATE_LOCK: i64 = 7_305_805_977_231_401;

/// A database that is dropped with this value.
#[derive(Debug)]
pub struct Scratch {
    server: Option<String>,
    name: String,
}

impl Scratch {
    /// A new database at this version's schema; on SQLite the file is made by whoever opens it.
    pub async fn new() -> Self {
        let name = format!("test_{}", uuid::Uuid::new_v4().simple());
        let server = std::env::var(SWITCH).ok();
        if let Some(server) = &server {
            let mut connection = PgConnection::connect(server).await.unwrap();
            let template = template(server, &mut connection).await;
            run(&mut connection, format!("create database {name} template {template}")).await;
            connection.close().await.unwrap();
        }
        Self { server, name }
    }

    /// What `database_url` is set to: empty on SQLite, for a file in the data folder.
    pub fn url(&self) -> String {
        self.server.as_ref().map_or_else(String::new, |server| database(server, &self.name))
    }

    /// What `master_key` is set to: empty on SQLite, where one is made up.
    pub fn master_key(&self) -> String {
        if self.server.is_some() { MASTER_KEY.to_owned() } else { String::new() }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let Some(server) = self.server.take() else { return };
        let name = self.name.clone();
        // A runtime of its own, because the test's may be the one that is ending. What is not dropped ends with the
        // server, so a failure here is no failure of the test.
        let _ = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut connection = PgConnection::connect(&server).await.unwrap();
                run(&mut connection, format!("drop database if exists {name} with (force)")).await;
            });
        })
        .join();
    }
}

/// The migrated database that others are copied from; made once for each set of migrations.
async fn template(server: &str, connection: &mut PgConnection) -> String {
    let migrations = sqlx::migrate!("../../migrations/postgres");
    let sums = migrations.iter().fold(Sha256::new(), |sums, one| sums.chain_update(&one.checksum));
    // PostgreSQL cuts longer names off at 63 bytes.
    let sum = sums.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>();
    let name = format!("template_{sum}");
    sqlx::query("select pg_advisory_lock($1)").bind(TEMPLATE_LOCK).execute(&mut *connection).await.unwrap();
    let exists: bool = sqlx::query_scalar("select exists (select 1 from pg_database where datname = $1)")
        .bind(&name)
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    if !exists {
        let unfinished = format!("unfinished_{name}");
        run(connection, format!("drop database if exists {unfinished} with (force)")).await;
        run(connection, format!("create database {unfinished}")).await;
        let mut inside = PgConnection::connect(&database(server, &unfinished)).await.unwrap();
        migrations.run(&mut inside).await.unwrap();
        sqlx::query("select sre_copilot_protect()").execute(&mut inside).await.unwrap();
        inside.close().await.unwrap();
        run(connection, format!("alter database {unfinished} rename to {name}")).await;
    }
    sqlx::query("select pg_advisory_unlock($1)").bind(TEMPLATE_LOCK).execute(connection).await.unwrap();
    name
}

/// The address of another database on `server`.
fn database(server: &str, name: &str) -> String {
    let mut url: url::Url = server.parse().unwrap();
    url.set_path(name);
    url.into()
}

async fn run(connection: &mut PgConnection, statement: String) {
    sqlx::query(AssertSqlSafe(statement)).execute(connection).await.unwrap();
}
