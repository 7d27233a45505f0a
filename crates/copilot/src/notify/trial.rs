//! Trying a channel: a real message, now.

use std::time::Instant;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::facts::{Facts, Message};
use super::pass::Place;
use super::send::{Line, count};
use super::store::sent::{self, New};
use super::store::{self, Row, pass};
use super::verdict::{Verdict, judge};
use super::{NotificationStatus, What, manage};
use crate::app::App;
use crate::auth::extract::Path;
use crate::auth::{Admin, Source};
use crate::error::{Error, Result};
use crate::ids::{ChannelId, NotificationId, ProjectId};

/// What a test message came to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TrialResult {
    /// Whether it was taken.
    ok: bool,
    /// The HTTP status of the answer, if there was one.
    status_code: Option<u16>,
    /// What was answered, or why nothing was.
    detail: String,
    /// How long it took, in milliseconds.
    took_ms: f64,
}

/// Sends a test message to a channel, also to one that is turned off.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/notification-channels/{channel_id}/test",
    tag = "notifications", params(("project_id" = ProjectId, Path), ("channel_id" = ChannelId, Path)),
    responses((status = 200, body = TrialResult)))]
pub async fn test(
    State(app): State<App>,
    member: Admin,
    source: Source,
    Path((_project, id)): Path<(ProjectId, ChannelId)>,
) -> Result<Json<TrialResult>> {
    let tenant = member.tenant;
    let mut tx = app.db.read(tenant.0).await?;
    let now = tx.now();
    let row = store::find(&mut tx, tenant, member.project, id).await?.ok_or(Error::NotFound)?;
    let name = pass::project_name(&mut tx, tenant, member.project).await?.ok_or(Error::NotFound)?;
    drop(tx);
    let facts = facts(&app, &row, member.actor.name(), name);
    let new_id = NotificationId::new();
    let message =
        Message { id: new_id, channel: id, channel_name: &row.name, created_at: now, facts: &facts };
    let started = Instant::now();
    let verdict = match Line::open(&app.keys, tenant, &row, now) {
        Ok(line) => judge(row.kind, line.send(&app.outbound, &message, now).await.as_ref()),
        Err(_) => Verdict::Refused { status: None, why: super::send::UNREADABLE.to_owned() },
    };
    let took_ms = started.elapsed().as_secs_f64() * 1e3;
    let (ok, status_code, detail) = match verdict {
        Verdict::Sent { status } => (true, Some(status), "it was taken".to_owned()),
        Verdict::Refused { status, why } | Verdict::Later { status, why, .. } => (false, status, why),
    };
    let mut tx = app.db.begin(tenant.0).await?;
    let status = if ok { NotificationStatus::Sent } else { NotificationStatus::Failed };
    let new = New {
        id: new_id,
        facts,
        status,
        detail: detail.clone(),
        status_code: status_code.map(i64::from),
        give_up_at: tx.now(),
    };
    sent::insert(&mut tx, tenant, (member.project, id), &[new]).await?;
    if ok {
        // What waited because nothing was taken is tried at once.
        sent::well(&mut tx, tenant, id).await?;
    } else {
        sent::failing(&mut tx, tenant, id, &detail, None).await?;
    }
    manage::note(&mut tx, &member, &source, "notification_channel.tested", &row).await?;
    tx.commit().await?;
    count(row.kind, if ok { "sent" } else { "failed" }, 1);
    Ok(Json(TrialResult { ok, status_code, detail, took_ms }))
}

fn facts(app: &App, row: &Row, person: &str, project: String) -> Facts {
    let place = Place::of(app, row.project_id, project);
    let title = format!("A test of {}, asked for by {person}", row.name);
    Facts {
        note: Some("Nothing happened: messages about incidents arrive here.".to_owned()),
        ..Facts::new(What::Test, title, &place.project, &place.list)
    }
}
