//! The fault programme: drivers that keep their own record of what they were told, break the product while it works,
//! and compare what is there afterwards with what was promised, in both directions.

pub mod analyses;
pub mod answers;
pub mod asking;
pub mod away;
pub mod caller;
pub mod check;
pub mod clocks;
pub mod database;
pub mod delivery;
pub mod durable;
pub mod exchange;
pub mod fsync;
pub mod full_disk;
pub mod healing;
pub mod histories;
pub mod hostile;
pub mod ledger;
pub mod load;
pub mod model_server;
pub mod nginx;
pub mod numbers;
pub mod postgres;
pub mod process;
pub mod programme;
pub mod redis;
pub mod replica;
pub mod revoked;
pub mod rolling;
pub mod sender;
pub mod single;
pub mod site;
pub mod subscriber;
pub mod sync_fails;
pub mod versions;
pub mod visible;
pub mod watch;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use self::clocks::Clock;

/// Where and how long a promise is tried.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The product's binary, a debug build.
    pub binary: PathBuf,
    /// The version before, a debug build too, if there is one to compare with.
    pub previous: Option<PathBuf>,
    /// Which database it keeps its truth in.
    pub backend: Backend,
    /// How the product is broken on purpose, or empty.
    pub broken: &'static str,
    /// How the clock of the last replica goes.
    pub clock: Clock,
    /// For how long, at the least; what is placed at fail points is tried once in any case.
    pub time: Duration,
    /// Where random choices begin.
    pub seed: u64,
    /// How many times as long as promised healing may take: 1, or more where others work on the same machine.
    pub patience: u32,
}

/// What the product runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// One process on SQLite.
    Sqlite,
    /// Two processes of all services on one PostgreSQL and one Redis.
    Postgres,
}

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What kind of thing went wrong, such as `lost`.
    pub kind: &'static str,
    /// What exactly.
    pub what: String,
}

/// What came of a trial.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Promises that were not kept; none is a pass.
    pub findings: Vec<Finding>,
    /// What was done and counted, for the log.
    pub notes: Vec<String>,
}

impl Report {
    /// Adds a broken promise.
    pub fn find(&mut self, kind: &'static str, what: impl Into<String>) {
        self.findings.push(Finding { kind, what: what.into() });
    }

    /// Adds what was done.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Takes over what another report says.
    pub fn extend(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.notes.extend(other.notes);
    }

    /// Whether a promise of this kind was broken.
    pub fn has(&self, kind: &str) -> bool {
        self.findings.iter().any(|finding| finding.kind == kind)
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for note in &self.notes {
            writeln!(f, "  {note}")?;
        }
        for finding in self.findings.iter().take(20) {
            writeln!(f, "  BROKEN {}: {}", finding.kind, finding.what)?;
        }
        match self.findings.len() {
            0 => write!(f, "  held"),
            count => write!(f, "  {count} broken promises"),
        }
    }
}

/// Asks again and again until there is an answer or `patience` has passed.
///
/// # Errors
/// When asking fails.
pub async fn until<T>(
    patience: Duration,
    mut ask: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<Option<T>> {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await? {
            return Ok(Some(answer));
        }
        if begun.elapsed() > patience {
            return Ok(None);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
