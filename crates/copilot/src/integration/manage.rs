//! Adding, changing, testing and removing integrations.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use garde::Validate;
use outbox::{Ts, Tx};
use serde::{Deserialize, Serialize};

use super::checks::{check_auth, check_settings};
use super::snippet::{self, PLACEHOLDER};
use super::store::{self, Row};
use super::{Kind, Settings};
use crate::app::App;
use crate::auth::audit::{self, Entry};
use crate::auth::extract::{Path, Query};
use crate::auth::secret_token::SecretToken;
use crate::auth::source::Source;
use crate::auth::{Admin, Cell, Member, Place, Viewer};
use crate::error::{Error, Result};
use crate::ids::{IntegrationId, ProjectId};
use crate::incident::store::lock_project;
use crate::outbound::Credentials;
use crate::page::{Page, PageQuery};
use crate::valid::{Valid, object, present, present_object, required, visible};

/// How long the old token lives on after a rotation, in seconds.
const OVERLAP_S: i64 = 24 * 3600;

/// Integrations a project may have.
const MOST: usize = 500;

/// An integration as people see it; its token is never among it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Integration)]
pub struct Integration {
    pub id: IntegrationId,
    pub kind: Kind,
    pub name: String,
    /// The system's own API.
    pub url: Option<String>,
    /// Whether a credential for it is stored.
    pub has_auth: bool,
    pub settings: Settings,
    pub webhook_url: String,
    /// The configuration to paste, with a placeholder for the token.
    pub snippet: String,
    pub created_at: Ts,
    pub last_delivery_at: Option<Ts>,
    /// `accepted` or `rejected`.
    pub last_delivery_status: Option<String>,
    /// How many alerts its sender left out so far.
    pub truncated_alerts: i64,
}

/// An integration with its token, shown once.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Created {
    /// The integration; its snippet holds the token.
    #[serde(flatten)]
    pub integration: Integration,
    /// What the sender proves itself with.
    pub token: String,
}

/// An integration to add.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
pub struct NewIntegration {
    /// What kind of system sends.
    #[garde(skip)]
    pub kind: Kind,
    /// As people call it.
    #[garde(length(chars, min = 1, max = 100), custom(visible))]
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// The system's own API: Prometheus to query, Alertmanager to reconcile with, Grafana for links.
    #[garde(inner(length(bytes, max = 2048)))]
    pub url: Option<String>,
    /// The credential for it.
    #[garde(skip)]
    #[serde(default, deserialize_with = "object")]
    pub auth: Option<Credentials>,
    /// What it changes about reading and grouping.
    #[garde(skip)]
    #[serde(default, deserialize_with = "object")]
    pub settings: Option<Settings>,
}

/// What may be changed of an integration; absent members stay, null clears.
#[derive(Debug, Default, Deserialize, Validate, utoipa::ToSchema)]
pub struct IntegrationChange {
    /// As people call it; it can't be cleared.
    #[serde(default, deserialize_with = "required")]
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    #[garde(inner(length(chars, min = 1, max = 100), custom(visible)))]
    name: Option<String>,
    /// The system's own API.
    #[garde(skip)]
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    url: Option<Option<String>>,
    /// The credential for it.
    #[garde(skip)]
    #[serde(default, deserialize_with = "present_object")]
    #[schema(value_type = Option<Credentials>)]
    auth: Option<Option<Credentials>>,
    /// What it changes about reading and grouping.
    #[garde(skip)]
    #[serde(default, deserialize_with = "present_object")]
    #[schema(value_type = Option<Settings>)]
    settings: Option<Option<Settings>>,
}

/// A new token.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Rotated {
    /// What the sender proves itself with from now on.
    token: String,
    /// The configuration to paste.
    snippet: String,
    /// Until when the old token works.
    old_token_expires_at: Ts,
}

/// Lists the integrations of a project.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/integrations", tag = "integrations",
    params(("project_id" = ProjectId, Path), PageQuery), responses((status = 200, body = Page<Integration>)))]
pub async fn list(
    State(app): State<App>,
    member: Viewer,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Integration>>> {
    let mut tx = app.db.read(member.tenant.0).await?;
    let rows = store::list(&mut tx, member.tenant, member.project).await?;
    let shown = rows.into_iter().map(|row| show_row(&app, row, PLACEHOLDER)).collect();
    Ok(Json(Page::part(&page, shown, |one| one.id.0)?))
}

/// Adds an integration and answers with its token, which is shown this once.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/integrations", tag = "integrations",
    params(("project_id" = ProjectId, Path)), request_body = NewIntegration,
    responses((status = 201, body = Created)))]
