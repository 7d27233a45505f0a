//! All SQL of integrations and their tokens.

use std::collections::BTreeSet;

use outbox::{Old, Ts, Tx, on_tx, sabotage};
use sqlx::types::Json;
use uuid::Uuid;

use super::{Kind, Settings};
use crate::auth::secret_token::SecretToken;
use crate::ids::{IntegrationId, ProjectId, TenantId};

/// An integration as it is stored.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct Row {
    /// Names it.
    pub id: IntegrationId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// What kind of system sends.
    #[sqlx(try_from = "String")]
    pub kind: Kind,
    /// As people call it.
    pub name: String,
    /// The system's own API.
    pub url: Option<String>,
    /// The credential for it, sealed.
    pub auth: Option<Vec<u8>>,
    /// What it changes about reading and grouping.
    pub settings: Json<Settings>,
    /// How many alerts its sender left out so far.
    pub truncated_alerts: i64,
    /// When a webhook request last arrived.
    pub last_delivery_at: Option<Ts>,
    /// Whether it was accepted.
    pub last_delivery_status: Option<String>,
    /// When it was added.
    pub created_at: Ts,
}

macro_rules! columns {
    () => {
        "integrations.id, integrations.project_id, kind, name, url, auth, settings, truncated_alerts,
         last_delivery_at, last_delivery_status, integrations.created_at"
    };
}

/// A stored webhook token and the integration it belongs to.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Token {
    /// The tenant.
    pub tenant_id: TenantId,
    /// SHA-256 of its secret part.
    pub secret_hash: Vec<u8>,
    /// When it ends, after a rotation.
    pub expires_at: Option<Ts>,
    /// The integration.
    #[sqlx(flatten)]
    pub integration: Row,
}

/// The token with this prefix: the look-up whose answer is the tenant.
///
/// # Errors
/// When the database refused.
pub async fn by_token(tx: &mut Tx, prefix: &str) -> sqlx::Result<Option<Token>> {
    on_tx!(tx, c => sqlx::query_as(concat!(
        "select integration_tokens.tenant_id, secret_hash, expires_at, ", columns!(),
        " from integration_tokens join integrations
         on integrations.tenant_id = integration_tokens.tenant_id
         and integrations.id = integration_tokens.integration_id
         where prefix = $1 and deleted_at is null"))
        .bind(prefix).fetch_optional(c).await)
}

/// The integration with this id, whoever owns it: for a request that has not proven who sent it.
///
/// # Errors
/// When the database refused.
pub async fn by_id(tx: &mut Tx, id: IntegrationId) -> sqlx::Result<Option<(TenantId, ProjectId)>> {
    on_tx!(tx, c => sqlx::query_as(
        "select tenant_id, project_id from integrations where id = $1 and deleted_at is null")
        .bind(id).fetch_optional(c).await)
}

/// The integrations of a project, in the order they were added.
///
/// # Errors
/// When the database refused.
pub async fn list(tx: &mut Tx, tenant: TenantId, project: ProjectId) -> sqlx::Result<Vec<Row>> {
    on_tx!(tx, c => sqlx::query_as(concat!(
        "select ", columns!(), " from integrations
         where tenant_id = $1 and project_id = $2 and deleted_at is null order by created_at, id"))
        .bind(tenant).bind(project).fetch_all(c).await)
}

/// One integration of a project.
///
/// # Errors
/// When the database refused.
pub async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    id: IntegrationId,
) -> sqlx::Result<Option<Row>> {
    if sabotage::broken("integration-of-any-project") {
        return on_tx!(tx, c => sqlx::query_as(concat!(
            "select ", columns!(), " from integrations where tenant_id = $1 and id = $2 and deleted_at is null"))
            .bind(tenant).bind(id).fetch_optional(c).await);
    }
    if sabotage::broken("integration-of-any-tenant") {
        return on_tx!(tx, c => sqlx::query_as(concat!(
            "select ", columns!(), " from integrations where id = $1 and deleted_at is null"))
            .bind(id).fetch_optional(c).await);
    }
    on_tx!(tx, c => sqlx::query_as(concat!(
        "select ", columns!(), " from integrations
         where tenant_id = $1 and project_id = $2 and id = $3 and deleted_at is null"))
        .bind(tenant).bind(project).bind(id).fetch_optional(c).await)
}

/// Adds an integration.
///
/// # Errors
/// When the database refused.
pub async fn insert(tx: &mut Tx, tenant: TenantId, row: &Row) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "insert into integrations (tenant_id, id, project_id, kind, name, url, auth, settings, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
        .bind(tenant).bind(row.id).bind(row.project_id).bind(row.kind.as_str()).bind(&row.name).bind(&row.url)
        .bind(&row.auth).bind(&row.settings).bind(row.created_at).execute(c).await.map(drop))
}

/// Writes what people may change of an integration.
///
/// # Errors
/// When the database refused.
pub async fn save(tx: &mut Tx, tenant: TenantId, row: &Row) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "update integrations set name = $3, url = $4, auth = $5, settings = $6 where tenant_id = $1 and id = $2")
        .bind(tenant).bind(row.id).bind(&row.name).bind(&row.url).bind(&row.auth).bind(&row.settings)
        .execute(c).await.map(drop))
}

