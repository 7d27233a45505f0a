//! Who sent a request: its credential, and what the database says of it now.
//!
//! Nothing here is cached: a session that was ended, a key that was revoked, a role that was lowered count
//! from the next request on. It costs one read transaction.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use axum::extract::{FromRequestParts as _, MatchedPath, RawPathParams};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Method, header};
use outbox::{Ts, sabotage};

use super::audit;
use super::cookie::Cookie;
use super::csrf::{self, From};
use super::permission::{Actor, Member};
use super::secret_token::SecretToken;
use super::shown::{self, KEY_HEADERS};
use super::source::Source;
use super::store::api_key::{self, ApiKeyRow};
use super::store::session;
use super::token::Claims;
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::ProjectId;

/// After so many seconds the use of a key is noted again.
const TOUCH_S: f64 = 300.0;

/// What a request shows.
enum Credential {
    Session(Claims),
    Key(SecretToken),
}

/// The caller of a request, in the project its path names or else in the credential's own.
///
/// The answer is kept with the request, which is looked up and counted once however often it asks.
pub(super) async fn of_request(parts: &mut Parts, app: &App) -> Result<Member> {
    if let Some(member) = parts.extensions.get::<Member>() {
        return Ok(member.clone());
    }
    let credential = counted(app, &parts.extensions, &parts.headers, credential(app, &parts.headers)).await?;
    let project = project_in_path(parts).await;
    let found = match project {
        Ok(project) => look_up(app, &credential, project).await,
        // Who is not signed in learns nothing about the path.
        Err(error) => look_up(app, &credential, None).await.and(Err(error)),
    };
    let member = counted(app, &parts.extensions, &parts.headers, found).await?;
    let id = match &member.actor {
        Actor::User { id, .. } => id.0,
        Actor::Key { id, .. } => id.0,
    };
    app.limits.member(parts, member.tenant, id).await?;
    if let Err(error) = refuse_forged(parts, app, &credential) {
        let source = Source::of(app, &parts.extensions, &parts.headers);
        let path = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        audit::refuse(app, &member, &source, format!("{} {path}", parts.method)).await?;
        return Err(error);
    }
    parts.extensions.insert(member.clone());
    Ok(member)
}

/// The caller behind the headers of a WebSocket handshake, in the credential's own project.
///
/// The caller of this function checks the Origin; [`still_valid`] says later whether it still holds.
///
/// # Errors
/// When nobody is signed in, or the credential is not valid.
pub async fn authenticate(headers: &HeaderMap, app: &App) -> Result<Member> {
    authenticate_in(headers, app, None).await
}

/// As [`authenticate`], in `project` if one is asked for; somebody else's is [`Error::NotFound`].
///
/// # Errors
/// As [`authenticate`].
pub async fn authenticate_in(headers: &HeaderMap, app: &App, project: Option<ProjectId>) -> Result<Member> {
    look_up(app, &credential(app, headers)?, project).await
}

/// Whether somebody who was let into a project still may be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Session or key, person and membership are there.
    Holds,
    /// Signed in, and no longer in the project.
    NoMember,
    /// The session or the key has ended.
    SignedOut,
}

/// Whether `member` may still do something in its project.
///
/// # Errors
/// When the database does not answer.
pub async fn still_valid(app: &App, member: &Member) -> Result<Standing> {
    let mut tx = app.db.read(member.tenant.0).await?;
    let now = tx.now();
    Ok(match &member.actor {
        Actor::User { id, session, .. } => {
            let found =
                session::standing(&mut tx, member.tenant, *session, *id, Some(member.project)).await?;
            let live = found.filter(|found| {
                found.ended_at.is_none() && found.disabled_at.is_none() && found.expires_at > now
            });
            match live {
                Some(found) if found.role.is_some() => Standing::Holds,
                Some(_) => Standing::NoMember,
                None => Standing::SignedOut,
            }
        }
        Actor::Key { id, .. } => {
            let live = api_key::find(&mut tx, member.tenant, *id).await?.is_some_and(|key| key.is_live(now));
            if live { Standing::Holds } else { Standing::SignedOut }
        }
    })
}

/// Reads the one credential of a request.
fn credential(app: &App, headers: &HeaderMap) -> Result<Credential> {
    let cookie = Cookie::Access.read(&app.config, headers)?;
    match (cookie, shown::is_shown(headers, &KEY_HEADERS)) {
        (Some(_), true) => Err(Error::Malformed(
            "malformed-request",
            "send a session cookie or an API key, not both".to_owned(),
        )),
        (Some(token), false) => Ok(Credential::Session(app.keys.verify(&token, app.clock().now())?)),
        (None, true) => {
            let secret = shown::secret(headers, &KEY_HEADERS)?.ok_or(Error::Unauthenticated)?;
            // A session's token is for its cookie alone, where no script can take it from.
            SecretToken::parse(&secret).map(Credential::Key).ok_or_else(invalid_key)
        }
        (None, false) => Err(Error::Unauthenticated),
    }
}

fn invalid_key() -> Error {
    Error::Credentials("invalid-credentials", "the API key is not valid")
}

/// What the database says of `credential` now.
async fn look_up(app: &App, credential: &Credential, project: Option<ProjectId>) -> Result<Member> {
    if let Some(member) = remembered(credential, None) {
        return Ok(member);
    }
    let member = match credential {
        Credential::Session(claims) => of_session(app, claims, project).await,
        Credential::Key(token) => of_key(app, token, project).await,
    }?;
    remembered(credential, Some(&member));
    Ok(member)
}

