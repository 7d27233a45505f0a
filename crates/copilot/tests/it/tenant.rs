//! What an organisation decides about itself.

use reqwest::Method;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::world::World;

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