/// Removes an integration; its receipts stay readable, its tokens end at once.
///
/// # Errors
/// When the database refused.
pub async fn delete(tx: &mut Tx, tenant: TenantId, id: IntegrationId) -> sqlx::Result<()> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query("update integrations set deleted_at = $3 where tenant_id = $1 and id = $2")
        .bind(tenant).bind(id).bind(now).execute(c).await.map(drop))?;
    on_tx!(tx, c => sqlx::query("delete from integration_tokens where tenant_id = $1 and integration_id = $2")
        .bind(tenant).bind(id).execute(c).await.map(drop))
}

/// Gives an integration a token, `sealed` if its sender may sign with it.
///
/// # Errors
/// When the database refused.
pub async fn add_token(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    token: &SecretToken,
    sealed: Option<Vec<u8>>,
) -> sqlx::Result<()> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query(
        "insert into integration_tokens (tenant_id, integration_id, prefix, secret_hash, sealed, created_at)
         values ($1, $2, $3, $4, $5, $6)")
        .bind(tenant).bind(id).bind(token.prefix()).bind(token.hash()).bind(sealed).bind(now)
        .execute(c).await.map(drop))
}

/// The sealed tokens of an integration, newest first.
///
/// # Errors
/// When the database refused.
pub async fn sealed_tokens(tx: &mut Tx, tenant: TenantId, id: IntegrationId) -> sqlx::Result<Vec<Vec<u8>>> {
    on_tx!(tx, c => sqlx::query_scalar(
        "select sealed from integration_tokens where tenant_id = $1 and integration_id = $2 and sealed is not null
         order by created_at desc")
        .bind(tenant).bind(id).fetch_all(c).await)
}

/// Whether an integration has a token that was replaced and has not ended by `now`.
///
/// # Errors
/// When the database refused.
pub async fn ends_later(tx: &mut Tx, tenant: TenantId, id: IntegrationId, now: Ts) -> sqlx::Result<bool> {
    on_tx!(tx, c => sqlx::query_scalar::<_, i64>(
        "select count(*) from integration_tokens where tenant_id = $1 and integration_id = $2 and expires_at > $3")
        .bind(tenant).bind(id).bind(now).fetch_one(c).await)
    .map(|count| count > 0)
}

/// Lets the current token of an integration end at `expires_at`, and forgets those that have ended by `now`.
///
/// # Errors
/// When the database refused.
pub async fn retire_tokens(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    now: Ts,
    expires_at: Ts,
) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "delete from integration_tokens where tenant_id = $1 and integration_id = $2 and expires_at <= $3")
        .bind(tenant).bind(id).bind(now).execute(c).await.map(drop))?;
    on_tx!(tx, c => sqlx::query(
        "update integration_tokens set expires_at = $3
         where tenant_id = $1 and integration_id = $2 and expires_at is null")
        .bind(tenant).bind(id).bind(expires_at).execute(c).await.map(drop))
}

