//! The real binary as a child process, killed when the test ends.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::world::{Home, client};

const SERVICES: [&str; 6] = ["GATEWAY", "AUTH", "INCIDENT", "AI", "INTEGRATION", "WEBSOCKET"];

/// A running `sre-copilot serve`.
pub struct Process {
    child: Child,
    pub base: String,
}

impl Process {
    /// Starts it on free ports with its data in `home`, and waits until it is ready.
    pub async fn start(home: &Home) -> Self {
        Self::start_with(home, &[("SRE_COPILOT_API_REQUESTS_PER_MINUTE", "0")]).await
    }

    /// As [`Process::start`], with these variables set as well.
    pub async fn start_with(home: &Home, variables: &[(&str, &str)]) -> Self {
        Self::start_logging(home, variables, Stdio::inherit()).await
    }

    /// As [`Process::start_with`], with its log going elsewhere.
    pub async fn start_logging(home: &Home, variables: &[(&str, &str)], log: Stdio) -> Self {
        Self::start_part(home, "", variables, log).await
    }

    /// As [`Process::start_logging`], with only these `services`; [`Process::base`] is the address of the first.
    pub async fn start_part(home: &Home, services: &str, variables: &[(&str, &str)], log: Stdio) -> Self {
        let process = Self::spawn(home, services, variables, log);
        process.ready().await;
        process
    }

    /// Starts it with a fault on purpose in `variables`, and says whether it has killed itself `within` that time; if not, it is
    /// ended.
    pub async fn dies(home: &Home, variables: &[(&str, &str)], within: Duration) -> bool {
        let mut process = Self::spawn(home, "", variables, Stdio::inherit());
        let (begun, mut ticks) = (Instant::now(), tokio::time::interval(Duration::from_millis(20)));
        let status = loop {
            ticks.tick().await;
            if let Some(status) = process.child.try_wait().unwrap() {
                break status;
            }
            if begun.elapsed() > within {
                return false;
            }
        };
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "{status}");
        true
    }

    fn spawn(home: &Home, services: &str, variables: &[(&str, &str)], log: Stdio) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sre-copilot"));
        command.arg("serve").env_clear().env("SRE_COPILOT_DATA_DIR", home.folder.path().join("data"));
        if !services.is_empty() {
            command.args(["--services", services]);
        }
        command
            .env("DATABASE_URL", home.database.url())
            .env("SRE_COPILOT_MASTER_KEY", home.database.master_key());
        let ports = bench::faults::replica::free_ports(SERVICES.len()).unwrap();
        for (service, port) in SERVICES.iter().zip(&ports) {
            command.env(format!("SRE_COPILOT_{service}_LISTEN"), format!("127.0.0.1:{port}"));
        }
        command.env("SRE_COPILOT_LOG_LEVEL", "warn").envs(variables.iter().copied());
        // A test of a broken product is run anew with this set.
        command.envs(std::env::var(outbox::sabotage::BROKEN).map(|ways| (outbox::sabotage::BROKEN, ways)));
        let child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let first = services.split(',').next().unwrap_or_default().to_uppercase();
        let at = SERVICES.iter().position(|service| *service == first).unwrap_or_default();
        Self { child, base: format!("http://127.0.0.1:{}", ports[at]) }
    }

    async fn ready(&self) {
        let (http, begun) = (client(), Instant::now());
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        loop {
            ticks.tick().await;
            let answer = http.get(format!("{}/-/ready", self.base)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "the process did not become ready");
        }
    }

    /// The value of a metric, 0 while it is absent; `series` is its name and labels as `/metrics` writes them.
    pub async fn metric(&self, series: &str) -> f64 {
        let answer = client().get(format!("{}/metrics", self.base)).send().await.unwrap();
        let text = answer.text().await.unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().unwrap())
    }

    /// Asks it to stop, and says how it ended; it may take 20 s.
    pub async fn terminate(&mut self) -> std::process::ExitStatus {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let (begun, mut ticks) = (Instant::now(), tokio::time::interval(Duration::from_millis(20)));
        loop {
            ticks.tick().await;
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "it did not stop in time");
        }
    }

    /// Whether it has ended.
    pub fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) {
        let (begun, mut ticks) = (Instant::now(), tokio::time::interval(Duration::from_millis(20)));
        while !self.is_over() {
            ticks.tick().await;
            assert!(begun.elapsed() < Duration::from_secs(20), "it did not end");
        }
    }

    /// Ends it as a crash would: at once, in the middle of whatever it does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have been killed by the test already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
