//! Reading incidents: lists, one, its alerts, its steps, its comments.

pub mod list;
pub mod store;
pub mod tag;

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State as With};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use outbox::{Ts, Tx};
use serde::Serialize;

use self::list::{Position, Whose};
use self::tag::tags;
use super::timeline::{self, Comment, Step};
use super::{Incident, Severity, analytics};
use crate::app::App;
use crate::auth::{Actor, Path, Query, Viewer};
use crate::error::{Error, Result};
use crate::ids::{AlertId, IncidentId, ProjectId, TenantId};
use crate::page::{Page, PageQuery};

pub use store::IncidentAlert;

/// Days that the summary's acknowledgement time looks back.
const SUMMARY_DAYS: i64 = 7;

/// Acknowledgements that it looks at, the newest ones: the median of a thousand is close to that of all.
const SUMMARY_MOST: i64 = 1_000;

/// Where a project stands now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Summary {
    /// Incidents that are not resolved.
    open: i64,
    /// Those of them that nobody has acknowledged.
    unacknowledged: i64,
    /// Incidents that somebody resolved while an alert of them fires.
    still_firing: i64,
    /// Open incidents of each severity.
    open_by_severity: BTreeMap<&'static str, i64>,
    /// Median time to acknowledge of the last seven days, in seconds.
    mtta_median_s: Option<f64>,
    /// How many incidents that is the median of.
    mtta_count: usize,
    /// The server's clock.
    server_time: Ts,
}

/// Lists incidents; without `state` those of every state, newest first.
#[utoipa::path(get, path = "/api/v1/incidents", tag = "incidents",
    params(
        ("state" = Option<Vec<super::State>>, Query), ("severity" = Option<Vec<Severity>>, Query),
        ("service_name" = Option<Vec<String>>, Query), ("q" = Option<String>, Query, max_length = 200),
        ("assigned_to" = Option<String>, Query, description = "Whose they are: `me`, `none`, an id or an e-mail address"),
        ("label" = Option<Vec<String>>, Query, description = "NAME=VALUE; several must all be there"),
        ("open" = Option<bool>, Query),
        ("is" = Option<Vec<list::Mark>>, Query, description = "Only those with this mark, whatever their state; several must all be there"),
        ("still_firing" = Option<bool>, Query, description = "Only those that are resolved while an alert of them fires; not with q"),
        ("from" = Option<Ts>, Query), ("to" = Option<Ts>, Query),
        ("sort" = Option<String>, Query, pattern = "^(needs_me|-?detected_at)$"),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 200), ("cursor" = Option<String>, Query, min_length = 1, pattern = "^[A-Za-z0-9_-]+$")),
    responses((status = 200, body = Page<Incident>)))]
pub async fn incidents(
    With(app): With<App>,
    member: Viewer,
    RawQuery(query): RawQuery,
) -> Result<Json<Page<Incident>>> {
    let (mut filter, page) = list::read(&query.unwrap_or_default())?;
    let (limit, position) = (page.limit()?, page.position::<Position>()?);
    let mut tx = app.db.read(member.tenant.0).await?;
    settle_whose(&mut tx, &member, &mut filter).await?;
    let most = limit as i64 + 1;
    let rows = store::list(&mut tx, member.tenant, member.project, &filter, position.as_ref(), most).await?;
    Ok(Json(Page::new(rows, limit, Position::after, |row| row)))
}

/// Finds out who is meant by "me" and by an address.
async fn settle_whose(tx: &mut Tx, member: &Viewer, filter: &mut list::Filter) -> Result<()> {
    let person = match &filter.whose {
        Some(Whose::Asker) => match &member.actor {
            Actor::User { id, .. } => Some(*id),
            Actor::Key { .. } => {
                return Err(Error::field("assigned_to", "an API key is nobody's: say whose are meant"));
            }
        },
        Some(Whose::Email(email)) => store::person(tx, member.tenant, email).await?,
        _ => return Ok(()),
    };
    // An address that nobody has owns nothing.
    filter.nothing |= person.is_none();
    filter.whose = person.map(Whose::Person);
    Ok(())
}

/// Says where the project stands now.
#[utoipa::path(get, path = "/api/v1/incidents/summary", tag = "incidents",
    responses((status = 200, body = Summary)))]
pub async fn summary(With(app): With<App>, member: Viewer) -> Result<Json<Summary>> {
    let mut tx = app.db.read(member.tenant.0).await?;
    let now = tx.now();
    let counts = store::open_counts(&mut tx, member.tenant, member.project).await?;
    let week = (now.plus_seconds(-SUMMARY_DAYS * 86_400), now.plus_seconds(1));
    let waits = store::waits(&mut tx, member.tenant, member.project, week, SUMMARY_MOST).await?;
    let mtta =
        analytics::stat(waits.iter().map(|(detected, acknowledged)| acknowledged.seconds_since(*detected)));
    let still_firing = store::count_still_firing(&mut tx, member.tenant, member.project).await?;
    let mut open_by_severity: BTreeMap<_, _> =
        Severity::ALL.iter().map(|severity| (severity.as_str(), 0)).collect();
    for (_, severity, count) in &counts {
        if let Some(sum) = open_by_severity.get_mut(severity.as_str()) {
            *sum += count;
        }
    }
    let unacknowledged =
        counts.iter().filter(|(state, ..)| state == "detected").map(|(.., count)| count).sum();
    Ok(Json(Summary {
        open: counts.iter().map(|(.., count)| count).sum(),
        unacknowledged,
        still_firing,
        open_by_severity,
        mtta_median_s: mtta.median_s,
        mtta_count: mtta.count,
        server_time: now,
    }))
}

