//! A PostgreSQL of our own: its default settings, on a free port, in a folder of the measurement.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use rustix::process::Signal;

use crate::child::Process;
use crate::folder;

/// The user who runs it when we are root, which it refuses to be; its package creates them.
const USER: &str = "postgres";

/// A running server.
pub struct Postgres {
    /// The postmaster, whose children are the sessions.
    pub process: Process,
    programs: PathBuf,
    address: String,
}

impl Postgres {
    /// Creates a cluster in `folder` and starts it.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub fn start(folder: &Path) -> anyhow::Result<Self> {
        let programs = programs()?;
        let data = folder.join("postgres");
        std::fs::create_dir(&data)?;
        if rustix::process::getuid().is_root() {
            let owned = Command::new("chown").arg(USER).arg(&data).status()?;
            if !owned.success() {
                bail!("there is no user {USER} to run PostgreSQL as");
            }
        }
        let mut create = as_user(&programs.join("initdb"));
        create
            .args(["--auth=trust", "--username=bench", "--encoding=UTF8", "--locale=C.UTF-8", "-D"])
            .arg(&data);
        let created = create.current_dir("/").output().context("initdb")?;
        if !created.status.success() {
            bail!("initdb: {}", String::from_utf8_lossy(&created.stderr));
        }
        let address = folder::free_address()?;
        let port = address.rsplit(':').next().unwrap_or_default();
        let mut serve = as_user(&programs.join("postgres"));
        serve.current_dir("/").arg("-D").arg(&data).args(["-p", port, "-k", "", "-h", "127.0.0.1"]);
        // Without it the server would take the directory's checkpoints at a gigabyte, in the middle of a run.
        serve.args(["-c", "max_wal_size=4GB"]);
        let process = Process::start("PostgreSQL", &mut serve, &folder.join("postgres.log"))?;
        let mut server = Self { process, programs, address };
        let (programs, address) = (server.programs.clone(), server.address.clone());
        server.process.wait_until(|| psql(&programs, &address, "postgres", "select 1").is_ok())?;
        Ok(server)
    }

    /// Creates an empty database; returns its URL.
    ///
    /// # Errors
    /// When it can't be created.
    pub fn database(&self, name: &str) -> anyhow::Result<String> {
        psql(&self.programs, &self.address, "postgres", &format!("create database {name}"))?;
        Ok(format!("postgres://bench@{}/{name}", self.address))
    }

    /// Drops a database that nobody uses any longer.
    ///
    /// # Errors
    /// When it can't be dropped.
    pub fn drop_database(&self, name: &str) -> anyhow::Result<()> {
        psql(&self.programs, &self.address, "postgres", &format!("drop database {name} with (force)"))
            .map(drop)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // A fast shutdown: sessions that are still open do not hold it up. The process is killed if that fails.
        let _ = self.process.stop_by(Signal::INT);
    }
}

fn psql(programs: &Path, address: &str, database: &str, statements: &str) -> anyhow::Result<String> {
    let (host, port) = address.split_once(':').context("an address")?;
    let mut command = Command::new(programs.join("psql"));
    command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "bench", "-h", host, "-p", port]);
    let done = command.args(["-d", database, "-c", statements]).output().context("psql")?;
    if !done.status.success() {
        bail!("psql: {}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
}

/// The newest installed version's folder of programs.
fn programs() -> anyhow::Result<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    folders.retain(|folder| folder.join("initdb").is_file());
    folders.pop().context("PostgreSQL is not installed: apt-get install postgresql")
}

fn as_user(program: &Path) -> Command {
    if !rustix::process::getuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", USER, "--regid", USER, "--clear-groups", "--pdeathsig", "INT", "--"])
        .arg(program);
    command
}
