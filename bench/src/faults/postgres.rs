//! A PostgreSQL of our own that can be killed, stopped and started again on the same port.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::process::Signal;

use super::process::{self, Process};
use super::{replica, until};

/// The user who runs it when we are root, which it refuses to be; its package creates them.
const USER: &str = "postgres";

/// How long it may take to start, recovery included.
const PATIENCE: Duration = Duration::from_secs(60);

/// How it is made to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// SIGKILL to the postmaster and to every process of it, all at once.
    Kill,
    /// `pg_ctl stop -m immediate`: no checkpoint, recovery at the next start.
    Immediate,
    /// `pg_ctl stop -m fast`: sessions are ended, everything is written.
    Fast,
}

/// A cluster with one database, running or not.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    data: PathBuf,
    log: PathBuf,
    port: u16,
    process: Option<Process>,
}

impl Postgres {
    /// Where a cluster below `folder` has its data: what is mounted there before is used.
    pub fn data(folder: &Path) -> PathBuf {
        folder.join("postgres")
    }

    /// Creates a cluster below `folder` and starts it.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub async fn create(folder: &Path) -> anyhow::Result<Self> {
        let programs = programs()?;
        let data = Self::data(folder);
        std::fs::create_dir_all(&data)?;
        if rustix::process::getuid().is_root() {
            let owned = Command::new("chown").arg(USER).arg(&data).status()?;
            if !owned.success() {
                bail!("there is no user {USER} to run PostgreSQL as");
            }
        }
        let mut create = as_user(&programs.join("initdb"));
        create.args(["--auth=trust", "--username=faults", "--encoding=UTF8", "--locale=C.UTF-8"]);
        let created =
            create.args(["--no-sync", "-D"]).arg(&data).current_dir("/").output().context("initdb")?;
        if !created.status.success() {
            bail!("initdb: {}", String::from_utf8_lossy(&created.stderr));
        }
        let log = folder.join("postgres.log");
        let port = replica::free_ports(1)?.first().copied().context("a port")?;
        let mut server = Self { programs, data, log, port, process: None };
        server.start().await?;
        Ok(server)
    }

    /// Starts it and waits until it answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        let mut serve = as_user(&self.programs.join("postgres"));
        serve.current_dir("/").arg("-D").arg(&self.data);
        serve.args(["-p", &self.port.to_string(), "-k", "", "-h", "127.0.0.1", "-c", "max_connections=200"]);
        let mut process = Process::start("PostgreSQL", &mut serve, &self.log)?;
        let ready = until(PATIENCE, async || {
            if let Some(status) = process.ended()? {
                bail!("PostgreSQL ended early: {status}; see {}", self.log.display());
            }
            let mut ask = Command::new(self.programs.join("pg_isready"));
            let answer = ask.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]).status()?;
            Ok(answer.success().then_some(()))
        });
        ready.await?.context("PostgreSQL did not start")?;
        self.process = Some(process);
        Ok(())
    }

    /// Starts it again if it has ended by itself; says whether it had.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn revive(&mut self) -> anyhow::Result<bool> {
        let ended = match &mut self.process {
            Some(process) => process.ended()?.is_some(),
            None => true,
        };
        if ended {
            self.process = None;
            self.start().await?;
        }
        Ok(ended)
    }

    /// Ends it, and returns when no process of it is left.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn end(&mut self, how: End) -> anyhow::Result<()> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        let parts = self.parts_of(&process);
        match how {
            End::Kill => {
                for id in &parts {
                    // One that has ended by itself meanwhile is as dead as it has to be.
                    let _ = process::send(*id, Signal::KILL);
                }
                process.kill()?;
            }
            End::Immediate => process.signal(Signal::QUIT)?,
            End::Fast => process.signal(Signal::INT)?,
        }
        let gone = until(PATIENCE, async || {
            let ended = process.ended()?.is_some();
            Ok((ended && parts.iter().all(|id| !is_alive(*id))).then_some(()))
        });
        gone.await?.context("PostgreSQL did not end")
    }

    /// The ids of all of its processes.
    pub fn parts(&self) -> Vec<u32> {
        self.process.as_ref().map(|process| self.parts_of(process)).unwrap_or_default()
    }

    fn parts_of(&self, process: &Process) -> Vec<u32> {
        let mut ids = process::children(process.id());
        ids.push(process.id());
        ids
    }

    /// The address of its database.
    pub fn url(&self) -> String {
        format!("postgres://faults@127.0.0.1:{}/postgres", self.port)
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        for id in self.parts() {
            let _ = process::send(id, Signal::KILL);
        }
    }
}

fn is_alive(id: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").map(|(_, rest)| rest.chars().next());
    // A zombie only waits for its parent to look.
    matches!(state, Some(Some(state)) if state != 'Z')
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
    let user = ["--reuid", USER, "--regid", USER, "--clear-groups", "--pdeathsig", "KILL", "--"];
    command.args(user).arg(program);
    command
}
