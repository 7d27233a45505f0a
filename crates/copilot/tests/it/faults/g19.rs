//! Clocks that are wrong, and clocks that jump.

use bench::faults::analyses::{self, Mishap};
use bench::faults::clocks::{self, Clock};
use bench::faults::{Backend, Trial};

use super::{found, held, trial};

#[tokio::test]
async fn a_clock_a_day_ahead_changes_no_outcome() {
    held(&clocks::wrong(&trial(Backend::Postgres, ""), "+25h", 6).await.unwrap());
}

#[tokio::test]
async fn a_clock_a_day_behind_changes_no_outcome() {
    held(&clocks::wrong(&trial(Backend::Postgres, ""), "-25h", 6).await.unwrap());
}

/// It is past 2100 then.
#[tokio::test]
async fn a_clock_many_years_ahead_changes_no_outcome() {
    held(&clocks::wrong(&trial(Backend::Postgres, ""), "+76y", 6).await.unwrap());
}

#[tokio::test]
async fn a_clock_that_jumps_changes_no_outcome() {
    held(&clocks::jumping(&trial(Backend::Postgres, ""), 6).await.unwrap());
}

#[tokio::test]
async fn leases_by_ones_own_clock_are_noticed() {
    let trial = Trial { clock: Clock::Wrong("+1h"), ..trial(Backend::Postgres, "own-clock") };
    found("overlap", async || analyses::one_call_at_a_time(&trial, 4, Mishap::None).await).await;
}

#[tokio::test]
async fn leases_by_a_clock_that_jumps_are_noticed() {
    found("overlap", async || clocks::jumping(&trial(Backend::Postgres, "own-clock"), 4).await).await;
}
