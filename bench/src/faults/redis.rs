//! A Redis of our own that can be killed, stalled, emptied and started again on the same port.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::process::Process;
use super::{replica, until};

/// How long it may take to start or to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server with nothing on the disk, running or not.
#[derive(Debug)]
pub struct Redis {
    log: PathBuf,
    folder: PathBuf,
    port: u16,
    process: Option<Process>,
}

impl Redis {
    /// Starts one whose log is in `folder`.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub async fn create(folder: &Path) -> anyhow::Result<Self> {
        let port = replica::free_ports(1)?.first().copied().context("a port")?;
        let (log, folder) = (folder.join("redis.log"), folder.to_owned());
        let mut server = Self { log, folder, port, process: None };
        server.start().await?;
        Ok(server)
    }

    /// Starts it, empty, and waits until it answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        let mut serve = Command::new("redis-server");
        serve.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
        serve.args(["--appendonly", "no", "--dir"]).arg(&self.folder);
        self.process = Some(Process::start("Redis", &mut serve, &self.log)?);
        let answers = until(PATIENCE, async || Ok(self.ask("PING").await.ok()));
        answers.await?.context("Redis did not start").map(drop)
    }

    /// Kills it; everything that it held is gone.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.process.take().map_or(Ok(()), |mut process| process.kill())
    }

    /// Sends it a signal, such as SIGSTOP: it still accepts connections then, and answers nothing.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn signal(&mut self, signal: Signal) -> anyhow::Result<()> {
        self.process.as_mut().map_or(Ok(()), |process| process.signal(signal))
    }

    /// What it answers to a command, as far as the end of the first line.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn ask(&self, command: &str) -> anyhow::Result<String> {
        let asked = async {
            let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", self.port)).await?);
            stream.write_all(format!("{command}\r\n").as_bytes()).await?;
            let mut line = String::new();
            stream.read_line(&mut line).await?;
            anyhow::ensure!(!line.is_empty() && !line.starts_with('-'), "Redis said {line:?} to {command}");
            Ok(line)
        };
        tokio::time::timeout(PATIENCE, asked).await?
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}
