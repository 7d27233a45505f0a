//! What senders really send, through the real door.

use std::collections::BTreeMap;

use outbox::Ts;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{NOON, World, alert, text};

fn at(seconds: i64) -> Ts {
    Ts::from_micros(NOON * 1_000_000).plus_seconds(seconds)
}

fn outcomes(answer: &Value) -> Vec<String> {
    answer["results"].as_array().unwrap().iter().map(|result| text(&result["outcome"])).collect()
}

#[tokio::test]
async fn an_alert_opens_repeats_and_resolves_its_incident() {
    let world = World::new().await;
    let hook = world.integration("alertmanager", json!({})).await;
    let firing = alert("HighErrorRate", "checkout", "firing", at(-30), None);
    let answer = hook.send_json(&firing).await.expect(200);
    assert_eq!(answer["status"], "success");
    assert_eq!(outcomes(&answer), ["opened"]);
    assert_eq!(outcomes(&hook.send_json(&firing).await.expect(200)), ["repeated"]);
    world.clock.advance(60.0);
    let over = alert("HighErrorRate", "checkout", "resolved", at(-30), Some(at(50)));
    assert_eq!(outcomes(&hook.send_json(&over).await.expect(200)), ["resolved"]);
    assert_eq!(outcomes(&hook.send_json(&over).await.expect(200)), ["suppressed"]);
    let incidents = world.incidents().await;
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0]["state"], "resolved");
    assert_eq!(incidents[0]["number"], 1);
    let kinds: Vec<String> = world.events().await.into_iter().map(|(_, kind, _)| kind).collect();
    let incident_events: Vec<_> = kinds.iter().filter(|kind| !kind.starts_with("hypothesis")).collect();
    assert_eq!(incident_events, ["alert.fired", "incident.created", "alert.resolved", "incident.updated"]);
    world.end().await;
}

#[tokio::test]
async fn event_numbers_have_no_gap() {
    let world = World::new().await;
    let hook = world.integration("alertmanager", json!({})).await;
    let sends = (0..40).map(|n| {
        let body = alert("A", &format!("service-{}", n % 7), "firing", at(-1), None);
        let hook = &hook;
        async move { hook.send_json(&body).await.expect(200) }
    });
    futures_util::future::join_all(sends).await;
    world.settle().await;
    let numbers: Vec<i64> = world.events().await.into_iter().map(|(seq, ..)| seq).collect();
    assert_eq!(numbers, (1..=numbers.len() as i64).collect::<Vec<_>>());
    world.end().await;
}

