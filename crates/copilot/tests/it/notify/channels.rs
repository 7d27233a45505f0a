//! Channels as they are managed: secrets, signatures, what is refused, what ends.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use super::receiver::{Got, Receiver};
use super::{channel, channels, listed, looked};
use crate::world::{World, text};

/// The signature of a request under a secret, as Standard Webhooks has it.
fn signature(secret: &str, got: &Got) -> String {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let text = format!("{}.{}.{}", got.header("webhook-id"), got.header("webhook-timestamp"), got.text);
    format!("v1,{}", STANDARD.encode(mac.chain_update(text).finalize().into_bytes()))
}

#[tokio::test]
async fn a_webhook_is_signed_with_both_secrets_for_a_day() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let (path, made) = channel(&world, &receiver, "webhook", json!({})).await;
    let first = text(&made["signing_secret"]);
    let test = async || {
        let answer = world.post(&format!("{path}/test"), json!({})).await.expect(200);
        assert_eq!((&answer["ok"], &answer["status_code"]), (&json!(true), &json!(200)), "{answer}");
        receiver.got().pop().unwrap()
    };
    let got = test().await;
    assert_eq!(got.header("webhook-signature"), signature(&first, &got));
    assert_eq!(got.body()["type"], "test");
    assert_eq!(got.body()["id"], got.header("webhook-id").as_str());
    let rotated = world.post(&format!("{path}/rotate-secret"), json!({})).await.expect(200);
    let second = text(&rotated["signing_secret"]);
    assert_ne!(first, second);
    let got = test().await;
    let both = format!("{} {}", signature(&second, &got), signature(&first, &got));
    assert_eq!(got.header("webhook-signature"), both);
    world.clock.advance(24.0 * 3_600.0 + 1.0);
    let got = test().await;
    assert_eq!(got.header("webhook-signature"), signature(&second, &got));
    let told = listed(&world, &path).await;
    assert!(told.iter().all(|one| one["what"] == "test" && one["status"] == "sent"), "{told:?}");
    let audit = world.get("/api/v1/audit").await;
    let actions: Vec<&str> =
        audit["items"].as_array().unwrap().iter().filter_map(|one| one["action"].as_str()).collect();
    for (action, count) in [("created", 1), ("tested", 3), ("secret_rotated", 1)] {
        let action = format!("notification_channel.{action}");
        assert_eq!(actions.iter().filter(|one| **one == action).count(), count, "{action}: {actions:?}");
    }
    let slack = channel(&world, &receiver, "slack", json!({})).await;
    assert!(slack.1["signing_secret"].is_null());
    world.post(&format!("{}/rotate-secret", slack.0), json!({})).await.expect(409);
    world.end().await;
}

#[tokio::test]
async fn a_channel_shows_its_secrets_to_nobody() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let mut paths = Vec::new();
    for kind in ["slack", "pagerduty", "webhook"] {
        paths.push(channel(&world, &receiver, kind, json!({})).await.0);
    }
    let change = json!({"url": format!("{}-and-another", receiver.url), "name": "renamed"});
    world.call(Method::PATCH, &paths[0], Some(change)).await.expect(200);
    world.post(&format!("{}/test", paths[0]), json!({})).await.expect(200);
    assert!(receiver.got()[0].path.ends_with("-and-another"));
    let mut shown = world.get(&channels(&world)).await.to_string();
    for path in &paths {
        shown.push_str(&world.get(path).await.to_string());
        shown.push_str(&world.get(&format!("{path}/notifications")).await.to_string());
    }
    shown.push_str(&world.get("/api/v1/audit").await.to_string());
    for secret in ["a-secret-of-this-channel", "0123456789abcdef", "whsec_"] {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
    assert_eq!(world.get(&paths[0]).await["health"]["status"], "ok");
    let host = receiver.url.split('/').nth(2).unwrap();
    assert_eq!(world.get(&paths[0]).await["address"], format!("{host}/…ther"));
    assert_eq!(world.get(&paths[1]).await["address"], format!("{host}/…cdef"));
    world.end().await;
}

