//! Merging: one incident's alerts, comments and evidence become another's.

use axum::extract::State as With;
use axum::http::StatusCode;
use axum::response::Response;
use garde::Validate;
use serde::Deserialize;
use serde_json::json;

use super::record::By;
use super::work::Desk;
use super::{Incident, State, read, store, timeline, tracked};
use crate::app::App;
use crate::auth::{Engineer, Path};
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
    Valid(Merge { into }): Valid<Merge>,
) -> Result<Response> {
    let (tenant, project) = (member.tenant, member.project);
    let mut tx = app.db.begin(tenant.0).await?;
    let id = read::resolve_id(&mut tx, tenant, project, &name).await?;
    if id == into {
        return Err(Error::Conflict("an incident can't be merged into itself".to_owned()));
    }
    let now = tx.now();
    let mut desk = Desk::new(tenant, project, now);
    let target = desk.take(&mut tx, into).await?;
    if target.incident.merged_into.is_some() || target.incident.state == State::Learned {
        return Err(Error::Conflict(
            "the incident to merge into is closed for good or merged itself".to_owned(),
        ));
    }
    let merged = desk.take(&mut tx, id).await?;
    if merged.incident.merged_into.is_some() {
        return Err(Error::Conflict("it is merged already".to_owned()));
    }
    let key = merged.incident_key.clone();
    merged.enter(State::Resolved, By::Person, now);
    merged.incident.merged_into = Some(into);
    merged.incident.open_alert_count = 0;
    let number = merged.incident.number;
    tracked::store::move_all(&mut tx, tenant, id, into).await?;
    timeline::store::move_comments(&mut tx, tenant, id, into).await?;
    store::redirect(&mut tx, tenant, project, id, key.as_deref(), into).await?;
    let (all, open) = tracked::store::counts(&mut tx, tenant, into).await?;
    let target = desk.take(&mut tx, into).await?;
    (target.incident.alert_count, target.incident.open_alert_count) = (all, open);
    let target_number = target.incident.number;
    desk.changed(id);
    desk.changed(into);
    let actor = Some(member.actor.name());
    desk.step(&mut tx, id, "merged", json!({"into": into, "number": target_number}), actor).await?;
    desk.step(&mut tx, into, "merged", json!({"from": id, "number": number}), actor).await?;
    desk.clear(&mut tx).await?;
    tx.commit().await?;
    let mut tx = app.db.read(tenant.0).await?;
    let incident = read::store::find(&mut tx, tenant, project, into).await?.ok_or(Error::NotFound)?;
    Ok(read::tagged(StatusCode::OK, incident))
}
