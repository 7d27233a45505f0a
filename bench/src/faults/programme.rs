//! Which drivers try which promise, for as long as they are given.

use std::time::{Duration, Instant};

use super::analyses::Mishap;
use super::load::Rate;
use super::{
    Backend, Report, Trial, analyses, answers, away, clocks, delivery, durable, fsync, full_disk, healing,
    hostile, numbers, revoked, rolling, sender, single, sync_fails, versions, visible,
};

/// The promises that the programme knows, by their numbers in the design.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    /// What was accepted is never lost.
    G1,
    /// Nor while the database is away.
    G1e,
    /// What failed is answered so that it is sent again.
    G2,
    /// One open incident for each key.
    G3,
    /// No alert is hidden.
    G5,
    /// Events without a gap.
    G6,
    /// Events reach everybody.
    G7,
    /// Nobody harms the others.
    G8,
    /// One model call at a time.
    G9,
    /// No budget is exceeded.
    G10,
    /// Whoever is shut out is out.
    G13,
    /// What failed heals by itself.
    G17,
    /// Upgrades lose nothing.
    G18,
    /// Wrong clocks change nothing.
    G19,
}

impl Promise {
    /// Every promise.
    pub const ALL: [Self; 14] = [
        Self::G1,
        Self::G1e,
        Self::G2,
        Self::G3,
        Self::G5,
        Self::G6,
        Self::G7,
        Self::G8,
        Self::G9,
        Self::G10,
        Self::G13,
        Self::G17,
        Self::G18,
        Self::G19,
    ];

