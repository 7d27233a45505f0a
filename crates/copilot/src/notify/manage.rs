//! Adding, changing and removing channels.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use garde::Validate;
use outbox::{Tx, event as events};
use serde::{Deserialize, Serialize};
use sqlx::types::Json as Column;

use super::list::Channel;
use super::store::{self, Row};
use super::target::{Signing, Target, new_signing, open_signing, seal_signing};
use super::{ChannelKind, Tell};
use crate::app::App;
use crate::auth::audit::{self, Entry};
use crate::auth::extract::{Path, Query};
use crate::auth::{Admin, Member, Source, Viewer};
use crate::error::{Error, Result};
use crate::event;
use crate::ids::{ChannelId, ProjectId};
use crate::incident::Severity;
use crate::incident::store::lock_project;
use crate::page::{Page, PageQuery};
use crate::valid::{Valid, present, required, visible};

/// How long the old signing secret signs as well after a rotation, in seconds.
const OVERLAP_S: i64 = 24 * 3600;

/// Channels a project may have.
const MOST: usize = 50;

/// Services a channel may name.
const SERVICES: usize = 50;

/// Characters of a service's name.
const SERVICE: usize = 200;

/// What a channel is told if nothing is said: everything but acknowledgements, which people make themselves.
const TELLS: [Tell; 5] = [Tell::Opened, Tell::Cause, Tell::Escalated, Tell::Reopened, Tell::Resolved];

/// A channel with the secret that it signs with, shown once.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CreatedNotificationChannel)]
pub struct Created {
    /// The channel.
    #[serde(flatten)]
    pub channel: Channel,
    /// What its requests are signed with; of kind webhook alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signing_secret: Option<String>,
}

/// A channel to add.
#[derive(Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewNotificationChannel)]
pub struct NewChannel {
    /// What it leads to.
    #[garde(skip)]
    kind: ChannelKind,
    /// As people call it.
    #[garde(length(chars, min = 1, max = 100), custom(visible))]
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// Where messages are sent: the incoming webhook of Slack, or a server's own address. Of PagerDuty another address of the
    /// Events API, for its EU region or a proxy.
    #[garde(inner(length(bytes, max = 2048)))]
    url: Option<String>,
    /// Names the integration in PagerDuty; of kind pagerduty alone, where it is needed.
    #[garde(skip)]
    routing_key: Option<String>,
    /// The least severity that it is told of; medium if absent.
    #[garde(skip)]
    min_severity: Option<Severity>,
    /// The services that it is told of, 50 at most; every one if empty.
    #[garde(skip)]
    services: Option<Vec<String>>,
    /// What it is told; everything but acknowledgements if absent.
    #[garde(skip)]
    tells: Option<Vec<Tell>>,
    /// Whether it is told when the server itself is in trouble; true if absent.
    #[garde(skip)]
    #[schema(value_type = Option<bool>)]
    critical_faults: Option<bool>,
    /// Whether it is told anything; true if absent.
    #[garde(skip)]
    #[schema(value_type = Option<bool>)]
    enabled: Option<bool>,
}

