//! The fault programme's short tier: the product is broken while it works, and so is the product itself, so that each
//! check is seen to fail.

mod g13;
mod g18;
mod g19;
mod g5;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use bench::faults::analyses::{self, Mishap};
use bench::faults::clocks::Clock;
use bench::faults::delivery::{self, Mishap as Befalls};
use bench::faults::healing::{self, Cause};
use bench::faults::load::Rate;
use bench::faults::sync_fails::{self, Place};
use bench::faults::{
    Backend, Report, Trial, answers, away, durable, fsync, full_disk, hostile, numbers, sender, single,
};

/// How long what a promise depends on is away.
const AWAY: Duration = Duration::from_secs(4);

/// A trial of the product as it is, or as it is `broken`.
pub fn trial(backend: Backend, broken: &'static str) -> Trial {
    let seed = rand::random();
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_sre-copilot"));
    // The promised seconds are for `make soak`. Here it must heal, on however busy a machine; what is broken does not.
    let patience = if broken.is_empty() { 6 } else { 1 };
    let (time, clock) = (Duration::from_secs(4), Clock::Right);
    Trial { binary, previous: None, backend, broken, clock, time, seed, patience }
}

/// How many trials a check has to notice what not every trial shows.
const TRIALS: usize = 3;

/// The check finds that this promise was not kept.
pub async fn found(kind: &str, attempt: impl AsyncFn() -> anyhow::Result<Report>) {
    let mut reports = String::new();
    for _ in 0..TRIALS {
        let report = attempt().await.unwrap();
        if report.has(kind) {
            return;
        }
        reports = format!("{reports}\n{report}");
    }
    panic!("a broken build was not noticed as {kind}:{reports}");
}

/// The promises were kept.
#[track_caller]
pub fn held(report: &Report) {
    eprintln!("{report}");
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
    found("lost", async || durable::crash_points(&trial, &durable::BEFORE_COMMIT, &["kill"; 3]).await).await;
}

#[tokio::test]
async fn g1_a_swallowed_error_is_noticed() {
    let trial = trial(Backend::Sqlite, "swallow-insert-error");
    found("lost", async || durable::crash_points(&trial, &durable::BEFORE_COMMIT, &["error*1"]).await).await;
}

#[tokio::test]
async fn g1_every_answer_follows_a_sync() {
    held(&fsync::oracle(&trial(Backend::Sqlite, ""), 200).await.unwrap());
}

#[tokio::test]
async fn g1_an_answer_that_no_sync_came_before_is_noticed() {
    let trial = trial(Backend::Sqlite, "answer-before-commit");
    found("unsynced", async || fsync::oracle(&trial, 50).await).await;
}

