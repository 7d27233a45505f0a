//! Registering, and who one is.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use garde::Validate;
use outbox::Tx;
use serde::{Deserialize, Serialize};

use super::audit::{self, Entry};
use super::cookie::Cookie;
use super::email::{self, Email};
use super::permission::{Actor, Member, Role, Viewer, session_of};
use super::session::{self, Cookies, Person};
use super::source::Source;
use super::store::project::{self, Project, ProjectRole};
use super::store::user;
use super::tenant::{self, NewPerson, Tenant};
use super::{csrf, name, password};
use crate::app::App;
use crate::config::Registration;
use crate::error::{Error, Result};
use crate::ids::{ProjectId, UserId};
use crate::valid::Valid;

/// A person.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct User {
    /// Names them.
    pub id: UserId,
    /// The address they sign in with.
    pub email: String,
    /// As shown to others.
    pub full_name: String,
}

/// Who may register.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Offer {
    /// The first visitor; then only by invitation.
    First,
    /// Anybody.
    Open,
    /// Nobody.
    Closed,
}

/// What the sign-in page may offer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Setup {
    /// Whether registering would work now.
    can_register: bool,
    registration: Offer,
}

/// Says what the sign-in page may offer.
#[utoipa::path(get, path = "/api/v1/auth/setup", tag = "auth", responses((status = 200, body = Setup)))]
pub(super) async fn setup(State(app): State<App>) -> Result<Json<Setup>> {
    let mut tx = app.db.read_across("registration").await?;
    let can_register = may_register(&mut tx, app.config.registration).await?;
    let registration = match app.config.registration {
        Registration::First => Offer::First,
        Registration::Open => Offer::Open,
        Registration::Closed => Offer::Closed,
    };
    Ok(Json(Setup { can_register, registration }))
}

async fn may_register(tx: &mut Tx, registration: Registration) -> Result<bool> {
    Ok(match registration {
        Registration::First => !user::any(tx).await?,
        Registration::Open => true,
        Registration::Closed => false,
    })
}

/// Who registers.
#[derive(Deserialize, Validate, utoipa::ToSchema)]
pub struct Register {
    /// The address to sign in with.
    #[garde(custom(email::rule))]
    #[schema(max_length = 254)]
    email: String,
    /// 15 to 128 characters, any of them.
    #[garde(length(chars, min = password::MIN, max = password::MAX))]
    #[schema(min_length = 15, max_length = 128)]
    password: String,
    /// As shown to others.
    #[garde(custom(name::rule))]
    #[schema(max_length = 200)]
    full_name: String,
    /// The organisation's name.
    #[garde(custom(name::rule))]
    #[schema(max_length = 200)]
    tenant_name: String,
}

/// What registering made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Registered {
    user: User,
    tenant: Tenant,
    project: Project,
    /// What a script sends as `X-CSRF-Token`.
    csrf_token: String,
}

/// Founds an organisation with its first project and its owner, who is then signed in.
#[utoipa::path(post, path = "/api/v1/auth/register", tag = "auth", request_body = Register,
    responses((status = 201, body = Registered)))]
pub(super) async fn register(
    State(app): State<App>,
    source: Source,
    headers: HeaderMap,
    Valid(body): Valid<Register>,
) -> Result<(StatusCode, Cookies, Json<Registered>)> {
    csrf::refuse_elsewhere(&headers, &app.config)?;
    let email = Email::parse(&body.email).ok_or_else(|| Error::field("email", "is not an e-mail address"))?;
    // Asked before the hash, which is dear, and again where it counts.
    let mut tx = app.db.read_across("registration").await?;
    let open = may_register(&mut tx, app.config.registration).await?;
    drop(tx);
    let closed = || Error::Forbidden("registration is closed; ask for an invitation".to_owned());
    if !open {
        return Err(closed());
    }
    password::check("password", &body.password, &[email.as_str(), &body.full_name, &body.tenant_name])?;
    let password_hash = app.keys.passwords.hash(&body.password).await?;

    let mut tx = app.db.begin_across("registration").await?;
    user::lock_registration(&mut tx).await?;
    if !may_register(&mut tx, app.config.registration).await? {
        return Err(closed());
    }
    let person = NewPerson { email: email.as_str().to_owned(), full_name: body.full_name, password_hash };
    let founded = tenant::found(&mut tx, &body.tenant_name, person).await?;
    let owner = Person {
        tenant: founded.tenant.id,
        user: founded.user.id,
        email: founded.user.email.clone(),
        project: founded.project.id,
        role: Role::Owner,
    };
    let (session, cookies) = session::begin(&mut tx, &app, owner, &source).await?;
    let entry = Entry::of(
        format!("user:{}", founded.user.id),
        &source,
        "tenant.registered",
        format!("tenant:{}", founded.tenant.id),
    );
    audit::record(&mut tx, founded.tenant.id, entry).await?;
    tx.commit().await?;
    let csrf_token = app.keys.csrf_token(session);
    let body =
        Registered { user: founded.user, tenant: founded.tenant, project: founded.project, csrf_token };
    Ok((StatusCode::CREATED, cookies, Json(body)))
}

