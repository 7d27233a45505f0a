//! The product broken on purpose, one way or several at once: the test that guards a promise must turn red.

use std::process::Stdio;

use outbox::sabotage::BROKEN;
use tokio::process::Command;

/// What the test of this name, such as `matrix::nearly_a_route_is_none`, complains about when the product is broken in
/// these ways; it is run in a process of its own.
///
/// # Panics
/// When it does not complain.
async fn complaint(test: &str, ways: &[&str]) -> String {
    let text = run(test, ways).await;
    assert!(text.contains("0 passed; 1 failed"), "{test} does not see {ways:?}:\n{text}");
    text
}

/// What the test says, in a process of its own.
async fn run(test: &str, ways: &[&str]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--test-threads=1"]).env(BROKEN, ways.join(";")).stdin(Stdio::null());
    let output = command.kill_on_drop(true).output().await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("running 1 test"), "{test} is no test: {text}");
    text
}

/// The test fails, and its complaint has all of these lines.
async fn sees(test: &str, ways: &[&str], lines: &[&str]) {
    let text = complaint(test, ways).await;
    for line in lines {
        assert!(text.contains(line), "{test} does not say {line:?} of {ways:?}:\n{text}");
    }
}

#[tokio::test]
async fn the_matrix_sees_what_is_broken() {
    sees(
        "matrix::everybody_may_do_what_the_table_says_and_no_more",
        &["no-role-check", "no-row-for-changes", "optional-sign-in", "integration-of-any-project"],
        &[
            "POST /api/v1/incidents/{incident_id}/comments as viewer: Forbidden, but 4",
            "GET /api/v1/changes as owner: Passes, but 405",
            "GET /api/v1/analytics/incidents as a stranger: Unauthenticated, but 500",
            "PATCH /api/v1/projects/{project_id}/integrations/{integration_id} as a neighbour: NotFound, but 200",
        ],
    )
    .await;
}

#[tokio::test]
async fn the_matrix_sees_refusals_that_leave_no_trace() {
    let test = "matrix::everybody_may_do_what_the_table_says_and_no_more";
    sees(test, &["refusals-unrecorded"], &["refused changes are 0 entries of the audit log"]).await;
}

/// Conditions on tenant and project that were forgotten: on SQLite there is nothing behind them, on PostgreSQL a second
/// barrier between tenants.
#[tokio::test]
async fn a_forgotten_tenant_is_seen_or_held() {
    let test = "matrix::everybody_may_do_what_the_table_says_and_no_more";
    let text = complaint(test, &["integration-of-any-tenant"]).await;
    let cell = |who: &str| {
        format!(
            "PATCH /api/v1/projects/{{project_id}}/integrations/{{integration_id}} as {who}: NotFound, but 200"
        )
    };
    assert!(text.contains(&cell("a neighbour")), "{text}");
    let held = std::env::var_os("SRE_COPILOT_TEST_DATABASE_URL").is_some();
    assert_eq!(text.contains(&cell("another tenant")), !held, "{text}");
}

#[tokio::test]
async fn marks_of_others_are_seen() {
    let test = "canary::nobody_sees_what_another_organisation_wrote";
    sees(test, &["feeds-unfiltered"], &["was sent what 0 wrote: {\"type\":"]).await;
    sees(test, &["token-cache-unkeyed"], &["the same alert of two tenants is in one incident"]).await;
}

#[tokio::test]
async fn a_forgotten_condition_of_a_list_is_seen_or_held() {
    let (test, way) = ("canary::nobody_sees_what_another_organisation_wrote", ["changes-of-any-tenant"]);
    if std::env::var_os("SRE_COPILOT_TEST_DATABASE_URL").is_some() {
        assert!(run(test, &way).await.contains("1 passed"));
    } else {
        sees(test, &way, &["was sent what 2 wrote"]).await;
    }
}

#[tokio::test]
async fn secrets_that_get_out_are_seen() {
    let lines = ["the log holds a webhook token in clear", "the database holds an API key in clear"];
    sees(
        "canary::secrets_are_nowhere_but_where_they_belong",
        &["tokens-logged", "answers-kept-in-clear"],
        &lines,
    )
    .await;
}

#[tokio::test]
async fn an_entry_apart_from_its_act_is_seen() {
    let test = "audit::kills::kill_nine_leaves_no_act_without_its_entry";
    sees(test, &["entry-apart"], &["keys that there are"]).await;
}

#[tokio::test]
async fn what_is_told_apart_is_seen() {
    let test = "matrix::apart::what_is_anothers_is_answered_as_what_is_nowhere";
    let line = "integrations/{integration_id} as a neighbour: (200";
    sees(test, &["integration-of-any-project"], &[line]).await;
    let test = "matrix::apart::a_socket_tells_of_one_project_whoever_may_read_it";
    sees(test, &["feeds-unfiltered"], &["was told {"]).await;
}

#[tokio::test]
async fn webhooks_lost_while_the_database_was_away_are_seen() {
    if std::env::var_os("SRE_COPILOT_TEST_DATABASE_URL").is_none() {
        return;
    }
    let test = "postgres::spool::what_was_answered_is_stored_once_whoever_dies";
    sees(test, &["spool-in-memory"], &["answered webhooks are lost"]).await;
    sees(test, &["spool-removes-first"], &["answered webhooks are lost"]).await;
    let test = "postgres::spool::what_changed_meanwhile_counts";
    sees(test, &["spool-drops-ends"], &["an end that waited is lost"]).await;
}

#[tokio::test]
async fn what_is_known_for_too_long_is_seen() {
    if std::env::var_os("SRE_COPILOT_TEST_DATABASE_URL").is_none() {
        return;
    }
    let test = "postgres::replicas::what_one_replica_knows_ends_with_what_another_does";
    sees(test, &["known-for-ever"], &["by-hand: a closed incident was thought to be open"]).await;
}

#[tokio::test]
async fn a_log_that_was_cut_short_unseen_is_seen() {
    let test = "audit::trims::a_moved_anchor_and_what_is_missing_behind_it_are_found";
    sees(test, &["trimmed-untold"], &["no entry says that those before went"]).await;
    sees(test, &["anchor-believed"], &["trimmed = 3"]).await;
}

#[tokio::test]
async fn a_rotation_that_leaves_somebody_behind_is_seen() {
    let test = "rotation::nobody_notices_that_the_key_is_changed";
    sees(test, &["rotation-unasked"], &["tests/it/rotation/mod.rs"]).await;
    let test = "rotation::kills::a_rotation_that_is_cut_short_goes_on";
    sees(test, &["previous-key-unasked"], &["it goes on and on"]).await;
    sees(test, &["rotation-seals-nothing"], &["rotate.value=kill@1"]).await;
}
