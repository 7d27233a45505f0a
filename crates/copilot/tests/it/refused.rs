//! Requests of known senders that can never be stored, or come too often.

use std::io::Write as _;

use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::{Value, json};

use crate::world::{NOON, World, alert, read, text};

/// Sends `body` with one header more.
async fn send(world: &World, hook: &crate::world::Webhook, header: (&str, &str), body: Vec<u8>) -> u16 {
    let request = world.http.post(&hook.url).bearer_auth(&hook.token).header(header.0, header.1);
    request.body(body).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_refused_body_leaves_a_receipt_that_shows_it_and_says_why() {
    let world = World::new().await;
    let hook = world.integration("alertmanager", json!({})).await;
    let json = (CONTENT_TYPE.as_str(), "application/json");
    let gzip = (CONTENT_ENCODING.as_str(), "gzip");
    let mut deflated = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    deflated.write_all(&vec![b' '; 17 * 1024 * 1024]).unwrap();
    for (header, sent, status, reason, kept) in [
        (json, b"{\"alerts\": [".to_vec(), 400, "malformed-json: ", Some("{\"alerts\": [")),
        (json, b"{\"hello\": 1}".to_vec(), 400, "malformed-request: ", Some("{\"hello\": 1}")),
        (gzip, b"no gzip".to_vec(), 400, "malformed-request: ", None),
        (gzip, deflated.finish().unwrap(), 413, "payload-too-large: ", None),
        ((CONTENT_TYPE.as_str(), "text/plain"), b"{}".to_vec(), 415, "unsupported-media-type: ", None),
    ] {
        assert_eq!(send(&world, &hook, header, sent).await, status);
        let deliveries = format!("/api/v1/projects/{}/deliveries", world.project);
        let newest = world.get(&format!("{deliveries}?limit=1")).await["items"][0].clone();
        assert_eq!((&newest["status"], &newest["http_status"]), (&json!("rejected"), &json!(status)));
        assert!(text(&newest["reason"]).starts_with(reason), "{newest}");
        let whole = world.get(&format!("{deliveries}/{}", text(&newest["id"]))).await;
        assert_eq!(whole["body"], json!(kept), "{whole}");
        let again = world.post(&format!("{deliveries}/{}/replay", text(&newest["id"])), json!({})).await;
        again.expect(409);
    }
    let incidents = world.incidents().await;
    assert_eq!(incidents.len(), 1);
    assert!(text(&incidents[0]["title"]).contains("larger than 16 MiB"), "{incidents:?}");
    world.end().await;
}

/// The second request is not written down on its integration, because the first was a moment ago.
#[tokio::test]
async fn an_integration_says_of_its_last_request_whether_it_was_accepted() {
    let world = World::new().await;
    let hook = world.integration("alertmanager", json!({})).await;
    let path = format!("/api/v1/projects/{}/integrations/{}", world.project, hook.id);
    let last = async || {
        let integration = world.get(&path).await;
        (text(&integration["last_delivery_status"]), text(&integration["last_delivery_at"]))
    };
    let body = alert("A", "s", "firing", world.clock.now(), None);
    for _ in 0..3 {
        let sent_at = world.clock.now().to_string();
        hook.send_json(&body).await.expect(200);
        hook.send_json(&body).await.expect(200);
        assert_eq!(last().await, ("accepted".to_owned(), sent_at.clone()));
        hook.send_json(&json!({"hello": 1})).await.expect(400);
        assert_eq!(last().await, ("rejected".to_owned(), sent_at.clone()));
        hook.send_json(&body).await.expect(200);
        assert_eq!(last().await, ("accepted".to_owned(), sent_at));
        world.clock.advance(1.0);
    }
    world.end().await;
}

#[tokio::test]
async fn an_integration_sends_as_often_as_it_likes_unless_its_settings_say_how_often() {
    let world = World::new().await;
    let free = world.integration("alertmanager", json!({})).await;
    let held = world.integration("alertmanager", json!({"requests_per_minute": 3})).await;
    let body = alert("A", "s", "firing", outbox::Ts::from_micros((NOON - 5) * 1_000_000), None);
    for _ in 0..20 {
        free.send_json(&body).await.expect(200);
    }
    for _ in 0..3 {
        held.send_json(&body).await.expect(200);
    }
    let refused = held.send_json(&body).await;
    assert!(refused.headers.contains_key("retry-after"));
    let refused = refused.expect(503);
    assert_eq!(refused["type"], "/problems/ingest-overloaded");
    assert!(text(&refused["detail"]).contains("requests_per_minute"), "{refused}");
    let path = format!("{}/api/v1/projects/{}/integrations/{}", world.base, world.project, held.id);
    let change = async |settings: Value| {
        let request = world.http.patch(&path).bearer_auth(&world.key).json(&json!({"settings": settings}));
        read(request.send().await.unwrap()).await
    };
    let zero = change(json!({"requests_per_minute": 0})).await.expect(422);
    assert_eq!(zero["errors"][0]["field"], "settings.requests_per_minute");
    change(json!({})).await.expect(200);
    held.send_json(&body).await.expect(200);
    world.end().await;
}

#[tokio::test]
async fn a_body_in_several_gzip_members_is_read_whole_and_nothing_may_follow_it() {
    let world = World::new().await;
    let hook = world.integration("alertmanager", json!({})).await;
    let gzip = |text: &str| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(text.as_bytes()).unwrap();
        packed.finish().unwrap()
    };
    let body = alert("A", "s", "firing", outbox::Ts::from_micros((NOON - 5) * 1_000_000), None).to_string();
    let (first, second) = body.split_at(body.len() / 2);
    let members = [gzip(first), gzip(second)].concat();
    let header = (CONTENT_ENCODING.as_str(), "gzip");
    assert_eq!(send(&world, &hook, header, members.clone()).await, 200);
    assert_eq!(world.incidents().await.len(), 1);
    assert_eq!(send(&world, &hook, header, [members, b"junk and more".to_vec()].concat()).await, 400);
    world.end().await;
}

