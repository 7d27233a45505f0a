//! Receipts: every webhook request with its body and what became of each alert.

pub mod health;
pub mod receipt;
pub mod retention;
pub mod store;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use outbox::Ts;
use serde::{Deserialize, Serialize};

use super::Kind;
use super::entry::{Entry, Reading};
use super::hook::Hook;
use super::token::Proof;
use crate::app::App;
use crate::auth::extract::{Path, Query};
use crate::auth::{Engineer, Viewer};
use crate::error::{Error, Result, seldom};
use crate::ids::{DeliveryId, IncidentId, IntegrationId, ProjectId};
use crate::incident::intake::Outcome;
use crate::page::{Page, PageQuery};

/// The receipt of one webhook request.
#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, by the contract's names")]
pub struct Delivery {
    pub id: DeliveryId,
    pub integration_id: IntegrationId,
    pub integration_name: String,
    pub received_at: Ts,
    /// The sender's address.
    pub remote: String,
    pub user_agent: String,
    /// The format that was recognised.
    pub format: Option<String>,
    /// `accepted` or `rejected`.
    pub status: String,
    pub http_status: i64,
    /// Why it was rejected.
    pub reason: Option<String>,
    /// How many alerts it held.
    pub received: i64,
    /// How many alerts had each outcome.
    #[sqlx(json)]
    pub outcomes: BTreeMap<String, i64>,
    /// How many alerts the sender says it left out.
    pub truncated: i64,
    /// What is odd about the body as a whole.
    #[sqlx(skip)]
    #[schema(value_type = Vec<String>)]
    pub flags: Vec<alerts::Flag>,
    /// The receipt this one is a replay of.
    pub replay_of: Option<DeliveryId>,
}

/// What became of one alert of a request.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, by the contract's names")]
pub struct DeliveryResult {
    /// Position in the body, from 0.
    pub index: usize,
    pub fingerprint: Option<String>,
    pub name: Option<String>,
    pub outcome: Outcome,
    pub reason: Option<String>,
    pub incident_id: Option<IncidentId>,
}

impl DeliveryResult {
    /// The result of an alert before the rules saw it.
    pub fn of(parsed: &alerts::Parsed) -> Self {
        let (index, fingerprint, name, outcome, reason) = match parsed {
            alerts::Parsed::Alert(alert) => (
                alert.index,
                Some(alert.fingerprint.clone()),
                Some(alert.name.clone()),
                Outcome::Suppressed,
                None,
            ),
            alerts::Parsed::Quarantined(bad) => {
                let name = Some(bad.labels_preview.clone()).filter(|text| !text.is_empty());
                (
                    bad.index,
                    bad.fingerprint.clone(),
                    name,
                    Outcome::Quarantined,
                    Some(bad.reason.as_str().to_owned()),
                )
            }
            alerts::Parsed::Ignored { index, reason } => {
                (*index, None, None, Outcome::Suppressed, Some(reason.as_str().to_owned()))
            }
        };
        Self { index, fingerprint, name, outcome, reason, incident_id: None }
    }
}

/// A receipt with its body and what became of each alert.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DeliveryDetail {
    /// The receipt.
    #[serde(flatten)]
    pub delivery: Delivery,
    /// The body as received; bytes that are not UTF-8 are shown as U+FFFD. Null after the retention.
    pub body: Option<String>,
    /// What became of each alert, in the order received.
    pub results: Vec<DeliveryResult>,
}

/// Which receipts are asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeliveryQuery {
    /// Only those of this integration.
    integration_id: Option<IntegrationId>,
    /// Rows on the page, 50 by default, at most 200.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Lists the receipts of a project, newest first.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/deliveries", tag = "integrations",
    params(("project_id" = ProjectId, Path), DeliveryQuery), responses((status = 200, body = Page<Delivery>)))]
pub async fn list(
    State(app): State<App>,
    member: Viewer,
    Query(query): Query<DeliveryQuery>,
) -> Result<Json<Page<Delivery>>> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let (limit, before) = (page.limit()?, page.position()?.map(|(_at, id): (Ts, DeliveryId)| id));
    let mut tx = app.db.read(member.tenant.0).await?;
    let rows =
        store::list(&mut tx, member.tenant, member.project, query.integration_id, before, limit + 1).await?;
    Ok(Json(Page::new(rows, limit, |row| (row.received_at, row.id), |row| row)))
}

