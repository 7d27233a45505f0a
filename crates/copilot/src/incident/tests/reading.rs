//! Lists, one incident, and the numbers.

use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::world::{World, headers};
use crate::ids::{IncidentId, TenantId};
use crate::incident::Severity;
use crate::incident::record::NewIncident;
use crate::incident::work::Desk;
use crate::page::PageQuery;

#[tokio::test]
async fn an_incident_is_found_by_id_and_by_number_and_only_by_its_project() {
    let world = World::new().await;
    let id = world.opened("Slow").await;
    for name in [&*id, "INC-1", "inc-1", "1"] {
        assert_eq!(world.one(name).await["id"], id, "{name}");
    }
    for name in ["INC-2", "0", "-1", "INC-", "x", "9223372036854775808", &IncidentId::new().to_string()] {
        world.one_as(&world.member, name, HeaderMap::new()).await.expect(404);
    }
    for stranger in [world.elsewhere(world.member.tenant), world.elsewhere(TenantId::new())] {
        for name in [&*id, "INC-1"] {
            world.one_as(&stranger, name, HeaderMap::new()).await.expect(404);
        }
    }
}

#[tokio::test]
async fn a_known_version_is_not_sent_again() {
    let world = World::new().await;
    let id = world.opened("Slow").await;
    let known = |tag: &str| {
        let headers = headers("if-none-match", tag);
        async { world.one_as(&world.member, &id, headers).await }
    };
    let tag = known("\"0\"").await.header("etag").to_owned();
    for named in [tag.clone(), format!("W/{tag}"), "*".to_owned(), format!("\"7\", W/{tag}")] {
        let same = known(&named).await;
        assert_eq!((same.status, same.header("etag"), &same.body), (304, &*tag, &Value::Null), "{named}");
    }
    for named in ["\"1\"".to_owned(), tag.replace('"', ""), tag.replace("\"1", "\"2")] {
        let other = known(&named).await;
        assert_eq!((other.status, other.header("cache-control")), (200, "no-store"), "{named}");
    }
    // The newest analysis is in the answer, and no part of the version.
    world.explained(&id, &[(1, "a leak", 0.7)]).await;
    let explained = known(&tag).await;
    assert_eq!((explained.status, &explained.body["version"]), (200, &json!(1)));
    assert_ne!(explained.header("etag"), tag);
    world.patch(&id, headers("if-match", &tag), json!({"title": "x"})).await.expect(200);
}

#[tokio::test]
async fn since_when_is_what_the_sender_says_and_who_acknowledged_is_told() {
    let world = World::new().await;
    let id = world.began("Slow", "checkout", 600).await;
    world.clock.advance(30.0);
    let incident = world.one(&id).await;
    assert_eq!(
        json!([incident["started_at"], incident["detected_at"], incident["acknowledged_by"]]),
        json!(["2026-01-24T11:50:00Z", "2026-01-24T12:00:00Z", null])
    );
    world.set_state(&id, "acknowledged").await.expect(200);
    assert_eq!(world.one(&id).await["acknowledged_by"], "Ana Lee");
    let manual = world.opened("by hand").await;
    let begun = world.one(&manual).await;
    assert_eq!(begun["started_at"], begun["detected_at"]);
    world.merge(&id, &manual).await.expect(200);
    assert_eq!(world.one(&manual).await["started_at"], incident["started_at"]);
}

#[tokio::test]
async fn what_is_resolved_while_its_alert_fires_is_counted_and_listed() {
    let world = World::new().await;
    let id = world.alert("Slow", "checkout", "high", "firing").await;
    let over = world.opened("over").await;
    world.set_state(&over, "resolved").await.expect(200);
    assert_eq!(world.summary().await["still_firing"], 0);
    world.set_state(&id, "resolved").await.expect(200);
    assert_eq!(world.summary().await["still_firing"], 1);
    for list in ["still_firing=true", "still_firing=true&sort=needs_me", "still_firing=true&state=resolved"] {
        assert_eq!(world.titles(list).await, [world.one(&id).await["title"].as_str().unwrap()], "{list}");
    }
    for refused in ["still_firing=yes", "still_firing=true&q=x"] {
        world.list(refused).await.expect(422);
    }
    assert_eq!(world.titles("still_firing=false").await.len(), 2);
    world.alert("Slow", "checkout", "high", "resolved").await;
    assert_eq!(world.summary().await["still_firing"], 0);
    let before = world.alert("Down", "cart", "high", "firing").await;
    world.resolve_as_before(&before).await;
    assert_eq!(world.summary().await["still_firing"], 1, "the version before says nothing of it");
}

