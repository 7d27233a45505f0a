//! Lists narrowed by owner, labels and words.

use axum::http::HeaderMap;
use outbox::on_tx;
use serde_json::json;

use super::world::World;
use crate::ids::IncidentId;

#[tokio::test]
async fn a_list_is_narrowed_by_owner_and_labels() {
    let world = World::new().await;
    for (title, labels) in [
        ("shop", json!({"team": "shop", "cluster": "eu-1"})),
        ("pay", json!({"team": "pay", "cluster": "eu-1", "note": "shop", "_": "-"})),
        ("bare", json!({})),
    ] {
        let id = world.create(json!({"title": title, "labels": labels})).await.expect(201)["id"].clone();
        if title == "pay" {
            let mine = json!({"assigned_to": world.user});
            world.patch(id.as_str().unwrap(), HeaderMap::new(), mine).await.expect(200);
        }
    }
    let mine = format!("assigned_to={}", world.user);
    let mail = format!("assigned_to={}%40Shop.example", world.user);
    for (query, expected) in [
        ("assigned_to=me", &["pay"][..]),
        (&mine, &["pay"]),
        (&mail, &["pay"]),
        ("assigned_to=nobody%40example.com", &[]),
        ("assigned_to=me&service_name=none", &[]),
        ("assigned_to=me&q=pay", &["pay"]),
        ("assigned_to=me&q=shop&sort=needs_me", &["pay"]),
        ("assigned_to=none", &["bare", "shop"]),
        ("assigned_to=none&open=true&sort=needs_me", &["bare", "shop"]),
        ("assigned_to=none&q=shop", &["shop"]),
        ("label=team%3Dshop", &["shop"]),
        ("label=cluster%3Deu-1", &["pay", "shop"]),
        ("label=cluster%3Deu-1&label=team%3Dpay", &["pay"]),
        ("label=cluster%3Deu", &[]),
        ("label=team%3Dpay&label=team%3Dshop", &[]),
        ("label=_%3D-", &["pay"]),
        ("label=_%3D-&open=true&sort=needs_me", &["pay"]),
        ("label=cluster%3Deu-1&assigned_to=none&sort=detected_at", &["shop"]),
    ] {
        assert_eq!(world.titles(query).await, expected, "{query}");
    }
    for refused in ["assigned_to=ana", "label=team", "label=team%3Dx&still_firing=true"] {
        world.list(refused).await.expect(422);
    }
    let pay = world.titles("q=pay").await;
    assert_eq!(pay, ["pay"]);
    world.patch("INC-2", HeaderMap::new(), json!({"assigned_to": null})).await.expect(200);
    assert_eq!(world.titles("assigned_to=me").await, [""; 0]);
    assert_eq!(world.titles("assigned_to=me&q=pay").await, [""; 0], "the index follows");
}

#[tokio::test]
async fn a_search_finds_every_text_as_it_was_written() {
    let world = World::new().await;
    for title in ["Überlast in Köln", "disk at 100%", r"C:\temp is full", "a_b"] {
        world.opened(title).await;
    }
    world.create(json!({"title": "labelled", "labels": {"region": "eu-west-1"}})).await.expect(201);
    for (query, expected) in [
        ("q=%C3%9Cberlast", "Überlast in Köln"),
        ("q=k%C3%B6LN", "Überlast in Köln"),
        ("q=%C3%BCBERLAST", "Überlast in Köln"),
        ("q=K%C3%96LN", "Überlast in Köln"),
        ("q=100%25", "disk at 100%"),
        (r"q=c:\temp", r"C:\temp is full"),
        ("q=a_b", "a_b"),
        ("q=eu-west-1", "labelled"),
    ] {
        assert_eq!(world.titles(query).await, [expected], "{query}");
    }
}

