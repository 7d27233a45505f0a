//! Likely causes, and what becomes of many alerts at PagerDuty.

use outbox::{NewEvent, Stream, on_tx};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::receiver::Receiver;
use super::{channel, later, looked};
use crate::world::{World, text};

/// Ends an analysis of an incident with one hypothesis, as the service ai does.
async fn explained(
    world: &World,
    incident: &str,
    status: &str,
    (claim, metric): (&str, &str),
    confidence: f64,
) {
    let (tenant, incident): (Uuid, Uuid) = (world.tenant.parse().unwrap(), incident.parse().unwrap());
    let (analysis, hypothesis) = (Uuid::now_v7(), Uuid::now_v7());
    let mut tx = world.server.app.db.begin(tenant).await.unwrap();
    let now = tx.now();
    let version: i64 = on_tx!(tx, c => sqlx::query_scalar(
        "select coalesce(max(version), 0) + 1 from analyses where tenant_id = $1 and incident_id = $2")
        .bind(tenant).bind(incident).fetch_one(c).await)
    .unwrap();
    on_tx!(tx, c => sqlx::query(
        "insert into analyses (tenant_id, id, incident_id, version, status, engine, checked, created_at)
         values ($1, $2, $3, $4, $5, 'statistical', $6, $7)")
        .bind(tenant).bind(analysis).bind(incident).bind(version).bind(status).bind(sqlx::types::Json(json!([])))
        .bind(now).execute(c).await.map(drop)).unwrap();
    on_tx!(tx, c => sqlx::query(
        "insert into hypotheses (tenant_id, id, incident_id, analysis_id, rank, claim, description, confidence_score,
             confidence_lower, confidence_upper, suspected_service, suspected_metric, supporting_evidence,
             contradicting_evidence, next_checks, engine, created_at)
         values ($1, $2, $3, $4, 1, $5, '', $6, $6, $6, 'cart', $7, $8, $9, $9, 'statistical', $10)")
        .bind(tenant).bind(hypothesis).bind(incident).bind(analysis).bind(claim).bind(confidence).bind(metric)
        .bind(sqlx::types::Json(json!([Uuid::now_v7(), Uuid::now_v7()]))).bind(sqlx::types::Json(json!([])))
        .bind(now).execute(c).await.map(drop)).unwrap();
    let data = json!({"incident_id": incident, "analysis_id": analysis, "status": status, "count": 1,
        "top": {"claim": claim, "confidence_score": confidence}});
    let stream = Stream { owner: tenant, id: world.project.parse().unwrap() };
    tx.append(stream, NewEvent { kind: "hypothesis.generated", data });
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_likely_cause_is_told_once_with_what_it_is_built_on() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    channel(&world, &receiver, "webhook", json!({})).await;
    let opened =
        world.post("/api/v1/incidents", json!({"title": "slow", "severity": "high"})).await.expect(201);
    let id = text(&opened["id"]);
    world.settle().await;
    looked(&world).await;
    assert_eq!(receiver.taken().len(), 1, "an analysis that found nothing is not told");
    for (status, claim, metric, confidence) in [
        ("completed", "it may be the pool", "pool", 0.49),
        ("inconclusive", "it is the pool", "pool", 0.9),
        ("completed", "the pool of cart is full since 12:01", "pool", 0.82),
        ("completed", "the pool of cart is full since 12:02", "pool", 0.85),
    ] {
        explained(&world, &id, status, (claim, metric), confidence).await;
        looked(&world).await;
    }
    let got = receiver.taken();
    assert_eq!(got.len(), 2, "{got:#?}");
    let body = got[1].body();
    assert_eq!(body["type"], "incident.cause");
    let cause = json!({"claim": "the pool of cart is full since 12:01", "confidence": 0.82, "evidence": 2, "service_name": "cart"});
    assert_eq!(body["data"]["cause"], cause);
    explained(&world, &id, "completed", ("the disk of cart is slow", "disk"), 0.7).await;
    looked(&world).await;
    assert_eq!(receiver.taken().len(), 3, "another cause is news");
    let path = format!("/api/v1/incidents/{id}/state");
    world.call(Method::PATCH, &path, Some(json!({"state": "resolved"}))).await.expect(200);
    explained(&world, &id, "completed", ("the network", "net"), 0.9).await;
    looked(&world).await;
    let last = receiver.taken().pop().unwrap();
    assert_eq!((receiver.taken().len(), &last.body()["type"]), (4, &json!("incident.resolved")));
    world.end().await;
}

#[tokio::test]
async fn many_incidents_are_one_alert_until_all_of_them_are_over() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    receiver.answers(202, "{\"status\":\"success\"}", None);
    channel(&world, &receiver, "pagerduty", json!({})).await;
    let open = async |title: &str| {
        let body = json!({"title": title, "severity": "high"});
        text(&world.post("/api/v1/incidents", body).await.expect(201)["id"])
    };
    open("alone").await;
    receiver.hears(1).await;
    let mut many = Vec::new();
    for n in 0..5 {
        many.push(open(&format!("together {n}")).await);
    }
    later(&world, 11.0).await;
    let actions = || -> Vec<(String, String)> {
        let body = |got: &super::receiver::Got| got.body();
        let of = |body: Value| (text(&body["event_action"]), text(&body["dedup_key"]));
        receiver.taken().iter().map(body).map(of).collect()
    };
    receiver.hears(2).await;
    let (action, storm) = actions().pop().unwrap();
    assert!(action == "trigger" && storm.starts_with("sre-copilot/many/"), "{action} {storm}");
    for (at, id) in many.iter().enumerate() {
        let path = format!("/api/v1/incidents/{id}/state");
        world.call(Method::PATCH, &path, Some(json!({"state": "resolved"}))).await.expect(200);
        looked(&world).await;
        let over = if at == 4 { 3 } else { 2 };
        assert_eq!(actions().len(), over, "{:?}", actions());
    }
    assert_eq!(actions().pop(), Some(("resolve".to_owned(), storm)));
    world.end().await;
}

#[tokio::test]
async fn a_project_that_is_deleted_tells_nobody() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let ana = crate::browser::Browser::owner(&world).await;
    let made = ana.page(Method::POST, "/api/v1/projects", Some(json!({"name": "doomed"}))).await.expect(201);
    let path = format!("/api/v1/projects/{}", text(&made["id"]));
    let body = json!({"kind": "slack", "name": "a", "url": receiver.url});
    ana.page(Method::POST, &format!("{path}/notification-channels"), Some(body)).await.expect(201);
    ana.page(Method::DELETE, &path, None).await.expect(204);
    let mut tx = world.server.app.db.read(world.tenant.parse().unwrap()).await.unwrap();
    let left: i64 =
        on_tx!(tx, c => sqlx::query_scalar("select count(*) from notification_channels").fetch_one(c).await)
            .unwrap();
    assert_eq!(left, 0);
    drop(tx);
    world.end().await;
}
