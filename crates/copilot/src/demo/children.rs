//! Child processes that never outlive the demo.
//!
//! They are killed when their owner is dropped, stopped in order when it is asked to, and, where `setpriv` is
//! installed, ended by the kernel when this process dies without a chance to do either.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;

use super::loopback;

/// Time a child has to become ready.
const READY_LIMIT: Duration = Duration::from_secs(30);
/// Time between two looks at whether it is.
const READY_PAUSE: Duration = Duration::from_millis(50);
/// Time a child has to stop before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(5);
/// Starts before giving up when another process takes the port that was just free.
const PORT_TRIES: u32 = 3;
/// Lines of a log that go into an error.
const LOG_TAIL: usize = 5;

/// Starts children.
///
/// The kernel sends the death signal when the *thread* that started the child ends, and the runtime's threads
/// come and go; so one thread starts them all and lives until this is dropped.
pub struct Nursery {
    orders: mpsc::Sender<Order>,
    setpriv: Option<PathBuf>,
}

struct Order {
    command: Command,
    reply: oneshot::Sender<io::Result<Child>>,
}

/// A child that answers on a loopback address.
pub struct Running {
    /// What it is, for a person.
    pub name: &'static str,
    /// `host:port`.
    pub address: String,
    child: Child,
    log: PathBuf,
}

impl Nursery {
    /// Must be called inside a runtime.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn new(setpriv: Option<PathBuf>) -> anyhow::Result<Self> {
        let (orders, inbox) = mpsc::channel::<Order>();
        let runtime = tokio::runtime::Handle::current();
        let start_all = move || {
            let _context = runtime.enter();
            for Order { mut command, reply } in inbox {
                // When nobody waits any longer, the child comes back in the error and is killed by its drop.
                let _ = reply.send(command.spawn());
            }
        };
        std::thread::Builder::new()
            .name("demo-children".into())
            .spawn(start_all)
            .context("can't start a thread")?;
        Ok(Self { orders, setpriv })
    }

    /// Starts `program` on a free port and waits until `/-/ready` says so. `arguments` gets its `host:port`;
    /// both its outputs go to `log`.
    ///
    /// # Errors
    /// When it can't be started, ends early or is not ready in time, with the end of its log; nothing is left.
    pub async fn start(
        &self,
        name: &'static str,
        program: &Path,
        log: &Path,
        arguments: impl Fn(&str) -> Vec<String>,
    ) -> anyhow::Result<Running> {
        let mut tries = 1;
        loop {
            let address = loopback::free_address().await?;
            let child = self.spawn(program, &arguments(&address), log).await;
            let child = child.with_context(|| format!("can't start {}", program.display()))?;
            let mut running = Running { name, address, child, log: log.to_owned() };
            match running.wait_until_ready().await {
                Ok(()) => return Ok(running),
                Err(error) if tries < PORT_TRIES && error.to_string().contains("address already in use") => {
                    tries += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn spawn(&self, program: &Path, arguments: &[String], log: &Path) -> anyhow::Result<Child> {
        let output = File::create(log).with_context(|| format!("can't write {}", log.display()))?;
        let errors = output.try_clone()?;
        let mut command = match &self.setpriv {
            Some(setpriv) => {
                let mut command = Command::new(setpriv);
                command.args(["--pdeathsig", "TERM"]).arg(program);
                // Ctrl-C is ours to handle: a group of its own keeps it from the child.
                command.process_group(0);
                command
            }
            None => Command::new(program),
        };
        command.args(arguments).stdin(Stdio::null()).stdout(output).stderr(errors).kill_on_drop(true);
        let (reply, started) = oneshot::channel();
        self.orders.send(Order { command, reply }).map_err(|_| anyhow!("the starting thread has ended"))?;
        Ok(started.await.context("the starting thread has ended")??)
    }
}

impl Running {
    /// Where a browser finds it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until it ends by itself; may be dropped and called again.
    ///
    /// # Errors
    /// When the system can't tell.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Asks it to end, and kills it when it does not.
    pub async fn stop(mut self) {
        if let Some(id) = self.child.id() {
            ask_to_end(id).await;
        }
        if tokio::time::timeout(STOP_LIMIT, self.child.wait()).await.is_err()
            && let Err(error) = self.child.kill().await
        {
            tracing::warn!(name = self.name, %error, "a child of the demo can't be killed");
        }
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let ready = format!("{}/-/ready", self.url());
        let answers = async {
            while !loopback::get(&ready).await.is_ok_and(|status| status.is_success()) {
                tokio::time::sleep(READY_PAUSE).await;
            }
        };
        tokio::select! {
            status = self.child.wait() => {
                bail!("{} ended early ({}): {}", self.name, status?, log_tail(&self.log))
            }
            answered = tokio::time::timeout(READY_LIMIT, answers) => answered.map_err(|_| {
                let limit_s = READY_LIMIT.as_secs();
                anyhow!("{} was not ready within {limit_s} s: {}", self.name, log_tail(&self.log))
            }),
        }
    }
}

/// Sends SIGTERM. The standard library can only kill, and `kill` is built into every shell.
async fn ask_to_end(id: u32) {
    let asked = Command::new("/bin/sh")
        .args(["-c", "kill -TERM \"$1\"", "sh", &id.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .await;
    if let Err(error) = asked {
        tracing::debug!(%error, "no shell to send SIGTERM with");
    }
}

fn log_tail(log: &Path) -> String {
    let text = match std::fs::read(log) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => return format!("its log can't be read: {error}"),
    };
    let lines: Vec<&str> = text.lines().collect();
    let tail = lines.get(lines.len().saturating_sub(LOG_TAIL)..).unwrap_or_default();
    if tail.is_empty() { "it logged nothing".to_owned() } else { tail.join("\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> impl Fn(&str) -> Vec<String> {
        let script = script.to_owned();
        move |_| vec!["-c".to_owned(), script.clone()]
    }

    #[tokio::test]
    async fn an_early_end_is_told_with_the_end_of_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let nursery = Nursery::new(None).unwrap();
        let log = folder.path().join("log");
        let script = shell("echo first; echo 'config is wrong' >&2; exit 3");
        let started = nursery.start("Tester", Path::new("/bin/sh"), &log, script).await;
        let error = started.err().unwrap().to_string();
        assert_eq!(error, "Tester ended early (exit status: 3): first\nconfig is wrong");
    }

    #[tokio::test]
    async fn a_child_that_ignores_the_request_is_killed_and_one_that_obeys_is_not() {
        let nursery = Nursery::new(None).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let said = folder.path().join("said");
        let script = format!("trap 'echo stopping >&2; exit 0' TERM; echo up >&2; {WAIT_FOREVER}");
        let arguments = ["-c".to_owned(), script];
        let child = nursery.spawn(Path::new("/bin/sh"), &arguments, &said).await.unwrap();
        while !std::fs::read_to_string(&said).unwrap().contains("up") {
            tokio::task::yield_now().await;
        }
        let id = child.id().unwrap();
        let running = Running { name: "Tester", address: String::new(), child, log: said.clone() };
        running.stop().await;
        assert_eq!(std::fs::read_to_string(&said).unwrap(), "up\nstopping\n");
        assert!(!Path::new(&format!("/proc/{id}")).exists());
    }

    /// Waits without a child of its own, which would be left behind.
    const WAIT_FOREVER: &str = "while :; do :; done";
}