    /// The promise in words.
    pub fn says(self) -> &'static str {
        match self {
            Self::G1 => "what was answered 2xx is never lost, whatever dies",
            Self::G1e => {
                "webhooks are accepted while PostgreSQL is away, and are all there 60 s after it is back"
            }
            Self::G2 => "what was not stored is answered so that it is sent again",
            Self::G3 => "there is one open incident for each key",
            Self::G5 => "what fires is shown within seconds, in a storm too",
            Self::G6 => "every change has one event, and the numbers have no gap",
            Self::G9 => "there is one model call at a time for each incident, and nothing stale is stored",
            Self::G7 => "every client is told every event in order, or to look again",
            Self::G8 => "clients that read nothing or never stop talking harm nobody",
            Self::G10 => "a budget is never exceeded",
            Self::G13 => "who is shut out gets nothing more a second later, whichever replica they ask",
            Self::G17 => "everything works again 10 s after its cause has ended, by itself",
            Self::G18 => "replicas are replaced under load, and nobody loses anything",
            Self::G19 => "a clock that is wrong by hours, or jumps, changes no outcome",
        }
    }

    /// Tries it until the time is over, at least once on each database that it concerns.
    ///
    /// # Errors
    /// When the product can't be started or asked.
    pub async fn hold(self, trial: &Trial) -> anyhow::Result<Report> {
        let (begun, mut report, mut rounds) = (Instant::now(), Report::default(), 0_u64);
        while rounds == 0 || begun.elapsed() < trial.time {
            for backend in self.backends() {
                let part = trial.time.mul_f64(0.35).min(Duration::from_secs(120));
                // An outage is one, however long.
                let time = if self == Self::G1e { trial.time } else { part };
                let trial = Trial { backend, time, seed: trial.seed.wrapping_add(rounds), ..trial.clone() };
                report.note(format!("on {backend:?}"));
                report.extend(self.once(&trial).await?);
            }
            rounds += 1;
            if !report.findings.is_empty() {
                break;
            }
        }
        report.note(format!("{rounds} rounds"));
        Ok(report)
    }

    /// What one process alone can't break is tried with two.
    fn backends(self) -> Vec<Backend> {
        match self {
            Self::G1e
            | Self::G3
            | Self::G7
            | Self::G9
            | Self::G10
            | Self::G13
            | Self::G17
            | Self::G18
            | Self::G19 => {
                vec![Backend::Postgres]
            }
            Self::G8 => vec![Backend::Sqlite],
            Self::G1 | Self::G2 | Self::G5 | Self::G6 => vec![Backend::Sqlite, Backend::Postgres],
        }
    }

    async fn once(self, trial: &Trial) -> anyhow::Result<Report> {
        let mut report = Report::default();
        match self {
            Self::G1 => report.extend(nothing_lost(trial).await?),
            Self::G1e => report.extend(away::database_away(trial).await?),
            Self::G2 => {
                report.extend(answers::codes(trial).await?);
                report.extend(sender::delivers(trial).await?);
                if trial.backend == Backend::Postgres {
                    report.extend(sender::delivers_through_a_proxy(trial).await?);
                }
            }
            Self::G3 => report.extend(single::one_each(trial, 200).await?),
            Self::G5 => {
                for rate in [
                    Rate { per_second: 200, alerts: 1, senders: 16 },
                    Rate { per_second: 20, alerts: 17, senders: 8 },
                ] {
                    report.extend(visible::shown(trial, rate).await?);
                }
            }
            Self::G6 => report.extend(numbers::gapless(trial).await?),
            Self::G9 => {
                for mishap in [Mishap::None, Mishap::Death, Mishap::Sleep] {
                    report.extend(analyses::one_call_at_a_time(trial, 30, mishap).await?);
                }
            }
            Self::G7 => {
                report.extend(delivery::every_event(trial, 50, &delivery::Mishap::ALL).await?);
                report.extend(delivery::lagging(trial, 20).await?);
            }
            Self::G8 => report.extend(hostile::harmless(trial, 50).await?),
            Self::G10 => report.extend(analyses::budget(trial).await?),
            Self::G13 => report.extend(revoked::at_once(trial, &revoked::Way::ALL).await?),
            Self::G17 => {
                let pause = trial.time.clamp(Duration::from_secs(4), Duration::from_secs(30));
                for causes in [healing::Cause::REDIS, healing::Cause::OTHERS] {
                    report.extend(healing::heals(trial, &causes, pause).await?);
                }
            }
            Self::G18 => {
                report.extend(rolling::restarts(trial, 50).await?);
                match &trial.previous {
                    Some(previous) => {
                        report.extend(versions::side_by_side(trial, previous, &versions::STEPS, 50).await?);
                    }
                    None => report.note("SKIPPED: no two versions side by side; --previous names the other"),
                }
            }
            Self::G19 => {
                for clock in clocks::WRONG {
                    report.extend(clocks::wrong(trial, clock, 20).await?);
                }
                report.extend(clocks::jumping(trial, 20).await?);
            }
        }
        Ok(report)
    }
}

async fn nothing_lost(trial: &Trial) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let rate = Rate { per_second: 200, alerts: 5, senders: 16 };
    let ways = ["kill", "abort", "panic"];
    report.extend(durable::crash_points(trial, &durable::WEBHOOK, &ways).await?);
    report.extend(durable::random_kills(trial, rate, Duration::from_secs(3)).await?);
    report.extend(fsync::oracle(trial, 1000).await?);
    for place in sync_fails::Place::of(trial.backend) {
        report.extend(sync_fails::ends(trial, *place).await?);
    }
    match trial.backend {
        _ if !full_disk::is_possible() => {
            report.note("SKIPPED: no disk was filled, because this user may not mount one");
        }
        Backend::Sqlite => report.extend(full_disk::fills(trial, 3).await?),
        Backend::Postgres => report.extend(full_disk::fills_postgres(trial, 3).await?),
    }
    Ok(report)
}

impl std::str::FromStr for Promise {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|promise| format!("{promise:?}").eq_ignore_ascii_case(name));
        found.ok_or_else(|| format!("there is no promise {name} here; there are {:?}", Self::ALL))
    }
}