/// What may be changed of a channel; absent members stay.
#[derive(Default, Deserialize, Validate, utoipa::ToSchema)]
#[schema(as = NotificationChannelChange)]
pub struct ChannelChange {
    /// As people call it.
    #[serde(default, deserialize_with = "required")]
    #[garde(inner(length(chars, min = 1, max = 100), custom(visible)))]
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    name: Option<String>,
    /// Where messages are sent; of PagerDuty null is its own address.
    #[serde(default, deserialize_with = "present")]
    #[garde(skip)]
    #[schema(value_type = Option<String>)]
    url: Option<Option<String>>,
    /// Names the integration in PagerDuty.
    #[serde(default, deserialize_with = "required")]
    #[garde(skip)]
    #[schema(nullable = false)]
    routing_key: Option<String>,
    /// The least severity that it is told of.
    #[serde(default, deserialize_with = "required")]
    #[garde(skip)]
    #[schema(nullable = false)]
    min_severity: Option<Severity>,
    /// The services that it is told of, 50 at most; every one if empty.
    #[serde(default, deserialize_with = "required")]
    #[garde(skip)]
    #[schema(nullable = false)]
    services: Option<Vec<String>>,
    /// What it is told.
    #[serde(default, deserialize_with = "required")]
    #[garde(skip)]
    #[schema(nullable = false)]
    tells: Option<Vec<Tell>>,
    /// Whether it is told when the server itself is in trouble.
    #[serde(default, deserialize_with = "required")]
    #[garde(skip)]
    #[schema(nullable = false)]
    critical_faults: Option<bool>,
    /// Whether it is told anything.
    #[serde(default, deserialize_with = "required")]
    #[garde(skip)]
    #[schema(nullable = false)]
    enabled: Option<bool>,
}

/// Lists the channels of a project.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/notification-channels", tag = "notifications",
    params(("project_id" = ProjectId, Path), PageQuery), responses((status = 200, body = Page<Channel>)))]
pub async fn list(
    State(app): State<App>,
    member: Viewer,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Channel>>> {
    let mut tx = app.db.read(member.tenant.0).await?;
    let rows = store::list(&mut tx, member.tenant, member.project).await?;
    let waiting = store::waiting(&mut tx, member.tenant, member.project).await?;
    let of = |id| waiting.iter().find(|(of, _)| *of == id).map_or(0, |(_, count)| *count);
    let shown = rows.into_iter().map(|row| {
        let waits = of(row.id);
        Channel::of(row, waits)
    });
    Ok(Json(Page::part(&page, shown.collect(), |one| one.id.0)?))
}

/// Adds a channel; what happens from now on is told.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/notification-channels", tag = "notifications",
    params(("project_id" = ProjectId, Path)), request_body = NewChannel, responses((status = 201, body = Created)))]
pub async fn add(
    State(app): State<App>,
    member: Admin,
    source: Source,
    Valid(new): Valid<NewChannel>,
) -> Result<(StatusCode, Json<Created>)> {
    let target = Target::of(new.kind, new.url, new.routing_key)?;
    app.outbound.check_exact(&target.url).await?;
    let services = new.services.unwrap_or_default();
    check_services(&services)?;
    let mut tx = app.db.begin(member.tenant.0).await?;
    lock_project(&mut tx, member.tenant, member.project).await?;
    if store::list(&mut tx, member.tenant, member.project).await?.len() >= MOST {
        return Err(Error::Conflict(format!("a project has at most {MOST} notification channels")));
    }
    let (id, now) = (ChannelId::new(), tx.now());
    let secret = (new.kind == ChannelKind::Webhook).then(new_signing);
    let seal = |secret: &String| seal_signing(&app.keys, member.tenant, id, Signing::Current, secret);
    let row = Row {
        id,
        project_id: member.project,
        kind: new.kind,
        name: new.name,
        address: target.address(new.kind),
        target: target.seal(&app.keys, member.tenant, id)?,
        signing: secret.as_ref().map(seal).transpose()?,
        old_signing: None,
        old_signing_until: None,
        enabled: new.enabled.unwrap_or(true),
        min_severity: new.min_severity.unwrap_or(Severity::Medium),
        services: Column(services),
        tells: Column(in_order(new.tells.unwrap_or_else(|| TELLS.to_vec()))),
        critical_faults: new.critical_faults.unwrap_or(true),
        seen: head(&mut tx, &member).await?,
        fence: 0,
        failures: 0,
        retry_at: now,
        last_success_at: None,
        failing_since: None,
        last_error: None,
        created_at: now,
        updated_at: now,
    };
    store::insert(&mut tx, member.tenant, &row).await?;
    store::know_open(&mut tx, member.tenant, member.project, id).await?;
    note(&mut tx, &member, &source, "notification_channel.created", &row).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(Created { channel: Channel::of(row, 0), signing_secret: secret })))
}

