//! One `sre-copilot serve` on ports of its own, killed and started again at will.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use rustix::process::Signal;

use super::clocks::Clock;
use super::process::Process;
use super::until;

/// Below those that Linux gives to outgoing connections (ip(7), `ip_local_port_range`), which would take the port of
/// a process that is about to be started again.
const PORTS: std::ops::Range<u16> = 10_000..32_000;

/// The services, each with a port.
const SERVICES: [&str; 6] = ["GATEWAY", "AUTH", "INCIDENT", "AI", "INTEGRATION", "WEBSOCKET"];

/// How long it may take to become ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long it may take to stop after SIGTERM.
pub const DRAIN: Duration = Duration::from_secs(20);

/// A process, as a rule of all services: where it listens, how it is set up, and whether it runs.
#[derive(Debug)]
pub struct Replica {
    binary: PathBuf,
    folder: PathBuf,
    name: String,
    ports: Vec<u16>,
    settings: BTreeMap<String, String>,
    /// The services it runs, separated by commas; empty is all.
    pub services: &'static str,
    process: Option<Process>,
    http: reqwest::Client,
}

impl Replica {
    /// A process that has not been started; its log is `NAME.log` in `folder`.
    ///
    /// # Errors
    /// When there are no free ports.
    pub fn new(binary: &Path, folder: &Path, name: &str, http: &reqwest::Client) -> anyhow::Result<Self> {
        let settings = [
            ("SRE_COPILOT_DATA_DIR", folder.join("data").to_string_lossy().into_owned()),
            // 32 random bytes that protect nothing; PostgreSQL asks for a key, the same for every replica.
            ("SRE_COPILOT_MASTER_KEY", "q8fG1nZ0sV3cYx5uJ7kLw2eRt9oPa4HdBmN6iQyTzXE=".to_owned()),
            ("SRE_COPILOT_LOG_LEVEL", "warn".to_owned()),
            ("SRE_COPILOT_LOG_FORMAT", "text".to_owned()),
            ("SRE_COPILOT_API_REQUESTS_PER_MINUTE", "0".to_owned()),
        ];
        Ok(Self {
            binary: binary.to_owned(),
            folder: folder.to_owned(),
            name: name.to_owned(),
            ports: free_ports(SERVICES.len())?,
            settings: settings.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
            services: "",
            process: None,
            http: http.clone(),
        })
    }

