//! Which drivers try which promise, for as long as they are given.

use std::time::Duration;

use super::load::Rate;
use super::{Backend, Report, Trial, durable, fsync};

/// The promises that the programme knows, by their numbers in `bench/README.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    /// What was accepted is never lost.
    G1,
}

impl Promise {
    /// Every promise.
    pub const ALL: [Self; 1] = [Self::G1];

    /// The promise in words.
    pub fn says(self) -> &'static str {
        match self {
            Self::G1 => "what was answered 2xx is never lost, whatever dies",
        }
    }

    /// Tries it on both databases.
    ///
    /// # Errors
    /// When the product can't be started or asked.
    pub async fn hold(self, trial: &Trial) -> anyhow::Result<Report> {
        match self {
            Self::G1 => durability(trial).await,
        }
    }
}

impl std::str::FromStr for Promise {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|promise| format!("{promise:?}").eq_ignore_ascii_case(name));
        found.ok_or_else(|| format!("there is no promise {name} here; there are {:?}", Self::ALL))
    }
}

async fn durability(trial: &Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let rate = Rate { per_second: 200, alerts: 5, senders: 16 };
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let trial = Trial { backend, time: trial.time.mul_f64(0.35), ..trial.clone() };
        report.note(format!("on {backend:?}"));
        report.extend(durable::crash_points(&trial, &durable::WEBHOOK, &["kill", "abort", "panic"]).await?);
        report.extend(durable::random_kills(&trial, rate, Duration::from_secs(3)).await?);
        report.extend(fsync::oracle(&trial, 1000).await?);
    }
    Ok(report)
}
