//! G6: every change has exactly one event and the numbers have no gap, though transactions are rolled back at every
//! step and processes die.

use std::time::{Duration, Instant};

use super::ledger::Ledger;
use super::load::{Load, Rate};
use super::site::Site;
use super::{Report, Trial, check};

/// The load meanwhile.
const RATE: Rate = Rate { per_second: 100, alerts: 2, senders: 8 };

/// What is rolled back: some transactions before their events have numbers, some after, and some that did commit
/// but were not told so.
const ROLL_BACKS: &str =
    "intake.before_commit=error*13;commit.before=error*17;commit.numbered=error*7;commit.done=error*19";

/// T-G6a, c: transactions fail at every step, and processes die.
///
/// # Errors
/// When the product can't be started or asked.
pub async fn gapless(trial: &Trial) -> anyhow::Result<Report> {
    let mut site = Site::start(trial).await?;
    for replica in &mut site.replicas {
        replica.kill()?;
        replica.set("SRE_COPILOT_FAULT", ROLL_BACKS);
        replica.start().await?;
    }
    let ledger = Ledger::create(&site.path("ledger"))?;
    let load = Load::start(&site, site.webhooks(), &ledger, RATE, 0);
    let (begun, mut kills) = (Instant::now(), 0);
    while begun.elapsed() < trial.time {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let victim = kills % site.replicas.len();
        site.replica(victim)?.kill()?;
        site.replica(victim)?.start().await?;
        kills += 1;
    }
    load.stop().await;
    let mut report = Report::default();
    let rolled: usize = site.replicas.iter().map(|replica| replica.acted("commit.numbered")).sum();
    report.note(format!("{kills} kills, {rolled} roll-backs after numbering"));
    if rolled == 0 {
        report.find("unreached", "no transaction was rolled back after numbering");
    }
    report.extend(check::everything(&site, &ledger.close()?, RATE.alerts).await?);
    Ok(report)
}
