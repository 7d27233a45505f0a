//! Notification channels from outside: real receivers on loopback addresses.

mod causes;
mod channels;
mod faults;
mod kills;
pub mod receiver;
mod storms;

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{World, alert, text};
use receiver::Receiver;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(30);

pub fn channels(world: &World) -> String {
    format!("/api/v1/projects/{}/notification-channels", world.project)
}

/// A channel to `receiver` with these fields changed; its address.
pub async fn channel(world: &World, receiver: &Receiver, kind: &str, change: Value) -> (String, Value) {
    let mut body = json!({"kind": kind, "name": format!("my {kind}"), "url": receiver.url});
    if kind == "pagerduty" {
        body["routing_key"] = json!("0123456789abcdef0123456789abcdef");
    }
    body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    let made = world.post(&channels(world), body).await.expect(201);
    (format!("{}/{}", channels(world), text(&made["id"])), made)
}

/// What the API says of the notifications of a channel, oldest first.
pub async fn listed(world: &World, path: &str) -> Vec<Value> {
    let mut items =
        world.get(&format!("{path}/notifications?limit=200")).await["items"].as_array().unwrap().clone();
    items.reverse();
    items
}

/// Waits until nobody holds a channel: what is under way when the clock moves on would be taken for dead.
pub async fn idle(world: &World) {
    let idle = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        loop {
            ticks.tick().await;
            let mut tx = world.server.app.db.read_across("notify").await.unwrap();
            let held: i64 = outbox::on_tx!(tx, c => sqlx::query_scalar(
                "select count(*) from notification_channels where lease_until is not null")
                .fetch_one(c).await)
            .unwrap();
            if held == 0 {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, idle).await.expect("a channel was held on and on");
}

/// Moves the clock when nobody holds a channel.
pub async fn later(world: &World, seconds: f64) {
    idle(world).await;
    world.clock.advance(seconds);
}

/// Waits until nothing waits in a channel, while the clock moves on by `step` seconds at a time.
pub async fn drained(world: &World, path: &str, step: f64) {
    let drained = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        loop {
            ticks.tick().await;
            copilot::notify::once(&world.server.app).await.unwrap();
            if world.get(path).await["health"]["waiting"] == 0 {
                return;
            }
            later(world, step).await;
        }
    };
    tokio::time::timeout(PATIENCE, drained).await.expect("messages went on waiting");
}

/// Lets a channel look at everything that happened so far.
pub async fn looked(world: &World) {
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    for _ in 0..4 {
        ticks.tick().await;
        later(world, 4.0).await;
        copilot::notify::once(&world.server.app).await.unwrap();
    }
}

#[tokio::test]
async fn one_alert_is_one_message_with_nothing_of_others_as_markup() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let (path, _) = channel(&world, &receiver, "slack", json!({})).await;
    let hook = world.integration("alertmanager", json!({})).await;
    let mut body = alert("Down", "checkout", "firing", world.clock.now(), None);
    body["alerts"][0]["annotations"]["summary"] = json!("<!channel> & <https://evil|ok> @here");
    hook.send_json(&body).await.expect(200);
    let got = receiver.hears(1).await.remove(0);
    assert_eq!(got.path, "/services/T0/B0/a-secret-of-this-channel", "exactly the address that was entered");
    assert!(got.text.contains("&lt;!channel&gt; &amp; &lt;https://evil|ok&gt; @here"), "{}", got.text);
    assert!(!got.text.contains("<!channel>") && !got.text.contains("<https://evil"), "{}", got.text);
    assert!(got.text.contains(&format!("<{}/incidents/INC-1|", world.base)), "{}", got.text);
    // The same again is nothing new.
    hook.send_json(&body).await.expect(200);
    looked(&world).await;
    assert_eq!(receiver.got().len(), 1, "{:#?}", receiver.got());
    body["status"] = json!("resolved");
    body["alerts"][0]["status"] = json!("resolved");
    body["alerts"][0]["endsAt"] = json!(world.clock.now().to_string());
    hook.send_json(&body).await.expect(200);
    later(&world, 60.0).await;
    world.sweep().await;
    let got = receiver.hears(2).await;
    assert!(got[1].title().contains("INC-1 resolved"), "{}", got[1].title());
    let told: Vec<Value> = listed(&world, &path).await.iter().map(|one| one["what"].clone()).collect();
    assert_eq!(told, ["opened", "resolved"]);
    let of_incident = world.get("/api/v1/incidents/INC-1/notifications").await;
    assert_eq!(of_incident["items"].as_array().unwrap().len(), 2, "{of_incident}");
    assert_eq!(of_incident["items"][1]["status"], "sent");
    assert_eq!(world.get(&path).await["health"]["status"], "ok");
    world.end().await;
}

