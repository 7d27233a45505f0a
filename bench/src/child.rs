//! A process that is measured with all of its children, and stopped by its id.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How long a process may take to become ready, or to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process that is stopped when this is dropped.
pub struct Process {
    child: Child,
    name: &'static str,
    log: PathBuf,
}

impl Process {
    /// Starts `command`; what it says goes to the file `log`.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start(name: &'static str, command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let output = std::fs::File::create(log).with_context(|| format!("writing {}", log.display()))?;
        let errors = output.try_clone()?;
        let child = command.stdin(Stdio::null()).stdout(output).stderr(errors).spawn();
        Ok(Self { child: child.with_context(|| format!("starting {name}"))?, name, log: log.to_owned() })
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `ready` holds; returns how long that took.
    ///
    /// # Errors
    /// When it ends before, or a minute has passed.
    pub fn wait_until(&mut self, mut ready: impl FnMut() -> bool) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        while !ready() {
            if let Some(status) = self.child.try_wait()? {
                let said = std::fs::read_to_string(&self.log).unwrap_or_default();
                bail!("{} ended early: {status}: {said}", self.name);
            }
            if begun.elapsed() > PATIENCE {
                bail!("{} was not ready within {} s", self.name, PATIENCE.as_secs());
            }
            pause(Duration::from_millis(1));
        }
        Ok(begun.elapsed())
    }

    /// Asks it to stop and waits until it has.
    ///
    /// # Errors
    /// When it does not stop in time; it is killed then.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.stop_by(Signal::TERM)
    }

    /// Stops it by `signal` and waits until it has.
    ///
    /// # Errors
    /// When it does not stop in time; it is killed then.
    pub fn stop_by(&mut self, signal: Signal) -> anyhow::Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        if let Some(pid) = i32::try_from(self.id()).ok().and_then(Pid::from_raw) {
            kill_process(pid, signal)?;
        }
        let begun = Instant::now();
        while self.child.try_wait()?.is_none() {
            if begun.elapsed() > PATIENCE {
                self.child.kill()?;
                self.child.wait()?;
                bail!("{} did not stop within {} s", self.name, PATIENCE.as_secs());
            }
            pause(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.stop().is_err() {
            // It can't be told to anybody from here, and the process was killed.
            let _ = self.child.kill();
        }
    }
}

/// What a process and all of its children have used.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Processor seconds since it began, children included.
    pub cpu_seconds: f64,
    /// Memory of its own and its share of what it shares, in MiB.
    pub memory_mib: f64,
}

/// Adds up what `root` and its descendants use now.
pub fn usage(root: u32) -> Usage {
    tree(root).into_iter().fold(Usage::default(), |sum, id| Usage {
        cpu_seconds: sum.cpu_seconds + cpu_seconds(id).unwrap_or(0.0),
        memory_mib: sum.memory_mib + kib(id, "smaps_rollup", "Pss:").unwrap_or(0.0) / 1024.0,
    })
}

/// Processor seconds of `root` and its descendants.
pub fn tree_cpu_seconds(root: u32) -> f64 {
    tree(root).into_iter().filter_map(cpu_seconds).sum()
}

/// The most memory that one process ever held resident, in MiB.
pub fn peak_resident_mib(id: u32) -> f64 {
    kib(id, "status", "VmHWM:").unwrap_or(0.0) / 1024.0
}

/// The memory that one process holds resident, in MiB.
pub fn resident_mib(id: u32) -> f64 {
    kib(id, "status", "VmRSS:").unwrap_or(0.0) / 1024.0
}

/// Lets time pass.
#[expect(clippy::disallowed_methods, reason = "a thread of its own waits for another process")]
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}

fn kib(id: u32, file: &str, field: &str) -> Option<f64> {
    let text = std::fs::read_to_string(format!("/proc/{id}/{file}")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    line.split_whitespace().next()?.parse().ok()
}

/// `root` and every process that descends from it.
fn tree(root: u32) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    let folders = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    for id in folders.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()) {
        if let Some(parent) = fields(id).and_then(|fields| fields.get(1)?.parse().ok()) {
            children.entry(parent).or_default().push(id);
        }
    }
    let mut found = vec![root];
    let mut at = 0;
    while let Some(id) = found.get(at).copied() {
        found.extend(children.remove(&id).unwrap_or_default());
        at += 1;
    }
    found
}

/// The fields of `/proc/ID/stat` after the name: state, parent and so on (proc(5)).
fn fields(id: u32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

/// User and system time, of the process and of the children it has waited for.
fn cpu_seconds(id: u32) -> Option<f64> {
    let ticks_per_second = rustix::param::clock_ticks_per_second() as f64;
    let fields = fields(id)?;
    let ticks = fields.get(11..15)?.iter().filter_map(|field| field.parse::<f64>().ok()).sum::<f64>();
    Some(ticks / ticks_per_second)
}
