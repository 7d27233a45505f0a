//! G19: a replica whose clock is wrong by hours changes no outcome.

use super::analyses::{self, Mishap};
use super::{Report, Trial, numbers, single};

/// By how much the clock of one replica is wrong, as faketime(1) writes it.
pub const WRONG: [&str; 4] = ["+1h", "-1h", "+25h", "-25h"];

/// T-G19: what holds of incidents, events and model calls holds with one clock wrong by `clock`.
///
/// # Errors
/// When the product can't be started or asked.
pub async fn wrong(trial: &Trial, clock: &'static str, keys: usize) -> anyhow::Result<Report> {
    let trial = Trial { clock, ..trial.clone() };
    let mut report = Report::default();
    report.note(format!("the clock of one replica is wrong by {clock}"));
    report.extend(single::one_each(&trial, keys).await?);
    report.extend(numbers::gapless(&trial).await?);
    report.extend(analyses::one_call_at_a_time(&trial, keys, Mishap::None).await?);
    Ok(report)
}