pub async fn add(
    State(app): State<App>,
    member: Admin,
    source: Source,
    Valid(new): Valid<NewIntegration>,
) -> Result<(StatusCode, Json<Created>)> {
    if let Some(url) = &new.url {
        app.outbound.check(url).await?;
    }
    let mut tx = app.db.begin(member.tenant.0).await?;
    let created = create(&app, &mut tx, &member, &source, new).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(created)))
}

/// Adds an integration inside a transaction.
///
/// # Errors
/// A conflict when the project has too many; else when the database refused.
pub async fn create(
    app: &App,
    tx: &mut Tx,
    member: &Member,
    source: &Source,
    new: NewIntegration,
) -> Result<Created> {
    let settings = new.settings.unwrap_or_default();
    check_settings(new.kind, &settings)?;
    check_auth(new.auth.as_ref())?;
    lock_project(tx, member.tenant, member.project).await?;
    if store::list(tx, member.tenant, member.project).await?.len() >= MOST {
        return Err(Error::Conflict(format!("a project has at most {MOST} integrations")));
    }
    let id = IntegrationId::new();
    let row = Row {
        id,
        project_id: member.project,
        kind: new.kind,
        name: new.name,
        url: new.url.filter(|url| !url.is_empty()),
        auth: new.auth.map(|auth| seal(app, member, id, &auth)).transpose()?,
        settings: settings.into(),
        truncated_alerts: 0,
        last_delivery_at: None,
        last_delivery_status: None,
        created_at: tx.now(),
    };
    let token = SecretToken::generate();
    store::insert(tx, member.tenant, &row).await?;
    let sealed = seal_token(app, member, new.kind, id, &token)?;
    store::add_token(tx, member.tenant, id, &token, sealed).await?;
    note(tx, member, source, "integration.created", id).await?;
    Ok(Created { integration: show_row(app, row, token.reveal()), token: token.reveal().to_owned() })
}

/// Shows one integration.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/integrations/{integration_id}", tag = "integrations",
    params(("project_id" = ProjectId, Path), ("integration_id" = IntegrationId, Path)),
    responses((status = 200, body = Integration)))]
pub async fn show(
    State(app): State<App>,
    member: Viewer,
    Path((_project, id)): Path<(ProjectId, IntegrationId)>,
) -> Result<Json<Integration>> {
    let mut tx = app.db.read(member.tenant.0).await?;
    let row = store::find(&mut tx, member.tenant, member.project, id).await?.ok_or(Error::NotFound)?;
    Ok(Json(show_row(&app, row, PLACEHOLDER)))
}

/// Changes an integration; another address makes the stored credential void, so that it can't be sent elsewhere.
#[utoipa::path(patch, path = "/api/v1/projects/{project_id}/integrations/{integration_id}", tag = "integrations",
    params(("project_id" = ProjectId, Path), ("integration_id" = IntegrationId, Path)),
    request_body = IntegrationChange, responses((status = 200, body = Integration)))]
pub async fn change(
    State(app): State<App>,
    member: Admin,
    source: Source,
    Path((_project, id)): Path<(ProjectId, IntegrationId)>,
    Valid(change): Valid<IntegrationChange>,
) -> Result<Json<Integration>> {
    if let Some(Some(url)) = &change.url {
        app.outbound.check(url).await?;
    }
    let mut tx = app.db.begin(member.tenant.0).await?;
    // All of a row is written: of two at once the second changes what the first has written.
    lock_project(&mut tx, member.tenant, member.project).await?;
    let mut row = store::find(&mut tx, member.tenant, member.project, id).await?.ok_or(Error::NotFound)?;
    let before = row.clone();
    apply(&app, &member, &mut row, change)?;
    if row != before {
        store::save(&mut tx, member.tenant, &row).await?;
        note(&mut tx, &member, &source, "integration.changed", id).await?;
        tx.commit().await?;
    }
    app.tokens.forget();
    Ok(Json(show_row(&app, row, PLACEHOLDER)))
}

fn apply(app: &App, member: &Member, row: &mut Row, change: IntegrationChange) -> Result<()> {
    row.name = change.name.unwrap_or_else(|| row.name.clone());
    if let Some(url) = change.url {
        let url = url.filter(|url| !url.is_empty());
        if origin(url.as_deref()) != origin(row.url.as_deref()) {
            row.auth = None;
        }
        row.url = url;
    }
    if let Some(auth) = change.auth {
        check_auth(auth.as_ref())?;
        row.auth = auth.map(|auth| seal(app, member, row.id, &auth)).transpose()?;
    }
    if let Some(settings) = change.settings.map(Option::unwrap_or_default) {
        check_settings(row.kind, &settings)?;
        row.settings = settings.into();
    }
    Ok(())
}

/// Removes an integration; its token ends at once.
#[utoipa::path(delete, path = "/api/v1/projects/{project_id}/integrations/{integration_id}", tag = "integrations",
    params(("project_id" = ProjectId, Path), ("integration_id" = IntegrationId, Path)),
    responses((status = 204)))]
