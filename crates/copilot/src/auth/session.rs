//! Beginning a session, and listing and ending one's own.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::AppendHeaders;
use outbox::{Ts, Tx};
use serde::Serialize;

use super::audit::{self, Entry};
use super::cookie::Cookie;
use super::device;
use super::extract::{Path, Query};
use super::permission::{Member, Role, Viewer, session_of};
use super::refresh::{self, RefreshToken};
use super::source::Source;
use super::store::session::{self, SessionRow};
use super::token::{self, Subject};
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::{ProjectId, SessionId, TenantId, UserId};
use crate::page::{Page, PageQuery};

/// Live sessions a person may have; beginning another ends the one that was used longest ago.
const MAX_SESSIONS: i64 = 50;

/// The headers that set the session's cookies.
pub(super) type Cookies = AppendHeaders<Vec<(header::HeaderName, HeaderValue)>>;

/// Whom a session is for.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub tenant: TenantId,
    pub user: UserId,
    pub email: String,
    /// Where the session begins.
    pub project: ProjectId,
    pub role: Role,
}

/// Begins a session in `tx`; the answer must carry the cookies.
pub(super) async fn begin(
    tx: &mut Tx,
    app: &App,
    person: Person,
    source: &Source,
) -> Result<(SessionId, Cookies)> {
    let (id, now) = (SessionId::new(), tx.now());
    let token = RefreshToken::first(person.tenant, id);
    let row = SessionRow {
        id,
        user_id: person.user,
        project_id: person.project,
        refresh_hash: token.hash(),
        previous_hash: None,
        rotated_at: now,
        user_agent: source.user_agent.clone(),
        remote: source.address.to_string(),
        created_at: now,
        last_used_at: now,
        expires_at: now.plus_seconds(refresh::LIFETIME_S),
        ended_at: None,
    };
    session::insert(tx, person.tenant, &row).await?;
    session::end_oldest(tx, person.tenant, person.user, MAX_SESSIONS).await?;
    let access = access_token(app, &person, id, now)?;
    let mut cookies = cookies(app, &access, &app.keys.write_refresh(&token))?;
    let mark = Cookie::Device.set(&app.config, &app.keys.mark_device(&person.email), device::LIFETIME_S)?;
    cookies.0.push((header::SET_COOKIE, mark));
    Ok((id, cookies))
}

/// Makes `project` the one that the session's requests are about.
pub(super) async fn switch(
    tx: &mut Tx,
    tenant: TenantId,
    id: SessionId,
    project: ProjectId,
) -> sqlx::Result<()> {
    session::set_project(tx, tenant, id, project).await
}

/// An access token for `person` in this session.
pub(super) fn access_token(app: &App, person: &Person, session: SessionId, now: Ts) -> Result<String> {
    let subject = Subject {
        user: person.user,
        tenant: person.tenant,
        project: person.project,
        email: person.email.clone(),
        role: person.role,
        session,
    };
    app.keys.sign(&subject, now).map_err(Error::Internal)
}

/// The headers that store both tokens.
pub(super) fn cookies(app: &App, access: &str, refresh: &str) -> Result<Cookies> {
    Ok(AppendHeaders(vec![
        (header::SET_COOKIE, Cookie::Access.set(&app.config, access, token::LIFETIME_S)?),
        (header::SET_COOKIE, Cookie::Refresh.set(&app.config, refresh, refresh::LIFETIME_S)?),
    ]))
}

/// The header that stores the access token.
pub(super) fn access_cookie(app: &App, access: &str) -> Result<Cookies> {
    Ok(AppendHeaders(vec![(header::SET_COOKIE, Cookie::Access.set(&app.config, access, token::LIFETIME_S)?)]))
}

/// The headers that remove both tokens.
pub(super) fn no_cookies(app: &App) -> Result<Cookies> {
    Ok(AppendHeaders(vec![
        (header::SET_COOKIE, Cookie::Access.clear(&app.config)?),
        (header::SET_COOKIE, Cookie::Refresh.clear(&app.config)?),
    ]))
}

/// A browser session.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Session {
    /// Names it.
    pub id: SessionId,
    /// What the browser calls itself.
    pub user_agent: String,
    /// The address it was begun from.
    pub remote: String,
    /// When it was begun.
    pub created_at: Ts,
    /// When it was last refreshed.
    pub last_used_at: Ts,
    /// When it ends unless it is refreshed.
    pub expires_at: Ts,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// Lists one's own sessions.
#[utoipa::path(get, path = "/api/v1/auth/sessions", tag = "auth", params(PageQuery), responses((status = 200, body = Page<Session>)))]
pub(super) async fn list(
    State(app): State<App>,
    member: Viewer,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Session>>> {
    Ok(Json(Page::part(&page, own(&app, &member).await?, |session| session.id.0)?))
}

/// Shows one of one's own sessions.
#[utoipa::path(get, path = "/api/v1/auth/sessions/{session_id}", tag = "auth",
    params(("session_id" = SessionId, Path)), responses((status = 200, body = Session)))]
pub(super) async fn show(
    State(app): State<App>,
    member: Viewer,
    Path(id): Path<SessionId>,
) -> Result<Json<Session>> {
    let found = own(&app, &member).await?.into_iter().find(|session| session.id == id);
    found.map(Json).ok_or(Error::NotFound)
}

async fn own(app: &App, member: &Member) -> Result<Vec<Session>> {
    let (user, current) = session_of(member)?;
    let mut tx = app.db.read(member.tenant.0).await?;
    let rows = session::of_user(&mut tx, member.tenant, user).await?;
    let show = |row: SessionRow| Session {
        id: row.id,
        user_agent: row.user_agent,
        remote: row.remote,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
        expires_at: row.expires_at,
        current: row.id == current,
    };
    Ok(rows.into_iter().map(show).collect())
}

/// Ends one of one's own sessions.
#[utoipa::path(delete, path = "/api/v1/auth/sessions/{session_id}", tag = "auth",
    params(("session_id" = SessionId, Path)), responses((status = 204)))]
pub(super) async fn end(
    State(app): State<App>,
    member: Viewer,
    source: Source,
    Path(id): Path<SessionId>,
) -> Result<StatusCode> {
    let (user, _) = session_of(&member)?;
    let mut tx = app.db.begin(member.tenant.0).await?;
    if !session::end(&mut tx, member.tenant, id, user).await? {
        return Err(Error::NotFound);
    }
    let entry = Entry::by(&member, &source, "session.ended", format!("session:{id}"));
    audit::record(&mut tx, member.tenant, entry).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends all of one's own sessions but the one that asks.
#[utoipa::path(delete, path = "/api/v1/auth/sessions", tag = "auth", responses((status = 204)))]
pub(super) async fn end_others(State(app): State<App>, member: Viewer, source: Source) -> Result<StatusCode> {
    let (user, current) = session_of(&member)?;
    let mut tx = app.db.begin(member.tenant.0).await?;
    let ended = session::end_others(&mut tx, member.tenant, user, current).await?;
    let entry = Entry::by(&member, &source, "sessions.ended", format!("user:{user}"));
    audit::record(&mut tx, member.tenant, entry.with(serde_json::json!({"sessions": ended}))).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