#[test]
fn g1_the_oracle_tells_two_processes_apart() {
    // The threads 11 and 21 of the processes 10 and 20.
    let product = BTreeMap::from([(11, 10), (21, 20)]);
    let trace = r#"11 recvfrom(9, "POST /webhooks/alertmanager", 48) = 48
30 fdatasync(4) = 0
21 recvfrom(9, "POST /webhooks/alertmanager", 48) = 48
11 sendto(9, "HTTP/1.1 200 OK", 48) = 48
30 fdatasync(4 <unfinished ...>
21 sendto(9, "HTTP/1.1 200 OK", 48) = 48"#;
    let report = fsync::judge(trace, &product);
    assert_eq!(report.notes, ["2 answers, 1 syncs"]);
    assert_eq!(report.findings.len(), 1, "{report}");
    assert_eq!(report.findings[0].what, "line 6 answers line 3 with no sync between them");
}

/// Whether there can be a small disk to fill; it is said aloud when there can't.
fn can_mount() -> bool {
    let can = full_disk::is_possible();
    if !can {
        eprintln!("SKIPPED: this user may not mount a small disk to fill");
    }
    can
}

#[tokio::test]
async fn g1_a_full_disk_loses_nothing_and_heals() {
    if can_mount() {
        held(&full_disk::fills(&trial(Backend::Sqlite, ""), 1).await.unwrap());
    }
}

#[tokio::test]
async fn g1_a_full_disk_that_is_swallowed_is_noticed() {
    if can_mount() {
        found("lost", async || full_disk::fills(&trial(Backend::Sqlite, "swallow-insert-error"), 1).await)
            .await;
    }
}

#[tokio::test]
async fn g1_a_full_disk_under_postgresql_loses_nothing_and_heals() {
    if can_mount() {
        held(&full_disk::fills_postgres(&trial(Backend::Postgres, ""), 1).await.unwrap());
    }
}

#[tokio::test]
async fn g1_a_full_disk_under_postgresql_that_is_swallowed_is_noticed() {
    if can_mount() {
        let trial = trial(Backend::Postgres, "swallow-insert-error");
        found("lost", async || full_disk::fills_postgres(&trial, 1).await).await;
    }
}

#[tokio::test]
async fn g1_a_log_that_cannot_be_synced_ends_the_process() {
    held(&sync_fails::ends(&trial(Backend::Sqlite, ""), Place::Log).await.unwrap());
}

#[tokio::test]
async fn g1_a_file_that_cannot_be_synced_ends_the_process() {
    held(&sync_fails::ends(&trial(Backend::Sqlite, ""), Place::File).await.unwrap());
}

#[tokio::test]
async fn g1_a_spool_that_cannot_be_synced_ends_the_process() {
    held(&sync_fails::ends(&trial(Backend::Postgres, ""), Place::Spool).await.unwrap());
}

#[tokio::test]
async fn g1_going_on_after_a_failed_fsync_is_noticed() {
    for (backend, place) in
        [(Backend::Sqlite, Place::Log), (Backend::Sqlite, Place::File), (Backend::Postgres, Place::Spool)]
    {
        found("went-on", async || sync_fails::ends(&trial(backend, "retry-fsync"), place).await).await;
    }
}

#[tokio::test]
async fn g1_an_answer_for_what_was_not_synced_is_noticed() {
    let trial = trial(Backend::Sqlite, "retry-fsync;swallow-insert-error");
    found("unsynced", async || sync_fails::ends(&trial, Place::Log).await).await;
}

#[tokio::test]
async fn g1_postgresql_away_loses_nothing() {
    held(&away::database_away(&trial(Backend::Postgres, "")).await.unwrap());
}

#[tokio::test]
async fn g1_a_spool_that_forgets_is_noticed() {
    found("lost", async || away::database_away(&trial(Backend::Postgres, "spool-in-memory")).await).await;
}

#[tokio::test]
async fn g2_every_fault_of_ours_says_try_again() {
    held(&answers::codes(&trial(Backend::Sqlite, "")).await.unwrap());
}

#[tokio::test]
async fn g2_a_fault_that_says_do_not_try_again_is_noticed() {
    found("refused", async || answers::codes(&trial(Backend::Sqlite, "database-error-is-400")).await).await;
}

#[tokio::test]
async fn g2_a_real_alertmanager_delivers_every_alert() {
    held(&sender::delivers(&trial(Backend::Sqlite, "")).await.unwrap());
}

#[tokio::test]
async fn g2_a_real_alertmanager_delivers_every_alert_through_a_proxy() {
    held(&sender::delivers_through_a_proxy(&trial(Backend::Postgres, "")).await.unwrap());
}

#[tokio::test]
async fn g2_a_real_alertmanager_delivers_every_alert_on_postgresql() {
    held(&sender::delivers(&trial(Backend::Postgres, "")).await.unwrap());
}

#[tokio::test]
async fn g2_alerts_that_alertmanager_gives_up_are_noticed() {
    found("lost", async || sender::delivers(&trial(Backend::Sqlite, "database-error-is-400")).await).await;
}

#[tokio::test]
async fn g3_first_reports_at_once_open_one_incident() {
    held(&single::one_each(&trial(Backend::Postgres, ""), 20).await.unwrap());
}

#[tokio::test]
async fn g3_looking_before_inserting_is_noticed() {
    found("doubled", async || single::one_each(&trial(Backend::Postgres, "no-project-lock"), 10).await).await;
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
    found("gap", async || numbers::gapless(&trial(Backend::Sqlite, "plain-sequence")).await).await;
}

#[tokio::test]
async fn g6_a_change_without_its_event_is_noticed() {
    found("unannounced", async || numbers::gapless(&trial(Backend::Sqlite, "lose-an-event")).await).await;
}

#[tokio::test]
async fn g7_every_event_reaches_everybody_whatever_redis_does() {
    let mishaps = [Befalls::RedisDeath, Befalls::RedisCut, Befalls::RedisStall, Befalls::RedisFlush];
    held(&delivery::every_event(&trial(Backend::Postgres, ""), 10, &mishaps).await.unwrap());
}

#[tokio::test]
async fn g7_every_event_reaches_everybody_whatever_else_breaks() {
    let [_, _, _, _, mishaps @ ..] = Befalls::ALL;
    held(&delivery::every_event(&trial(Backend::Postgres, ""), 10, &mishaps).await.unwrap());
}

#[tokio::test]
async fn g7_who_falls_behind_is_told_the_rest_or_to_look_again() {
    held(&delivery::lagging(&trial(Backend::Sqlite, ""), 4).await.unwrap());
}

#[tokio::test]
async fn g7_what_is_passed_over_in_a_burst_is_noticed() {
    found("gap", async || delivery::lagging(&trial(Backend::Sqlite, "lagged-ignored"), 4).await).await;
}

#[tokio::test]
async fn g7_going_on_from_now_instead_of_from_the_last_event_is_noticed() {
    let trial = trial(Backend::Postgres, "resume-live-only");
    found("gap", async || delivery::every_event(&trial, 4, &[Befalls::ReplicaDeath]).await).await;
}

#[tokio::test]
async fn g7_events_that_only_redis_tells_of_are_noticed() {
    let trial = trial(Backend::Postgres, "wake-ups-only");
    found("late", async || delivery::every_event(&trial, 4, &[Befalls::RedisDeath]).await).await;
}

#[tokio::test]
async fn g7_a_reader_that_ends_with_the_first_error_is_noticed() {
    found("late", async || delivery::lagging(&trial(Backend::Sqlite, "feed-ends-on-error"), 4).await).await;
}

#[tokio::test]
async fn g8_clients_that_do_not_listen_or_never_stop_harm_nobody() {
    held(&hostile::harmless(&trial(Backend::Sqlite, ""), 10).await.unwrap());
}

#[tokio::test]
async fn g8_hostile_clients_that_are_kept_are_noticed() {
    found("unclosed", async || hostile::harmless(&trial(Backend::Sqlite, "never-gives-up"), 5).await).await;
}

#[tokio::test]
async fn g8_a_queue_without_end_is_noticed() {
    found("memory", async || hostile::harmless(&trial(Backend::Sqlite, "unbounded-queue"), 5).await).await;
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
    // No more than one process calls about at once: another then has the room to call about them again.
    found("overlap", async || analyses::one_call_at_a_time(&trial, 4, Mishap::None).await).await;
}

#[tokio::test]
async fn g9_a_lease_without_a_fence_is_noticed() {
    let trial = trial(Backend::Postgres, "no-fence");
    found("ledger", async || analyses::one_call_at_a_time(&trial, 10, Mishap::Sleep).await).await;
}

#[tokio::test]
async fn g10_a_budget_for_ten_calls_pays_for_ten() {
    held(&analyses::budget(&trial(Backend::Postgres, "")).await.unwrap());
}

#[tokio::test]
async fn g10_a_budget_that_is_looked_at_before_it_is_locked_is_noticed() {
    found("overspent", async || analyses::budget(&trial(Backend::Postgres, "check-then-call")).await).await;
}

#[tokio::test]
async fn g17_redis_away_is_noticed_by_nobody() {
    held(&healing::heals(&trial(Backend::Postgres, ""), &Cause::REDIS, AWAY).await.unwrap());
}

#[tokio::test]
async fn g17_everything_else_heals_by_itself() {
    held(&healing::heals(&trial(Backend::Postgres, ""), &Cause::OTHERS, AWAY).await.unwrap());
}

#[tokio::test]
async fn g17_a_redis_that_is_given_up_for_good_is_noticed() {
    let trial = trial(Backend::Postgres, "redis-link-once");
    found("not-recovered", async || healing::heals(&trial, &[Cause::RedisDeath], AWAY).await).await;
}

#[tokio::test]
async fn g17_a_process_that_says_it_is_ready_and_is_not_is_noticed() {
    let trial = trial(Backend::Postgres, "ready-always");
    found("readiness", async || healing::heals(&trial, &[Cause::DatabaseStop], AWAY).await).await;
}

#[tokio::test]
async fn g17_a_life_that_depends_on_the_database_is_noticed() {
    let trial = trial(Backend::Postgres, "healthy-asks-the-database");
    found("liveness", async || healing::heals(&trial, &[Cause::DatabaseStop], AWAY).await).await;
}