/// Where the project's stream of events stands; the caller holds the project, so that nothing is opened meanwhile.
async fn head(tx: &mut Tx, member: &Member) -> Result<i64> {
    Ok(events::head(tx, event::stream(member.tenant, member.project)).await?.seq)
}

/// Shows one channel.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/notification-channels/{channel_id}", tag = "notifications",
    params(("project_id" = ProjectId, Path), ("channel_id" = ChannelId, Path)),
    responses((status = 200, body = Channel)))]
pub async fn show(
    State(app): State<App>,
    member: Viewer,
    Path((_project, id)): Path<(ProjectId, ChannelId)>,
) -> Result<Json<Channel>> {
    let mut tx = app.db.read(member.tenant.0).await?;
    let row = store::find(&mut tx, member.tenant, member.project, id).await?.ok_or(Error::NotFound)?;
    Ok(Json(shown(&mut tx, &member, row).await?))
}

pub(super) async fn shown(tx: &mut Tx, member: &Member, row: Row) -> Result<Channel> {
    let waiting = store::waiting(tx, member.tenant, member.project).await?;
    let waits = waiting.iter().find(|(of, _)| *of == row.id).map_or(0, |(_, count)| *count);
    Ok(Channel::of(row, waits))
}

/// Changes a channel. One that is turned off drops what waits; turned on again, it is told what happens from then on.
#[utoipa::path(patch, path = "/api/v1/projects/{project_id}/notification-channels/{channel_id}", tag = "notifications",
    params(("project_id" = ProjectId, Path), ("channel_id" = ChannelId, Path)), request_body = ChannelChange,
    responses((status = 200, body = Channel)))]
pub async fn change(
    State(app): State<App>,
    member: Admin,
    source: Source,
    Path((_project, id)): Path<(ProjectId, ChannelId)>,
    Valid(change): Valid<ChannelChange>,
) -> Result<Json<Channel>> {
    if let Some(Some(url)) = &change.url {
        app.outbound.check_exact(url).await?;
    }
    let mut tx = app.db.begin(member.tenant.0).await?;
    // All of a row is written: of two at once the second changes what the first has written.
    lock_project(&mut tx, member.tenant, member.project).await?;
    let mut row =
        store::find_held(&mut tx, member.tenant, member.project, id).await?.ok_or(Error::NotFound)?;
    let before = row.clone();
    apply(&app, &member, &mut row, change)?;
    if row != before {
        if row.enabled && !before.enabled {
            row.seen = head(&mut tx, &member).await?;
            store::know_open(&mut tx, member.tenant, member.project, id).await?;
        } else if before.enabled && !row.enabled {
            store::drop_waiting(&mut tx, member.tenant, id, "the channel was turned off").await?;
        }
        store::save(&mut tx, member.tenant, &row).await?;
        note(&mut tx, &member, &source, "notification_channel.changed", &row).await?;
    }
    let answer = shown(&mut tx, &member, row).await?;
    tx.commit().await?;
    Ok(Json(answer))
}

fn apply(app: &App, member: &Member, row: &mut Row, change: ChannelChange) -> Result<()> {
    row.name = change.name.unwrap_or_else(|| row.name.clone());
    if change.url.is_some() || change.routing_key.is_some() {
        // What can't be opened any more is entered anew as a whole.
        let old = Target::open(&app.keys, member.tenant, row.id, &row.target).ok();
        let target = Target::changed(row.kind, old.as_ref(), change.url, change.routing_key)?;
        row.address = target.address(row.kind);
        row.target = target.seal(&app.keys, member.tenant, row.id)?;
    }
    row.min_severity = change.min_severity.unwrap_or(row.min_severity);
    if let Some(services) = change.services {
        check_services(&services)?;
        row.services = Column(services);
    }
    if let Some(tells) = change.tells {
        row.tells = Column(in_order(tells));
    }
    row.critical_faults = change.critical_faults.unwrap_or(row.critical_faults);
    row.enabled = change.enabled.unwrap_or(row.enabled);
    Ok(())
}