    /// Gives it a setting for its next start; an empty value takes the setting away.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        let value = value.into();
        if value.is_empty() {
            self.settings.remove(key);
        } else {
            self.settings.insert(key.to_owned(), value);
        }
    }

    /// Runs another build from its next start on.
    pub fn replace(&mut self, binary: &Path) {
        self.binary = binary.to_owned();
    }

    /// Makes its clock go like this; what is measured stays right.
    ///
    /// # Errors
    /// When faketime is not installed.
    pub fn set_clock(&mut self, clock: &Clock) -> anyhow::Result<()> {
        match clock {
            Clock::Right => return Ok(()),
            Clock::Wrong(offset) => self.set("FAKETIME", *offset),
            Clock::Jumping(file) => {
                self.set("FAKETIME_TIMESTAMP_FILE", file.to_string_lossy());
                // Seconds for which it goes by what it has read.
                self.set("FAKETIME_CACHE_DURATION", "1");
            }
        }
        let folders = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
        let library = folders
            .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
            .find(|library| library.is_file())
            .context("faketime is not installed: apt-get install faketime")?;
        // Not by its wrapper: a signal would reach that one alone.
        self.set("LD_PRELOAD", library.to_string_lossy());
        self.set("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        Ok(())
    }

    /// Where its data, unless PostgreSQL has them, and its log are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// When it ends before, or is not ready in time.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        self.launch()?;
        let ready = until(PATIENCE, async || {
            if let Some(status) = self.ended()? {
                bail!("{} ended early: {status}; its log ends with\n{}", self.name, self.said(10));
            }
            Ok(self.is_ready().await.then_some(()))
        });
        let ready = ready.await?;
        ready.with_context(|| {
            format!("{} did not become ready; its log ends with\n{}", self.name, self.said(10))
        })
    }

    /// Starts it and returns at once.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn launch(&mut self) -> anyhow::Result<()> {
        let mut command = Command::new(&self.binary);
        command.arg("serve").env_clear();
        if !self.services.is_empty() {
            command.args(["--services", self.services]);
        }
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command.envs(&self.settings);
        for (service, port) in SERVICES.iter().zip(&self.ports) {
            command.env(format!("SRE_COPILOT_{service}_LISTEN"), format!("127.0.0.1:{port}"));
        }
        self.process = Some(Process::start(&self.name, &mut command, &self.log())?);
        Ok(())
    }

    /// Whether it says that it is ready.
    pub async fn is_ready(&self) -> bool {
        self.says("/-/ready").await == Some(200)
    }

    /// The status of a GET on its gateway, if it answers within two seconds.
    pub async fn says(&self, path: &str) -> Option<u16> {
        let asked = self.http.get(format!("{}{path}", self.base())).timeout(Duration::from_secs(2));
        asked.send().await.ok().map(|answer| answer.status().as_u16())
    }

    /// Whether it says that webhooks wait on its disk; a replica that does not answer has none to wait for.
    pub async fn spools(&self) -> bool {
        let asked = self.http.get(format!("{}/-/ready", self.base())).timeout(Duration::from_secs(5)).send();
        match asked.await {
            Ok(answer) => answer.text().await.is_ok_and(|said| said.contains("spool")),
            Err(_) => false,
        }
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn ended(&mut self) -> anyhow::Result<Option<std::process::ExitStatus>> {
        match &mut self.process {
            Some(process) => process.ended(),
            None => Ok(None),
        }
    }

    /// Whether it runs.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn is_running(&mut self) -> anyhow::Result<bool> {
        Ok(self.process.is_some() && self.ended()?.is_none())
    }

    /// Kills it at once.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        match self.process.take() {
            Some(mut process) => process.kill(),
            None => Ok(()),
        }
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn signal(&mut self, signal: Signal) -> anyhow::Result<()> {
        match &mut self.process {
            Some(process) => process.signal(signal),
            None => Ok(()),
        }
    }

    /// Asks it to stop, and waits until it has.
    ///
    /// # Errors
    /// When it takes longer than it may.
    pub async fn terminate(&mut self) -> anyhow::Result<()> {
        match self.process.take() {
            Some(mut process) => process.terminate(DRAIN).await.map(drop),
            None => Ok(()),
        }
    }

    /// The id of its process.
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// The address of its gateway.
    pub fn base(&self) -> String {
        format!("http://{}", self.address())
    }

    /// `127.0.0.1:PORT` of its gateway.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.ports.first().copied().unwrap_or_default())
    }

    /// Where its log is.
    pub fn log(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.name))
    }

    /// The last lines of its log.
    pub fn said(&self, lines: usize) -> String {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let all: Vec<&str> = log.lines().collect();
        all.get(all.len().saturating_sub(lines)..).unwrap_or_default().join("\n")
    }

    /// How often its log says that the point `name` acted.
    pub fn acted(&self, name: &str) -> usize {
        let said = format!("fault at {name}: ");
        std::fs::read_to_string(self.log()).unwrap_or_default().matches(&said).count()
    }
}

/// Ports that nobody listens on.
///
/// # Errors
/// When there are none.
pub fn free_ports(count: usize) -> anyhow::Result<Vec<u16>> {
    let mut held: Vec<TcpListener> = Vec::new();
    for _ in 0..1000 {
        if held.len() == count {
            break;
        }
        held.extend(TcpListener::bind(("127.0.0.1", rand::random_range(PORTS))));
    }
    ensure!(held.len() == count, "no {count} free ports in {PORTS:?}");
    held.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}
