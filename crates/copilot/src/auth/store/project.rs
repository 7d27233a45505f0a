//! Projects.

use outbox::{Ts, Tx, on_tx};
use serde::Serialize;

use crate::auth::permission::Role;
use crate::ids::{ProjectId, TenantId, UserId};

/// A project.
#[derive(Clone, Debug, PartialEq, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct Project {
    /// Names it.
    pub id: ProjectId,
    /// As shown to people.
    pub name: String,
    /// When it was made.
    pub created_at: Ts,
}

/// A project and one's role in it.
#[derive(Clone, Debug, PartialEq, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct ProjectRole {
    /// Names the project.
    pub id: ProjectId,
    /// As shown to people.
    pub name: String,
    /// What one may do in it.
    #[sqlx(try_from = "String")]
    pub role: Role,
}

/// Adds a project.
pub(in crate::auth) async fn insert(tx: &mut Tx, tenant: TenantId, project: &Project) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query("insert into projects (tenant_id, id, name, created_at) values ($1, $2, $3, $4)")
        .bind(tenant).bind(project.id).bind(&project.name).bind(project.created_at).execute(c).await.map(drop))
}

/// A project that was not deleted.
pub(in crate::auth) async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    id: ProjectId,
) -> sqlx::Result<Option<Project>> {
    on_tx!(tx, c => sqlx::query_as(
        "select id, name, created_at from projects where tenant_id = $1 and id = $2 and deleted_at is null")
        .bind(tenant).bind(id).fetch_optional(c).await)
}

/// The projects a person is in, oldest membership first.
pub(in crate::auth) async fn roles(
    tx: &mut Tx,
    tenant: TenantId,
    user: UserId,
) -> sqlx::Result<Vec<ProjectRole>> {
    on_tx!(tx, c => sqlx::query_as(
        "select p.id, p.name, m.role from members m
         join projects p on p.tenant_id = m.tenant_id and p.id = m.project_id
         where m.tenant_id = $1 and m.user_id = $2 and p.deleted_at is null order by m.created_at, p.id")
        .bind(tenant).bind(user).fetch_all(c).await)
}

/// The projects a person is in, with their dates.
pub(in crate::auth) async fn of_user(
    tx: &mut Tx,
    tenant: TenantId,
    user: UserId,
) -> sqlx::Result<Vec<Project>> {
    on_tx!(tx, c => sqlx::query_as(
        "select p.id, p.name, p.created_at from members m
         join projects p on p.tenant_id = m.tenant_id and p.id = m.project_id
         where m.tenant_id = $1 and m.user_id = $2 and p.deleted_at is null order by m.created_at, p.id")
        .bind(tenant).bind(user).fetch_all(c).await)
}

/// The tenant's oldest project.
pub(in crate::auth) async fn first(tx: &mut Tx, tenant: TenantId) -> sqlx::Result<Option<Project>> {
    on_tx!(tx, c => sqlx::query_as(
        "select id, name, created_at from projects where tenant_id = $1 and deleted_at is null
         order by created_at, id limit 1")
        .bind(tenant).fetch_optional(c).await)
}

/// How many projects the tenant has; deleted ones do not count.
pub(in crate::auth) async fn count(tx: &mut Tx, tenant: TenantId) -> sqlx::Result<i64> {
    on_tx!(tx, c => sqlx::query_scalar("select count(*) from projects where tenant_id = $1 and deleted_at is null")
        .bind(tenant).fetch_one(c).await)
}

/// Makes every other change of the tenant's projects wait for this transaction.
pub(in crate::auth) async fn lock_all(tx: &mut Tx, tenant: TenantId) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query("update tenants set name = name where tenant_id = $1")
        .bind(tenant).execute(c).await.map(drop))
}

/// Makes every other change of the project's members and keys wait for this transaction.
pub(in crate::auth) async fn lock(tx: &mut Tx, tenant: TenantId, id: ProjectId) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query("update projects set name = name where tenant_id = $1 and id = $2")
        .bind(tenant).bind(id).execute(c).await.map(drop))
}

/// Renames a project.
pub(in crate::auth) async fn rename(
    tx: &mut Tx,
    tenant: TenantId,
    id: ProjectId,
    name: &str,
) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query("update projects set name = $3 where tenant_id = $1 and id = $2")
        .bind(tenant).bind(id).bind(name).execute(c).await.map(drop))
}

/// Deletes a project: nobody sees it any more, and its keys, integrations and invitations end.
pub(in crate::auth) async fn delete(tx: &mut Tx, tenant: TenantId, id: ProjectId) -> sqlx::Result<()> {
    let now = tx.now();
    for statement in [
        "update projects set deleted_at = $3 where tenant_id = $1 and id = $2",
        "update api_keys set revoked_at = $3 where tenant_id = $1 and project_id = $2 and revoked_at is null",
        "update integrations set deleted_at = $3 where tenant_id = $1 and project_id = $2 and deleted_at is null",
        "update invitations set expires_at = $3 where tenant_id = $1 and project_id = $2 and accepted_at is null",
    ] {
        on_tx!(tx, c => sqlx::query(statement).bind(tenant).bind(id).bind(now).execute(c).await.map(drop))?;
    }
    // Nobody is told anything any more.
    on_tx!(tx, c => sqlx::query("delete from notification_channels where tenant_id = $1 and project_id = $2")
        .bind(tenant).bind(id).execute(c).await.map(drop))?;
    // Nothing comes any more of alerts that wait for their time.
    on_tx!(tx, c => sqlx::query(
        "update alerts set held_starts_at = null, held_until = null, flapping_until = null
         where tenant_id = $1 and project_id = $2 and (held_until is not null or flapping_until is not null)")
        .bind(tenant).bind(id).execute(c).await.map(drop))
}
