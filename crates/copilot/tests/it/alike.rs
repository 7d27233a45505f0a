//! What several routes take is answered alike by all of them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::world::{World, text};

/// The paths of the document that have this method, with the operation.
fn operations(document: &Value, method: &str) -> Vec<(String, Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths.filter_map(|(path, item)| Some((path.clone(), item.get(method)?.clone()))).collect()
}

#[tokio::test]
async fn a_change_of_nothing_changes_nothing() {
    let world = World::new().await;
    let document = world.get("/api/v1/openapi.json").await;
    let hook = world.integration("alertmanager", json!({})).await;
    let incident = world.post("/api/v1/incidents", json!({"title": "by hand"})).await.expect(201);
    let me = Browser::owner(&world).await.get("/api/v1/auth/me").await.expect(200);
    let channel = json!({"kind": "webhook", "name": "on-call", "url": "http://nobody.invalid/"});
    let channels = format!("/api/v1/projects/{}/notification-channels", world.project);
    let channel = world.post(&channels, channel).await.expect(201);
    let names = [
        ("{project_id}", world.project.clone()),
        ("{integration_id}", hook.id.clone()),
        ("{incident_id}", text(&incident["id"])),
        ("{channel_id}", text(&channel["id"])),
        ("{user_id}", text(&me["user"]["id"])),
    ];
    let routes = operations(&document, "patch");
    assert!(routes.len() >= 6, "{}", routes.len());
    for (path, _) in routes {
        let path = names.iter().fold(path, |path, (name, id)| path.replace(name, id));
        let one = world.call(Method::PATCH, &path, Some(json!({}))).await.expect(200);
        let again = world.call(Method::PATCH, &path, Some(json!({}))).await.expect(200);
        assert_eq!(one, again, "{path}");
        if path.contains("/incidents/") {
            assert_eq!(one["version"], incident["version"], "{path}");
        }
    }
    let state = format!("/api/v1/incidents/{}/state", names[2].1);
    let refused = world.call(Method::PATCH, &state, Some(json!({"comment": "why"}))).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "state");
    let done = world.get("/api/v1/audit").await.to_string();
    for action in [
        "project.renamed",
        "member.role_changed",
        "integration.changed",
        "notification_channel.changed",
        "tenant.changed",
    ] {
        assert!(!done.contains(action), "{action}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_time_that_ends_before_it_begins_is_refused() {
    let world = World::new().await;
    let document = world.get("/api/v1/openapi.json").await;
    let takes = |operation: &Value, name: &str| {
        operation["parameters"].as_array().into_iter().flatten().any(|one| one["name"] == name)
    };
    let mut routes = operations(&document, "get");
    routes.retain(|(_, operation)| takes(operation, "from") && takes(operation, "to"));
    assert!(routes.len() >= 4, "{}", routes.len());
    for (path, _) in routes {
        let path = format!("{path}?from=2026-01-25T00:00:00Z&to=2026-01-24T00:00:00Z");
        let refused = world.call(Method::GET, &path, None).await.expect(422);
        let fields: Vec<&Value> =
            refused["errors"].as_array().unwrap().iter().map(|one| &one["field"]).collect();
        assert_eq!(fields, ["from"], "{path}");
    }
    world.end().await;
}
