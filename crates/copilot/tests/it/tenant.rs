//! What an organisation decides about itself.

use reqwest::Method;
use serde_json::{Value, json};

use crate::browser::{Browser, join};
use crate::world::{World, read, text};

#[tokio::test]
async fn an_owner_turns_the_model_off_for_the_organisation() {
    let world = World::new().await;
    let shown = world.get("/api/v1/tenant").await;
    assert_eq!((&shown["llm_enabled"], &shown["llm_model"]), (&json!(true), &Value::Null));
    let owner = Browser::owner(&world).await;
    let change = json!({"llm_enabled": false});
    let changed = owner.page(Method::PATCH, "/api/v1/tenant", Some(change)).await.expect(200);
    assert_eq!(changed["llm_enabled"], false);
    owner.page(Method::PATCH, "/api/v1/tenant", Some(json!({}))).await.expect(200);
    assert_eq!(world.get("/api/v1/tenant").await["llm_enabled"], false);
    for bad in [json!({"llm_enabled": null}), json!({"llm_enabled": "no"})] {
        owner.page(Method::PATCH, "/api/v1/tenant", Some(bad)).await.expect(422);
    }
    let audit = owner.get("/api/v1/audit?limit=200").await.expect(200);
    let entries =
        audit["items"].as_array().unwrap().iter().filter(|entry| entry["action"] == "tenant.changed");
    assert_eq!(entries.count(), 1, "what changes nothing is no entry");
    world.end().await;
}

#[tokio::test]
async fn whoever_adds_a_project_does_not_decide_for_the_organisation() {
    let world = World::new().await;
    let ana = Browser::owner(&world).await;
    let mut bob = join(&world, "bob@shop.example", "admin").await;
    let own = bob.page(Method::POST, "/api/v1/projects", Some(json!({"name": "own"}))).await.expect(201);
    bob.visit("/api/v1/auth/switch-project", json!({"project_id": own["id"]})).await.expect(200);
    let off = json!({"llm_enabled": false});
    bob.page(Method::PATCH, "/api/v1/tenant", Some(off.clone())).await.expect(403);
    let key = json!({"name": "k", "role": "owner"});
    let keys = format!("/api/v1/projects/{}/api-keys", text(&own["id"]));
    let key = text(&bob.page(Method::POST, &keys, Some(key)).await.expect(201)["key"]);
    let change = world.http.patch(format!("{}/api/v1/tenant", world.base)).bearer_auth(key).json(&off);
    read(change.send().await.unwrap()).await.expect(403);
    assert_eq!(world.get("/api/v1/tenant").await["llm_enabled"], true);
    // The founder decides wherever she is the owner, and so does a key of the first project.
    let mut ana = ana;
    let second =
        ana.page(Method::POST, "/api/v1/projects", Some(json!({"name": "second"}))).await.expect(201);
    ana.visit("/api/v1/auth/switch-project", json!({"project_id": second["id"]})).await.expect(200);
    ana.page(Method::PATCH, "/api/v1/tenant", Some(off)).await.expect(200);
    world.call(Method::PATCH, "/api/v1/tenant", Some(json!({"llm_enabled": true}))).await.expect(200);
    world.end().await;
}
