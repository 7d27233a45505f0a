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

/// Whose port is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// The gateway's.
    Gateway,
    /// That of webhooks.
    Webhooks,
    /// Another service's.
    Other,
}

/// `/-/healthy`, `/-/ready` and `/metrics` of a port.
pub fn routes(port: Port) -> Router<App> {
    Router::new()
        .route("/-/healthy", get(healthy))
        .route("/-/ready", get(move |State(app): State<App>| async move { ready(&app, port).await }))
        .route("/metrics", get(metrics))
}

/// Answers 200 as long as the process answers at all: no other process makes it worth a restart.
async fn healthy(State(app): State<App>) -> Result<String> {
    if sabotage::broken("healthy-asks-the-database") {
        return ready(&app, Port::Other).await;
    }
    Ok("healthy\n".to_owned())
}

/// Answers 200 while the database answers and no stop was asked for. The port of webhooks is ready without a database too, if
/// there is a spool: a balancer that took it out would lose what Grafana never sends again. The gateway is ready without
/// services elsewhere: every other gateway misses them as well.
async fn ready(app: &App, port: Port) -> Result<String> {
    if app.stop.is_cancelled() {
        return Err(Error::Unavailable("unavailable", "stopping"));
    }
    if sabotage::broken("ready-always") {
        return Ok("ready\n".to_owned());
    }
    let silent =
        async { if port == Port::Gateway { app.elsewhere.silent(PATIENCE).await } else { Vec::new() } };
    let (answered, silent) = tokio::join!(tokio::time::timeout(PATIENCE, database_answers(app)), silent);
    let mut amiss = Vec::new();
    if answered.is_err() {
        if port != Port::Webhooks || !app.spool.is_on() {
            return Err(Error::Unavailable("unavailable", "the database does not answer"));
        }
        amiss.push("the database does not answer; webhooks are taken into the spool".to_owned());
    } else if app.spool.is_behind() {
        amiss.push("webhooks wait in the spool".to_owned());
    } else if app.redis.is_configured() && !app.redis.is_up() {
        amiss.push("Redis does not answer".to_owned());
    }
    if !silent.is_empty() {
        amiss.push(format!("these services do not answer: {}", silent.join(", ")));
    }
    if amiss.is_empty() {
        Ok("ready\n".to_owned())
    } else {
        Ok(format!("ready, degraded: {}\n", amiss.join("; ")))
    }
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