/// Shows one incident, by its id or its number.
#[utoipa::path(get, path = "/api/v1/incidents/{incident_id}", tag = "incidents",
    params(("incident_id" = String, Path)), responses((status = 200, body = Incident)))]
pub async fn one(
    With(app): With<App>,
    member: Viewer,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let mut tx = app.db.read(member.tenant.0).await?;
    let id = resolve_id(&mut tx, member.tenant, member.project, &name).await?;
    let incident = store::find(&mut tx, member.tenant, member.project, id).await?.ok_or(Error::NotFound)?;
    let (tag, mut answer) = with_tag(StatusCode::OK, &incident)?;
    if tags(&headers, &header::IF_NONE_MATCH).is_some_and(|known| known.weakly(&tag)) {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        answer.headers_mut().remove(header::CONTENT_TYPE);
        *answer.body_mut() = Body::empty();
    }
    Ok(answer)
}

/// An incident with its ETag.
///
/// # Errors
/// When it can't be written as JSON.
pub fn tagged(status: StatusCode, incident: &Incident) -> Result<Response> {
    with_tag(status, incident).map(|(_, answer)| answer)
}

fn with_tag(status: StatusCode, incident: &Incident) -> Result<(String, Response)> {
    let body = serde_json::to_vec(incident).map_err(|error| Error::Internal(error.into()))?;
    let tag = tag::tag(incident.version, &body);
    let value = HeaderValue::try_from(tag.as_str()).map_err(|error| Error::Internal(error.into()))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::ETAG, value),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((tag, (status, headers, body).into_response()))
}

/// The incident that `name` names: its id, INC-42 or 42.
///
/// # Errors
/// [`Error::NotFound`] when the project has none.
pub async fn resolve_id(tx: &mut Tx, tenant: TenantId, project: ProjectId, name: &str) -> Result<IncidentId> {
    if let Ok(id) = name.parse() {
        return Ok(id);
    }
    let digits = name.strip_prefix("INC-").or_else(|| name.strip_prefix("inc-")).unwrap_or(name);
    let number: i64 = digits.parse().map_err(|_| Error::NotFound)?;
    store::by_number(tx, tenant, project, number).await?.ok_or(Error::NotFound)
}

/// Lists the alerts of an incident.
#[utoipa::path(get, path = "/api/v1/incidents/{incident_id}/alerts", tag = "incidents",
    params(("incident_id" = String, Path), PageQuery), responses((status = 200, body = Page<IncidentAlert>)))]
pub async fn alerts(
    With(app): With<App>,
    member: Viewer,
    Path(name): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<IncidentAlert>>> {
    let (limit, after) = (page.limit()?, page.position()?.unwrap_or(AlertId(uuid::Uuid::nil())));
    let (mut tx, id) = open(&app, &member, &name).await?;
    let rows = store::alerts(&mut tx, member.tenant, id, after, limit as i64 + 1).await?;
    Ok(Json(Page::new(rows, limit, |row| row.id, |row| row)))
}

/// Lists the steps of an incident's workflow, oldest first.
#[utoipa::path(get, path = "/api/v1/incidents/{incident_id}/steps", tag = "incidents",
    params(("incident_id" = String, Path), PageQuery), responses((status = 200, body = Page<Step>)))]
pub async fn steps(
    With(app): With<App>,
    member: Viewer,
    Path(name): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Step>>> {
    let (limit, after) = (page.limit()?, page.position()?);
    let (mut tx, id) = open(&app, &member, &name).await?;
    let rows = timeline::store::steps(&mut tx, member.tenant, id, after, limit as i64 + 1).await?;
    Ok(Json(Page::new(rows, limit, |row| (row.started_at, row.id), |row| row)))
}

/// Lists the comments on an incident, oldest first.
#[utoipa::path(get, path = "/api/v1/incidents/{incident_id}/comments", tag = "incidents",
    params(("incident_id" = String, Path), PageQuery), responses((status = 200, body = Page<Comment>)))]
pub async fn comments(
    With(app): With<App>,
    member: Viewer,
    Path(name): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Comment>>> {
    let (limit, after) = (page.limit()?, page.position()?);
    let (mut tx, id) = open(&app, &member, &name).await?;
    let rows = timeline::store::comments(&mut tx, member.tenant, id, after, limit as i64 + 1).await?;
    Ok(Json(Page::new(rows, limit, |row| (row.created_at, row.id), |row| row)))
}

/// A snapshot in which the incident was seen to be the caller's.
async fn open(app: &App, member: &Viewer, name: &str) -> Result<(Tx, IncidentId)> {
    let mut tx = app.db.read(member.tenant.0).await?;
    let id = resolve_id(&mut tx, member.tenant, member.project, name).await?;
    store::find(&mut tx, member.tenant, member.project, id).await?.ok_or(Error::NotFound)?;
    Ok((tx, id))
}