#[tokio::test]
async fn two_hundred_first_deliveries_of_one_alert_open_one_incident() {
    let world = World::new().await;
    let hook = world.integration("alertmanager", json!({})).await;
    let body = alert("HighErrorRate", "checkout", "firing", at(-5), None);
    let answers = futures_util::future::join_all((0..200).map(|_| hook.send_json(&body))).await;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for answer in answers {
        for outcome in outcomes(&answer.expect(200)) {
            *counts.entry(outcome).or_default() += 1;
        }
    }
    assert_eq!(counts, BTreeMap::from([("opened".to_owned(), 1), ("repeated".to_owned(), 199)]));
    assert_eq!(world.incidents().await.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn one_bad_alert_costs_the_others_nothing() {
    let world = World::new().await;
    let hook = world.integration("alertmanager", json!({})).await;
    let mut body = alert("Good", "a", "firing", at(-5), None);
    let good = body["alerts"][0].clone();
    let mut other = good.clone();
    other["labels"]["service"] = json!("b");
    body["alerts"] = json!([good, {"status": "firing", "labels": {}}, 7, other]);
    let answer = hook.send_json(&body).await.expect(200);
    assert_eq!(outcomes(&answer), ["opened", "quarantined", "quarantined", "opened"]);
    assert_eq!(answer["results"][1]["reason"], "labels-empty");
    let path = format!("/api/v1/projects/{}/deliveries/{}", world.project, text(&answer["delivery_id"]));
    let receipt = world.get(&path).await;
    assert_eq!(serde_json::from_str::<Value>(receipt["body"].as_str().unwrap()).unwrap(), body);
    assert_eq!(receipt["outcomes"], json!({"opened": 2, "quarantined": 2}));
    world.end().await;
}

#[tokio::test]
async fn replaying_a_receipt_changes_nothing() {
    let world = World::new().await;
    let hook = world.integration("alertmanager", json!({})).await;
    let firing = hook.send_json(&alert("A", "s", "firing", at(-5), None)).await.expect(200);
    world.clock.advance(10.0);
    hook.send_json(&alert("A", "s", "resolved", at(-5), Some(at(8)))).await.expect(200);
    world.later(600.0).await;
    world.settle().await;
    let (before, events) = (world.incidents().await, world.events().await);
    let path =
        format!("/api/v1/projects/{}/deliveries/{}/replay", world.project, text(&firing["delivery_id"]));
    let replayed = world.post(&path, json!({})).await.expect(200);
    assert_eq!(replayed["results"][0]["reason"], "already-applied");
    assert_eq!(world.incidents().await, before);
    assert_eq!(world.events().await, events);
    world.end().await;
}

#[tokio::test]
async fn a_watchdog_opens_nothing_until_it_falls_silent() {
    let world = World::new().await;
    let hook = world.integration("alertmanager", json!({"heartbeat_timeout_s": 300})).await;
    let mut body = alert("Watchdog", "", "firing", at(-5), None);
    body["alerts"][0]["labels"] = json!({"alertname": "Watchdog", "severity": "none"});
    let answer = hook.send_json(&body).await.expect(200);
    assert_eq!(outcomes(&answer), ["suppressed"]);
    world.later(299.0).await;
    assert_eq!(world.incidents().await.len(), 0);
    world.later(2.0).await;
    world.later(2.0).await;
    let incidents = world.incidents().await;
    assert_eq!(incidents.len(), 1, "exactly one incident about the silence");
    hook.send_json(&body).await.expect(200);
    world.sweep().await;
    assert_eq!(world.incidents().await[0]["state"], "resolved");
    world.end().await;
}

#[tokio::test]
async fn two_heartbeats_at_once_say_nothing_of_the_next() {
    let world = World::new().await;
    let hook = world.integration("alertmanager", json!({})).await;
    let mut body = alert("Watchdog", "", "firing", at(-5), None);
    body["alerts"][0]["labels"] = json!({"alertname": "Watchdog", "severity": "none"});
    hook.send_json(&body).await.expect(200);
    world.clock.advance(0.03);
    hook.send_json(&body).await.expect(200);
    // Alertmanager repeats it every four hours unless its configuration says otherwise.
    world.later(4.5 * 3_600.0).await;
    assert_eq!(world.incidents().await.len(), 0);
    world.later(2.5 * 3_600.0).await;
    assert_eq!(world.incidents().await.len(), 1, "it is silent now");
    world.end().await;
}

#[tokio::test]
async fn an_integrations_address_hears_its_sender_as_it_is_shown() {
    let world = World::new().await;
    for kind in ["alertmanager", "prometheus", "grafana"] {
        let mut hook = world.integration(kind, json!({})).await;
        let path = format!("/api/v1/projects/{}/integrations/{}", world.project, hook.id);
        hook.url = text(&world.get(&path).await["webhook_url"]);
        let body = alert("A", kind, "firing", at(-5), None);
        let body = if kind == "prometheus" {
            json!([{"labels": body["alerts"][0]["labels"], "startsAt": at(-5).to_string()}])
        } else {
            body
        };
        assert_eq!(outcomes(&hook.send_json(&body).await.expect(200)), ["opened"], "{kind}");
    }
    world.end().await;
}

#[tokio::test]
async fn info_is_recorded_and_opens_nothing_unless_asked_to() {
    let world = World::new().await;
    let quiet = world.integration("alertmanager", json!({})).await;
    let loud = world.integration("alertmanager", json!({"open_info": true})).await;
    let mut body = alert("Deployed", "s", "firing", at(-5), None);
    body["alerts"][0]["labels"]["severity"] = json!("info");
    let answer = quiet.send_json(&body).await.expect(200);
    assert_eq!(
        (outcomes(&answer), text(&answer["results"][0]["reason"])),
        (vec!["suppressed".to_owned()], "severity-info".to_owned())
    );
    assert_eq!(outcomes(&loud.send_json(&body).await.expect(200)), ["opened"]);
    world.end().await;
}

#[tokio::test]
async fn an_alert_from_prometheus_and_its_alertmanager_is_one_when_they_share_a_source() {
    let world = World::new().await;
    let direct = world.integration("prometheus", json!({"source": "prod"})).await;
    let routed = world.integration("alertmanager", json!({"source": "prod"})).await;
    let body = alert("A", "s", "firing", at(-5), None);
    let mut bare = body["alerts"].clone();
    bare[0].as_object_mut().unwrap().remove("status");
    bare[0]["endsAt"] = json!(at(240).to_string());
    assert_eq!(outcomes(&direct.send_json(&bare).await.expect(200)), ["opened"]);
    assert_eq!(outcomes(&routed.send_json(&body).await.expect(200)), ["repeated"]);
    world.end().await;
}

#[tokio::test]
async fn a_wrong_token_is_told_what_to_do_and_leaves_a_receipt() {
    let world = World::new().await;
    let mut hook = world.integration("alertmanager", json!({})).await;
    hook.url = format!("{}/{}", hook.url, hook.id);
    let good = hook.token.clone();
    hook.token = "wrong".to_owned();
    let refused = hook.send_json(&alert("A", "s", "firing", at(-5), None)).await.expect(401);
    assert_eq!(refused["type"], "/problems/invalid-credentials");
    assert!(refused["detail"].as_str().unwrap().contains("credentials_file"));
    let receipts = world.get(&format!("/api/v1/projects/{}/deliveries", world.project)).await;
    assert_eq!(receipts["items"][0]["http_status"], 401);
    hook.token = good;
    hook.send_json(&alert("A", "s", "firing", at(-5), None)).await.expect(200);
    world.end().await;
}

#[tokio::test]
async fn forbidden_answers_never_reach_a_sender() {
    let world = World::new().await;
    let hook = world.integration("alertmanager", json!({})).await;
    let long = format!("{}/{}", hook.url, "x".repeat(40));
    for (url, status) in [(format!("{}/", hook.url), 404), (hook.url.to_uppercase(), 404), (long, 404)] {
        let url = url.replace("HTTP://127.0.0.1", "http://127.0.0.1");
        let answer = world.http.post(url).bearer_auth(&hook.token).body("{}").send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
    }
    let get = world.http.get(&hook.url).bearer_auth(&hook.token).send().await.unwrap();
    assert_eq!(get.status().as_u16(), 405);
    let plain =
        world.http.post(&hook.url).bearer_auth(&hook.token).header("content-type", "text/plain").body("{}");
    assert_eq!(plain.send().await.unwrap().status().as_u16(), 415);
    assert_eq!(hook.send("{\"alerts\":").await.status.as_u16(), 400);
    assert_eq!(hook.send("{}").await.status.as_u16(), 400);
    world.end().await;
}

#[tokio::test]
async fn more_than_ten_thousand_alerts_are_refused_and_the_project_is_told() {
    let world = World::new().await;
    let hook = world.integration("alertmanager", json!({})).await;
    let mut body = alert("A", "s", "firing", at(-5), None);
    let one = body["alerts"][0].clone();
    body["alerts"] = Value::Array(vec![one; 10_001]);
    hook.send_json(&body).await.expect(413);
    hook.send_json(&body).await.expect(413);
    let incidents = world.incidents().await;
    assert_eq!(incidents.len(), 1);
    assert!(text(&incidents[0]["title"]).contains("10001 alerts"));
    world.end().await;
}

#[tokio::test]
async fn beyond_five_thousand_open_incidents_alerts_join_one_storm() {
    let world = World::new().await;
    let hook = world.integration("alertmanager", json!({})).await;
    let mut body = alert("A", "s", "firing", at(-5), None);
    let one = body["alerts"][0].clone();
    let alerts: Vec<Value> = (0..5_010)
        .map(|n| {
            let mut alert = one.clone();
            alert["labels"]["service"] = json!(format!("service-{n:05}"));
            alert
        })
        .collect();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for chunk in alerts.chunks(300) {
        body["alerts"] = json!(chunk);
        for outcome in outcomes(&hook.send_json(&body).await.expect(200)) {
            *counts.entry(outcome).or_default() += 1;
        }
    }
    assert_eq!(counts, BTreeMap::from([("opened".to_owned(), 5_001), ("attached".to_owned(), 9)]));
    world.end().await;
}

#[tokio::test]
async fn a_repetition_is_recognised_only_while_its_incident_is_open() {
    let world = World::new().await;
    let hook = world.integration("prometheus", json!({})).await;
    let body = |ends_at: i64| {
        let mut bare = alert("A", "s", "firing", at(-5), None)["alerts"].clone();
        bare[0].as_object_mut().unwrap().remove("status");
        bare[0]["endsAt"] = json!(at(ends_at).to_string());
        bare
    };
    let opened = hook.send_json(&body(240)).await.expect(200);
    assert_eq!(outcomes(&opened), ["opened"]);
    let repeated = hook.send_json(&body(300)).await.expect(200);
    assert_eq!(outcomes(&repeated), ["repeated"]);
    assert_eq!(repeated["results"][0]["incident_id"], opened["results"][0]["incident_id"]);
    assert_eq!(repeated["results"][0]["fingerprint"], opened["results"][0]["fingerprint"]);
    let path = format!("/api/v1/incidents/{}/state", text(&opened["results"][0]["incident_id"]));
    let resolved = world.call(reqwest::Method::PATCH, &path, Some(json!({"state": "resolved"}))).await;
    resolved.expect(200);
    world.clock.advance(61.0);
    assert_eq!(outcomes(&hook.send_json(&body(400)).await.expect(200)), ["reopened"]);
    assert_eq!(outcomes(&hook.send_json(&body(401)).await.expect(200)), ["repeated"]);
    world.clock.advance(400.0);
    assert_eq!(outcomes(&hook.send_json(&body(402)).await.expect(200)), ["resolved"], "its end has passed");
    assert_eq!(outcomes(&hook.send_json(&body(900)).await.expect(200)), ["held"]);
    let receipts = world.get(&format!("/api/v1/projects/{}/deliveries?limit=4", world.project)).await;
    assert_eq!(receipts["items"].as_array().unwrap().len(), 4);
    assert_eq!(receipts["items"][0]["outcomes"], json!({"held": 1}), "newest first");
    let next = text(&receipts["next_cursor"]);
    let path = format!("/api/v1/projects/{}/deliveries?limit=4&cursor={next}", world.project);
    let older = world.get(&path).await;
    assert_eq!(older["items"].as_array().unwrap().len(), 2);
    assert_eq!(older["items"][1]["id"], opened["delivery_id"]);
    world.end().await;
}

#[tokio::test]
async fn ten_thousand_alerts_in_one_body_are_stored_and_then_recognised() {
    let world = World::new().await;
    let hook = world.integration("alertmanager", json!({})).await;
    let mut body = alert("A", "s", "firing", at(-5), None);
    let one = body["alerts"][0].clone();
    let many = (0..10_000).map(|n| {
        let mut alert = one.clone();
        alert["labels"]["instance"] = json!(format!("instance-{n}"));
        alert
    });
    body["alerts"] = many.collect();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..2 {
        for outcome in outcomes(&hook.send_json(&body).await.expect(200)) {
            *counts.entry(outcome).or_default() += 1;
        }
    }
    let expected = [("opened", 1), ("attached", 9_999), ("repeated", 10_000)];
    assert_eq!(counts, expected.map(|(word, count)| (word.to_owned(), count)).into());
    assert_eq!(world.incidents().await[0]["alert_count"], 10_000);
    world.end().await;
}

/// Resolved by hand while its alert fires, and meanwhile another alert of its key has opened a new incident.
#[tokio::test]
async fn an_alert_that_fires_on_joins_the_open_incident_of_its_key() {
    let world = World::new().await;
    let hook = world.integration("alertmanager", json!({})).await;
    let start = world.clock.now();
    let of = |service: &str, instance: &str| {
        let mut body = alert("Down", service, "firing", start, None);
        body["alerts"][0]["labels"]["instance"] = json!(instance);
        body
    };
    let opened = hook.send_json(&of("checkout", "a")).await.expect(200);
    let path = format!("/api/v1/incidents/{}/state", text(&opened["results"][0]["incident_id"]));
    world.call(Method::PATCH, &path, Some(json!({"state": "resolved"}))).await.expect(200);
    let other = hook.send_json(&of("checkout", "b")).await.expect(200);
    assert_eq!(other["results"][0]["outcome"], "opened");
    world.later(61.0).await;
    let mut both = of("checkout", "a");
    let fresh = of("payments", "c")["alerts"][0].clone();
    both["alerts"].as_array_mut().unwrap().push(fresh);
    let answer = hook.send_json(&both).await.expect(200);
    assert_eq!(answer["results"][0]["outcome"], "attached", "{answer}");
    assert_eq!(answer["results"][0]["incident_id"], other["results"][0]["incident_id"]);
    assert_eq!(answer["results"][1]["outcome"], "opened", "{answer}");
    let incidents = world.incidents().await;
    let seen: Vec<_> = incidents
        .iter()
        .map(|one| (text(&one["state"]), one["open_alert_count"].as_i64().unwrap()))
        .collect();
    let expected = [("resolved", 0), ("detected", 2), ("detected", 1)];
    assert_eq!(seen, expected.map(|(state, firing)| (state.to_owned(), firing)));
    world.end().await;
}

/// One body with the end of an alert's last episode and the beginning of its next, in either order.
#[tokio::test]
async fn the_end_of_an_older_episode_hides_nothing_that_fires() {
    let world = World::new().await;
    let hook = world.integration("alertmanager", json!({})).await;
    for (service, order) in [("checkout", [0, 1]), ("payments", [1, 0])] {
        let first = alert("Down", service, "firing", at(-600), None);
        hook.send_json(&first).await.expect(200);
        let parts = [
            alert("Down", service, "resolved", at(-600), Some(at(-300)))["alerts"][0].clone(),
            alert("Down", service, "firing", at(-60), None)["alerts"][0].clone(),
        ];
        let mut both = first;
        both["alerts"] = json!(order.map(|place| parts[place].clone()));
        let answer = hook.send_json(&both).await.expect(200);
        assert_eq!(answer["results"][order[0]]["reason"], "older-episode", "{answer}");
        let ended = alert("Down", service, "resolved", at(-60), Some(at(0)));
        let open = world.incidents().await.pop().unwrap();
        assert_eq!((&open["state"], &open["open_alert_count"]), (&json!("detected"), &json!(1)), "{open}");
        assert_eq!(outcomes(&hook.send_json(&ended).await.expect(200)), ["resolved"]);
    }
    world.end().await;
}