#[tokio::test]
async fn a_signature_that_proves_nothing_is_told_so_and_leaves_a_receipt() {
    let world = World::new().await;
    let hook = world.integration("grafana", json!({})).await;
    let url = format!("{}/{}", hook.url, hook.id);
    let sent = world.http.post(url).header("x-grafana-alerting-signature", "00").json(&json!({"alerts": []}));
    let refused = read(sent.send().await.unwrap()).await.expect(401);
    assert_eq!(refused["type"], "/problems/invalid-credentials");
    assert!(text(&refused["detail"]).contains("signature"), "{refused}");
    let receipts = world.get(&format!("/api/v1/projects/{}/deliveries", world.project)).await;
    assert!(text(&receipts["items"][0]["reason"]).contains("signature"), "{receipts}");
    world.clock.advance(2.0);
    let large = json!({"alerts": [], "padding": "x".repeat(2_200_000)});
    let sent = world.http.post(format!("{}/{}", hook.url, hook.id)).json(&large);
    let sent = sent.header("x-grafana-alerting-signature", "00").send().await.unwrap();
    read(sent).await.expect(413);
    let receipts = world.get(&format!("/api/v1/projects/{}/deliveries", world.project)).await;
    assert_eq!(receipts["items"][0]["http_status"], 413);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_leaves_one_receipt_a_second_whatever_comes_in_between() {
    let world = World::new().await;
    let hook = world.integration("alertmanager", json!({})).await;
    let url = format!("{}/{}", hook.url, hook.id);
    let body = alert("A", "s", "firing", outbox::Ts::from_micros((NOON - 5) * 1_000_000), None);
    let strange = async || {
        let sent = world.http.post(&url).bearer_auth("srec_wrong").json(&body).send().await.unwrap();
        assert_eq!(sent.status(), 401);
    };
    let rejected = async || {
        let listed = world.get(&format!("/api/v1/projects/{}/deliveries?limit=200", world.project)).await;
        let items = listed["items"].as_array().unwrap().iter();
        items.filter(|item| item["status"] == "rejected").count()
    };
    for _ in 0..10 {
        strange().await;
        hook.send_json(&body).await.expect(200);
    }
    assert_eq!(rejected().await, 1);
    world.clock.advance(1.0);
    futures_util::future::join_all((0..20).map(|_| strange())).await;
    assert_eq!(rejected().await, 2);
    world.end().await;
}

#[tokio::test]
async fn a_receipt_names_the_sender_and_not_the_proxy_in_between() {
    let model = copilot::ai::Model::none();
    let world = World::with(|config| config.trusted_proxies = "127.0.0.0/8".to_owned(), model).await;
    let hook = world.integration("alertmanager", json!({})).await;
    let body = alert("A", "s", "firing", outbox::Ts::from_micros((NOON - 5) * 1_000_000), None);
    for token in [hook.token.as_str(), "srec_wrong"] {
        let request = world.http.post(format!("{}/{}", hook.url, hook.id)).bearer_auth(token).json(&body);
        request.header("x-forwarded-for", "203.0.113.9").send().await.unwrap();
        let listed = world.get(&format!("/api/v1/projects/{}/deliveries?limit=1", world.project)).await;
        assert_eq!(listed["items"][0]["remote"], "203.0.113.9", "{listed}");
    }
    world.end().await;
}

#[tokio::test]
async fn an_address_that_is_too_long_is_answered_like_everything_else() {
    let world = World::new().await;
    let url = format!("{}/api/v1/{}", world.base, "a".repeat(9_000));
    let answer = read(world.http.get(url).send().await.unwrap()).await;
    let id = answer.headers.get("x-request-id").unwrap().to_str().unwrap().to_owned();
    assert!(!id.is_empty());
    assert_eq!(answer.expect(414)["request_id"], id);
    world.end().await;
}
