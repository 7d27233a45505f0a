//! What a sender says anew about an alert that is known replaces what it said before.

use outbox::Ts;
use serde_json::{Value, json};

use crate::world::{NOON, Webhook, World, alert, read, text};

fn at(seconds: i64) -> Ts {
    Ts::from_micros(NOON * 1_000_000).plus_seconds(seconds)
}

/// The alert of the incident that `answer` speaks of.
async fn alert_of(world: &World, answer: &Value) -> Value {
    let incident = text(&answer["results"][0]["incident_id"]);
    world.get(&format!("/api/v1/incidents/{incident}/alerts")).await["items"][0].clone()
}

fn asks(address: &str, starts_at: Ts, ends_at: Option<Ts>) -> Value {
    let status = if ends_at.is_some() { "resolved" } else { "firing" };
    let mut body = alert("Rule", "api", status, starts_at, ends_at);
    body["alerts"][0]["generatorURL"] = json!(address);
    body
}

async fn asked(world: &World, hook: &Webhook, body: &Value) -> Value {
    let answer = hook.send_json(body).await.expect(200);
    alert_of(world, &answer).await["generator_url"].clone()
}

#[tokio::test]
async fn a_rule_that_was_edited_is_asked_as_it_is_now() {
    let world = World::new().await;
    let hook = world.integration("alertmanager", json!({})).await;
    let old = "http://a:9090/graph?g0.expr=up+%3D%3D+0";
    assert_eq!(asked(&world, &hook, &asks(old, at(-600), None)).await, old);
    let new = "http://a:9090/graph?g0.expr=up+%3C+1";
    assert_eq!(asked(&world, &hook, &asks(new, at(-600), None)).await, new);
    // The other one of a pair that watch the same writes its own address into every repetition.
    let twin = "http://b:9090/graph?g0.expr=up+%3C+1";
    assert_eq!(asked(&world, &hook, &asks(twin, at(-600), None)).await, new);
    hook.send_json(&asks(twin, at(-600), Some(at(-120)))).await.expect(200);
    assert_eq!(asked(&world, &hook, &asks(old, at(-5), None)).await, old);
    world.end().await;
}

#[tokio::test]
async fn what_is_odd_about_an_alert_is_what_is_odd_now() {
    let world = World::new().await;
    let hook = world.integration("alertmanager", json!({})).await;
    let flags = async |body: &Value| {
        let answer = hook.send_json(body).await.expect(200);
        alert_of(&world, &answer).await["flags"].clone()
    };
    let plain = alert("F", "b", "firing", at(-600), None);
    assert_eq!(flags(&plain).await, json!([]));
    let mut odd = plain.clone();
    odd["alerts"][0]["annotations"] = json!({"summary": "x\u{0}"});
    assert_eq!(flags(&odd).await, json!(["nul"]));
    assert_eq!(flags(&plain).await, json!([]));
    let ended = alert("F", "b", "resolved", at(-600), Some(at(-4000)));
    assert_eq!(flags(&ended).await, json!(["ends_before_start"]));
    world.end().await;
}

#[tokio::test]
async fn a_new_rule_for_the_service_counts_from_the_next_episode_on() {
    let world = World::new().await;
    let hook = world.integration("alertmanager", json!({})).await;
    let sent = |status: &str, starts_at: Ts, ends_at: Option<Ts>| {
        let mut body = alert("Svc", "one", status, starts_at, ends_at);
        body["alerts"][0]["labels"]["team"] = json!("blue");
        body
    };
    hook.send_json(&sent("firing", at(-600), None)).await.expect(200);
    hook.send_json(&sent("resolved", at(-600), Some(at(-300)))).await.expect(200);
    let path = format!("{}/api/v1/projects/{}/integrations/{}", world.base, world.project, hook.id);
    let change = json!({"settings": {"service_labels": ["team"]}});
    read(world.http.patch(&path).bearer_auth(&world.key).json(&change).send().await.unwrap())
        .await
        .expect(200);
    let answer = hook.send_json(&sent("firing", at(-5), None)).await.expect(200);
    assert_eq!(answer["results"][0]["outcome"], "opened");
    let incidents = world.incidents().await;
    let services: Vec<_> = incidents.iter().map(|incident| text(&incident["service_name"])).collect();
    assert_eq!(services, ["one", "blue"]);
    assert_eq!(alert_of(&world, &answer).await["service_name"], "blue");
    world.end().await;
}

#[tokio::test]
async fn a_body_that_is_odd_as_a_whole_is_accepted_and_its_receipt_says_so() {
    let world = World::new().await;
    let hook = world.integration("alertmanager", json!({})).await;
    let mut body = alert("A", "s", "firing", at(-5), None);
    (body["version"], body["truncatedAlerts"]) = (json!("5"), json!(-1));
    let answer = hook.send_json(&body).await.expect(200);
    let deliveries = format!("/api/v1/projects/{}/deliveries", world.project);
    let listed = world.get(&deliveries).await["items"][0]["flags"].clone();
    assert_eq!(listed, json!(["bad_truncated", "unknown_version"]));
    let shown = world.get(&format!("{deliveries}/{}", text(&answer["delivery_id"]))).await;
    assert_eq!(shown["flags"], listed);
    world.end().await;
}
