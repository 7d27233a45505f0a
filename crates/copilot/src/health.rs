//! What a supervisor and a Prometheus ask every service's port.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use outbox::{on_tx, sabotage};

use crate::app::App;
use crate::error::{Error, Result};

/// How long the database may take to answer: who asks wants the truth within 2 s.
const PATIENCE: Duration = Duration::from_millis(1500);

/// How long to wait before a database that did not answer is asked again.
const PAUSE: Duration = Duration::from_millis(50);

/// `/-/healthy`, `/-/ready` and `/metrics` of a port, which may be the one of webhooks.
pub fn routes(of_webhooks: bool) -> Router<App> {
    Router::new()
        .route("/-/healthy", get(healthy))
        .route("/-/ready", get(move |State(app): State<App>| async move { ready(&app, of_webhooks).await }))
        .route("/metrics", get(metrics))
}

/// Answers 200 as long as the process answers at all: no other process makes it worth a restart.
async fn healthy(State(app): State<App>) -> Result<&'static str> {
    if sabotage::broken("healthy-asks-the-database") {
        return ready(&app, false).await;
    }
    Ok("healthy\n")
}

/// Answers 200 while the database answers and no stop was asked for. The port of webhooks is ready without a database too, if
/// there is a spool: a balancer that took it out would lose what Grafana never sends again.
async fn ready(app: &App, of_webhooks: bool) -> Result<&'static str> {
    if app.stop.is_cancelled() {
        return Err(Error::Unavailable("unavailable", "stopping"));
    }
    if sabotage::broken("ready-always") {
        return Ok("ready\n");
    }
    if tokio::time::timeout(PATIENCE, database_answers(app)).await.is_err() {
        if of_webhooks && app.spool.is_on() {
            return Ok("ready, degraded: the database does not answer; webhooks are taken into the spool\n");
        }
        return Err(Error::Unavailable("unavailable", "the database does not answer"));
    }
    if app.spool.is_behind() {
        return Ok("ready, degraded: webhooks wait in the spool\n");
    }
    let apart = app.redis.is_configured() && !app.redis.is_up();
    Ok(if apart { "ready, degraded: Redis does not answer\n" } else { "ready\n" })
}

/// Asks until there is an answer: a connection that was ended in mid-question says nothing about the next one.
async fn database_answers(app: &App) {
    loop {
        if let Ok(mut tx) = app.db.read_unscoped().await
            && on_tx!(tx, c => sqlx::query_scalar::<_, i32>("select 1").fetch_one(c).await).is_ok()
        {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn metrics(State(app): State<App>) -> String {
    let Some(handle) = &app.metrics else { return String::new() };
    crate::metric::look(&app);
    handle.render()
}
