//! Browser sessions.

use outbox::{Old, Ts, Tx, on_tx};

use crate::ids::{ProjectId, SessionId, TenantId, UserId};

/// A session as stored.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(in crate::auth) struct SessionRow {
    pub id: SessionId,
    pub user_id: UserId,
    pub project_id: ProjectId,
    pub refresh_hash: Vec<u8>,
    pub previous_hash: Option<Vec<u8>>,
    pub rotated_at: Ts,
    pub user_agent: String,
    pub remote: String,
    pub created_at: Ts,
    pub last_used_at: Ts,
    pub expires_at: Ts,
    pub ended_at: Option<Ts>,
}

/// A session, its person, and the project a request is about: what a request's permission follows from.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(in crate::auth) struct Standing {
    pub email: String,
    pub full_name: String,
    pub disabled_at: Option<Ts>,
    pub expires_at: Ts,
    pub ended_at: Option<Ts>,
    pub project_id: Option<ProjectId>,
    /// Missing when the person is in no such project.
    pub role: Option<String>,
}

/// Everything that decides on a request of this session: about `project`, or else about the session's own
/// project, or else about any project the person is in.
pub(in crate::auth) async fn standing(
    tx: &mut Tx,
    tenant: TenantId,
    session: SessionId,
    user: UserId,
    project: Option<ProjectId>,
) -> sqlx::Result<Option<Standing>> {
    on_tx!(tx, c => sqlx::query_as(
        "select u.email, u.full_name, u.disabled_at, s.expires_at, s.ended_at, m.project_id, m.role
         from sessions s
         join users u on u.tenant_id = s.tenant_id and u.id = s.user_id
         left join (members m join projects p
                    on p.tenant_id = m.tenant_id and p.id = m.project_id and p.deleted_at is null)
              on m.tenant_id = s.tenant_id and m.user_id = s.user_id and m.project_id = coalesce($4, m.project_id)
         where s.tenant_id = $1 and s.id = $2 and s.user_id = $3
         order by case when m.project_id = s.project_id then 0 else 1 end, m.created_at, m.project_id limit 1")
        .bind(tenant).bind(session).bind(user).bind(project)
        .fetch_optional(c).await)
}

/// Begins a session.
pub(in crate::auth) async fn insert(tx: &mut Tx, tenant: TenantId, row: &SessionRow) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "insert into sessions (tenant_id, id, user_id, project_id, refresh_hash, rotated_at, user_agent, remote,
                               created_at, last_used_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $6, $6, $9)")
        .bind(tenant).bind(row.id).bind(row.user_id).bind(row.project_id).bind(&row.refresh_hash)
        .bind(row.created_at).bind(&row.user_agent).bind(&row.remote).bind(row.expires_at)
        .execute(c).await.map(drop))
}

/// Ends the person's sessions beyond the `keep` that were used last.
pub(in crate::auth) async fn end_oldest(
    tx: &mut Tx,
    tenant: TenantId,
    user: UserId,
    keep: i64,
) -> sqlx::Result<()> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query(
        "update sessions set ended_at = $4 where tenant_id = $1 and ended_at is null and id in (
             select id from sessions where tenant_id = $1 and user_id = $2 and ended_at is null
             order by last_used_at desc, id desc limit 1000 offset $3)")
        .bind(tenant).bind(user).bind(keep).bind(now).execute(c).await.map(drop))
}

/// A session.
pub(in crate::auth) async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    id: SessionId,
) -> sqlx::Result<Option<SessionRow>> {
    on_tx!(tx, c => sqlx::query_as(
        "select id, user_id, project_id, refresh_hash, previous_hash, rotated_at, user_agent, remote, created_at,
                last_used_at, expires_at, ended_at
         from sessions where tenant_id = $1 and id = $2")
        .bind(tenant).bind(id).fetch_optional(c).await)
}

/// The person's live sessions, the one used last first.
pub(in crate::auth) async fn of_user(
    tx: &mut Tx,
    tenant: TenantId,
    user: UserId,
) -> sqlx::Result<Vec<SessionRow>> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query_as(
        "select id, user_id, project_id, refresh_hash, previous_hash, rotated_at, user_agent, remote, created_at,
                last_used_at, expires_at, ended_at
         from sessions where tenant_id = $1 and user_id = $2 and ended_at is null and expires_at > $3
         order by last_used_at desc, id desc")
        .bind(tenant).bind(user).bind(now).fetch_all(c).await)
}

/// Replaces the refresh token `from` by `to`; `false` when another request was first.
pub(in crate::auth) async fn rotate(
    tx: &mut Tx,
    tenant: TenantId,
    id: SessionId,
    from: &[u8],
    to: &[u8],
    expires_at: Ts,
) -> sqlx::Result<bool> {
    let now = tx.now();
    let changed = on_tx!(tx, c => sqlx::query(
        "update sessions set refresh_hash = $4, previous_hash = $3, rotated_at = $6, last_used_at = $6, expires_at = $5
         where tenant_id = $1 and id = $2 and refresh_hash = $3 and ended_at is null")
        .bind(tenant).bind(id).bind(from).bind(to).bind(expires_at).bind(now)
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(changed == 1)
}

/// Ends a session of this person; `false` when there is no live one of that id.
pub(in crate::auth) async fn end(
    tx: &mut Tx,
    tenant: TenantId,
    id: SessionId,
    user: UserId,
) -> sqlx::Result<bool> {
    let now = tx.now();
    let changed = on_tx!(tx, c => sqlx::query(
        "update sessions set ended_at = $4 where tenant_id = $1 and id = $2 and user_id = $3 and ended_at is null")
        .bind(tenant).bind(id).bind(user).bind(now)
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(changed == 1)
}

/// Ends every session of this person but `current`, and says how many.
pub(in crate::auth) async fn end_others(
    tx: &mut Tx,
    tenant: TenantId,
    user: UserId,
    current: SessionId,
) -> sqlx::Result<u64> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query(
        "update sessions set ended_at = $4 where tenant_id = $1 and user_id = $2 and id <> $3 and ended_at is null")
        .bind(tenant).bind(user).bind(current).bind(now)
        .execute(c).await.map(|done| done.rows_affected()))
}

/// Makes `project` the one that the session's requests are about.
pub(in crate::auth) async fn set_project(
    tx: &mut Tx,
    tenant: TenantId,
    id: SessionId,
    project: ProjectId,
) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query("update sessions set project_id = $3 where tenant_id = $1 and id = $2")
        .bind(tenant).bind(id).bind(project).execute(c).await.map(drop))
}

/// Sessions that ended or expired a while ago.
pub(in crate::auth) const OLD: Old =
    Old { look_up: "housekeeping", table: "sessions", rule: "ended_at < $1 or expires_at < $1" };
