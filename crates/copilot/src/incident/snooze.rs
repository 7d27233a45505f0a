//! Putting an incident off: until then it comes after the others that are open. Its state and its times stay as they are.

use axum::extract::State as With;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use garde::Validate;
use outbox::Ts;
use serde::Deserialize;
use serde_json::json;

use super::work::Desk;
use super::{Incident, read, write};
use crate::app::App;
use crate::auth::{Engineer, Path};
use crate::error::{Error, Result};
use crate::ids::{IncidentId, ProjectId, TenantId};
use crate::valid::{Valid, storable};

/// How long an incident can be put off at a time, in minutes: seven days.
const MOST_MINUTES: i64 = 7 * 24 * 60;

/// How long an incident is put off: either until a time or for so many minutes.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
pub struct Snooze {
    /// Until when, at most seven days ahead.
    #[garde(skip)]
    until: Option<Ts>,
    /// For so many minutes from now.
    #[garde(range(min = 1, max = MOST_MINUTES))]
    #[schema(minimum = 1, maximum = 10080)]
    for_minutes: Option<i64>,
    /// Why; recorded with the snooze.
    #[garde(length(chars, max = 5_000), inner(custom(storable)))]
    #[schema(max_length = 5000)]
    comment: Option<String>,
}

impl Snooze {
    fn end(&self, now: Ts) -> Result<Ts> {
        match (self.until, self.for_minutes) {
            (Some(_), Some(_)) => Err(Error::field("until", "can't be said together with for_minutes")),
            (None, None) => Err(Error::field("until", "is needed, or for_minutes")),
            (None, Some(minutes)) => Ok(now.plus_seconds(minutes * 60)),
            (Some(until), None) if until <= now => Err(Error::field("until", "must lie ahead")),
            (Some(until), None) if until > now.plus_seconds(MOST_MINUTES * 60) => {
                Err(Error::field("until", "must be at most 7 days ahead"))
            }
            (Some(until), None) => Ok(until),
        }
    }
}

/// Puts an open incident off, or puts it off until another time. It ends early when the severity rises and when the incident
/// is closed or merged.
#[utoipa::path(post, path = "/api/v1/incidents/{incident_id}/snooze", tag = "incidents",
    params(("incident_id" = String, Path)), request_body = Snooze, responses((status = 200, body = Incident)))]
pub async fn snooze(
    With(app): With<App>,
    member: Engineer,
    Path(name): Path<String>,
    headers: HeaderMap,
    Valid(wanted): Valid<Snooze>,
) -> Result<Response> {
    let mut tx = app.db.begin(member.tenant.0).await?;
    let id = read::resolve_id(&mut tx, member.tenant, member.project, &name).await?;
    let now = tx.now();
    let mut desk = Desk::new(member.tenant, member.project, now);
    let incident = &mut desk.take(&mut tx, id).await?.incident;
    write::expected(&headers, incident.version)?;
    let until = wanted.end(now)?;
    if incident.merged_into.is_some() {
        return Err(Error::Merged);
    }
    if !incident.open {
        return Err(Error::Conflict(format!("it is {}; only what is open can be put off", incident.state)));
    }
    if incident.snoozed_until == Some(until) && wanted.comment.is_none() {
        return write::finish(tx, desk, &app, &member, id, StatusCode::OK).await;
    }
    incident.snoozed_until = Some(until);
    desk.changed(id);
    let detail = json!({"until": until, "comment": wanted.comment});
    desk.step(id, "snoozed", detail, Some(member.actor.name()));
    write::finish(tx, desk, &app, &member, id, StatusCode::OK).await
}

/// Ends the snooze of an incident now; one that has none stays as it is.
#[utoipa::path(delete, path = "/api/v1/incidents/{incident_id}/snooze", tag = "incidents",
    params(("incident_id" = String, Path)), responses((status = 200, body = Incident)))]
pub async fn wake(
    With(app): With<App>,
    member: Engineer,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let mut tx = app.db.begin(member.tenant.0).await?;
    let id = read::resolve_id(&mut tx, member.tenant, member.project, &name).await?;
    let mut desk = Desk::new(member.tenant, member.project, tx.now());
    let incident = &mut desk.take(&mut tx, id).await?.incident;
    write::expected(&headers, incident.version)?;
    if let Some(until) = incident.snoozed_until.take() {
        desk.changed(id);
        let detail = json!({"until": until, "why": "woken"});
        desk.step(id, "snooze_ended", detail, Some(member.actor.name()));
    }
    write::finish(tx, desk, &app, &member, id, StatusCode::OK).await
}

/// Ends the snooze of an incident whose time has come.
///
/// # Errors
/// When the database refused.
pub(super) async fn end(app: &App, tenant: TenantId, project: ProjectId, id: IncidentId) -> Result<()> {
    let mut tx = app.db.begin(tenant.0).await?;
    let now = tx.now();
    let mut desk = Desk::new(tenant, project, now);
    let record = desk.take(&mut tx, id).await?;
    // It may have been put off anew, or woken, since it was found due.
    if record.incident.snoozed_until.is_some_and(|until| until <= now) {
        record.wake("due");
        desk.changed(id);
        desk.clear(&mut tx).await?;
        tx.commit().await?;
    }
    Ok(())
}