/// Removes a channel, and everything that it was to be told.
#[utoipa::path(delete, path = "/api/v1/projects/{project_id}/notification-channels/{channel_id}",
    tag = "notifications", params(("project_id" = ProjectId, Path), ("channel_id" = ChannelId, Path)),
    responses((status = 204)))]
pub async fn remove(
    State(app): State<App>,
    member: Admin,
    source: Source,
    Path((_project, id)): Path<(ProjectId, ChannelId)>,
) -> Result<StatusCode> {
    let mut tx = app.db.begin(member.tenant.0).await?;
    let row = store::find_held(&mut tx, member.tenant, member.project, id).await?.ok_or(Error::NotFound)?;
    store::delete(&mut tx, member.tenant, id).await?;
    note(&mut tx, &member, &source, "notification_channel.removed", &row).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a webhook a new secret to be signed with; the old one signs as well for another day.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/notification-channels/{channel_id}/rotate-secret",
    tag = "notifications", params(("project_id" = ProjectId, Path), ("channel_id" = ChannelId, Path)),
    responses((status = 200, body = Created)))]
pub async fn rotate_secret(
    State(app): State<App>,
    member: Admin,
    source: Source,
    Path((_project, id)): Path<(ProjectId, ChannelId)>,
) -> Result<Json<Created>> {
    let mut tx = app.db.begin(member.tenant.0).await?;
    // Of two at once the second sees what the first has done.
    lock_project(&mut tx, member.tenant, member.project).await?;
    let mut row =
        store::find_held(&mut tx, member.tenant, member.project, id).await?.ok_or(Error::NotFound)?;
    if row.kind != ChannelKind::Webhook {
        return Err(Error::Conflict(format!("a channel of kind {} signs nothing", row.kind)));
    }
    let (keys, tenant) = (&app.keys, member.tenant);
    if let Some(sealed) = &row.signing {
        // It is sealed for its column. One that can't be opened has signed nothing.
        let old = open_signing(keys, tenant, id, Signing::Current, sealed).ok();
        let seal = |old: String| seal_signing(keys, tenant, id, Signing::Old, &old);
        row.old_signing = old.map(seal).transpose()?;
        row.old_signing_until = row.old_signing.as_ref().map(|_| tx.now().plus_seconds(OVERLAP_S));
    }
    let secret = new_signing();
    row.signing = Some(seal_signing(keys, tenant, id, Signing::Current, &secret)?);
    store::save(&mut tx, tenant, &row).await?;
    note(&mut tx, &member, &source, "notification_channel.secret_rotated", &row).await?;
    let channel = shown(&mut tx, &member, row).await?;
    tx.commit().await?;
    Ok(Json(Created { channel, signing_secret: Some(secret) }))
}

pub(super) async fn note(
    tx: &mut Tx,
    member: &Member,
    source: &Source,
    action: &'static str,
    row: &Row,
) -> Result<()> {
    let entry = Entry::by(member, source, action, format!("notification_channel:{}", row.id));
    let detail = serde_json::json!({"name": row.name});
    Ok(audit::record(tx, member.tenant, entry.with(detail)).await?)
}

fn check_services(services: &[String]) -> Result<()> {
    if services.len() > SERVICES {
        return Err(Error::field("services", format!("must be {SERVICES} at most")));
    }
    let bad = |name: &&String| name.chars().count() > SERVICE || visible(name, &()).is_err();
    if services.iter().any(|name| bad(&name)) {
        return Err(Error::field(
            "services",
            format!("each must be 1 to {SERVICE} characters that show something"),
        ));
    }
    Ok(())
}

/// Each once, in one order.
fn in_order(mut tells: Vec<Tell>) -> Vec<Tell> {
    tells.sort_unstable();
    tells.dedup();
    tells
}
