//! Channels and notifications as people see them.

use axum::Json;
use axum::extract::State;
use outbox::Ts;
use serde::Serialize;

use super::store::sent::{self, Listed, Place};
use super::store::{self, Row};
use super::{ChannelKind, ChannelState, NotificationStatus, Tell, What};
use crate::app::App;
use crate::auth::Viewer;
use crate::auth::extract::{Path, Query};
use crate::error::{Error, Result};
use crate::ids::{ChannelId, IncidentId, NotificationId, ProjectId};
use crate::incident::{Severity, read};
use crate::page::{Page, PageQuery};

/// Whom a project tells what happens in it; its secrets are never among it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = NotificationChannel)]
pub struct Channel {
    /// Names it.
    pub id: ChannelId,
    /// The project that it tells of.
    pub project_id: ProjectId,
    /// What it leads to.
    pub kind: ChannelKind,
    /// As people call it.
    pub name: String,
    /// The host, and the last four characters of what is secret if that is long enough.
    pub address: String,
    /// Whether it is told anything.
    pub enabled: bool,
    /// The least severity that it is told of.
    pub min_severity: Severity,
    /// The services that it is told of; every one if empty.
    pub services: Vec<String>,
    /// What it is told.
    pub tells: Vec<Tell>,
    /// Whether it is told when the server itself is in trouble.
    pub critical_faults: bool,
    /// How it is doing.
    pub health: Health,
    /// When it was added.
    pub created_at: Ts,
    /// When it was last changed.
    pub updated_at: Ts,
}

/// How a channel is doing.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = NotificationChannelHealth)]
pub struct Health {
    /// Whether messages arrive.
    status: ChannelState,
    /// When one was last taken.
    last_success_at: Option<Ts>,
    /// Since when none is taken.
    failing_since: Option<Ts>,
    /// Why.
    last_error: Option<String>,
    /// Messages that wait to be sent.
    waiting: i64,
}

impl Channel {
    /// A stored channel in which `waiting` messages wait.
    pub fn of(row: Row, waiting: i64) -> Self {
        let status = match (row.enabled, row.failing_since, row.last_success_at) {
            (false, ..) => ChannelState::Off,
            (_, Some(_), _) => ChannelState::Failing,
            (_, None, Some(_)) => ChannelState::Ok,
            (_, None, None) => ChannelState::Untried,
        };
        Self {
            health: Health {
                status,
                last_success_at: row.last_success_at,
                failing_since: row.failing_since,
                last_error: row.last_error,
                waiting,
            },
            id: row.id,
            project_id: row.project_id,
            kind: row.kind,
            name: row.name,
            address: row.address,
            enabled: row.enabled,
            min_severity: row.min_severity,
            services: row.services.0,
            tells: row.tells.0,
            critical_faults: row.critical_faults,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// One message to one channel.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Notification {
    /// Names it; a receiver is told it with every attempt.
    id: NotificationId,
    /// Its channel.
    channel_id: ChannelId,
    /// Its channel's name.
    channel_name: String,
    /// What its channel leads to.
    channel_kind: ChannelKind,
    /// What it is about.
    what: What,
    /// The incident, if it is about one.
    incident_id: Option<IncidentId>,
    /// The numbers of the incidents that it speaks of, 1,000 at most.
    incident_numbers: Vec<i64>,
    /// One line that says it.
    title: String,
    /// What became of it.
    status: NotificationStatus,
    /// How often it was tried.
    attempts: i64,
    /// The HTTP status of the last answer.
    last_status_code: Option<i64>,
    /// How that is said.
    detail: String,
    /// When it was decided.
    created_at: Ts,
    /// When it was taken.
    sent_at: Option<Ts>,
    /// When it is tried next, if it waits.
    next_attempt_at: Option<Ts>,
}

impl From<Listed> for Notification {
    fn from(row: Listed) -> Self {
        Self {
            id: row.id,
            channel_id: row.channel_id,
            channel_name: row.channel_name,
            channel_kind: row.channel_kind,
            what: row.what,
            incident_id: row.incident_id,
            incident_numbers: row.incident_numbers.0,
            title: row.title,
            status: row.status,
            attempts: row.attempts,
            last_status_code: row.last_status_code,
            detail: row.detail,
            created_at: row.created_at,
            sent_at: row.sent_at,
            next_attempt_at: row.next_attempt_at,
        }
    }
}

/// Lists what a channel was told, newest first.
#[utoipa::path(get,
    path = "/api/v1/projects/{project_id}/notification-channels/{channel_id}/notifications", tag = "notifications",
    params(("project_id" = ProjectId, Path), ("channel_id" = ChannelId, Path), PageQuery),
    responses((status = 200, body = Page<Notification>)))]
pub async fn of_channel(
    State(app): State<App>,
    member: Viewer,
    Path((_project, id)): Path<(ProjectId, ChannelId)>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Notification>>> {
    let (limit, place) = (page.limit()?, place(&page)?);
    let mut tx = app.db.read(member.tenant.0).await?;
    store::find(&mut tx, member.tenant, member.project, id).await?.ok_or(Error::NotFound)?;
    let of = (member.project, id);
    let rows = sent::of_channel(&mut tx, member.tenant, of, place, limit as i64 + 1).await?;
    Ok(Json(Page::new(rows, limit, |row| (row.created_at, row.id), Notification::from)))
}

/// Lists what was told about an incident, newest first, digests that name it included.
#[utoipa::path(get, path = "/api/v1/incidents/{incident_id}/notifications", tag = "notifications",
    params(("incident_id" = String, Path), PageQuery), responses((status = 200, body = Page<Notification>)))]
pub async fn of_incident(
    State(app): State<App>,
    member: Viewer,
    Path(name): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Notification>>> {
    let (limit, place) = (page.limit()?, place(&page)?);
    let mut tx = app.db.read(member.tenant.0).await?;
    let (tenant, project) = (member.tenant, member.project);
    let id = read::resolve_id(&mut tx, tenant, project, &name).await?;
    let incident = read::store::find(&mut tx, tenant, project, id).await?.ok_or(Error::NotFound)?;
    let of = (project, id, incident.number);
    let rows = sent::of_incident(&mut tx, tenant, of, place, limit as i64 + 1).await?;
    Ok(Json(Page::new(rows, limit, |row| (row.created_at, row.id), Notification::from)))
}

/// Where a page begins: after everything newer than the place, or at the newest.
fn place(page: &PageQuery) -> Result<Place> {
    let newest = (Ts::from_micros(i64::MAX), NotificationId(uuid::Uuid::max()));
    Ok(page.position::<Place>()?.unwrap_or(newest))
}