#[tokio::test]
async fn pagerduty_has_one_alert_an_incident() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    receiver.answers(202, "{\"status\":\"success\"}", None);
    channel(&world, &receiver, "pagerduty", json!({"tells": ["opened", "acknowledged", "resolved"]})).await;
    let opened =
        world.post("/api/v1/incidents", json!({"title": "by hand", "severity": "high"})).await.expect(201);
    receiver.hears(1).await;
    for (count, state) in [(2, "acknowledged"), (3, "resolved")] {
        let path = format!("/api/v1/incidents/{}/state", text(&opened["id"]));
        world.call(Method::PATCH, &path, Some(json!({"state": state}))).await.expect(200);
        later(&world, 11.0).await;
        receiver.hears(count).await;
    }
    let bodies: Vec<Value> = receiver.got().iter().map(receiver::Got::body).collect();
    let actions: Vec<&Value> = bodies.iter().map(|body| &body["event_action"]).collect();
    assert_eq!(actions, ["trigger", "acknowledge", "resolve"]);
    let key = format!("sre-copilot/incident/{}", text(&opened["id"]));
    assert!(bodies.iter().all(|body| body["dedup_key"] == key.as_str()), "{bodies:?}");
    assert_eq!(bodies[0]["payload"]["severity"], "error");
    assert_eq!(bodies[0]["routing_key"], "0123456789abcdef0123456789abcdef");
    world.end().await;
}

#[tokio::test]
async fn what_a_channel_does_not_want_is_not_told_until_it_is_bad_enough() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let before = world
        .post("/api/v1/incidents", json!({"title": "before", "severity": "high", "service_name": "cart"}))
        .await
        .expect(201);
    channel(&world, &receiver, "webhook", json!({"min_severity": "high", "services": ["cart"]})).await;
    let open = async |service: &str, severity: &str| {
        let body = json!({"title": "by hand", "severity": severity, "service_name": service});
        text(&world.post("/api/v1/incidents", body).await.expect(201)["id"])
    };
    let low = open("cart", "low").await;
    open("checkout", "critical").await;
    looked(&world).await;
    let worse = async |id: &str, severity: &str| {
        let path = format!("/api/v1/incidents/{id}");
        world.call(Method::PATCH, &path, Some(json!({"severity": severity}))).await.expect(200);
    };
    // What was open before the channel is told when it gets worse, and not when anything else is said of it.
    let path = format!("/api/v1/incidents/{}", text(&before["id"]));
    world.call(Method::PATCH, &path, Some(json!({"title": "before it"}))).await.expect(200);
    looked(&world).await;
    assert!(receiver.got().is_empty(), "{:#?}", receiver.got());
    worse(&low, "high").await;
    looked(&world).await;
    worse(&low, "critical").await;
    looked(&world).await;
    worse(&text(&before["id"]), "critical").await;
    looked(&world).await;
    let kinds: Vec<Value> = receiver.hears(3).await.iter().map(|got| got.body()["type"].clone()).collect();
    assert_eq!(kinds, ["incident.opened", "incident.escalated", "incident.opened"]);
    world.end().await;
}
