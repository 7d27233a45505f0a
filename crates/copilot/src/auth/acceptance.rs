//! Accepting an invitation, as somebody new or as somebody the organisation knows.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use garde::Validate;
use outbox::Tx;
use serde::Deserialize;
use serde_json::json;

use super::audit::{self, Entry};
use super::email::Email;
use super::login::{self, SignedIn};
use super::secret_token::SecretToken;
use super::session::Cookies;
use super::source::Source;
use super::store::invitation::{self, InvitationRow};
use super::store::user::UserRow;
use super::store::{member, user};
use super::tenant::{self, NewPerson};
use super::{csrf, name, password};
use crate::app::App;
use crate::error::{Error, Result};
use crate::valid::Valid;

/// Who accepts.
#[derive(Deserialize, Validate, utoipa::ToSchema)]
pub struct Accept {
    /// What stands behind the `#` of the link.
    #[garde(length(max = 200))]
    #[schema(max_length = 200)]
    token: String,
    /// A new password of 15 to 128 characters; for somebody who has one, that one.
    #[garde(length(chars, max = password::MAX))]
    #[schema(max_length = 128)]
    password: String,
    /// As shown to others; the address when it is absent, and unused for somebody who has a name.
    #[garde(custom(name::optional))]
    #[schema(max_length = 200)]
    full_name: Option<String>,
}

/// Accepts an invitation and signs in.
#[utoipa::path(post, path = "/api/v1/auth/invitations/accept", tag = "auth", request_body = Accept,
    responses((status = 200, body = SignedIn)))]
pub(super) async fn accept(
    State(app): State<App>,
    source: Source,
    headers: HeaderMap,
    Valid(body): Valid<Accept>,
) -> Result<(Cookies, Json<SignedIn>)> {
    csrf::refuse_elsewhere(&headers, &app.config)?;
    let token = SecretToken::parse(body.token.trim()).ok_or(INVALID)?;
    let mut tx = app.db.read_across("invitation").await?;
    let found = invitation::by_token(&mut tx, &token.hash()).await?;
    let invited =
        found.filter(|row| row.accepted_at.is_none() && row.expires_at > tx.now()).ok_or(INVALID)?;
    let known = user::by_email(&mut tx, &invited.email).await?;
    drop(tx);
    let newcomer = match known {
        Some(known) if known.tenant_id == invited.tenant_id => {
            prove(&app, &invited, &body.password, &source).await?;
            Err(known)
        }
        Some(_) => {
            return Err(Error::Conflict("this address belongs to another organisation here".to_owned()));
        }
        None => Ok(newcomer(&app, &invited, body).await?),
    };
    let mut tx = app.db.begin(invited.tenant_id.0).await?;
    let user = join(&mut tx, &invited, newcomer).await?;
    let entry = Entry::of(
        format!("user:{}", user.id),
        &source,
        "invitation.accepted",
        format!("invitation:{}", invited.id),
    );
    audit::record(&mut tx, invited.tenant_id, entry.with(json!({"name": user.email, "role": invited.role})))
        .await?;
    let (cookies, signed_in) = login::sign_in(&mut tx, &app, &user, &source, "session.begun").await?;
    tx.commit().await?;
    Ok((cookies, Json(signed_in)))
}

const INVALID: Error =
    Error::Credentials("invalid-credentials", "this invitation was accepted or withdrawn, or has expired");

/// Whoever has an account shows that it is theirs.
async fn prove(app: &App, invited: &InvitationRow, password: &str, source: &Source) -> Result<()> {
    let email = Email::parse(&invited.email).ok_or(INVALID)?;
    login::check_password(app, &email, password, source).await.map(drop)
}

async fn newcomer(app: &App, invited: &InvitationRow, body: Accept) -> Result<NewPerson> {
    let full_name = body.full_name.unwrap_or_else(|| invited.email.clone());
    password::check("password", &body.password, &[&invited.email, &full_name])?;
    let password_hash = app.keys.passwords.hash(&body.password).await?;
    Ok(NewPerson { email: invited.email.clone(), full_name, password_hash })
}

/// Makes whoever was invited a member; a role they have already is not changed.
async fn join(
    tx: &mut Tx,
    invited: &InvitationRow,
    who: std::result::Result<NewPerson, UserRow>,
) -> Result<UserRow> {
    let tenant = invited.tenant_id;
    if !invitation::accept(tx, tenant, invited.id).await? {
        return Err(INVALID);
    }
    let user = match who {
        Err(known) => known,
        Ok(person) => {
            let added = tenant::add_person(tx, tenant, person).await?;
            user::find(tx, tenant, added.id).await?.ok_or(Error::NotFound)?
        }
    };
    member::insert(tx, tenant, invited.project_id, user.id, invited.role).await?;
    Ok(user)
}