/// Where the product is broken so, who the credential was once, or is from now on.
fn remembered(credential: &Credential, new: Option<&Member>) -> Option<Member> {
    static MEMBERS: Mutex<BTreeMap<String, Member>> = Mutex::new(BTreeMap::new());
    if !sabotage::broken("permissions-remembered") {
        return None;
    }
    let name = match credential {
        Credential::Session(claims) => claims.sid.to_string(),
        Credential::Key(token) => token.prefix().to_owned(),
    };
    let mut members = MEMBERS.lock().unwrap_or_else(PoisonError::into_inner);
    new.map(|new| members.insert(name.clone(), new.clone()));
    members.get(&name).cloned()
}

async fn of_session(app: &App, claims: &Claims, project: Option<ProjectId>) -> Result<Member> {
    let mut tx = app.db.read(claims.tenant_id.0).await?;
    let now = tx.now();
    let found = session::standing(&mut tx, claims.tenant_id, claims.sid, claims.user_id, project)
        .await?
        .ok_or(Error::Credentials("session-revoked", "this session has ended; sign in again"))?;
    if found.ended_at.is_some() || found.disabled_at.is_some() {
        return Err(Error::Credentials("session-revoked", "this session has ended; sign in again"));
    }
    if found.expires_at <= now {
        return Err(Error::Credentials("token-expired", "this session has expired; sign in again"));
    }
    let (Some(project), Some(role)) = (found.project_id, found.role) else {
        return Err(match project {
            Some(_) => Error::NotFound,
            None => Error::Forbidden("you are not a member of any project".to_owned()),
        });
    };
    let role = role.parse().map_err(|error| Error::Internal(anyhow::anyhow!("a stored role {error}")))?;
    let actor =
        Actor::User { id: claims.user_id, name: found.full_name, email: found.email, session: claims.sid };
    Ok(Member { tenant: claims.tenant_id, project, role, actor })
}

/// Whether `token` is an API key, of whatever project, that may still be used.
///
/// # Errors
/// When the database does not answer.
pub async fn is_live_key(app: &App, token: &SecretToken) -> Result<bool> {
    Ok(live_key(app, token).await?.0.is_some())
}

/// The key that `token` is, if it may still be used, and the time by which that is so.
async fn live_key(app: &App, token: &SecretToken) -> Result<(Option<ApiKeyRow>, Ts)> {
    let mut tx = app.db.read_across("api_key").await?;
    let now = tx.now();
    let found = api_key::by_prefix(&mut tx, token.prefix()).await?;
    Ok((found.filter(|key| token.matches(&key.secret_hash) && key.is_live(now)), now))
}

async fn of_key(app: &App, token: &SecretToken, project: Option<ProjectId>) -> Result<Member> {
    let (key, now) = live_key(app, token).await?;
    let key = key.ok_or_else(invalid_key)?;
    if project.is_some_and(|project| project != key.project_id) {
        return Err(Error::NotFound);
    }
    if key.last_used_at.is_none_or(|at| now.seconds_since(at) > TOUCH_S) {
        let mut tx = app.db.begin(key.tenant_id.0).await?;
        api_key::touch(&mut tx, key.tenant_id, key.id).await?;
        tx.commit().await?;
    }
    let actor = Actor::Key { id: key.id, name: key.name };
    Ok(Member { tenant: key.tenant_id, project: key.project_id, role: key.role, actor })
}

/// The project that the path names.
async fn project_in_path(parts: &mut Parts) -> Result<Option<ProjectId>> {
    let Ok(params) = RawPathParams::from_request_parts(parts, &()).await else { return Ok(None) };
    let named = params.iter().find(|(name, _)| *name == "project_id");
    named.map(|(_, id)| id.parse().map_err(|_| Error::NotFound)).transpose()
}

/// Refuses a change that a page of somebody else's has sent with what the browser adds by itself.
fn refuse_forged(parts: &Parts, app: &App, credential: &Credential) -> Result<()> {
    if [Method::GET, Method::HEAD, Method::OPTIONS].contains(&parts.method) {
        return Ok(());
    }
    match credential {
        Credential::Session(claims) => require_ours(app, &parts.headers, claims.sid),
        Credential::Key(_) if !shown::is_ambient(&parts.headers) => Ok(()),
        Credential::Key(_) => match csrf::from(&parts.headers, &app.config) {
            From::Ours | From::Program => Ok(()),
            From::Elsewhere => Err(Error::Csrf),
        },
    }
}

/// Whether the headers of a change with a cookie show that our page, or a script with its token, has sent it.
pub(super) fn require_ours(app: &App, headers: &HeaderMap, session: crate::ids::SessionId) -> Result<()> {
    match csrf::from(headers, &app.config) {
        From::Ours => Ok(()),
        From::Elsewhere => Err(Error::Csrf),
        From::Program => {
            let token = headers.get("x-csrf-token").and_then(|token| token.to_str().ok());
            token.filter(|token| app.keys.is_csrf_token(session, token)).map(drop).ok_or(Error::Csrf)
        }
    }
}

/// Counts bad credentials against the network they come from; too many are no longer looked at.
async fn counted<T>(app: &App, extensions: &Extensions, headers: &HeaderMap, result: Result<T>) -> Result<T> {
    if let Err(Error::Unauthenticated | Error::Credentials("invalid-credentials", _)) = &result {
        let bare = !headers.contains_key(header::COOKIE) && !shown::is_shown(headers, &KEY_HEADERS);
        // Requests with no credential at all were counted at the door.
        if !bare {
            let source = Source::of(app, extensions, headers);
            app.limits.stranger(source.address).await?;
        }
    }
    result
}
