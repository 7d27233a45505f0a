//! One incident becomes another's.

use outbox::on_tx;
use serde_json::json;

use super::world::World;
use crate::ids::EvidenceId;

/// Makes a fact say something else.
async fn reword(world: &World, fact: EvidenceId, summary: &str) {
    let mut tx = world.db().begin(world.member.tenant.0).await.unwrap();
    on_tx!(tx, c => sqlx::query("update evidence set summary = $3 where tenant_id = $1 and id = $2")
        .bind(world.member.tenant).bind(fact).bind(summary).execute(c).await.map(drop))
    .unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn what_can_not_be_merged_is_refused() {
    let world = World::new().await;
    let [a, b, c] = [world.opened("a").await, world.opened("b").await, world.opened("c").await];
    world.merge(&a, &a).await.expect(409);
    world.merge("INC-1", &a).await.expect(409);
    world.merge(&a, &crate::ids::IncidentId::new().to_string()).await.expect(404);
    world.merge(&crate::ids::IncidentId::new().to_string(), &a).await.expect(404);
    let absent = crate::ids::IncidentId::new().to_string();
    world.merge(&absent, &absent).await.expect(404);
    world.merge(&a, &b).await.expect(200);
    for (from, into) in [(&a, &b), (&a, &c), (&b, &a)] {
        world.merge(from, into).await.expect(409);
    }
    let merged = world.set_state(&a, "investigating").await.expect(409);
    assert_eq!((&merged["legal"], merged["detail"].as_str().unwrap().contains("merged")), (&json!([]), true));
    for state in ["resolved", "learned"] {
        world.set_state(&c, state).await.expect(200);
    }
    world.merge(&b, &c).await.expect(409);
    world.merge(&c, &b).await.expect(409);
    assert_eq!(world.one(&c).await["state"], "learned");
}

#[tokio::test]
async fn alerts_comments_and_evidence_go_to_the_target() {
    let world = World::new().await;
    let from = world.alert("Slow", "checkout", "critical", "firing").await;
    let into = world.alert("Errors", "cart", "medium", "firing").await;
    world.comment(&from, json!({"body": "mine"})).await.expect(201);
    let (_, evidence) = world.explained(&from, &[]).await;
    let (_, other) = world.explained(&into, &[]).await;
    reword(&world, other, "errors of another service rose").await;
    let before = world.events().await.len();
    let target = world.merge(&from, &into).await.expect(200);
    let shown = ["id", "alert_count", "open_alert_count", "severity", "state"].map(|name| &target[name]);
    assert_eq!(json!(shown), json!([into, 2, 2, "critical", "detected"]));
    let merged = world.one(&from).await;
    let shown = ["state", "open", "merged_into", "alert_count", "open_alert_count", "stale"]
        .map(|name| &merged[name]);
    assert_eq!(json!(shown), json!(["resolved", false, into, 0, 0, false]));
    assert_eq!(world.events().await.split_off(before), ["incident.updated", "incident.updated"]);
    assert_eq!(world.all(&into, "alerts", 1).await.len(), 2);
    assert_eq!(world.all(&from, "alerts", 1).await.len(), 0);
    assert_eq!(world.all(&into, "comments", 10).await[0]["body"], "mine");
    assert_eq!(world.incident_of_evidence(evidence).await, into);
    // What the merged one's hypotheses cite can still be read there.
    assert_eq!(world.evidence(&from).await, json!([evidence]));
    assert_eq!(world.evidence(&into).await, json!([other, evidence]));
    for (at, detail) in
        [(&from, json!({"into": into, "number": 2})), (&into, json!({"from": from, "number": 1}))]
    {
        let steps = world.all(at, "steps", 3).await;
        let merged: Vec<_> = steps.iter().filter(|step| step["step_type"] == "merged").collect();
        assert_eq!((merged.len(), &merged[0]["detail"]), (1, &detail));
    }
    assert_eq!(world.analyses().await.last().unwrap(), &(into.clone(), "queued".to_owned()));
    // The analysis of them all finds again what was brought, and something new.
    let (_, again) = world.explained(&into, &[]).await;
    assert_eq!(world.evidence(&into).await, json!([again]));
    assert_eq!(world.evidence(&from).await, json!([evidence]));
    reword(&world, again, "something else").await;
    assert_eq!(world.evidence(&into).await, json!([again, evidence]));
}

#[tokio::test]
async fn what_fires_is_not_merged_into_what_is_over() {
    let world = World::new().await;
    let from = world.alert("Slow", "checkout", "high", "firing").await;
    let into = world.opened("over").await;
    world.set_state(&into, "resolved").await.expect(200);
    let refused = world.merge(&from, &into).await.expect(409);
    assert!(refused["detail"].as_str().unwrap().contains("reopen INC-2 first"), "{refused}");
    assert_eq!(world.one(&from).await["open"], true);
    world.set_state(&into, "investigating").await.expect(200);
    world.merge(&from, &into).await.expect(200);
    assert_eq!(world.alert("Slow", "checkout", "high", "firing").await, into);
}

#[tokio::test]
async fn later_firings_of_the_key_go_to_the_last_target() {
    let world = World::new().await;
    let first = world.alert("Slow", "checkout", "high", "firing").await;
    world.clock.advance(60.0);
    world.alert("Slow", "checkout", "high", "resolved").await;
    let [second, third] = [world.opened("second").await, world.opened("third").await];
    world.merge(&first, &second).await.expect(200);
    world.merge(&second, &third).await.expect(200);
    world.clock.advance(3_600.0);
    assert_eq!(world.alert_again("Slow", "checkout").await, third);
    let target = world.one(&third).await;
    assert_eq!((&target["open_alert_count"], &target["alert_count"]), (&json!(1), &json!(1)));
    assert_eq!(target["severity"], "high");
}

#[tokio::test]
async fn a_target_that_hears_nothing_of_its_new_alerts_goes_stale() {
    let world = World::new().await;
    let from = world.alert("Slow", "checkout", "high", "firing").await;
    let into = world.opened("by hand").await;
    world.merge(&from, &into).await.expect(200);
    world.later(86_400.0).await.unwrap();
    assert_eq!(world.one(&into).await["stale"], true);
    world.alert("Slow", "checkout", "high", "firing").await;
    world.later(86_400.0 * 2.0).await.unwrap();
}

#[tokio::test]
async fn a_firing_that_joins_an_incident_without_a_sender_does_not_stop_the_sweep() {
    let world = World::new().await;
    let from = world.alert("Slow", "checkout", "high", "firing").await;
    world.clock.advance(60.0);
    world.alert("Slow", "checkout", "high", "resolved").await;
    let into = world.opened("by hand").await;
    world.merge(&from, &into).await.expect(200);
    world.clock.advance(3_600.0);
    assert_eq!(world.alert_again("Slow", "checkout").await, into);
    world.later(86_400.0).await.unwrap();
    assert_eq!(world.one(&into).await["stale"], true);
    world.alert("Slow", "checkout", "high", "firing").await;
    world.later(1.0).await.unwrap();
    assert_eq!(world.one(&into).await["stale"], false, "it was just heard of");
}

#[tokio::test]
async fn a_target_flaps_with_its_new_alerts() {
    let world = World::new().await;
    let mut from = String::new();
    for _ in 0..8 {
        from = world.alert_again("Flappy", "checkout").await;
        world.clock.advance(61.0);
        world.alert("Flappy", "checkout", "high", "resolved").await;
        world.later(61.0).await.unwrap();
    }
    assert_eq!(world.one(&from).await["flapping"], true, "it should flap by now");
    let into = world.opened("by hand").await;
    world.merge(&from, &into).await.expect(200);
    assert_eq!(world.one(&into).await["flapping"], true);
    assert_eq!(world.one(&from).await["flapping"], false);
}

#[tokio::test]
async fn merging_both_ways_at_once_merges_once() {
    let world = World::new().await;
    for _ in 0..5 {
        let [a, b] = [world.opened("a").await, world.opened("b").await];
        let (one, other) = tokio::join!(world.merge(&a, &b), world.merge(&b, &a));
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
    }
}