#[tokio::test]
async fn acknowledgements_are_found_behind_any_number_of_unacknowledged_incidents() {
    let world = World::new().await;
    let first = world.opened("first").await;
    world.clock.advance(60.0);
    world.set_state(&first, "acknowledged").await.expect(200);
    let mut tx = world.db().begin(world.member.tenant.0).await.unwrap();
    let mut desk = Desk::of_senders(world.member.tenant, world.member.project, tx.now());
    let labels = Default::default();
    for _ in 0..1_001 {
        desk.open_later(&NewIncident {
            id: IncidentId::new(),
            project: world.member.project,
            number: 0,
            title: "later",
            description: "",
            service_name: None,
            severity: Severity::Low,
            severity_note: None,
            source: "am",
            labels: &labels,
            incident_key: None,
            previous: None,
            stale_after_s: None,
            now: tx.now().plus_seconds(1),
        });
    }
    desk.clear(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    let summary = world.summary().await;
    assert_eq!((&summary["mtta_median_s"], &summary["mtta_count"]), (&json!(60.0), &json!(1)));
}

/// Three open incidents, one acknowledged, one closed, a second apart.
async fn five() -> World {
    let world = World::new().await;
    for (title, severity, state) in [
        ("low", "low", None),
        ("seen", "critical", Some("acknowledged")),
        ("closed", "critical", Some("resolved")),
        ("worst", "critical", None),
        ("bad", "high", None),
    ] {
        let made = world
            .create(json!({"title": title, "severity": severity, "service_name": format!("{title}-api")}));
        let made = made.await.expect(201);
        if let Some(state) = state {
            world.set_state(made["id"].as_str().unwrap(), state).await.expect(200);
        }
        world.clock.advance(1.0);
    }
    world
}

#[tokio::test]
async fn every_order_is_the_same_in_pages_of_one() {
    let world = five().await;
    for (sort, expected) in [
        ("", ["bad", "worst", "closed", "seen", "low"]),
        ("sort=-detected_at", ["bad", "worst", "closed", "seen", "low"]),
        ("sort=detected_at", ["low", "seen", "closed", "worst", "bad"]),
        ("sort=needs_me", ["worst", "bad", "low", "seen", "closed"]),
    ] {
        assert_eq!(world.titles(sort).await, expected, "{sort}");
        let (mut titles, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = world.list(&format!("{sort}&limit=1{cursor}")).await.expect(200);
            titles.push(page["items"][0]["title"].as_str().unwrap().to_owned());
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(titles, expected, "{sort} by pages");
    }
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let world = five().await;
    for (query, expected) in [
        ("open=true&sort=needs_me", &["worst", "bad", "low", "seen"][..]),
        ("open=false", &["closed"]),
        ("state=acknowledged&state=resolved", &["closed", "seen"]),
        ("severity=low&severity=high", &["bad", "low"]),
        ("service_name=low-api&service_name=bad-api", &["bad", "low"]),
        ("from=2026-01-24T12:00:03Z", &["bad", "worst"]),
        ("to=2026-01-24T12:00:01Z", &["seen", "low"]),
        ("q=WORST", &["worst"]),
        ("q=inc-4", &["worst"]),
        ("q=api+bad", &["bad"]),
        ("q=%25", &[]),
        ("q=_", &[]),
    ] {
        assert_eq!(world.titles(query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn a_search_keeps_to_the_other_filters_in_every_order_by_pages() {
    let world = five().await;
    let id = world.one("INC-5").await["id"].as_str().unwrap().to_owned();
    for (query, expected) in [
        ("q=api&open=true", &["bad", "worst", "seen", "low"][..]),
        ("q=api&state=resolved", &["closed"]),
        ("q=api&state=resolved&open=true", &[]),
        ("q=api&severity=critical&sort=detected_at", &["seen", "closed", "worst"]),
        ("q=api&sort=needs_me", &["worst", "bad", "low", "seen", "closed"]),
        ("q=ap&service_name=low-api&service_name=bad-api", &["bad", "low"]),
        ("q=api&from=2026-01-24T12:00:01Z&to=2026-01-24T12:00:03Z", &["worst", "closed", "seen"]),
        ("q=api+inc-5", &["bad"]),
        ("q=api+inc-5+inc-4", &[]),
        ("q=pi", &[]),
        ("q=resolved", &[]),
    ] {
        let (mut titles, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = world.list(&format!("{query}&limit=2{cursor}")).await.expect(200);
            let items = page["items"].as_array().unwrap();
            titles.extend(items.iter().map(|item| item["title"].as_str().unwrap().to_owned()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(titles, expected, "{query}");
    }
    // The index follows every change.
    world.set_state(&id, "resolved").await.expect(200);
    assert_eq!(world.titles("q=bad&open=true").await, [""; 0]);
    assert_eq!(world.titles("q=bad&state=resolved").await, ["bad"]);
}

#[tokio::test]
async fn what_a_list_can_not_do_is_said() {
    let world = World::new().await;
    let word = "w+".repeat(24);
    for (query, slug) in [
        (format!("q={word}"), None),
        (format!("q={word}w"), Some("query-too-complex")),
        (format!("q={}", "%C3%A4".repeat(200)), None),
        (format!("q={}", "%25".repeat(24)), None),
        (format!("q={}", "a*".repeat(25)), Some("query-too-complex")),
        (format!("q={}", "w".repeat(201)), Some("query-too-complex")),
        (format!("q={}", "%25+".repeat(100)), Some("query-too-complex")),
        ("q=%00".to_owned(), Some("validation-failed")),
        ("service_name=%00".to_owned(), Some("validation-failed")),
        ("limit=0".to_owned(), Some("validation-failed")),
        ("limit=9223372036854775808".to_owned(), Some("validation-failed")),
        ("from=-009999-06-01T00:00:00Z".to_owned(), Some("validation-failed")),
        ("to=yesterday".to_owned(), Some("validation-failed")),
        ("cursor=eyJuZWVkIjowfQ".to_owned(), Some("invalid-cursor")),
        ("state=closed".to_owned(), Some("validation-failed")),
    ] {
        let answer = world.list(&query).await;
        let kind = answer.body["type"].as_str().and_then(|kind| kind.strip_prefix("/problems/"));
        assert_eq!((kind, answer.status), (slug, if slug.is_some() { 422 } else { 200 }), "{query}");
    }
}

#[tokio::test]
async fn a_made_up_cursor_breaks_nothing() {
    use base64::Engine as _;
    let world = World::new().await;
    let id = world.opened("Slow").await;
    let made_up = |value: Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    for micros in [i64::MIN, -1, i64::MAX] {
        let cursor = made_up(json!({"need": i64::MIN, "micros": micros, "id": id}));
        for sort in ["needs_me", "detected_at", "-detected_at"] {
            world.list(&format!("sort={sort}&cursor={cursor}")).await.expect(200);
        }
    }
    let cursor = made_up(json!(["0001-01-01T00:00:00Z", id]));
    for part in ["steps", "comments"] {
        let page = PageQuery { limit: None, cursor: Some(cursor.clone()) };
        world.part(&id, part, page).await.expect(200);
    }
}

#[tokio::test]
async fn the_headline_is_the_first_hypothesis_of_the_newest_analysis_that_has_any() {
    let world = World::new().await;
    let id = world.opened("Slow").await;
    // Somebody judged one of rank 1 before a better one took its place: both keep the rank.
    world.explained(&id, &[(1, "judged", 0.2), (1, "best", 0.8), (2, "second", 0.1)]).await;
    let headline = json!({
        "status": "completed", "claim": "best", "confidence_score": 0.8, "suspected_service": null,
    });
    let page = world.list("limit=1").await.expect(200);
    assert_eq!((page["items"].as_array().unwrap().len(), &page["next_cursor"]), (1, &Value::Null));
    assert_eq!(page["items"][0]["analysis"], headline);
    assert_eq!(world.one(&id).await["analysis"], headline);
    world.queue(&id).await;
    let waiting = &world.one(&id).await["analysis"];
    assert_eq!((&waiting["status"], &waiting["claim"]), (&json!("queued"), &json!("best")));
    world.explained(&id, &[]).await;
    assert_eq!(world.one(&id).await["analysis"]["claim"], Value::Null);
}

#[tokio::test]
async fn alerts_are_shown_with_their_episode_in_this_incident() {
    let world = World::new().await;
    let id = world.alert("Slow", "checkout", "high", "firing").await;
    let alerts = world.all(&id, "alerts", 1).await;
    let shown = ["name", "status", "severity", "service_name", "ends_at", "repeat_count", "integration_name"];
    let shown = shown.map(|name| &alerts[0][name]);
    assert_eq!(json!(shown), json!(["Slow", "firing", "high", "checkout", null, 1, "am"]));
    world.clock.advance(60.0);
    world.alert("Slow", "checkout", "high", "resolved").await;
    let alerts = world.all(&id, "alerts", 1).await;
    assert_eq!(
        (&alerts[0]["status"], &alerts[0]["ends_at"]),
        (&json!("resolved"), &json!("2026-01-24T12:01:00Z"))
    );
}

#[tokio::test]
async fn the_numbers_count_what_happened_in_the_range() {
    let world = World::new().await;
    let [a, b, c] = [world.opened("a").await, world.opened("b").await, world.opened("c").await];
    world.clock.advance(60.0);
    world.set_state(&a, "acknowledged").await.expect(200);
    world.clock.advance(60.0);
    world.set_state(&b, "acknowledged").await.expect(200);
    let summary = world.summary().await;
    let shown = ["open", "unacknowledged", "mtta_median_s", "mtta_count"].map(|name| &summary[name]);
    assert_eq!(json!(shown), json!([3, 1, 90.0, 2]));
    assert_eq!(
        summary["open_by_severity"],
        json!({"critical": 0, "high": 0, "medium": 3, "low": 0, "info": 0})
    );
    world.merge(&c, &b).await.expect(200);
    world.clock.advance(86_400.0);
    world.set_state(&a, "resolved").await.expect(200);
    let range = json!({"from": "2026-01-24T00:00:00Z", "to": "2026-01-26T00:00:00Z", "bucket": "day"});
    let sums = world.analytics(range).await.expect(200);
    assert_eq!(
        (&sums["incidents"], &sums["mtta"]["count"], &sums["mttr"]["count"]),
        (&json!(2), &json!(2), &json!(1))
    );
    let days: Vec<_> = sums["buckets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| json!([day["opened"], day["resolved"]]))
        .collect();
    assert_eq!(days, [json!([2, 0]), json!([0, 1])]);
    // Resolved in the range, detected before it.
    let range = json!({"from": "2026-01-25T00:00:00Z", "to": "2026-01-26T00:00:00Z", "bucket": "hour"});
    let sums = world.analytics(range).await.expect(200);
    let resolved: i64 =
        sums["buckets"].as_array().unwrap().iter().map(|hour| hour["resolved"].as_i64().unwrap()).sum();
    assert_eq!((resolved, &sums["incidents"], sums["buckets"].as_array().unwrap().len()), (1, &json!(0), 24));
    assert_eq!(sums["alerts_per_incident"], Value::Null);
    for (from, to, bucket) in [
        ("2026-01-24T00:00:00Z", "2026-01-24T00:00:00Z", "day"),
        ("2024-01-24T00:00:00Z", "2026-01-24T00:00:00Z", "day"),
        ("2026-01-24T00:00:00Z", "2026-06-24T00:00:00Z", "hour"),
        ("2026-01-24T00:00:00Z", "2026-01-25T00:00:00Z", "minute"),
        ("0001-06-01T00:00:00Z", "0001-06-02T00:00:00Z", "day"),
    ] {
        world.analytics(json!({"from": from, "to": to, "bucket": bucket})).await.expect(422);
    }
}