/// Shows one receipt with its body.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/deliveries/{delivery_id}", tag = "integrations",
    params(("project_id" = ProjectId, Path), ("delivery_id" = DeliveryId, Path)),
    responses((status = 200, body = DeliveryDetail)))]
pub async fn show(
    State(app): State<App>,
    member: Viewer,
    Path((_project, id)): Path<(ProjectId, DeliveryId)>,
) -> Result<Json<DeliveryDetail>> {
    let mut tx = app.db.read(member.tenant.0).await?;
    let kept = store::find(&mut tx, member.tenant, member.project, id).await?.ok_or(Error::NotFound)?;
    Ok(Json(detail(kept)))
}

/// Reads a stored request again with the integration's settings of today; alerts that were applied stay as they are.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/deliveries/{delivery_id}/replay", tag = "integrations",
    params(("project_id" = ProjectId, Path), ("delivery_id" = DeliveryId, Path)),
    responses((status = 200, body = DeliveryDetail)))]
pub async fn replay(
    State(app): State<App>,
    member: Engineer,
    Path((_project, id)): Path<(ProjectId, DeliveryId)>,
) -> Result<Json<DeliveryDetail>> {
    let entry = again(&app, &member, id).await?;
    let (replayed, _) = app.inbox.submit(&app, entry).await?;
    let mut tx = app.db.read(member.tenant.0).await?;
    let kept = store::find(&mut tx, member.tenant, member.project, replayed).await?.ok_or(Error::NotFound)?;
    Ok(Json(detail(kept)))
}

/// The request of a receipt, to be stored again.
async fn again(app: &App, member: &Engineer, id: DeliveryId) -> Result<Entry> {
    // What was only heard again is compared too.
    app.heard.write(app).await?;
    let mut tx = app.db.read(member.tenant.0).await?;
    let kept = store::find(&mut tx, member.tenant, member.project, id).await?.ok_or(Error::NotFound)?;
    let integration = kept.delivery.integration_id;
    let row = super::store::find(&mut tx, member.tenant, member.project, integration).await?;
    let row = row.ok_or_else(|| Error::Conflict("its integration was removed".to_owned()))?;
    let body = kept.body.ok_or_else(|| Error::Conflict("its body is gone".to_owned()))?;
    let kind: Kind = kept.sender.parse().map_err(|_| Error::NotFound)?;
    let received_at = kept.delivery.received_at;
    let hook = Hook {
        proof: Arc::new(Proof::of(member.tenant, row)),
        remote: format!("replay by {}", member.actor.name()),
        user_agent: kept.delivery.user_agent.clone(),
    };
    let reading = Reading { kind, body: body.into(), received_at };
    let entry = Entry::read(&hook, reading, None).map_err(|error| Error::Conflict(error.to_string()))?;
    let keys: Vec<[u8; 32]> = entry.keys().copied().collect();
    let seen = store::all_last_seen(&mut tx, member.tenant, member.project, &keys).await?;
    Ok(entry.replay_of(id, |key| seen.get(&key[..]).is_some_and(|at| *at >= received_at)))
}

fn detail(kept: store::Kept) -> DeliveryDetail {
    let body = kept.body.map(|body| String::from_utf8_lossy(&body).into_owned());
    DeliveryDetail { delivery: kept.delivery, body, results: kept.results }
}

/// Keeps a receipt of a request that could not prove who sent it.
pub async fn note_rejection(app: &App, id: IntegrationId, remote: &str, user_agent: &str, error: &Error) {
    if !error.status().0.is_client_error() {
        return;
    }
    let noted = health::rejected(app, id, remote, user_agent, error).await;
    if let Err(error) = noted
        && let Some(times) = seldom("a refused webhook could not be noted", "")
    {
        tracing::warn!(error = error.cause(), times, "a refused webhook could not be noted");
    }
}
