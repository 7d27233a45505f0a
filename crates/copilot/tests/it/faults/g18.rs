//! Replicas are replaced, also by another version, and nobody loses anything.

use bench::faults::{Backend, Report, rolling, versions};

use super::{found, held, trial};

#[tokio::test]
async fn replicas_are_replaced_under_load_and_nobody_loses_anything() {
    held(&rolling::restarts(&trial(Backend::Postgres, ""), 10).await.unwrap());
}

#[tokio::test]
async fn a_process_that_does_not_stop_is_noticed() {
    found("drain", async || rolling::restarts(&trial(Backend::Postgres, "never-drains"), 2).await).await;
}

#[tokio::test]
async fn clients_that_go_on_from_now_are_noticed() {
    found("gap", async || rolling::restarts(&trial(Backend::Postgres, "resume-live-only"), 4).await).await;
}

/// Two builds of this version: only `make soak` is given another one.
async fn side_by_side(broken: &'static str, steps: usize) -> anyhow::Result<Report> {
    let trial = trial(Backend::Postgres, broken);
    versions::side_by_side(&trial, &trial.binary, &versions::STEPS[..steps], 4).await
}

#[tokio::test]
async fn two_versions_work_side_by_side() {
    held(&side_by_side("", 3).await.unwrap());
}

#[tokio::test]
async fn answers_that_the_version_before_cannot_give_again_are_noticed() {
    found("api", async || side_by_side("answers-kept-in-clear", 1).await).await;
}
