//! Offers of membership.

use outbox::{Old, Ts, Tx, on_tx};

use crate::auth::permission::Role;
use crate::ids::{InvitationId, ProjectId, TenantId, UserId};

/// An invitation as stored.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(in crate::auth) struct InvitationRow {
    pub tenant_id: TenantId,
    pub id: InvitationId,
    pub project_id: ProjectId,
    pub email: String,
    #[sqlx(try_from = "String")]
    pub role: Role,
    pub token_hash: Vec<u8>,
    pub invited_by: UserId,
    pub created_at: Ts,
    pub expires_at: Ts,
    pub accepted_at: Option<Ts>,
}

/// The invitation whose token has this hash, to a project that was not deleted.
pub(in crate::auth) async fn by_token(tx: &mut Tx, token_hash: &[u8]) -> sqlx::Result<Option<InvitationRow>> {
    on_tx!(tx, c => sqlx::query_as(
        "select i.tenant_id, i.id, i.project_id, i.email, i.role, i.token_hash, i.invited_by, i.created_at,
                i.expires_at, i.accepted_at
         from invitations i join projects p on p.tenant_id = i.tenant_id and p.id = i.project_id
         where i.token_hash = $1 and p.deleted_at is null")
        .bind(token_hash).fetch_optional(c).await)
}

/// Adds an invitation.
pub(in crate::auth) async fn insert(tx: &mut Tx, tenant: TenantId, row: &InvitationRow) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "insert into invitations (tenant_id, id, project_id, email, role, token_hash, invited_by, created_at,
                                  expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
        .bind(tenant).bind(row.id).bind(row.project_id).bind(&row.email).bind(row.role.as_str())
        .bind(&row.token_hash).bind(row.invited_by).bind(row.created_at).bind(row.expires_at)
        .execute(c).await.map(drop))
}

/// The project's invitations that can still be accepted, newest first.
pub(in crate::auth) async fn pending(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
) -> sqlx::Result<Vec<InvitationRow>> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query_as(
        "select tenant_id, id, project_id, email, role, token_hash, invited_by, created_at, expires_at, accepted_at
         from invitations where tenant_id = $1 and project_id = $2 and accepted_at is null and expires_at > $3
         order by created_at desc, id desc")
        .bind(tenant).bind(project).bind(now).fetch_all(c).await)
}

/// Marks an invitation as accepted; `false` when somebody was first, or it has been withdrawn.
pub(in crate::auth) async fn accept(tx: &mut Tx, tenant: TenantId, id: InvitationId) -> sqlx::Result<bool> {
    let now = tx.now();
    let changed = on_tx!(tx, c => sqlx::query(
        "update invitations set accepted_at = $3
         where tenant_id = $1 and id = $2 and accepted_at is null and expires_at > $3")
        .bind(tenant).bind(id).bind(now).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(changed == 1)
}

/// Withdraws an invitation; `false` when there is none that could be accepted.
pub(in crate::auth) async fn withdraw(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    id: InvitationId,
) -> sqlx::Result<bool> {
    let now = tx.now();
    let changed = on_tx!(tx, c => sqlx::query(
        "update invitations set expires_at = $4
         where tenant_id = $1 and project_id = $2 and id = $3 and accepted_at is null and expires_at > $4")
        .bind(tenant).bind(project).bind(id).bind(now).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(changed == 1)
}

/// Invitations that ended a while ago, accepted or not.
pub(in crate::auth) const OLD: Old =
    Old { look_up: "housekeeping", table: "invitations", rule: "expires_at < $1" };
