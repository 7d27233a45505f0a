//! Asking an integration's own API whether it answers.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::Kind;
use super::manage::cell;
use super::store::{self, Row};
use crate::app::App;
use crate::auth::extract::Path;
use crate::auth::{Admin, Member};
use crate::error::{Error, Result};
use crate::ids::{IntegrationId, ProjectId};
use crate::outbound::{self, Credentials};

/// What a test request found.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TestResult {
    /// Whether the system answered as it should.
    ok: bool,
    /// What it said, or why it said nothing.
    detail: String,
    /// How long it took, in milliseconds.
    latency_ms: f64,
}

/// Sends a real request to the integration's own API.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/integrations/{integration_id}/test",
    tag = "integrations", params(("project_id" = ProjectId, Path), ("integration_id" = IntegrationId, Path)),
    responses((status = 200, body = TestResult)))]
pub async fn test(
    State(app): State<App>,
    member: Admin,
    Path((_project, id)): Path<(ProjectId, IntegrationId)>,
) -> Result<Json<TestResult>> {
    let mut tx = app.db.read(member.tenant.0).await?;
    let row = store::find(&mut tx, member.tenant, member.project, id).await?.ok_or(Error::NotFound)?;
    drop(tx);
    let Some(url) = row.url.clone() else {
        return Err(Error::field("url", "this integration has no address to test; set one first"));
    };
    let credentials = unseal(&app, &member, &row)?;
    let started = std::time::Instant::now();
    let (ok, detail) = match ask(&app, row.kind, &url, credentials.as_ref()).await {
        Ok(answer) => answer,
        Err(failure) => (false, failure.to_string()),
    };
    Ok(Json(TestResult { ok, detail, latency_ms: started.elapsed().as_secs_f64() * 1e3 }))
}

/// One request that only the right system answers well.
async fn ask(
    app: &App,
    kind: Kind,
    url: &str,
    credentials: Option<&Credentials>,
) -> Result<(bool, String), outbound::Failure> {
    let target = app.outbound.open(url, credentials).await?;
    let (path, query) = match kind {
        Kind::Prometheus => ("api/v1/query", vec![("query", "count(up)".to_owned())]),
        Kind::Alertmanager => ("api/v2/status", Vec::new()),
        Kind::Grafana => ("api/health", Vec::new()),
    };
    let answer = target.get(path, &query, outbound::MAX_ANSWER_BYTES).await?;
    let is_json = serde_json::from_slice::<serde_json::Value>(&answer.body);
    Ok(match (answer.status, is_json) {
        (200, Ok(body)) if kind == Kind::Prometheus => {
            let up = body.pointer("/data/result/0/value/1").and_then(|value| value.as_str());
            let up = up.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
            (true, format!("answered; it scrapes {up} targets"))
        }
        (200, Ok(_)) => (true, "answered".to_owned()),
        (200, Err(_)) => (false, format!("answered, but not as {kind} does: is this the right address?")),
        (401 | 403, _) => (false, "refused the credential".to_owned()),
        (status, _) => (false, format!("answered {status}: is this the right address?")),
    })
}

fn unseal(app: &App, member: &Member, row: &Row) -> Result<Option<Credentials>> {
    let Some(sealed) = &row.auth else { return Ok(None) };
    let plain = app.keys.open(sealed, cell(member.tenant, row.id))?;
    serde_json::from_slice(&plain).map(Some).map_err(|error| Error::Internal(error.into()))
}
