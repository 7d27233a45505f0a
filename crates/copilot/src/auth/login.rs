//! Signing in and out, and staying signed in.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use garde::Validate;
use outbox::Tx;
use serde::{Deserialize, Serialize};

use super::account::User;
use super::audit::{self, Entry};
use super::cookie::Cookie;
use super::csrf;
use super::email::{self, Email};
use super::identity::require_ours;
use super::password::{self, Verdict};
use super::permission::Role;
use super::refresh::{GRACE_S, LIFETIME_S, RefreshToken};
use super::session::{self, Cookies, Person};
use super::source::Source;
use super::store::project::{self, ProjectRole};
use super::store::session::SessionRow;
use super::store::user::{self, UserRow};
use super::store::{self};
use super::throttle::Bucket;
use crate::app::App;
use crate::error::{Error, Result};
use crate::valid::Valid;

/// Who signs in.
#[derive(Deserialize, Validate, utoipa::ToSchema)]
pub struct Login {
    #[garde(custom(email::rule))]
    #[schema(max_length = 254)]
    email: String,
    #[garde(length(chars, max = password::MAX))]
    #[schema(max_length = 128)]
    password: String,
}

/// Who has signed in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SignedIn {
    pub(super) user: User,
    /// Every project they are in.
    pub(super) projects: Vec<ProjectRole>,
    /// What a script sends as `X-CSRF-Token`.
    pub(super) csrf_token: String,
}

/// Signs in with a password.
#[utoipa::path(post, path = "/api/v1/auth/login", tag = "auth", request_body = Login,
    responses((status = 200, body = SignedIn)))]
pub(super) async fn login(
    State(app): State<App>,
    source: Source,
    headers: HeaderMap,
    Valid(body): Valid<Login>,
) -> Result<(Cookies, Json<SignedIn>)> {
    csrf::refuse_elsewhere(&headers, &app.config)?;
    let email = Email::parse(&body.email).ok_or_else(|| Error::field("email", "is not an e-mail address"))?;
    let user = check_password(&app, &email, &body.password, &source).await?;
    let mut tx = app.db.begin(user.tenant_id.0).await?;
    let (cookies, signed_in) = sign_in(&mut tx, &app, &user, &source, "session.begun").await?;
    tx.commit().await?;
    Ok((cookies, Json(signed_in)))
}

/// The person with this address and password; slow for who guesses, and as slow for who is unknown.
pub(super) async fn check_password(
    app: &App,
    email: &Email,
    password: &str,
    source: &Source,
) -> Result<UserRow> {
    let bucket = Bucket::of(&app.keys, email, source);
    let mut tx = app.db.begin_across("sign_in").await?;
    bucket.enter(&mut tx).await?;
    let user = user::by_email(&mut tx, email.as_str()).await?;
    tx.commit().await?;
    let stored = user.as_ref().map(|user| user.password_hash.clone());
    let verdict = app.keys.passwords.verify(password, stored).await?;

    let mut tx = app.db.begin_unscoped().await?;
    if let Some(user) = &user {
        tx.scope(user.tenant_id.0).await?;
    }
    let wrong = Error::Credentials("invalid-credentials", "the e-mail address or the password is wrong");
    match (user, verdict) {
        (Some(user), Verdict::Right(new_hash)) if user.disabled_at.is_none() => {
            if let Some(hash) = new_hash {
                user::set_password(&mut tx, user.tenant_id, user.id, &hash).await?;
            }
            bucket.succeeded(&mut tx).await?;
            tx.commit().await?;
            Ok(user)
        }
        (user, _) => {
            bucket.failed(&mut tx).await?;
            if let Some(user) = user {
                let object = format!("user:{}", user.id);
                let entry = Entry::of("nobody".to_owned(), source, "session.begun", object).refused();
                audit::record(&mut tx, user.tenant_id, entry).await?;
            }
            tx.commit().await?;
            Err(wrong)
        }
    }
}

