//! The fault programme's short tier: the product is broken while it works, and so is the product itself, so that each
//! check is seen to fail.

use std::path::PathBuf;
use std::time::Duration;

use bench::faults::analyses::{self, Mishap};
use bench::faults::load::Rate;
use bench::faults::{Backend, Report, Trial, answers, durable, fsync, numbers, single};

/// A trial of the product as it is, or as it is `broken`.
pub fn trial(backend: Backend, broken: &'static str) -> Trial {
    let seed = rand::random();
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_sre-copilot"));
    Trial { binary, backend, broken, time: Duration::from_secs(4), seed }
}

/// The check found that this promise was not kept.
#[track_caller]
pub fn found(report: &Report, kind: &str) {
    assert!(report.has(kind), "a broken build was not noticed as {kind}:\n{report}");
}

/// The promises were kept.
#[track_caller]
pub fn held(report: &Report) {
    assert!(report.findings.is_empty(), "\n{report}");
}

#[tokio::test]
async fn g1_death_at_every_step_loses_nothing() {
    let trial = trial(Backend::Sqlite, "");
    held(&durable::crash_points(&trial, &durable::WEBHOOK, &["kill", "abort", "panic"]).await.unwrap());
}

#[tokio::test]
async fn g1_death_at_random_loses_nothing() {
    let rate = Rate { per_second: 100, alerts: 3, senders: 8 };
    let pause = Duration::from_millis(500);
    held(&durable::random_kills(&trial(Backend::Sqlite, ""), rate, pause).await.unwrap());
}

#[tokio::test]
async fn g1_death_at_random_loses_nothing_on_postgresql() {
    let rate = Rate { per_second: 100, alerts: 3, senders: 8 };
    let pause = Duration::from_millis(500);
    held(&durable::random_kills(&trial(Backend::Postgres, ""), rate, pause).await.unwrap());
}

#[tokio::test]
async fn g1_an_answer_before_the_commit_is_noticed() {
    let trial = trial(Backend::Sqlite, "answer-before-commit");
    found(&durable::crash_points(&trial, &durable::BEFORE_COMMIT, &["kill"; 3]).await.unwrap(), "lost");
}

#[tokio::test]
async fn g1_a_swallowed_error_is_noticed() {
    let trial = trial(Backend::Sqlite, "swallow-insert-error");
    found(&durable::crash_points(&trial, &durable::BEFORE_COMMIT, &["error*1"]).await.unwrap(), "lost");
}

#[tokio::test]
async fn g1_every_answer_follows_a_sync() {
    held(&fsync::oracle(&trial(Backend::Sqlite, ""), 200).await.unwrap());
}

#[tokio::test]
async fn g1_an_answer_that_no_sync_came_before_is_noticed() {
    let trial = trial(Backend::Sqlite, "answer-before-commit");
    found(&fsync::oracle(&trial, 50).await.unwrap(), "unsynced");
}

#[tokio::test]
async fn g2_every_fault_of_ours_says_try_again() {
    held(&answers::codes(&trial(Backend::Sqlite, "")).await.unwrap());
}

#[tokio::test]
async fn g2_a_fault_that_says_do_not_try_again_is_noticed() {
    found(&answers::codes(&trial(Backend::Sqlite, "database-error-is-400")).await.unwrap(), "refused");
}

#[tokio::test]
async fn g3_first_reports_at_once_open_one_incident() {
    held(&single::one_each(&trial(Backend::Postgres, ""), 20).await.unwrap());
}

#[tokio::test]
async fn g3_looking_before_inserting_is_noticed() {
    found(&single::one_each(&trial(Backend::Postgres, "no-project-lock"), 10).await.unwrap(), "doubled");
}

#[tokio::test]
async fn g6_roll_backs_and_deaths_leave_no_gap() {
    held(&numbers::gapless(&trial(Backend::Sqlite, "")).await.unwrap());
}

#[tokio::test]
async fn g6_roll_backs_and_deaths_leave_no_gap_on_postgresql() {
    held(&numbers::gapless(&trial(Backend::Postgres, "")).await.unwrap());
}

#[tokio::test]
async fn g6_numbers_of_a_plain_sequence_are_noticed() {
    found(&numbers::gapless(&trial(Backend::Sqlite, "plain-sequence")).await.unwrap(), "gap");
}

#[tokio::test]
async fn g6_a_change_without_its_event_is_noticed() {
    found(&numbers::gapless(&trial(Backend::Sqlite, "lose-an-event")).await.unwrap(), "unannounced");
}

#[tokio::test]
async fn g9_one_model_call_at_a_time_though_many_ask() {
    let trial = trial(Backend::Postgres, "");
    held(&analyses::one_call_at_a_time(&trial, 12, Mishap::None).await.unwrap());
}

#[tokio::test]
async fn g9_one_model_call_at_a_time_though_callers_die() {
    let trial = trial(Backend::Postgres, "");
    held(&analyses::one_call_at_a_time(&trial, 18, Mishap::Death).await.unwrap());
}

#[tokio::test]
async fn g9_a_caller_that_slept_through_its_lease_stores_nothing() {
    let trial = trial(Backend::Postgres, "");
    held(&analyses::one_call_at_a_time(&trial, 10, Mishap::Sleep).await.unwrap());
}

#[tokio::test]
async fn g9_a_lease_shorter_than_a_call_is_noticed() {
    let trial = trial(Backend::Postgres, "lease-shorter-than-call");
    found(&analyses::one_call_at_a_time(&trial, 8, Mishap::None).await.unwrap(), "overlap");
}

#[tokio::test]
async fn g9_a_lease_without_a_fence_is_noticed() {
    let trial = trial(Backend::Postgres, "no-fence");
    found(&analyses::one_call_at_a_time(&trial, 10, Mishap::Sleep).await.unwrap(), "ledger");
}

#[tokio::test]
async fn g10_a_budget_for_ten_calls_pays_for_ten() {
    held(&analyses::budget(&trial(Backend::Postgres, "")).await.unwrap());
}

#[tokio::test]
async fn g10_a_budget_that_is_looked_at_before_it_is_locked_is_noticed() {
    found(&analyses::budget(&trial(Backend::Postgres, "check-then-call")).await.unwrap(), "overspent");
}