#[tokio::test]
async fn what_makes_no_channel_is_refused_by_its_field() {
    let world = World::new().await;
    let key = "0123456789abcdef0123456789abcdef";
    let many: Vec<String> = (0..51).map(|n| format!("s{n}")).collect();
    let cases = [
        (json!({"kind": "slack", "name": "a"}), "url"),
        (
            json!({"kind": "slack", "name": "a", "url": "http://10.0.0.7/x", "routing_key": key}),
            "routing_key",
        ),
        (json!({"kind": "slack", "name": "a", "url": "http://169.254.169.254/latest"}), "url"),
        (json!({"kind": "webhook", "name": "a", "url": format!("{}/webhooks/grafana", world.base)}), "url"),
        (json!({"kind": "webhook", "name": "a", "url": "ftp://a.example/"}), "url"),
        (json!({"kind": "pagerduty", "name": "a"}), "routing_key"),
        (json!({"kind": "pagerduty", "name": "a", "routing_key": "short"}), "routing_key"),
        (json!({"kind": "slack", "name": " ", "url": "http://10.0.0.7/x"}), "name"),
        (json!({"kind": "slack", "name": "a".repeat(101), "url": "http://10.0.0.7/x"}), "name"),
        (json!({"kind": "slack", "name": "a", "url": "http://10.0.0.7/x", "services": many}), "services"),
        (json!({"kind": "slack", "name": "a", "url": "http://10.0.0.7/x", "services": [""]}), "services"),
        (json!({"kind": "slack", "name": "a", "url": "http://10.0.0.7/x", "tells": ["digest"]}), "tells[0]"),
        (
            json!({"kind": "slack", "name": "a", "url": "http://10.0.0.7/x", "min_sevrity": "low"}),
            "min_sevrity",
        ),
        (json!({"kind": "email", "name": "a", "url": "http://10.0.0.7/x"}), "kind"),
    ];
    for (body, field) in cases {
        let answer = world.post(&channels(&world), body.clone()).await.expect(422);
        assert_eq!(answer["errors"][0]["field"], field, "{body}: {answer}");
    }
    let made = json!({"kind": "slack", "name": "a", "url": "http://10.0.0.7/x?key=1"});
    let path = format!(
        "{}/{}",
        channels(&world),
        text(&world.post(&channels(&world), made).await.expect(201)["id"])
    );
    for (change, field) in
        [(json!({"url": null}), "url"), (json!({"tells": null}), "tells"), (json!({"name": ""}), "name")]
    {
        let answer = world.call(Method::PATCH, &path, Some(change)).await.expect(422);
        assert_eq!(answer["errors"][0]["field"], field, "{answer}");
    }
    // A key stays with the server that it was entered for.
    let pager = json!({"kind": "pagerduty", "name": "p", "routing_key": key, "url": "http://10.0.0.7:9000/v2/enqueue"});
    let made = world.post(&channels(&world), pager).await.expect(201);
    let pager = format!("{}/{}", channels(&world), text(&made["id"]));
    for elsewhere in
        ["http://10.0.0.8:9000/v2/enqueue", "http://10.0.0.7:9001/v2/enqueue", "https://10.0.0.7:9000/"]
    {
        let answer = world.call(Method::PATCH, &pager, Some(json!({"url": elsewhere}))).await.expect(422);
        assert_eq!(answer["errors"][0]["field"], "routing_key", "{answer}");
        let again = json!({"url": elsewhere, "routing_key": key});
        world.call(Method::PATCH, &pager, Some(again)).await.expect(200);
        world.call(Method::PATCH, &pager, Some(json!({"url": null}))).await.expect(422);
        let back = json!({"url": "http://10.0.0.7:9000/v2/enqueue", "routing_key": key});
        world.call(Method::PATCH, &pager, Some(back)).await.expect(200);
        world.call(Method::PATCH, &pager, Some(json!({"url": "http://10.0.0.7:9000/x"}))).await.expect(200);
    }
    world.call(Method::DELETE, &pager, None).await.expect(204);
    for n in 1..50 {
        let body = json!({"kind": "slack", "name": format!("{n}"), "url": "http://10.0.0.7/x"});
        world.post(&channels(&world), body).await.expect(201);
    }
    let one_more = json!({"kind": "slack", "name": "b", "url": "http://10.0.0.7/x"});
    world.post(&channels(&world), one_more).await.expect(409);
    world.end().await;
}