/// Begins a session for `user` in the first of their projects.
pub(super) async fn sign_in(
    tx: &mut Tx,
    app: &App,
    user: &UserRow,
    source: &Source,
    action: &'static str,
) -> Result<(Cookies, SignedIn)> {
    let projects = project::roles(tx, user.tenant_id, user.id).await?;
    let first =
        projects.first().ok_or_else(|| Error::Forbidden("you are not a member of any project".to_owned()))?;
    let person = Person {
        tenant: user.tenant_id,
        user: user.id,
        email: user.email.clone(),
        project: first.id,
        role: first.role,
    };
    let (session, cookies) = session::begin(tx, app, person, source).await?;
    let entry = Entry::of(format!("user:{}", user.id), source, action, format!("session:{session}"));
    audit::record(tx, user.tenant_id, entry).await?;
    let shown = User { id: user.id, email: user.email.clone(), full_name: user.full_name.clone() };
    Ok((cookies, SignedIn { user: shown, projects, csrf_token: app.keys.csrf_token(session) }))
}

/// A one-time link's token.
#[derive(Deserialize, Validate, utoipa::ToSchema)]
pub struct LinkToken {
    #[garde(length(max = 200))]
    #[schema(max_length = 200)]
    token: String,
}

/// Signs in with a one-time link.
#[utoipa::path(post, path = "/api/v1/auth/link", tag = "auth", request_body = LinkToken,
    responses((status = 200, body = SignedIn)))]
pub(super) async fn link(
    State(app): State<App>,
    source: Source,
    headers: HeaderMap,
    Valid(body): Valid<LinkToken>,
) -> Result<(Cookies, Json<SignedIn>)> {
    csrf::refuse_elsewhere(&headers, &app.config)?;
    let used = Error::Credentials("invalid-credentials", "this link was used before, or has expired");
    let Some((tenant, id)) = app.keys.links.redeem(&body.token, app.clock().now()) else { return Err(used) };
    let mut tx = app.db.begin(tenant.0).await?;
    let user =
        user::find(&mut tx, tenant, id).await?.filter(|user| user.disabled_at.is_none()).ok_or(used)?;
    let (cookies, signed_in) = sign_in(&mut tx, &app, &user, &source, "link.used").await?;
    tx.commit().await?;
    Ok((cookies, Json(signed_in)))
}

/// Replaces both cookies; the old refresh token works no more, and using it ends the session.
#[utoipa::path(post, path = "/api/v1/auth/refresh", tag = "auth", responses((status = 204)))]
pub(super) async fn refresh(
    State(app): State<App>,
    source: Source,
    headers: HeaderMap,
) -> Result<(StatusCode, Cookies)> {
    let text = Cookie::Refresh.read(&app.config, &headers)?.ok_or(Error::Unauthenticated)?;
    let Some((token, following)) = app.keys.read_refresh(&text) else {
        app.limits.stranger(source.address).await?;
        return Err(Error::Credentials(
            "invalid-credentials",
            "the refresh token is not valid; sign in again",
        ));
    };
    require_ours(&app, &headers, token.session)?;
    let access = Cookie::Access.read(&app.config, &headers)?;
    let access = access.and_then(|text| app.keys.verify(&text, app.clock().now()).ok());
    if access.is_some_and(|claims| claims.sid != token.session) {
        return Err(Error::Credentials("invalid-credentials", "the two cookies are of different sessions"));
    }
    let mut tx = app.db.begin(token.tenant.0).await?;
    let session = store::session::find(&mut tx, token.tenant, token.session).await?;
    let session = session.filter(|session| session.ended_at.is_none()).ok_or(REVOKED)?;
    let Some(successor) = successor(&mut tx, &token, following, &session).await? else {
        store::session::end(&mut tx, token.tenant, session.id, session.user_id).await?;
        let entry =
            Entry::of("nobody".to_owned(), &source, "refresh.reused", format!("session:{}", session.id));
        audit::record(&mut tx, token.tenant, entry.refused()).await?;
        tx.commit().await?;
        return Err(REVOKED);
    };
    let person = subject(&mut tx, &token, &session).await?;
    let access = session::access_token(&app, &person, session.id, tx.now())?;
    tx.commit().await?;
    Ok((StatusCode::NO_CONTENT, session::cookies(&app, &access, &app.keys.write_refresh(&successor))?))
}

