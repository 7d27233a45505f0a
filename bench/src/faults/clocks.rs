//! G19: a replica whose clock is wrong by hours, or jumps while it runs, changes no outcome.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::analyses::{self, Mishap};
use super::site::folder;
use super::{Report, Trial, numbers, single};

/// By how much the clock of one replica is wrong, as faketime(1) writes it; the years lead past what 32 bits count, and past 2100.
pub const WRONG: [&str; 6] = ["+1h", "-1h", "+25h", "-25h", "+13y", "+76y"];

/// Where a clock jumps, one after the other, from right: back by ten minutes, ahead, and right again.
const JUMPS: [&str; 3] = ["-10m", "+1h", "+0"];

/// How long it stays there; faketime looks every second.
const STAYS: Duration = Duration::from_millis(2500);

/// How the clock of the last replica goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// Right.
    #[default]
    Right,
    /// Wrong by so much, as faketime(1) writes it.
    Wrong(&'static str),
    /// Wrong by what this file says, at any moment.
    Jumping(PathBuf),
}

/// T-G19: what holds of incidents, events and model calls holds with one clock wrong by `clock`.
///
/// # Errors
/// When the product can't be started or asked.
pub async fn wrong(trial: &Trial, clock: &'static str, keys: usize) -> anyhow::Result<Report> {
    let trial = Trial { clock: Clock::Wrong(clock), ..trial.clone() };
    let mut report = Report::default();
    report.note(format!("the clock of one replica is wrong by {clock}"));
    report.extend(incidents(&trial, keys).await?);
    report.extend(analyses::one_call_at_a_time(&trial, keys, Mishap::None).await?);
    Ok(report)
}

/// T-G19: the same holds with one clock that jumps while its replica runs.
///
/// # Errors
/// When the product can't be started or asked.
pub async fn jumping(trial: &Trial, keys: usize) -> anyhow::Result<Report> {
    let folder = folder()?;
    let file = folder.path().join("clock");
    std::fs::write(&file, "+0")?;
    let trial = Trial { clock: Clock::Jumping(file.clone()), ..trial.clone() };
    let mut jumps = 0;
    let mut report = Report::default();
    tokio::select! {
        held = incidents(&trial, keys) => report.extend(held?),
        failed = jump(&file, &mut jumps) => failed?,
    }
    set(&file, "+0")?;
    report.extend(analyses::one_call_at_a_time(&trial, keys, Mishap::None).await?);
    report.note(format!("the clock of one replica jumped {jumps} times"));
    if jumps < JUMPS.len() {
        report.find("unreached", format!("the clock jumped {jumps} times"));
    }
    Ok(report)
}

async fn incidents(trial: &Trial, keys: usize) -> anyhow::Result<Report> {
    let mut report = single::one_each(trial, keys).await?;
    report.extend(numbers::gapless(trial).await?);
    Ok(report)
}

/// Has a clock that jumps go like this from now on.
///
/// # Errors
/// When its file can't be written.
pub fn set(file: &Path, offset: &str) -> anyhow::Result<()> {
    let next = file.with_extension("next");
    // Whoever reads meanwhile finds one or the other.
    std::fs::write(&next, offset)?;
    Ok(std::fs::rename(&next, file)?)
}

/// Has the clock jump again and again.
async fn jump(file: &Path, jumps: &mut usize) -> anyhow::Result<()> {
    for to in JUMPS.iter().cycle() {
        tokio::time::sleep(STAYS).await;
        set(file, to)?;
        *jumps += 1;
    }
    Ok(())
}
