//! API keys.

use outbox::{Ts, Tx, on_tx};

use crate::auth::permission::Role;
use crate::ids::{ApiKeyId, ProjectId, TenantId, UserId};

/// An API key as stored.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(in crate::auth) struct ApiKeyRow {
    pub tenant_id: TenantId,
    pub id: ApiKeyId,
    pub project_id: ProjectId,
    pub name: String,
    #[sqlx(try_from = "String")]
    pub role: Role,
    pub prefix: String,
    pub secret_hash: Vec<u8>,
    pub created_by: Option<UserId>,
    pub created_at: Ts,
    pub expires_at: Option<Ts>,
    pub last_used_at: Option<Ts>,
    pub revoked_at: Option<Ts>,
}

impl ApiKeyRow {
    /// Whether the key may still be used.
    pub fn is_live(&self, now: Ts) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| at > now)
    }
}

/// The key with this prefix, of a project that was not deleted.
pub(in crate::auth) async fn by_prefix(tx: &mut Tx, prefix: &str) -> sqlx::Result<Option<ApiKeyRow>> {
    on_tx!(tx, c => sqlx::query_as(
        "select k.tenant_id, k.id, k.project_id, k.name, k.role, k.prefix, k.secret_hash, k.created_by, k.created_at,
                k.expires_at, k.last_used_at, k.revoked_at
         from api_keys k join projects p on p.tenant_id = k.tenant_id and p.id = k.project_id
         where k.prefix = $1 and p.deleted_at is null")
        .bind(prefix).fetch_optional(c).await)
}

/// A key of this tenant, of a project that was not deleted.
pub(in crate::auth) async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    id: ApiKeyId,
) -> sqlx::Result<Option<ApiKeyRow>> {
    on_tx!(tx, c => sqlx::query_as(
        "select k.tenant_id, k.id, k.project_id, k.name, k.role, k.prefix, k.secret_hash, k.created_by, k.created_at,
                k.expires_at, k.last_used_at, k.revoked_at
         from api_keys k join projects p on p.tenant_id = k.tenant_id and p.id = k.project_id
         where k.tenant_id = $1 and k.id = $2 and p.deleted_at is null")
        .bind(tenant).bind(id).fetch_optional(c).await)
}

/// The project's keys that were not revoked, newest first.
pub(in crate::auth) async fn of_project(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
) -> sqlx::Result<Vec<ApiKeyRow>> {
    on_tx!(tx, c => sqlx::query_as(
        "select tenant_id, id, project_id, name, role, prefix, secret_hash, created_by, created_at, expires_at,
                last_used_at, revoked_at
         from api_keys where tenant_id = $1 and project_id = $2 and revoked_at is null
         order by created_at desc, id desc")
        .bind(tenant).bind(project).fetch_all(c).await)
}

/// Adds a key.
pub(in crate::auth) async fn insert(tx: &mut Tx, tenant: TenantId, key: &ApiKeyRow) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "insert into api_keys (tenant_id, id, project_id, name, role, prefix, secret_hash, created_by, created_at,
                               expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
        .bind(tenant).bind(key.id).bind(key.project_id).bind(&key.name).bind(key.role.as_str()).bind(&key.prefix)
        .bind(&key.secret_hash).bind(key.created_by).bind(key.created_at).bind(key.expires_at)
        .execute(c).await.map(drop))
}

/// Ends a key of this project; `false` when there is no such key.
pub(in crate::auth) async fn revoke(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    id: ApiKeyId,
) -> sqlx::Result<bool> {
    let now = tx.now();
    let changed = on_tx!(tx, c => sqlx::query(
        "update api_keys set revoked_at = $4
         where tenant_id = $1 and project_id = $2 and id = $3 and revoked_at is null")
        .bind(tenant).bind(project).bind(id).bind(now)
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(changed == 1)
}

/// Notes that a key is in use.
pub(in crate::auth) async fn touch(tx: &mut Tx, tenant: TenantId, id: ApiKeyId) -> sqlx::Result<()> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query("update api_keys set last_used_at = $3 where tenant_id = $1 and id = $2")
        .bind(tenant).bind(id).bind(now).execute(c).await.map(drop))
}

/// The name of a key, also of one that was revoked.
pub(in crate::auth) async fn name(
    tx: &mut Tx,
    tenant: TenantId,
    id: ApiKeyId,
) -> sqlx::Result<Option<String>> {
    on_tx!(tx, c => sqlx::query_scalar("select name from api_keys where tenant_id = $1 and id = $2")
        .bind(tenant).bind(id).fetch_optional(c).await)
}