const REVOKED: Error = Error::Credentials("session-revoked", "this session has ended; sign in again");

/// The token that follows `token`, one of `following`, or `None` when it had been used before.
async fn successor(
    tx: &mut Tx,
    token: &RefreshToken,
    following: Vec<RefreshToken>,
    session: &SessionRow,
) -> Result<Option<RefreshToken>> {
    let now = tx.now();
    if session.expires_at <= now {
        return Err(Error::Credentials("token-expired", "this session has expired; sign in again"));
    }
    let hash = token.hash();
    let expires_at = now.plus_seconds(LIFETIME_S);
    // On PostgreSQL two tabs may read the same row: the slower one finds it rotated, by this very token.
    let mut following = following.into_iter();
    if hash == session.refresh_hash {
        let Some(next) = following.next() else { return Ok(None) };
        store::session::rotate(tx, token.tenant, session.id, &hash, &next.hash(), expires_at).await?;
        return Ok(Some(next));
    }
    let recent = now.seconds_since(session.rotated_at) <= GRACE_S as f64;
    // While the master key is rotated, two tabs may have the same token as written with either key.
    let next = following.find(|next| next.hash() == session.refresh_hash);
    Ok(next.filter(|_| session.previous_hash.as_ref() == Some(&hash) && recent))
}

/// Whom the session's next access token is for.
async fn subject(tx: &mut Tx, token: &RefreshToken, session: &SessionRow) -> Result<Person> {
    let user = user::find(tx, token.tenant, session.user_id).await?;
    let user = user.filter(|user| user.disabled_at.is_none()).ok_or(REVOKED)?;
    let roles = project::roles(tx, token.tenant, user.id).await?;
    let role = roles.iter().find(|role| role.id == session.project_id).map_or(Role::Viewer, |role| role.role);
    Ok(Person { tenant: token.tenant, user: user.id, email: user.email, project: session.project_id, role })
}

/// What else the browser should forget when it signs out.
type Forget = [(HeaderName, HeaderValue); 1];

/// Ends the session.
#[utoipa::path(post, path = "/api/v1/auth/logout", tag = "auth", responses((status = 204)))]
pub(super) async fn logout(
    State(app): State<App>,
    source: Source,
    headers: HeaderMap,
) -> Result<(StatusCode, Forget, Cookies)> {
    // Either cookie will do: the access token may have expired while the page was open.
    let access = Cookie::Access.read(&app.config, &headers)?;
    let refresh = Cookie::Refresh.read(&app.config, &headers)?;
    let claims = access.and_then(|token| app.keys.verify(&token, app.clock().now()).ok());
    let token = refresh.and_then(|text| app.keys.read_refresh(&text)).map(|(token, _)| token);
    let named = claims
        .map(|claims| (claims.tenant_id, claims.sid))
        .or(token.map(|token| (token.tenant, token.session)));
    let (tenant, id) = named.ok_or(Error::Unauthenticated)?;
    require_ours(&app, &headers, id)?;
    let mut tx = app.db.begin(tenant.0).await?;
    if let Some(session) = store::session::find(&mut tx, tenant, id).await?
        && store::session::end(&mut tx, tenant, id, session.user_id).await?
    {
        let entry =
            Entry::of(format!("user:{}", session.user_id), &source, "session.ended", format!("session:{id}"));
        audit::record(&mut tx, tenant, entry).await?;
    }
    tx.commit().await?;
    let forget =
        [(HeaderName::from_static("clear-site-data"), HeaderValue::from_static("\"cache\", \"storage\""))];
    Ok((StatusCode::NO_CONTENT, forget, session::no_cookies(&app)?))
}
