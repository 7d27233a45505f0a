//! A PostgreSQL server of one test's own, which it may stop, start again and set up badly.

use std::path::PathBuf;
use std::process::Command;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tempfile::TempDir;

use crate::world::folder;

pub struct Cluster {
    folder: TempDir,
    url: String,
}

impl Cluster {
    /// Starts a server, unless this is the pass over SQLite.
    pub fn start(options: &str) -> Option<Self> {
        std::env::var("SRE_COPILOT_TEST_DATABASE_URL").ok()?;
        let folder = folder();
        // The server runs as another user when this is root.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder.path(), open).unwrap();
        let mut cluster = Self { folder, url: String::new() };
        cluster.url = cluster.up(options);
        Some(cluster)
    }

    fn server(&self) -> PathBuf {
        self.folder.path().join("server")
    }

    fn script(&self, arguments: &[&str], options: &str) -> String {
        let output = self.folder.path().join("output");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/postgres");
        let status = Command::new(script)
            .args(arguments)
            .env("POSTGRES_OPTIONS", options)
            // A pipe would stay open for as long as the server runs.
            .stdout(std::fs::File::create(&output).unwrap())
            .stderr(std::fs::File::create(self.folder.path().join("complaints")).unwrap())
            .status()
            .unwrap();
        assert!(
            status.success(),
            "{}",
            std::fs::read_to_string(self.folder.path().join("complaints")).unwrap()
        );
        std::fs::read_to_string(output).unwrap().trim().to_owned()
    }

    /// Starts it again with its data and at its address.
    pub fn up(&self, options: &str) -> String {
        self.script(&["start", self.server().to_str().unwrap()], options)
    }

    /// Ends it as a crash would.
    pub fn down(&self) {
        self.script(&["stop", self.server().to_str().unwrap(), "immediate"], "");
    }

    /// Its address, as `user` and for `database`.
    pub fn url(&self, user: &str, database: &str) -> String {
        self.url.replace("//postgres@", &format!("//{user}@")).replace("/postgres?", &format!("/{database}?"))
    }

    /// Runs statements as the superuser.
    pub async fn run(&self, database: &str, statements: &[&str]) {
        let mut connection = PgConnection::connect(&self.url("postgres", database)).await.unwrap();
        for statement in statements {
            sqlx::query(AssertSqlSafe((*statement).to_owned())).execute(&mut connection).await.unwrap();
        }
        connection.close().await.unwrap();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/postgres");
        // It may be down already.
        let _ = Command::new(script).arg("stop").arg(self.server()).arg("immediate").output();
    }
}
