//! Deployments, configuration changes and flags that people and pipelines report: evidence for analyses.

pub mod store;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use garde::Validate;
use outbox::{Ts, Tx};
use serde::{Deserialize, Serialize};

use super::store as analysis;
use crate::app::App;
use crate::auth::{Engineer, Member, Query, Viewer};
use crate::error::{Error, Result};
use crate::ids::{ChangeId, ProjectId, TenantId};
use crate::incident::{self, explain};
use crate::page::{Page, PageQuery, in_order};
use crate::valid::{Valid, storable, visible};

/// How far ahead of our clock a reporter's may be, in seconds.
const SKEW_S: f64 = 3600.0;

/// A change to report.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewChange {
    /// The service that was changed.
    #[garde(length(chars, min = 1, max = 200), custom(visible))]
    #[schema(min_length = 1, max_length = 200)]
    pub service_name: String,
    /// One line for a person.
    #[garde(length(chars, min = 1, max = 500), custom(visible))]
    #[schema(min_length = 1, max_length = 500)]
    pub summary: String,
    /// `deploy`, `config`, `flag` or another word; `deploy` when absent.
    #[garde(length(chars, min = 1, max = 50), custom(visible))]
    #[schema(min_length = 1, max_length = 50)]
    #[serde(default = "deploy")]
    pub kind: String,
    /// The new version.
    #[garde(inner(custom(storable)), length(chars, max = 200))]
    pub version: Option<String>,
    /// When it took effect; now when absent.
    #[garde(skip)]
    pub timestamp: Option<Ts>,
    /// Where more is said; http or https.
    #[garde(length(bytes, max = 2048), custom(link))]
    pub url: Option<String>,
}

fn deploy() -> String {
    "deploy".to_owned()
}

#[expect(clippy::ref_option, reason = "garde calls it with a reference to the field")]
fn link(url: &Option<String>, (): &()) -> garde::Result {
    match url {
        Some(url) if !alerts::is_link(url) => Err(garde::Error::new("must be an http or https address")),
        _ => Ok(()),
    }
}

/// A change that was reported.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema, sqlx::FromRow)]
#[expect(missing_docs, reason = "the fields are the contract's, by the contract's names")]
pub struct Change {
    pub id: ChangeId,
    pub service_name: String,
    pub summary: String,
    pub kind: String,
    pub version: Option<String>,
    #[sqlx(rename = "at")]
    pub timestamp: Ts,
    pub url: Option<String>,
    pub created_at: Ts,
}

/// Which changes are asked for.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ChangeQuery {
    /// Only of this service.
    pub service_name: Option<String>,
    /// Not before this instant.
    pub from: Option<Ts>,
    /// Not after this instant.
    pub to: Option<Ts>,
}

/// Reports a change.
#[utoipa::path(post, path = "/api/v1/changes", tag = "changes", request_body = NewChange,
    responses((status = 201, body = Change)))]
pub async fn report(
    State(app): State<App>,
    member: Engineer,
    Valid(new): Valid<NewChange>,
) -> Result<(StatusCode, Json<Change>)> {
    let mut tx = app.db.begin(member.tenant.0).await?;
    let change = record(&mut tx, &member, new).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(change)))
}

/// Stores a change inside a transaction, and has the incidents explained anew that it may explain.
///
/// # Errors
/// When it lies in the future, or the database refused.
pub async fn record(tx: &mut Tx, member: &Member, new: NewChange) -> Result<Change> {
    let now = tx.now();
    let timestamp = new.timestamp.unwrap_or(now);
    if timestamp.seconds_since(now) > SKEW_S {
        return Err(Error::field("timestamp", "lies in the future"));
    }
    if timestamp.micros() < 0 {
        return Err(Error::field("timestamp", "lies before 1970"));
    }
    let change = Change {
        id: ChangeId::new(),
        service_name: new.service_name,
        summary: new.summary,
        kind: new.kind,
        version: new.version,
        timestamp,
        url: new.url,
        created_at: now,
    };
    store::insert(tx, member.tenant, member.project, &change, &member.actor.principal()).await?;
    explain_anew(tx, member.tenant, member.project, &change).await?;
    Ok(change)
}

/// Asks for a new version of the analyses that were made without a change which may have caused what they explain.
///
/// Which services call which is known from metrics alone; the suspects of an analysis are what is kept of it.
async fn explain_anew(tx: &mut Tx, tenant: TenantId, project: ProjectId, change: &Change) -> Result<()> {
    let mut looking = store::looking_at(tx, tenant, project, &change.service_name, change.timestamp).await?;
    if looking.is_empty() || !incident::store::lock_project(tx, tenant, project).await? {
        return Ok(());
    }
    looking.sort_unstable();
    for incident in looking {
        if !analysis::is_merged(tx, tenant, incident).await? {
            explain::request_anew(tx, tenant, incident).await?;
        }
    }
    Ok(())
}

/// Lists changes, newest first.
#[utoipa::path(get, path = "/api/v1/changes", tag = "changes", params(ChangeQuery, PageQuery),
    responses((status = 200, body = Page<Change>)))]
pub async fn list(
    State(app): State<App>,
    member: Viewer,
    Query(which): Query<ChangeQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Change>>> {
    in_order(which.from, which.to)?;
    let limit = page.limit()?;
    let after: Option<(i64, ChangeId)> = page.position()?;
    let after = after.map(|(micros, id)| (Ts::from_micros(micros), id));
    let mut tx = app.db.read(member.tenant.0).await?;
    let rows = store::list(&mut tx, member.tenant, member.project, &which, after, limit as i64 + 1).await?;
    Ok(Json(Page::new(rows, limit, |row| (row.timestamp.micros(), row.id), |row| row)))
}