/// Who asks, where, and what else they could look at.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Me {
    /// The person; for an API key, its id and its name.
    user: User,
    tenant: Tenant,
    project: Project,
    role: Role,
    /// Every project they are in.
    projects: Vec<ProjectRole>,
    /// What a script sends as `X-CSRF-Token`; empty for an API key, which needs none.
    csrf_token: String,
    /// Where people reach the dashboard: pages from elsewhere get no live updates.
    public_url: String,
}

/// Says who one is.
#[utoipa::path(get, path = "/api/v1/auth/me", tag = "auth", responses((status = 200, body = Me)))]
pub(super) async fn me(State(app): State<App>, member: Viewer) -> Result<Json<Me>> {
    let mut tx = app.db.read(member.tenant.0).await?;
    Ok(Json(describe(&mut tx, &app, &member).await?))
}

async fn describe(tx: &mut Tx, app: &App, member: &Member) -> Result<Me> {
    let tenant = Tenant { id: member.tenant, name: user::tenant_name(tx, member.tenant).await? };
    let project = project::find(tx, member.tenant, member.project).await?.ok_or(Error::NotFound)?;
    let (user, projects, csrf_token) = match &member.actor {
        Actor::User { id, name, email, session } => (
            User { id: *id, email: email.clone(), full_name: name.clone() },
            project::roles(tx, member.tenant, *id).await?,
            app.keys.csrf_token(*session),
        ),
        Actor::Key { id, name } => (
            User { id: UserId(id.0), email: String::new(), full_name: name.clone() },
            vec![ProjectRole { id: project.id, name: project.name.clone(), role: member.role }],
            String::new(),
        ),
    };
    let public_url = app.config.public_url();
    Ok(Me { user, tenant, project, role: member.role, projects, csrf_token, public_url })
}

/// The project to look at.
#[derive(Deserialize, Validate, utoipa::ToSchema)]
pub struct SwitchProject {
    #[garde(skip)]
    project_id: ProjectId,
}

/// Makes another project the one that this session's requests are about.
#[utoipa::path(post, path = "/api/v1/auth/switch-project", tag = "auth", request_body = SwitchProject,
    responses((status = 200, body = Me)))]
pub(super) async fn switch_project(
    State(app): State<App>,
    Viewer(member): Viewer,
    headers: HeaderMap,
    Valid(body): Valid<SwitchProject>,
) -> Result<(Cookies, Json<Me>)> {
    let (user, session) = session_of(&member)?;
    let mut tx = app.db.begin(member.tenant.0).await?;
    let roles = project::roles(&mut tx, member.tenant, user).await?;
    let chosen = roles.into_iter().find(|role| role.id == body.project_id).ok_or(Error::NotFound)?;
    session::switch(&mut tx, member.tenant, session, chosen.id).await?;
    let member = Member { project: chosen.id, role: chosen.role, ..member };
    let me = describe(&mut tx, &app, &member).await?;
    let person = Person {
        tenant: member.tenant,
        user,
        email: me.user.email.clone(),
        project: chosen.id,
        role: chosen.role,
    };
    let access = session::access_token(&app, &person, session, tx.now())?;
    tx.commit().await?;
    // The refresh token stays; it is set again so that both cookies are as new.
    let refresh = Cookie::Refresh.read(&app.config, &headers)?;
    let cookies = match refresh.filter(|text| app.keys.read_refresh(text).is_some()) {
        Some(refresh) => session::cookies(&app, &access, &refresh)?,
        None => session::access_cookie(&app, &access)?,
    };
    Ok((cookies, Json(me)))
}
