//! API keys: what programs sign in with.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use garde::Validate;
use outbox::{Ts, sabotage};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::audit::{self, Entry};
use super::extract::{Path, Query};
use super::member::may_give;
use super::name;
use super::permission::{Admin, Role};
use super::secret_token::SecretToken;
use super::source::Source;
use super::store::api_key::{self, ApiKeyRow};
use super::store::project;
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::{ApiKeyId, ProjectId, TenantId, UserId};
use crate::page::{Page, PageQuery};
use crate::valid::Valid;

/// Keys a project may have.
const MAX_KEYS: usize = 100;

/// A key for a program.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ApiKey {
    id: ApiKeyId,
    name: String,
    role: Role,
    /// How the key begins.
    prefix: String,
    created_at: Ts,
    /// Null when it does not expire.
    expires_at: Option<Ts>,
    /// To within five minutes; null when it was never used.
    last_used_at: Option<Ts>,
    /// The key itself, in the answer that made it and nowhere else.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

impl ApiKey {
    fn new(row: ApiKeyRow, key: Option<String>) -> Self {
        let ApiKeyRow { id, name, role, prefix, created_at, expires_at, last_used_at, .. } = row;
        Self { id, name, role, prefix, created_at, expires_at, last_used_at, key }
    }
}

/// Lists the project's keys, newest first.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/api-keys", tag = "projects",
    params(("project_id" = ProjectId, Path), PageQuery), responses((status = 200, body = Page<ApiKey>)))]
pub(super) async fn list(
    State(app): State<App>,
    member: Admin,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<ApiKey>>> {
    let mut tx = app.db.read(member.tenant.0).await?;
    let rows = api_key::of_project(&mut tx, member.tenant, member.project).await?;
    let keys = rows.into_iter().map(|row| ApiKey::new(row, None)).collect();
    Ok(Json(Page::part(&page, keys, |key| key.id.0)?))
}

/// A key to be made.
#[derive(Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)] // who misspells `expires_at` would get a key that never expires
pub struct NewApiKey {
    #[garde(custom(name::rule))]
    #[schema(max_length = 200)]
    name: String,
    #[garde(skip)]
    role: Role,
    /// Absent or null for a key that does not expire.
    #[garde(skip)]
    expires_at: Option<Ts>,
}

/// Makes a key; the answer is the only one that holds it.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/api-keys", tag = "projects",
    params(("project_id" = ProjectId, Path)), request_body = NewApiKey, responses((status = 201, body = ApiKey)))]
pub(super) async fn create(
    State(app): State<App>,
    member: Admin,
    source: Source,
    Valid(body): Valid<NewApiKey>,
) -> Result<(StatusCode, Json<ApiKey>)> {
    may_give(&member, body.role)?;
    let mut tx = app.db.begin(member.tenant.0).await?;
    if body.expires_at.is_some_and(|at| at <= tx.now()) {
        return Err(Error::field("expires_at", "must be in the future"));
    }
    project::lock(&mut tx, member.tenant, member.project).await?;
    if api_key::of_project(&mut tx, member.tenant, member.project).await?.len() >= MAX_KEYS {
        return Err(Error::Conflict(format!("a project has at most {MAX_KEYS} keys; revoke one")));
    }
    let key =
        NewKey { project: member.project, name: body.name, role: body.role, expires_at: body.expires_at };
    let (row, token) = key.make(member.tenant, member.actor.user(), tx.now());
    api_key::insert(&mut tx, member.tenant, &row).await?;
    if sabotage::broken("entry-apart") {
        tx.commit().await?;
        tx = app.db.begin(member.tenant.0).await?;
    }
    let entry = Entry::by(&member, &source, "api_key.created", format!("key:{}", row.id));
    audit::record(&mut tx, member.tenant, entry.with(json!({"name": row.name, "role": row.role}))).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(ApiKey::new(row, Some(token.reveal().to_owned())))))
}

/// A key that was decided on.
pub(super) struct NewKey {
    pub project: ProjectId,
    pub name: String,
    pub role: Role,
    pub expires_at: Option<Ts>,
}

impl NewKey {
    /// The row to store and the secret to give out.
    pub fn make(self, tenant: TenantId, created_by: Option<UserId>, now: Ts) -> (ApiKeyRow, SecretToken) {
        let token = SecretToken::generate();
        let row = ApiKeyRow {
            tenant_id: tenant,
            id: ApiKeyId::new(),
            project_id: self.project,
            name: self.name.trim().to_owned(),
            role: self.role,
            prefix: token.prefix().to_owned(),
            secret_hash: token.hash(),
            created_by,
            created_at: now,
            expires_at: self.expires_at,
            last_used_at: None,
            revoked_at: None,
        };
        (row, token)
    }
}

/// Revokes a key, from the next request on.
#[utoipa::path(delete, path = "/api/v1/projects/{project_id}/api-keys/{key_id}", tag = "projects",
    params(("project_id" = ProjectId, Path), ("key_id" = ApiKeyId, Path)), responses((status = 204)))]
pub(super) async fn revoke(
    State(app): State<App>,
    member: Admin,
    source: Source,
    Path(ids): Path<(ProjectId, ApiKeyId)>,
) -> Result<StatusCode> {
    let (_, id) = ids;
    let mut tx = app.db.begin(member.tenant.0).await?;
    let key = api_key::find(&mut tx, member.tenant, id).await?;
    let key = key.filter(|key| key.project_id == member.project).ok_or(Error::NotFound)?;
    may_give(&member, key.role)?;
    if !api_key::revoke(&mut tx, member.tenant, member.project, id).await? {
        return Err(Error::NotFound);
    }
    let entry = Entry::by(&member, &source, "api_key.revoked", format!("key:{id}"));
    audit::record(&mut tx, member.tenant, entry.with(json!({"name": key.name}))).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
