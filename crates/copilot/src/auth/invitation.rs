//! Invitations: how people come to an organisation that has an owner.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use garde::Validate;
use outbox::Ts;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::audit::{self, Entry};
use super::email::{self, Email};
use super::extract::{Path, Query};
use super::member::may_give;
use super::permission::{Actor, Admin, Role};
use super::secret_token::SecretToken;
use super::source::Source;
use super::store::invitation::{self, InvitationRow};
use super::store::{member, project};
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::{InvitationId, UserId};
use crate::page::{Page, PageQuery};
use crate::valid::Valid;

/// How long an invitation can be accepted, in seconds: 7 days.
const LIFETIME_S: i64 = 7 * 24 * 3600;

/// Invitations a project may have open.
const MAX_OPEN: usize = 200;

/// An offer of membership.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Invitation {
    id: InvitationId,
    email: String,
    role: Role,
    expires_at: Ts,
    /// Where it is accepted; in the answer that made it and nowhere else.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

impl Invitation {
    fn new(row: InvitationRow, link: Option<String>) -> Self {
        Self { id: row.id, email: row.email, role: row.role, expires_at: row.expires_at, link }
    }
}

/// Lists the current project's open invitations, newest first.
#[utoipa::path(get, path = "/api/v1/auth/invitations", tag = "auth", params(PageQuery),
    responses((status = 200, body = Page<Invitation>)))]
pub(super) async fn list(
    State(app): State<App>,
    member: Admin,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Invitation>>> {
    let mut tx = app.db.read(member.tenant.0).await?;
    let rows = invitation::pending(&mut tx, member.tenant, member.project).await?;
    let open = rows.into_iter().map(|row| Invitation::new(row, None)).collect();
    Ok(Json(Page::part(&page, open, |invitation| invitation.id.0)?))
}

/// Whom to invite.
#[derive(Deserialize, Validate, utoipa::ToSchema)]
pub struct NewInvitation {
    #[garde(custom(email::rule))]
    #[schema(max_length = 254)]
    email: String,
    #[garde(skip)]
    role: Role,
}

/// Invites somebody to the current project; the answer holds the link, once.
#[utoipa::path(post, path = "/api/v1/auth/invitations", tag = "auth", request_body = NewInvitation,
    responses((status = 201, body = Invitation)))]
pub(super) async fn create(
    State(app): State<App>,
    admin: Admin,
    source: Source,
    Valid(body): Valid<NewInvitation>,
) -> Result<(StatusCode, Json<Invitation>)> {
    may_give(&admin, body.role)?;
    let email = Email::parse(&body.email).ok_or_else(|| Error::field("email", "is not an e-mail address"))?;
    let mut tx = app.db.begin(admin.tenant.0).await?;
    project::lock(&mut tx, admin.tenant, admin.project).await?;
    if invitation::pending(&mut tx, admin.tenant, admin.project).await?.len() >= MAX_OPEN {
        return Err(Error::Conflict(format!(
            "a project has at most {MAX_OPEN} open invitations; withdraw one"
        )));
    }
    let members = member::of_project(&mut tx, admin.tenant, admin.project).await?;
    if members.iter().any(|member| member.email == email.as_str()) {
        let why = "they are in this project already; give them another role on the page of its members";
        return Err(Error::Conflict(why.to_owned()));
    }
    let token = SecretToken::generate();
    let invited_by = match &admin.actor {
        Actor::User { id, .. } => *id,
        Actor::Key { id, .. } => UserId(id.0),
    };
    let row = InvitationRow {
        tenant_id: admin.tenant,
        id: InvitationId::new(),
        project_id: admin.project,
        email: email.as_str().to_owned(),
        role: body.role,
        token_hash: token.hash(),
        invited_by,
        created_at: tx.now(),
        expires_at: tx.now().plus_seconds(LIFETIME_S),
        accepted_at: None,
    };
    invitation::insert(&mut tx, admin.tenant, &row).await?;
    let entry = Entry::by(&admin, &source, "invitation.created", format!("invitation:{}", row.id));
    audit::record(&mut tx, admin.tenant, entry.with(json!({"name": row.email, "role": row.role}))).await?;
    tx.commit().await?;
    let link = format!("{}/invite#{}", app.config.public_url(), token.reveal());
    Ok((StatusCode::CREATED, Json(Invitation::new(row, Some(link)))))
}

/// Withdraws an invitation.
#[utoipa::path(delete, path = "/api/v1/auth/invitations/{invitation_id}", tag = "auth",
    params(("invitation_id" = InvitationId, Path)), responses((status = 204)))]
pub(super) async fn withdraw(
    State(app): State<App>,
    member: Admin,
    source: Source,
    Path(id): Path<InvitationId>,
) -> Result<StatusCode> {
    let mut tx = app.db.begin(member.tenant.0).await?;
    if !invitation::withdraw(&mut tx, member.tenant, member.project, id).await? {
        return Err(Error::NotFound);
    }
    let entry = Entry::by(&member, &source, "invitation.withdrawn", format!("invitation:{id}"));
    audit::record(&mut tx, member.tenant, entry).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
