//! Incidents about alerts that always fire and have fallen silent.

use outbox::{Clock, on_tx};
use serde_json::{Value, json};
use sqlx::types::Json;

use super::world::World;
use crate::incident::sweep;

/// How long the heartbeat may be silent, in seconds.
const PATIENCE_S: f64 = 300.0;

impl World {
    /// A sender whose heartbeat may be silent for [`PATIENCE_S`] was just heard.
    async fn beating() -> Self {
        let world = Self::new().await;
        world.impatient().await;
        world.beat().await;
        world
    }

    async fn impatient(&self) {
        let mut tx = self.db().begin(self.member.tenant.0).await.unwrap();
        on_tx!(tx, c => sqlx::query("update integrations set settings = $2 where tenant_id = $1")
            .bind(self.member.tenant).bind(Json(json!({"heartbeat_timeout_s": 300}))).execute(c).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
    }

    async fn beat(&self) {
        assert_eq!(self.alert("Watchdog", "", "none", "firing").await, "");
    }

    /// The heartbeat falls silent; the incident about it.
    async fn silence(&self) -> String {
        self.later(PATIENCE_S + 1.0).await.unwrap();
        let newest = self.incidents().await.swap_remove(0);
        assert_eq!(newest["open"], true);
        newest["id"].as_str().unwrap().to_owned()
    }

    /// Newest first.
    async fn incidents(&self) -> Vec<Value> {
        self.list("").await.expect(200)["items"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn a_heartbeat_that_is_back_resolves_no_incident_but_its_own() {
    let world = World::beating().await;
    let into = world.opened("by hand").await;
    let silent = world.silence().await;
    world.merge(&silent, &into).await.expect(200);
    world.beat().await;
    world.later(1.0).await.unwrap();
    assert_eq!(world.one(&into).await["state"], "detected", "it is somebody else's");
    assert_eq!(world.incidents().await.len(), 2);
    let again = world.silence().await;
    assert!(again != silent && again != into);
    world.beat().await;
    world.later(1.0).await.unwrap();
    let states = [&again, &into].map(async |id| world.one(id).await["state"].clone());
    assert_eq!(futures_util::future::join_all(states).await, ["resolved", "detected"]);
}

#[tokio::test]
async fn what_is_closed_for_good_stays_so() {
    let world = World::beating().await;
    let silent = world.silence().await;
    for state in ["resolved", "learned"] {
        world.set_state(&silent, state).await.expect(200);
    }
    world.beat().await;
    world.later(1.0).await.unwrap();
    assert_eq!(world.one(&silent).await["state"], "learned");
}

#[tokio::test]
async fn a_silence_that_a_person_closed_opens_nothing_until_the_heartbeat_was_back() {
    let world = World::beating().await;
    let silent = world.silence().await;
    world.set_state(&silent, "resolved").await.expect(200);
    for _ in 0..3 {
        world.later(1.0).await.unwrap();
    }
    assert_eq!(world.incidents().await.len(), 1);
    world.set_state(&silent, "learned").await.expect(200);
    world.later(86_400.0).await.unwrap();
    assert_eq!(world.incidents().await.len(), 1);
    world.beat().await;
    world.later(1.0).await.unwrap();
    assert_ne!(world.silence().await, silent);
}

/// A process whose clock is an hour ahead.
#[tokio::test]
async fn silence_is_measured_by_the_clock_of_the_database() {
    if std::env::var("SRE_COPILOT_TEST_DATABASE_URL").is_err() {
        return;
    }
    let world = World::at(Clock::Wrong(3_600)).await;
    world.impatient().await;
    world.beat().await;
    let tx = world.db().read(world.member.tenant.0).await.unwrap();
    world.hear("Watchdog", tx.now()).await;
    sweep::once(&world.app()).await.unwrap();
    assert_eq!(world.incidents().await.len(), 0);
}