pub async fn remove(
    State(app): State<App>,
    member: Admin,
    source: Source,
    Path((_project, id)): Path<(ProjectId, IntegrationId)>,
) -> Result<StatusCode> {
    let mut tx = app.db.begin(member.tenant.0).await?;
    store::find(&mut tx, member.tenant, member.project, id).await?.ok_or(Error::NotFound)?;
    store::delete(&mut tx, member.tenant, id).await?;
    note(&mut tx, &member, &source, "integration.removed", id).await?;
    tx.commit().await?;
    app.tokens.forget();
    Ok(StatusCode::NO_CONTENT)
}

/// Gives the integration a new token; the old one works for another day.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/integrations/{integration_id}/rotate-token",
    tag = "integrations", params(("project_id" = ProjectId, Path), ("integration_id" = IntegrationId, Path)),
    responses((status = 200, body = Rotated)))]
pub async fn rotate_token(
    State(app): State<App>,
    member: Admin,
    source: Source,
    Path((_project, id)): Path<(ProjectId, IntegrationId)>,
) -> Result<Json<Rotated>> {
    let mut tx = app.db.begin(member.tenant.0).await?;
    // Of two at once the second sees what the first has done.
    lock_project(&mut tx, member.tenant, member.project).await?;
    let row = store::find(&mut tx, member.tenant, member.project, id).await?.ok_or(Error::NotFound)?;
    let now = tx.now();
    if store::ends_later(&mut tx, member.tenant, id, now).await? {
        let why = "the token before this one works until its 24 h are over; rotate again then, or, if one has leaked, \
                   remove the integration and create it anew";
        return Err(Error::Conflict(why.to_owned()));
    }
    let old_token_expires_at = now.plus_seconds(OVERLAP_S);
    let token = SecretToken::generate();
    store::retire_tokens(&mut tx, member.tenant, id, now, old_token_expires_at).await?;
    let sealed = seal_token(&app, &member, row.kind, id, &token)?;
    store::add_token(&mut tx, member.tenant, id, &token, sealed).await?;
    note(&mut tx, &member, &source, "integration.token_rotated", id).await?;
    tx.commit().await?;
    app.tokens.forget();
    let snippet = snippet::snippet(&app.config.public_url(), row.kind, id, token.reveal());
    Ok(Json(Rotated { token: token.reveal().to_owned(), snippet, old_token_expires_at }))
}

async fn note(
    tx: &mut Tx,
    member: &Member,
    source: &Source,
    action: &'static str,
    id: IntegrationId,
) -> Result<()> {
    let entry = Entry::by(member, source, action, format!("integration:{id}"));
    Ok(audit::record(tx, member.tenant, entry).await?)
}

fn show_row(app: &App, row: Row, token: &str) -> Integration {
    let public_url = app.config.public_url();
    Integration {
        webhook_url: snippet::webhook_url(&public_url, row.kind, row.id),
        snippet: snippet::snippet(&public_url, row.kind, row.id, token),
        id: row.id,
        kind: row.kind,
        name: row.name,
        url: row.url,
        has_auth: row.auth.is_some(),
        settings: row.settings.0,
        created_at: row.created_at,
        last_delivery_at: row.last_delivery_at,
        last_delivery_status: row.last_delivery_status,
        truncated_alerts: row.truncated_alerts,
    }
}

/// Scheme, host and port: what a credential was entered for.
fn origin(url: Option<&str>) -> Option<(String, Option<String>, Option<u16>)> {
    let url = url::Url::parse(url?).ok()?;
    Some((url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default()))
}

pub(super) fn cell(tenant: crate::ids::TenantId, id: IntegrationId) -> Cell {
    Cell { tenant, place: Place::Credential, row: id.0 }
}

/// The cell of a token that its sender may sign with.
pub(super) fn token_cell(tenant: crate::ids::TenantId, id: IntegrationId) -> Cell {
    Cell { tenant, place: Place::WebhookToken, row: id.0 }
}

/// The token as it is kept for checking signatures, which only Grafana makes.
fn seal_token(
    app: &App,
    member: &Member,
    kind: Kind,
    id: IntegrationId,
    token: &SecretToken,
) -> Result<Option<Vec<u8>>> {
    let sealed = || app.keys.seal(token.reveal().as_bytes(), token_cell(member.tenant, id));
    Ok((kind == Kind::Grafana).then(sealed).transpose()?)
}

fn seal(app: &App, member: &Member, id: IntegrationId, auth: &Credentials) -> Result<Vec<u8>> {
    let plain = serde_json::to_vec(auth).map_err(|error| Error::Internal(error.into()))?;
    Ok(app.keys.seal(&plain, cell(member.tenant, id))?)
}
