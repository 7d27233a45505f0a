//! The fault programme's short tier: the product is broken while it works, and so is the product itself, so that each
//! check is seen to fail.

use std::path::PathBuf;
use std::time::Duration;

use bench::faults::load::Rate;
use bench::faults::{Backend, Report, Trial, durable, fsync};

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
