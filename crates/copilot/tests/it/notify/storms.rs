//! Many incidents at once, and receivers that take nothing for a while.

use serde_json::{Value, json};

use super::receiver::Receiver;
use super::{channel, drained, idle, later, listed, looked};
use crate::world::{World, alert};

/// Opens one incident each for these services, in one request.
async fn storm(world: &World, hook: &crate::world::Webhook, services: std::ops::Range<usize>) {
    let mut body = alert("Down", "x", "firing", world.clock.now(), None);
    let one = body["alerts"][0].clone();
    let alerts: Vec<Value> = services
        .map(|n| {
            let mut alert = one.clone();
            alert["labels"]["service"] = json!(format!("service-{n}"));
            alert
        })
        .collect();
    body["alerts"] = json!(alerts);
    hook.send_json(&body).await.expect(200);
}

#[tokio::test]
async fn a_storm_is_a_few_messages() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let (path, _) = channel(&world, &receiver, "webhook", json!({})).await;
    let hook = world.integration("alertmanager", json!({})).await;
    // The first is told at once.
    storm(&world, &hook, 0..1).await;
    let first = receiver.hears(1).await.remove(0);
    assert_eq!(first.body()["type"], "incident.opened");
    for piece in 0..5 {
        storm(&world, &hook, 1 + piece * 100..101 + piece * 100).await;
    }
    assert_eq!(receiver.got().len(), 1, "not more often than every ten seconds");
    later(&world, 11.0).await;
    receiver.hears(2).await;
    looked(&world).await;
    let taken = receiver.taken();
    assert!(taken.len() <= 3, "{} messages", taken.len());
    let digest = taken[1].body();
    assert_eq!(digest["type"], "digest", "{digest}");
    let told: usize =
        taken[1..].iter().map(|got| got.body()["data"]["digest"]["count"].as_u64().unwrap() as usize).sum();
    assert_eq!(told, 500, "{digest}");
    assert_eq!(digest["data"]["digest"]["by_severity"]["critical"], digest["data"]["digest"]["count"]);
    assert!(digest["data"]["digest"]["first"].as_array().unwrap().len() >= 3);
    // An incident that was told among many says so on its page.
    let number = digest["data"]["digest"]["numbers"][7].as_i64().unwrap();
    let of_one = world.get(&format!("/api/v1/incidents/INC-{number}/notifications")).await;
    assert_eq!(of_one["items"][0]["what"], "digest", "{of_one}");
    assert_eq!(listed(&world, &path).await.len(), taken.len());
    world.end().await;
}

#[tokio::test]
async fn what_a_receiver_missed_is_delivered_in_order() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let (path, _) = channel(&world, &receiver, "webhook", json!({})).await;
    receiver.answers(503, "", None);
    let hook = world.integration("alertmanager", json!({})).await;
    let begun = world.clock.now();
    for round in 0..6 {
        storm(&world, &hook, round..round + 1).await;
        looked(&world).await;
    }
    let ended = alert("Down", "service-0", "resolved", begun, Some(world.clock.now()));
    hook.send_json(&ended).await.expect(200);
    idle(&world).await;
    world.later(60.0).await;
    looked(&world).await;
    assert!(receiver.taken().is_empty());
    let health = &world.get(&path).await["health"];
    assert_eq!((&health["status"], &health["last_error"]), (&json!("failing"), &json!("it answered 503")));
    assert_eq!(health["waiting"], 7, "{health}");
    receiver.answers(200, "", None);
    drained(&world, &path, 30.0).await;
    let titles: Vec<String> = receiver.taken().iter().map(|got| got.title()[..6].trim().to_owned()).collect();
    assert_eq!(titles, ["INC-1", "INC-2", "INC-3", "INC-4", "INC-5", "INC-6", "INC-1"]);
    let all = listed(&world, &path).await;
    assert!(all.iter().all(|one| one["status"] == "sent"), "{all:#?}");
    assert!(all[0]["attempts"].as_i64().unwrap() > 1);
    world.end().await;
}

#[tokio::test]
async fn a_message_that_is_refused_is_not_sent_again() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let (path, _) = channel(&world, &receiver, "slack", json!({})).await;
    for (at, status, body, detail) in [
        (1, 404, "no_service", "it answered 404 (no_service)"),
        (2, 403, "<html>internal</html>", "it answered 403"),
        (3, 302, "", "it answered 302, a redirect, which is not followed"),
    ] {
        receiver.answers(status, body, None);
        world
            .post("/api/v1/incidents", json!({"title": format!("{status}"), "severity": "high"}))
            .await
            .expect(201);
        looked(&world).await;
        receiver.hears(at).await;
        drained(&world, &path, 5.0).await;
        let last = listed(&world, &path).await.pop().unwrap();
        assert_eq!((&last["status"], &last["detail"]), (&json!("failed"), &json!(detail)), "{last}");
        assert_eq!((&last["attempts"], &last["last_status_code"]), (&json!(1), &json!(status)));
        assert_eq!(world.get(&path).await["health"]["status"], "failing");
    }
    later(&world, 3_600.0).await;
    looked(&world).await;
    assert_eq!(receiver.got().len(), 3);
    world.end().await;
}

#[tokio::test]
async fn a_receiver_that_asks_for_time_is_given_it() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let (path, _) = channel(&world, &receiver, "slack", json!({})).await;
    receiver.answers(429, "", Some(300));
    world.post("/api/v1/incidents", json!({"title": "one", "severity": "high"})).await.expect(201);
    receiver.hears(1).await;
    idle(&world).await;
    receiver.answers(200, "ok", None);
    for _ in 0..6 {
        later(&world, 40.0).await;
        looked(&world).await;
        if world.clock.now() >= outbox::Ts::from_micros(crate::world::NOON * 1_000_000).plus_seconds(280) {
            break;
        }
    }
    assert_eq!(receiver.got().len(), 1, "it was asked again too early");
    drained(&world, &path, 30.0).await;
    assert_eq!(receiver.got().len(), 2);
    world.end().await;
}

#[tokio::test]
async fn what_was_too_much_to_deliver_is_one_digest() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let (path, _) = channel(&world, &receiver, "webhook", json!({})).await;
    receiver.answers(503, "", None);
    let hook = world.integration("alertmanager", json!({})).await;
    for round in 0..40 {
        storm(&world, &hook, round * 3..round * 3 + 3).await;
        later(&world, 11.0).await;
        copilot::notify::once(&world.server.app).await.unwrap();
        let mut ticks = tokio::time::interval(std::time::Duration::from_millis(50));
        for _ in 0..100 {
            ticks.tick().await;
            let so_far = listed(&world, &path).await.len();
            if so_far >= (round * 3 + 3).min(101) {
                break;
            }
            copilot::notify::once(&world.server.app).await.unwrap();
        }
    }
    receiver.answers(200, "", None);
    drained(&world, &path, 60.0).await;
    let taken = receiver.taken();
    let folded = taken.iter().find(|got| got.title().contains("could not be delivered in time"));
    let folded = folded.unwrap_or_else(|| panic!("nothing was folded: {} were taken", taken.len()));
    assert_eq!(folded.body()["type"], "digest");
    let all = world.get(&format!("{path}/notifications?limit=200")).await;
    let dropped: Vec<&Value> =
        all["items"].as_array().unwrap().iter().filter(|one| one["status"] == "dropped").collect();
    assert!(dropped.len() > 100, "{}", dropped.len());
    assert_eq!(
        dropped[0]["detail"],
        "more than 100 waited in this channel; one digest says it in their place"
    );
    world.end().await;
}
