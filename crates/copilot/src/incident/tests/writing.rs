//! Opening, changing, moving and commenting.

use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::world::{World, headers};

fn none() -> HeaderMap {
    HeaderMap::new()
}

#[tokio::test]
async fn a_person_opens_an_incident_and_is_told_where_it_is() {
    let world = World::new().await;
    let made = world.create(json!({"title": " Checkout is slow ", "labels": {"region": "eu"}})).await;
    let id = made.body["id"].as_str().unwrap().to_owned();
    assert_eq!(made.header("location"), format!("/api/v1/incidents/{id}"));
    assert!(made.header("etag").starts_with("\"1-"), "{}", made.header("etag"));
    let incident = made.expect(201);
    let shown =
        ["title", "state", "severity", "source", "number", "open", "labels"].map(|name| &incident[name]);
    let expected = json!(["Checkout is slow", "detected", "medium", "manual", 1, true, {"region": "eu"}]);
    assert_eq!(json!(shown), expected);
    assert_eq!(incident["analysis"]["status"], "queued");
    let steps = world.all(&id, "steps", 1).await;
    assert_eq!((&steps[0]["step_type"], &steps[0]["actor"]), (&json!("incident_created"), &json!("Ana Lee")));
    assert_eq!(world.events().await, ["incident.created"]);
}

#[tokio::test]
async fn what_a_sender_wrote_at_length_may_be_sent_back_unchanged() {
    let world = World::new().await;
    let service = "s".repeat(400);
    let id = world.alert("Slow", &service, "high", "firing").await;
    let shown = world.one(&id).await;
    assert_eq!(shown["service_name"], json!(service));
    world.patch(&id, none(), shown).await.expect(200);
    world.patch(&id, none(), json!({"service_name": "t".repeat(201)})).await.expect(422);
    world.patch(&id, none(), json!({"service_name": "\u{202e}"})).await.expect(422);
    world.patch(&id, none(), json!({"service_name": null})).await.expect(200);
}

#[tokio::test]
async fn texts_are_accepted_up_to_their_limits() {
    let world = World::new().await;
    let long = |count: usize| "😀".repeat(count);
    for (body, status) in [
        (json!({"title": long(200)}), 201),
        (json!({"title": long(201)}), 422),
        (json!({"title": ""}), 422),
        (json!({"title": " \t\n"}), 422),
        (json!({"title": "nul \u{0}"}), 422),
        (json!({"title": "t", "description": long(20_000)}), 201),
        (json!({"title": "t", "description": long(20_001)}), 422),
        (json!({"title": "t", "description": "\u{0}"}), 422),
        (json!({"title": "t", "service_name": long(200)}), 201),
        (json!({"title": "t", "service_name": long(201)}), 422),
        (json!({"title": "t", "service_name": " "}), 422),
        (json!({"title": "t", "severity": "terrible"}), 422),
        (json!({"title": "t", "labels": {"": "v"}}), 422),
        (json!({"title": "t", "labels": {"k": long(5_001)}}), 422),
        (json!({"title": "t", "labels": {"k\u{0}": "v"}}), 422),
        (json!({"title": "t", "labels": {"k": "\u{0}"}}), 422),
        (json!(null), 422),
        (json!([]), 422),
    ] {
        let answer = world.create(body.clone()).await;
        assert_eq!(answer.status, status, "{} for {body}", answer.body);
    }
    let labels =
        |count: usize| (0..count).map(|n| (n.to_string(), json!(""))).collect::<serde_json::Map<_, _>>();
    world.create(json!({"title": "t", "labels": labels(64)})).await.expect(201);
    world.create(json!({"title": "t", "labels": labels(65)})).await.expect(422);
    let id = world.opened("t").await;
    for (body, status) in [
        (json!({"body": long(5_000)}), 201),
        (json!({"body": long(5_001)}), 422),
        (json!({"body": "  \n"}), 422),
        (json!({"body": "nul \u{0}"}), 422),
        (json!({}), 422),
    ] {
        let answer = world.comment(&id, body).await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
    for body in [json!({"service_name": " "}), json!({"title": " "}), json!({"root_cause": "\u{0}"})] {
        world.patch(&id, none(), body).await.expect(422);
    }
}

/// Who sends back what was read changes nothing, and who means to move it learns where.
#[tokio::test]
async fn a_state_is_not_changed_beside_the_others() {
    let world = World::new().await;
    let id = world.opened("Slow").await;
    for beside in [json!({"state": "detected"}), json!({"state": "resolved", "title": "Slower"})] {
        let same = world.patch(&id, none(), beside).await.expect(200);
        assert_eq!(same["state"], "detected");
    }
    let refused = world.patch(&id, none(), json!({"state": "resolved"})).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "state", "{refused}");
    let mistaken = serde_json::from_value::<crate::incident::write::Move>(json!({"status": "resolved"}));
    assert!(mistaken.is_err());
}

