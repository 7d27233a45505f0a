//! Members of a project and their roles.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use garde::Validate;
use outbox::{Ts, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::audit::{self, Entry};
use super::email::{self, Email};
use super::extract::{Path, Query};
use super::permission::{self, Admin, Role, Viewer};
use super::source::Source;
use super::store::member::{self, MemberRow};
use super::store::{project, user};
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::{ProjectId, UserId};
use crate::page::{Page, PageQuery};
use crate::valid::{Valid, required};

/// A person in a project.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Member)]
pub struct Shown {
    user_id: UserId,
    email: String,
    full_name: String,
    role: Role,
    /// When they joined the project.
    created_at: Ts,
}

impl From<MemberRow> for Shown {
    fn from(row: MemberRow) -> Self {
        let MemberRow { user_id, email, full_name, role, created_at } = row;
        Self { user_id, email, full_name, role, created_at }
    }
}

/// Lists the members, in the order they came.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/members", tag = "projects",
    params(("project_id" = ProjectId, Path), PageQuery), responses((status = 200, body = Page<Shown>)))]
pub(super) async fn list(
    State(app): State<App>,
    member: Viewer,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Shown>>> {
    let mut tx = app.db.read(member.tenant.0).await?;
    let rows = member::of_project(&mut tx, member.tenant, member.project).await?;
    Ok(Json(Page::part(&page, rows.into_iter().map(Shown::from).collect(), |one| one.user_id.0)?))
}

/// Somebody of the organisation, who joins another of its projects.
#[derive(Deserialize, Validate, utoipa::ToSchema)]
pub struct NewMember {
    #[garde(custom(email::rule))]
    #[schema(max_length = 254)]
    email: String,
    #[garde(skip)]
    role: Role,
}

/// Adds somebody of the organisation; whoever is new to it is invited instead.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/members", tag = "projects",
    params(("project_id" = ProjectId, Path)), request_body = NewMember, responses((status = 201, body = Shown)))]
pub(super) async fn add(
    State(app): State<App>,
    member: Admin,
    source: Source,
    Valid(body): Valid<NewMember>,
) -> Result<(StatusCode, Json<Shown>)> {
    may_give(&member, body.role)?;
    let unknown = || Error::field("email", "nobody of this organisation has this address; invite them");
    let email = Email::parse(&body.email).ok_or_else(unknown)?;
    let mut tx = app.db.begin(member.tenant.0).await?;
    let user = user::by_email(&mut tx, email.as_str()).await?;
    let user = user.filter(|user| user.tenant_id == member.tenant).ok_or_else(unknown)?;
    if !member::insert(&mut tx, member.tenant, member.project, user.id, body.role).await? {
        return Err(Error::Conflict("they are a member of this project".to_owned()));
    }
    let row = find(&mut tx, &member, user.id).await?;
    let entry = Entry::by(&member, &source, "member.added", format!("user:{}", user.id));
    audit::record(&mut tx, member.tenant, entry.with(json!({"name": user.email, "role": body.role}))).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(row.into())))
}

/// Another role.
#[derive(Deserialize, Validate, utoipa::ToSchema)]
pub struct NewRole {
    /// The role; without one it stays as it is.
    #[garde(skip)]
    #[serde(default, deserialize_with = "required")]
    #[schema(nullable = false)]
    role: Option<Role>,
}

/// Gives a member another role; the last owner stays one.
#[utoipa::path(patch, path = "/api/v1/projects/{project_id}/members/{user_id}", tag = "projects",
    params(("project_id" = ProjectId, Path), ("user_id" = UserId, Path)), request_body = NewRole,
    responses((status = 200, body = Shown)))]
pub(super) async fn change_role(
    State(app): State<App>,
    member: Admin,
    source: Source,
    Path(ids): Path<(ProjectId, UserId)>,
    Valid(body): Valid<NewRole>,
) -> Result<Json<Shown>> {
    let (_, id) = ids;
    let mut tx = app.db.begin(member.tenant.0).await?;
    project::lock(&mut tx, member.tenant, member.project).await?;
    let before = find(&mut tx, &member, id).await?;
    let Some(role) = body.role else { return Ok(Json(before.into())) };
    may_give(&member, role)?;
    may_give(&member, before.role)?;
    if role != Role::Owner {
        keep_an_owner(&mut tx, &member, &before).await?;
    }
    member::set_role(&mut tx, member.tenant, member.project, id, role).await?;
    let entry = Entry::by(&member, &source, "member.role_changed", format!("user:{id}"));
    let detail = json!({"name": before.email, "before": before.role, "role": role});
    audit::record(&mut tx, member.tenant, entry.with(detail)).await?;
    tx.commit().await?;
    Ok(Json(MemberRow { role, ..before }.into()))
}

/// Takes a member out of the project; the last owner stays.
#[utoipa::path(delete, path = "/api/v1/projects/{project_id}/members/{user_id}", tag = "projects",
    params(("project_id" = ProjectId, Path), ("user_id" = UserId, Path)), responses((status = 204)))]
pub(super) async fn remove(
    State(app): State<App>,
    member: Admin,
    source: Source,
    Path(ids): Path<(ProjectId, UserId)>,
) -> Result<StatusCode> {
    let (_, id) = ids;
    let mut tx = app.db.begin(member.tenant.0).await?;
    project::lock(&mut tx, member.tenant, member.project).await?;
    let before = find(&mut tx, &member, id).await?;
    may_give(&member, before.role)?;
    keep_an_owner(&mut tx, &member, &before).await?;
    member::delete(&mut tx, member.tenant, member.project, id).await?;
    let entry = Entry::by(&member, &source, "member.removed", format!("user:{id}"));
    audit::record(&mut tx, member.tenant, entry.with(json!({"name": before.email}))).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find(tx: &mut Tx, member: &permission::Member, id: UserId) -> Result<MemberRow> {
    member::find(tx, member.tenant, member.project, id).await?.ok_or(Error::NotFound)
}

/// Nobody gives, or takes away, a role above their own.
pub(super) fn may_give(member: &permission::Member, role: Role) -> Result<()> {
    if role > member.role {
        return Err(Error::Forbidden(format!("only an {role} may decide on the role {role}")));
    }
    Ok(())
}

async fn keep_an_owner(tx: &mut Tx, member: &permission::Member, leaving: &MemberRow) -> Result<()> {
    if leaving.role == Role::Owner && member::owners(tx, member.tenant, member.project).await? <= 1 {
        return Err(Error::Conflict("a project keeps at least one owner".to_owned()));
    }
    Ok(())
}
