//! Entries whose time is over go, and what is left is still a chain.

use outbox::on_tx;
use serde_json::{Value, json};

use super::{RESTORE, own, tamper, verified};
use crate::retention::passes;
use crate::world::{World, text};

/// Makes so many API keys, an entry each.
async fn keys(world: &World, count: usize) {
    for _ in 0..count {
        let path = format!("/api/v1/projects/{}/api-keys", world.project);
        world.post(&path, json!({"name": "k", "role": "viewer"})).await.expect(201);
    }
}

/// The log as an admin reads it, the newest first.
async fn actions(world: &World) -> Vec<String> {
    let log = world.get("/api/v1/audit?limit=200").await;
    log["items"].as_array().unwrap().iter().map(|entry| text(&entry["action"])).collect()
}

/// Lets what is due go, if anything is.
async fn housekeep(world: &World, days: f64) {
    let trimmed = verified(world).await.trimmed;
    passes(world, days, async || verified(world).await.trimmed > trimmed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_go_after_a_year_and_the_rest_is_a_chain() {
    let world = World::new().await;
    keys(&world, 3).await;
    let old = verified(&world).await.entries;
    housekeep(&world, 1.5).await;
    keys(&world, 2).await;
    housekeep(&world, 364.0).await;
    assert_eq!(verified(&world).await.trimmed, 0, "the oldest are due with the others of their day");
    housekeep(&world, 1.0).await;
    let found = verified(&world).await;
    assert_eq!((found.trimmed, found.entries, found.broken), (old, old + 3, None));
    assert_eq!(actions(&world).await, ["audit.trimmed", "api_key.created", "api_key.created"]);
    let told = world.get("/api/v1/audit?limit=1").await["items"][0].clone();
    assert_eq!(
        json!([told["actor"], told["target"], told["detail"]["entries"]]),
        json!(["operator", format!("up to entry {old}"), old])
    );
    housekeep(&world, 0.0).await;
    assert_eq!(actions(&world).await.len(), 3, "nothing is due, and nothing tells of it");
    // The entry about the first time goes with its time as well.
    keys(&world, 1).await;
    housekeep(&world, 367.0).await;
    let found = verified(&world).await;
    assert_eq!((found.trimmed, found.entries, found.broken), (old + 4, old + 5, None));
    assert_eq!(actions(&world).await, ["audit.trimmed"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_go_some_at_once() {
    let world = World::new().await;
    for _ in 0..21 {
        let refused = (0..50).map(|_| world.post("/api/v1/auth/password", json!({})));
        for answer in futures_util::future::join_all(refused).await {
            answer.expect(403);
        }
    }
    let old = verified(&world).await.entries;
    assert!(old > 1000);
    passes(&world, 367.0, async || verified(&world).await.trimmed == old).await;
    let found = verified(&world).await;
    assert_eq!((found.trimmed, found.entries, found.broken), (old, old + 2, None));
    assert_eq!(actions(&world).await, ["audit.trimmed", "audit.trimmed"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_where_entries_are_kept_for_ever() {
    let forever = |config: &mut copilot::config::Config| config.audit_retention_days = 0;
    let world = World::with(forever, copilot::ai::Model::none()).await;
    let before = verified(&world).await;
    housekeep(&world, 4000.0).await;
    assert_eq!(verified(&world).await, before);
    world.end().await;
}

/// What an intruder does to a log whose first two entries have gone, and what is said of it.
const INTRUSIONS: &[(&[&str], &str)] = &[
    (&["delete from audit where number = 3"], "entry 3 is missing"),
    (&["delete from audit where number = 4"], "entry 4 is missing"),
    (&["update audit_heads set trimmed = 1"], "entry 2 is missing"),
    (&["update audit_heads set trimmed = 0"], "entry 1 is missing"),
    (&["update audit_heads set trimmed_hash = hash"], "entry 3 ("),
    (
        &[
            "update audit_heads set trimmed = 3, trimmed_hash = (select hash from audit where number = 3)",
            "delete from audit where number = 3",
        ],
        "the log begins behind entry 3, and no entry says that those before went",
    ),
    (&["delete from audit where action = 'audit.trimmed'"], "entry 5 is missing"),
    (&["update audit set detail = '{}' where action = 'audit.trimmed'"], "entry 5 ("),
    (&["update audit_heads set trimmed = number, trimmed_hash = hash", "delete from audit"], "no entry says"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_anchor_and_what_is_missing_behind_it_are_found() {
    let world = World::new().await;
    world.clock.advance(2.0 * 86_400.0);
    keys(&world, 2).await;
    housekeep(&world, 365.0).await;
    let good = verified(&world).await;
    assert_eq!((good.trimmed, good.entries, good.broken.clone()), (2, 5, None));
    own(&world).await;
    tamper(
        &world,
        &["create table kept as select * from audit", "create table ends as select * from audit_heads"],
    )
    .await;
    for (statements, expected) in INTRUSIONS {
        tamper(&world, statements).await;
        let found = verified(&world).await.broken.unwrap_or_default();
        assert!(found.contains(expected), "{statements:?}: {found:?}");
        tamper(&world, &RESTORE).await;
        assert_eq!(verified(&world).await, good, "{statements:?}");
    }
    world.end().await;
}

/// The product takes away what its anchor says has gone, and no more.
#[tokio::test(flavor = "multi_thread")]
async fn the_product_can_not_take_away_more_than_it_says() {
    let world = World::new().await;
    world.clock.advance(2.0 * 86_400.0);
    keys(&world, 1).await;
    housekeep(&world, 365.0).await;
    let tenant = world.tenant.parse().unwrap();
    for statement in ["delete from audit", "delete from audit where action = 'audit.trimmed'"] {
        let mut tx = world.server.app.db.begin(tenant).await.unwrap();
        let done = on_tx!(tx, c => sqlx::query(statement).execute(c).await.map(drop));
        let refused = done.unwrap_err().to_string();
        assert!(refused.contains("is never deleted"), "{refused}");
    }
    let left: Value = json!(actions(&world).await);
    assert_eq!(left, json!(["audit.trimmed", "api_key.created"]));
    world.end().await;
}
