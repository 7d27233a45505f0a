//! Merging: one incident's alerts, comments and evidence become another's.

use axum::extract::State as With;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use garde::Validate;
use outbox::Tx;
use serde::Deserialize;
use serde_json::json;

use super::record::By;
use super::work::Desk;
use super::{Incident, State, explain, read, store, timeline, tracked, write};
use crate::app::App;
use crate::auth::{Engineer, Member, Path};
use crate::error::{Error, Result};
use crate::ids::IncidentId;
use crate::valid::Valid;

/// The incident that takes over.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
pub struct Merge {
    /// Its id.
    #[garde(skip)]
    into: IncidentId,
}

/// Merges an incident into another; later firings of its key go there, and it no longer counts.
#[utoipa::path(post, path = "/api/v1/incidents/{incident_id}/merge", tag = "incidents",
    params(("incident_id" = String, Path)), request_body = Merge, responses((status = 200, body = Incident)))]
pub async fn merge(
    With(app): With<App>,
    member: Engineer,
    Path(name): Path<String>,
    headers: HeaderMap,
    Valid(Merge { into }): Valid<Merge>,
) -> Result<Response> {
    let mut tx = app.db.begin(member.tenant.0).await?;
    let id = read::resolve_id(&mut tx, member.tenant, member.project, &name).await?;
    store::lock_project(&mut tx, member.tenant, member.project).await?;
    let mut desk = Desk::new(member.tenant, member.project, tx.now());
    // In one order, so that two merges of the same incidents never wait for each other in a circle.
    for one in [id.min(into), id.max(into)] {
        desk.take(&mut tx, one).await?;
    }
    write::expected(&headers, desk.take(&mut tx, id).await?.incident.version)?;
    let key = close(&mut tx, &mut desk, id, into).await?;
    carry(&mut tx, &member, id, into, key.as_deref()).await?;
    take_over(&mut tx, &mut desk, &member, id, into).await?;
    for (at, side, other) in [(id, "into", into), (into, "from", id)] {
        let number = desk.take(&mut tx, other).await?.incident.number;
        let detail = json!({side: other, "number": number});
        desk.step(at, "merged", detail, Some(member.actor.name()));
    }
    write::finish(tx, desk, &app, &member, into, StatusCode::OK).await
}

/// Closes the merged incident; returns what firings joined it by.
async fn close(tx: &mut Tx, desk: &mut Desk, id: IncidentId, into: IncidentId) -> Result<Option<Vec<u8>>> {
    if id == into {
        return Err(Error::Conflict("an incident can't be merged into itself".to_owned()));
    }
    for one in [id, into] {
        let incident = &desk.take(tx, one).await?.incident;
        if incident.merged_into.is_some() || incident.state == State::Learned {
            let number = incident.number;
            return Err(Error::Conflict(format!("INC-{number} is closed for good or was merged already")));
        }
    }
    let now = tx.now();
    let target = &desk.take(tx, into).await?.incident;
    let (closed, number) = (!target.open, target.number);
    let merged = desk.take(tx, id).await?;
    if closed && merged.incident.open_alert_count > 0 {
        let why =
            format!("INC-{number} is resolved and alerts of this one fire on; reopen INC-{number} first");
        return Err(Error::Conflict(why));
    }
    merged.wake("merged");
    merged.enter(State::Resolved, By::Person, now);
    let incident = &mut merged.incident;
    incident.merged_into = Some(into);
    (incident.alert_count, incident.open_alert_count) = (0, 0);
    (incident.flapping, incident.stale) = (false, false);
    let key = merged.incident_key.clone();
    desk.changed(id);
    Ok(key)
}

/// Moves everything that belongs to the merged incident, and what will.
async fn carry(
    tx: &mut Tx,
    member: &Member,
    id: IncidentId,
    into: IncidentId,
    key: Option<&[u8]>,
) -> Result<()> {
    tracked::store::move_all(tx, member.tenant, id, into).await?;
    timeline::store::move_comments(tx, member.tenant, id, into).await?;
    store::move_evidence(tx, member.tenant, id, into).await?;
    store::adopt_silence(tx, member.tenant, id, into).await?;
    Ok(store::redirect(tx, member.tenant, member.project, id, key, into).await?)
}

/// Makes the target what its alerts say, and asks for an analysis of them all.
async fn take_over(
    tx: &mut Tx,
    desk: &mut Desk,
    member: &Member,
    id: IncidentId,
    into: IncidentId,
) -> Result<()> {
    let (all, firing) = tracked::store::counts(tx, member.tenant, into).await?;
    let worst = tracked::store::worst_firing(tx, member.tenant, into).await?;
    let flapping = !tracked::store::flapping(tx, member.tenant, into).await?.is_empty();
    let merged = desk.take(tx, id).await?.clone();
    let started_at = merged.incident.started_at;
    let own = [&merged.incident.title, &merged.incident.description];
    desk.hear(into, own.into_iter().chain(merged.incident.labels.values()).chain(&merged.alert_words));
    let target = desk.take(tx, into).await?;
    if let Some(worst) = worst {
        target.raise(worst, None);
    }
    let incident = &mut target.incident;
    incident.started_at = incident.started_at.min(started_at);
    (incident.alert_count, incident.open_alert_count, incident.flapping) = (all, firing, flapping);
    if incident.open {
        explain::request_anew(tx, member.tenant, into).await?;
    }
    desk.changed(into);
    Ok(())
}