#[tokio::test]
async fn a_change_is_recorded_field_by_field_in_one_version_and_one_event() {
    let world = World::new().await;
    let id = world.opened("Slow").await;
    let change =
        json!({"title": " Slower ", "severity": "high", "assigned_to": world.user, "root_cause": "a deploy"});
    let changed = world.patch(&id, headers("if-match", "\"1\""), change).await.expect(200);
    let shown = ["title", "severity", "assigned_to_name", "root_cause", "version"].map(|name| &changed[name]);
    assert_eq!(json!(shown), json!(["Slower", "high", "Ana Lee", "a deploy", 2]));
    let counts = world.step_counts(&id).await;
    let expected = [("assigned", 1), ("field_changed", 2), ("incident_created", 1), ("severity_changed", 1)];
    assert_eq!(counts, expected.map(|(step, count)| (step.to_owned(), count)).into());
    let cleared =
        world.patch(&id, none(), json!({"assigned_to": null, "root_cause": null})).await.expect(200);
    assert_eq!((&cleared["assigned_to"], &cleared["root_cause"]), (&Value::Null, &Value::Null));
    assert_eq!(world.events().await.len(), 3);
    let stranger = json!({"assigned_to": crate::ids::UserId::new()});
    world.patch(&id, none(), stranger).await.expect(422);
}

#[tokio::test]
async fn a_stale_change_is_refused_and_an_empty_one_changes_nothing() {
    let world = World::new().await;
    let (id, other) = (world.opened("Slow").await, world.opened("Slower").await);
    for tag in ["\"2\"", "W/\"1\"", "1", "", "\"0\", \"2\""] {
        world.patch(&id, headers("if-match", tag), json!({"title": "x"})).await.expect(412);
        world.set_state_if(&id, headers("if-match", tag), "acknowledged").await.expect(412);
        world.merge_if(&id, headers("if-match", tag), &other).await.expect(412);
    }
    for tag in ["\"1\"", "*", "\"9\", \"1\""] {
        let same = world.patch(&id, headers("if-match", tag), json!({"title": "Slow"})).await.expect(200);
        assert_eq!(same["version"], 1, "{tag}");
    }
    assert_eq!(world.events().await, ["incident.created"; 2]);
    world.set_state_if(&id, headers("if-match", "\"1\""), "acknowledged").await.expect(200);
    world.merge_if(&id, headers("if-match", "\"2\""), &other).await.expect(200);
}

#[tokio::test]
async fn null_is_absent_for_what_may_be_and_clears_only_what_can_be_empty() {
    let world = World::new().await;
    let all =
        json!({"title": "Slow", "description": null, "labels": null, "severity": null, "service_name": null});
    let id = world.create(all).await.expect(201)["id"].as_str().unwrap().to_owned();
    world.patch(&id, none(), json!({"description": "x"})).await.expect(200);
    let cleared = world.patch(&id, none(), json!({"description": null})).await.expect(200);
    assert_eq!(cleared["description"], "");
    for field in ["title", "severity"] {
        let refused = world.patch(&id, none(), json!({field: null})).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], field);
    }
    assert_eq!(world.one(&id).await["title"], "Slow");
}

