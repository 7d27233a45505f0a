//! What is let go of when its time is over, and what is not.

use std::time::Duration;

use copilot::ai::Model;
use copilot::server::{self, Start};
use copilot::service::Service;
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::notify::receiver::Receiver;
use crate::notify::{channel, listed, looked};
use crate::world::{NOON, World, alert, text};

const DAY_S: f64 = 86_400.0;

/// How long retention may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The tables that only grew.
const TABLES: [&str; 5] = ["receipts", "deliveries", "invitations", "spooled", "jobs"];

/// How many rows of the tenant there are in each of [`TABLES`].
async fn rows(world: &World) -> [i64; 5] {
    let mut tx = world.server.app.db.read(world.tenant.parse().unwrap()).await.unwrap();
    let mut counts = [0; 5];
    for (count, table) in counts.iter_mut().zip(TABLES) {
        let counted = format!("select count(*) from {table}");
        *count = outbox::on_tx!(tx, c => {
            sqlx::query_scalar(sqlx::AssertSqlSafe(counted)).fetch_one(c).await
        })
        .unwrap();
    }
    counts
}

/// Moves the clock, and has another process over the same database begin its work until `done`.
pub async fn passes(world: &World, days: f64, done: impl AsyncFn() -> bool) {
    world.clock.advance(days * DAY_S);
    let mut config = world.server.app.config.clone();
    config.gateway_listen = "127.0.0.1:0".to_owned();
    let clock = world.clock.clone();
    let services = vec![Service::Auth, Service::Incident, Service::Integration];
    let start = Start { config, services, clock, metrics: None, model: Some(Model::none()) };
    let other = server::start(start).await.unwrap();
    let waited = async {
        while !done().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waited).await.unwrap_or_default();
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_outlive_their_bodies_and_then_go_with_what_else_is_over() {
    let world = World::new().await;
    let hook = world.integration("alertmanager", json!({})).await;
    let noon = outbox::Ts::from_micros(NOON * 1_000_000);
    let stored = hook.send_json(&alert("A", "shop", "firing", noon, None)).await.expect(200);
    hook.send("{").await.expect(400);
    world.post("/api/v1/auth/invitations", json!({"email": "b@shop.example", "role": "viewer"})).await;
    world.settle().await;
    let mut tx = world.server.app.db.begin(world.tenant.parse().unwrap()).await.unwrap();
    let tenant: Uuid = world.tenant.parse().unwrap();
    outbox::on_tx!(tx, c => sqlx::query("insert into spooled (tenant_id, id, stored_at) values ($1, $2, $3)")
        .bind(tenant).bind(Uuid::now_v7()).bind(noon).execute(c).await.map(drop))
    .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(rows(&world).await, [1, 1, 1, 1, 0], "a finished job is none");

    let path = format!("/api/v1/projects/{}/deliveries/{}", world.project, text(&stored["delivery_id"]));
    let body = async || world.get(&path).await["body"].clone();
    passes(&world, 31.0, async || body().await == Value::Null).await;
    assert_eq!((body().await, rows(&world).await[..2].to_vec()), (Value::Null, vec![1, 1]));
    passes(&world, 60.0, async || rows(&world).await == [0; 5]).await;
    assert_eq!(rows(&world).await, [0; 5]);
    let gone = world.call(reqwest::Method::GET, &path, None).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_goes_after_thirty_days() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let (path, _) = channel(&world, &receiver, "webhook", json!({})).await;
    let opened = world.post("/api/v1/incidents", json!({"title": "long ago", "severity": "high"})).await;
    let id = text(&opened.expect(201)["id"]);
    looked(&world).await;
    let state = format!("/api/v1/incidents/{id}/state");
    world.call(reqwest::Method::PATCH, &state, Some(json!({"state": "resolved"}))).await.expect(200);
    looked(&world).await;
    let kept = async || {
        let mut tx = world.server.app.db.read(world.tenant.parse().unwrap()).await.unwrap();
        let marks: i64 =
            outbox::on_tx!(tx, c => sqlx::query_scalar("select count(*) from notification_marks")
            .fetch_one(c).await)
            .unwrap();
        (listed(&world, &path).await.len(), marks)
    };
    assert_eq!(kept().await, (2, 1));
    passes(&world, 29.0, async || kept().await == (0, 0)).await;
    assert_eq!(kept().await, (2, 1));
    passes(&world, 2.0, async || kept().await == (0, 0)).await;
    assert_eq!(kept().await, (0, 0));
    world.end().await;
}