#[tokio::test]
async fn a_channel_that_is_off_or_gone_is_told_nothing() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    receiver.answers(503, "", None);
    let (path, _) = channel(&world, &receiver, "slack", json!({})).await;
    world.post("/api/v1/incidents", json!({"title": "one", "severity": "high"})).await.expect(201);
    receiver.hears(1).await;
    let off = world.call(Method::PATCH, &path, Some(json!({"enabled": false}))).await.expect(200);
    assert_eq!((&off["health"]["status"], &off["health"]["waiting"]), (&json!("off"), &json!(0)), "{off}");
    receiver.answers(200, "", None);
    world.post("/api/v1/incidents", json!({"title": "two", "severity": "high"})).await.expect(201);
    looked(&world).await;
    let all = listed(&world, &path).await;
    assert_eq!((all.len(), &all[0]["status"]), (1, &json!("dropped")), "{all:?}");
    assert_eq!(all[0]["detail"], "the channel was turned off");
    world.call(Method::PATCH, &path, Some(json!({"enabled": true}))).await.expect(200);
    looked(&world).await;
    assert!(receiver.taken().is_empty(), "what happened while it was off is not told");
    world.post("/api/v1/incidents", json!({"title": "three", "severity": "high"})).await.expect(201);
    receiver.until(|got| got.iter().any(|got| got.title().contains("three"))).await;
    world.call(Method::DELETE, &path, None).await.expect(204);
    world.call(Method::GET, &path, None).await.expect(404);
    let done = world.get("/api/v1/audit").await.to_string();
    for (action, count) in [("created", 1), ("changed", 2), ("removed", 1)] {
        assert_eq!(
            done.matches(&format!("notification_channel.{action}")).count(),
            count,
            "{action}: {done}"
        );
    }
    let left: Value = world.get("/api/v1/incidents/INC-3/notifications").await;
    assert_eq!(left["items"], json!([]));
    world.end().await;
}

#[tokio::test]
async fn events_that_are_gone_are_missed_aloud() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let (path, _) = channel(&world, &receiver, "slack", json!({})).await;
    receiver.answers(429, "", Some(60));
    world.post("/api/v1/incidents", json!({"title": "one", "severity": "high"})).await.expect(201);
    receiver.hears(1).await;
    world.settle().await;
    // Nobody looks within these ten seconds, and meanwhile all that is older goes.
    let mut tx = world.server.app.db.begin(world.tenant.parse().unwrap()).await.unwrap();
    outbox::on_tx!(tx, c => sqlx::query("update streams set seq = seq + 5").execute(c).await.map(drop))
        .unwrap();
    outbox::on_tx!(tx, c => sqlx::query("delete from events").execute(c).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
    receiver.answers(200, "", None);
    world.post("/api/v1/incidents", json!({"title": "two", "severity": "high"})).await.expect(201);
    super::drained(&world, &path, 20.0).await;
    looked(&world).await;
    let titles: Vec<String> = receiver.until(|got| got.len() >= 4).await.iter().map(Got::title).collect();
    assert!(
        titles.iter().any(|title| title.contains("events were let go before they could be told")),
        "{titles:?}"
    );
    assert!(titles.iter().any(|title| title.contains("two")), "{titles:?}");
    world.end().await;
}
