//! Who is in which project.

use outbox::{Ts, Tx, on_tx};

use crate::auth::permission::Role;
use crate::ids::{ProjectId, TenantId, UserId};

/// A person in a project.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(in crate::auth) struct MemberRow {
    pub user_id: UserId,
    pub email: String,
    pub full_name: String,
    #[sqlx(try_from = "String")]
    pub role: Role,
    pub created_at: Ts,
}

/// Adds a person to a project; `false` when they are in it.
pub(in crate::auth) async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    user: UserId,
    role: Role,
) -> sqlx::Result<bool> {
    let now = tx.now();
    let added = on_tx!(tx, c => sqlx::query(
        "insert into members (tenant_id, project_id, user_id, role, created_at) values ($1, $2, $3, $4, $5)
         on conflict (tenant_id, project_id, user_id) do nothing")
        .bind(tenant).bind(project).bind(user).bind(role.as_str()).bind(now)
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(added == 1)
}

/// The project's members, in the order they came.
pub(in crate::auth) async fn of_project(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
) -> sqlx::Result<Vec<MemberRow>> {
    on_tx!(tx, c => sqlx::query_as(
        "select m.user_id, u.email, u.full_name, m.role, m.created_at from members m
         join users u on u.tenant_id = m.tenant_id and u.id = m.user_id
         where m.tenant_id = $1 and m.project_id = $2 order by m.created_at, m.user_id")
        .bind(tenant).bind(project).fetch_all(c).await)
}

/// A member of the project.
pub(in crate::auth) async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    user: UserId,
) -> sqlx::Result<Option<MemberRow>> {
    on_tx!(tx, c => sqlx::query_as(
        "select m.user_id, u.email, u.full_name, m.role, m.created_at from members m
         join users u on u.tenant_id = m.tenant_id and u.id = m.user_id
         where m.tenant_id = $1 and m.project_id = $2 and m.user_id = $3")
        .bind(tenant).bind(project).bind(user).fetch_optional(c).await)
}

/// How many owners the project has.
pub(in crate::auth) async fn owners(tx: &mut Tx, tenant: TenantId, project: ProjectId) -> sqlx::Result<i64> {
    on_tx!(tx, c => sqlx::query_scalar(
        "select count(*) from members where tenant_id = $1 and project_id = $2 and role = 'owner'")
        .bind(tenant).bind(project).fetch_one(c).await)
}

/// Gives a member another role.
pub(in crate::auth) async fn set_role(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    user: UserId,
    role: Role,
) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "update members set role = $4 where tenant_id = $1 and project_id = $2 and user_id = $3")
        .bind(tenant).bind(project).bind(user).bind(role.as_str()).execute(c).await.map(drop))
}

/// Takes a person out of a project.
pub(in crate::auth) async fn delete(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    user: UserId,
) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query("delete from members where tenant_id = $1 and project_id = $2 and user_id = $3")
        .bind(tenant).bind(project).bind(user).execute(c).await.map(drop))
}