/// Notes that a webhook request of an integration arrived.
///
/// # Errors
/// When the database refused.
pub async fn note_delivery(
    tx: &mut Tx,
    tenant: TenantId,
    id: IntegrationId,
    status: &str,
    truncated: i64,
) -> sqlx::Result<()> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query(
        "update integrations set last_delivery_at = $3, last_delivery_status = $4,
             truncated_alerts = truncated_alerts + $5
         where tenant_id = $1 and id = $2")
        .bind(tenant).bind(id).bind(now).bind(status).bind(truncated).execute(c).await.map(drop))
}

/// Whether the last receipt of a stranger's request to an integration is from `since` or before.
///
/// # Errors
/// When the database refused.
pub async fn may_reject(tx: &mut Tx, tenant: TenantId, id: IntegrationId, since: Ts) -> sqlx::Result<bool> {
    on_tx!(tx, c => sqlx::query_scalar(
        "select last_rejection_at is null or last_rejection_at <= $3
         from integrations where tenant_id = $1 and id = $2")
        .bind(tenant).bind(id).bind(since).fetch_optional(c).await)
    .map(|may| may.unwrap_or(false))
}

/// Notes that a stranger's request to an integration leaves a receipt; `false` where [`may_reject`] no longer holds.
///
/// # Errors
/// When the database refused.
pub async fn reject(tx: &mut Tx, tenant: TenantId, id: IntegrationId, since: Ts) -> sqlx::Result<bool> {
    let now = tx.now();
    let changed = on_tx!(tx, c => sqlx::query(
        "update integrations set last_rejection_at = $4
         where tenant_id = $1 and id = $2 and (last_rejection_at is null or last_rejection_at <= $3)")
        .bind(tenant).bind(id).bind(since).bind(now).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(changed == 1)
}

/// The project of an integration, also of one that was removed.
///
/// # Errors
/// When the database refused.
pub async fn project_of(tx: &mut Tx, tenant: TenantId, id: IntegrationId) -> sqlx::Result<Option<ProjectId>> {
    on_tx!(tx, c => sqlx::query_scalar("select project_id from integrations where tenant_id = $1 and id = $2")
        .bind(tenant).bind(id).fetch_optional(c).await)
}

/// Which of these spooled requests are stored.
///
/// # Errors
/// When the database refused.
pub async fn spooled(tx: &mut Tx, tenant: TenantId, names: &[Uuid]) -> sqlx::Result<BTreeSet<Uuid>> {
    let mut found = BTreeSet::new();
    for piece in outbox::bulk::pieces(names) {
        let some: Vec<Uuid> = on_tx!(tx, c => {
            let mut query = sqlx::QueryBuilder::new("select id from spooled where tenant_id = ");
            query.push_bind(tenant).push(" and id in (");
            let mut ids = query.separated(", ");
            for name in piece {
                ids.push_bind(name);
            }
            query.push(")").build_query_scalar().fetch_all(c).await
        })?;
        found.extend(some);
    }
    Ok(found)
}

/// Notes that spooled requests are stored.
///
/// # Errors
/// When the database refused.
pub async fn note_spooled(tx: &mut Tx, tenant: TenantId, names: &[Uuid]) -> sqlx::Result<()> {
    let now = tx.now();
    outbox::write_all!(tx, names, "insert into spooled (tenant_id, id, stored_at) ",
        (bind, name) => { bind.push_bind(tenant).push_bind(name).push_bind(now); }, "")
}

/// Spooled requests that were stored a while ago: their spool forgets them by [`forget_spooled`], if nothing is amiss.
pub const SPOOLED: Old = Old { look_up: "housekeeping", table: "spooled", rule: "stored_at < $1" };

/// Forgets spooled requests that no spool holds any more.
///
/// # Errors
/// When the database refused.
pub async fn forget_spooled(tx: &mut Tx, tenant: TenantId, names: &[Uuid]) -> sqlx::Result<()> {
    for piece in outbox::bulk::pieces(names) {
        on_tx!(tx, c => {
            let mut query = sqlx::QueryBuilder::new("delete from spooled where tenant_id = ");
            query.push_bind(tenant).push(" and id in (");
            let mut ids = query.separated(", ");
            for name in piece {
                ids.push_bind(name);
            }
            query.push(")").build().execute(c).await.map(drop)
        })?;
    }
    Ok(())
}