#[tokio::test]
async fn everything_sent_back_with_another_owner_changes_nothing() {
    let world = World::new().await;
    let id = world.opened("Slow").await;
    world.patch(&id, none(), json!({"assigned_to": world.user})).await.expect(200);
    world.leave().await;
    let mut whole = world.one(&id).await;
    let before = whole.clone();
    for (name, value) in [
        ("id", json!(crate::ids::IncidentId::new())),
        ("tenant_id", json!(crate::ids::TenantId::new())),
        ("project_id", json!(crate::ids::ProjectId::new())),
        ("number", json!(999)),
        ("state", json!("learned")),
        ("role", json!("owner")),
        ("created_by", json!("eve")),
        ("cost", json!(0)),
        ("version", json!(77)),
    ] {
        whole[name] = value;
    }
    world.patch(&id, none(), whole).await.expect(200);
    assert_eq!(world.one(&id).await, before);
}

#[tokio::test]
async fn twenty_equal_moves_are_one_change_and_one_event() {
    let world = World::new().await;
    let id = world.opened("Slow").await;
    let moves = (0..20).map(|_| world.set_state(&id, "acknowledged"));
    let answers = futures_util::future::join_all(moves).await;
    let (moved, late): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((moved.len(), &moved[0].body["version"]), (1, &json!(2)));
    for answer in late {
        let refused = answer.expect(409);
        assert_eq!(refused["detail"], "it is acknowledged already");
        assert_eq!(refused["legal"][0], "investigating");
    }
    assert_eq!(world.events().await, ["incident.created", "incident.updated"]);
    assert_eq!(world.step_counts(&id).await["state_changed"], 1);
    let illegal = world.set_state(&id, "detected").await.expect(409);
    assert_eq!(illegal["legal"], json!(["investigating", "mitigated", "resolved", "inconclusive"]));
}

#[tokio::test]
async fn a_new_analysis_is_asked_for_when_a_person_reopens_and_not_when_they_learn() {
    let world = World::new().await;
    let id = world.opened("Slow").await;
    world.explained(&id, &[]).await;
    world.set_state(&id, "resolved").await.expect(200);
    let reopened = world.set_state(&id, "investigating").await.expect(200);
    assert_eq!((&reopened["resolved_at"], &reopened["open"]), (&Value::Null, &json!(true)));
    assert_eq!(world.analyses().await.len(), 2);
    world.explained(&id, &[]).await;
    world.set_state(&id, "resolved").await.expect(200);
    world.set_state(&id, "learned").await.expect(200);
    assert_eq!(world.analyses().await.len(), 2);
}

#[tokio::test]
async fn an_incident_is_not_reopened_beside_another_of_its_alerts() {
    let world = World::new().await;
    let first = world.alert("Slow", "checkout", "high", "firing").await;
    world.clock.advance(60.0);
    world.alert("Slow", "checkout", "high", "resolved").await;
    world.clock.advance(3_600.0);
    let second = world.alert_again("Slow", "checkout").await;
    assert_ne!(first, second);
    let refused = world.set_state(&first, "investigating").await.expect(409);
    assert!(refused["detail"].as_str().unwrap().contains("another incident"), "{refused}");
    assert_eq!(world.one(&first).await["state"], "resolved");
}

#[tokio::test]
async fn the_author_of_a_comment_is_its_sender() {
    let world = World::new().await;
    let id = world.opened("Slow").await;
    let said = json!({"body": "I look", "author_id": crate::ids::UserId::new(), "author_name": "Eve"});
    let comment = world.comment(&id, said).await.expect(201);
    assert_eq!((&comment["author_id"], &comment["author_name"]), (&json!(world.user), &json!("Ana Lee")));
    for number in 1..5 {
        world.clock.advance(1.0);
        world.comment(&id, json!({"body": number.to_string()})).await.expect(201);
    }
    let bodies: Vec<_> = world.all(&id, "comments", 2).await.iter().map(|row| row["body"].clone()).collect();
    assert_eq!(bodies, ["I look", "1", "2", "3", "4"]);
    assert_eq!(world.step_counts(&id).await["comment_added"], 5);
}