#[tokio::test]
async fn a_search_finds_what_people_wrote() {
    let world = World::new().await;
    let [id, other] = [world.opened("slow").await, world.opened("other").await];
    world.comment(&id, json!({"body": "the Resolver timed out"})).await.expect(201);
    world.comment(&id, json!({"body": "again in zurich"})).await.expect(201);
    let written = json!({"root_cause": "expired certificate", "resolution_summary": "renewed by hand"});
    world.patch(&id, HeaderMap::new(), written).await.expect(200);
    for query in ["q=resolver", "q=zurich", "q=certificate", "q=renewed", "q=slow+resolver+certificate+zur"] {
        assert_eq!(world.titles(query).await, ["slow"], "{query}");
    }
    world.set_state(&id, "acknowledged").await.expect(200);
    assert_eq!(world.titles("q=resolver&state=acknowledged").await, ["slow"]);
    world.patch(&id, HeaderMap::new(), json!({"root_cause": null})).await.expect(200);
    assert!(world.titles("q=certificate").await.is_empty());
    world.merge(&id, &other).await.expect(200);
    assert!(world.titles("q=resolver").await.contains(&"other".to_owned()));
}

/// Accepts an alert of checkout about one of its hosts.
async fn fails(world: &World, host: &str, summary: &str) -> String {
    let labels = json!({"alertname": "Down", "service": "checkout", "severity": "high", "host": host});
    let (now, annotations) = (world.clock.now(), json!({"summary": summary, "description": "see Runbook7"}));
    let ends_at = now.plus_seconds(240);
    world
        .send(&json!([{"labels": labels, "annotations": annotations, "startsAt": now, "endsAt": ends_at}]))
        .await
}

/// The words of alerts that an incident keeps.
async fn kept(world: &World, id: &str) -> Option<String> {
    let (tenant, id): (_, IncidentId) = (world.member.tenant, id.parse().unwrap());
    let mut tx = world.db().read(tenant.0).await.unwrap();
    on_tx!(tx, c => sqlx::query_scalar("select alert_words from incidents where tenant_id = $1 and id = $2")
        .bind(tenant).bind(id).fetch_one(c).await)
    .unwrap()
}

#[tokio::test]
async fn a_search_finds_an_incident_by_every_alert_of_it() {
    let world = World::new().await;
    let id = fails(&world, "db-amber", "first is down").await;
    assert_eq!(kept(&world, &id).await, None, "its own texts say all of it");
    for (host, summary) in [("db-cobalt", "Second is out"), ("Ödland9", "third is down")] {
        assert_eq!(fails(&world, host, summary).await, id);
    }
    assert_eq!(kept(&world, &id).await.unwrap(), "Second out cobalt third Ödland9");
    fails(&world, "db-cobalt", "Second is out").await;
    assert_eq!(kept(&world, &id).await.unwrap(), "Second out cobalt third Ödland9", "nothing new");
    for query in ["q=cobalt", "q=SECOND", "q=%C3%B6dland9", "q=amber+cobalt+third", "q=runbook7", "q=cobal"] {
        assert_eq!(world.titles(query).await, ["first is down"], "{query}");
    }
    assert_eq!(world.titles("q=cobalt&state=detected&severity=high").await, ["first is down"]);
    assert!(world.titles("q=cobalt+nothing").await.is_empty());
    let other = world.opened("other").await;
    world.merge(&id, &other).await.expect(200);
    assert_eq!(world.titles("q=cobalt+other").await, ["other"], "whose alerts they are now");
}

#[tokio::test]
async fn what_a_storm_adds_to_an_incident_is_bounded() {
    let world = World::new().await;
    let id = fails(&world, "first", "down").await;
    for number in 0..12 {
        let summary: Vec<String> = (0..30).map(|word| format!("word{number}x{word}")).collect();
        fails(&world, &format!("host{number}"), &summary.join(" ")).await;
    }
    let kept = kept(&world, &id).await.unwrap();
    assert!((1_900..=2_000).contains(&kept.len()), "{}", kept.len());
    assert_eq!(world.titles("q=word3x7").await, ["down"]);
}
