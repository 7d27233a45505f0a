//! Projects: listed, added, renamed, deleted.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use garde::Validate;
use serde::Deserialize;
use serde_json::json;

use super::audit::{self, Entry};
use super::extract::{Path, Query};
use super::permission::{Actor, Admin, Owner, Viewer, session_of};
use super::source::Source;
use super::store::project::{self, Project};
use super::{name, tenant};
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::ProjectId;
use crate::page::{Page, PageQuery};
use crate::valid::{Valid, required};

/// Projects a tenant may have.
const MAX_PROJECTS: i64 = 1000;

/// A project's name.
#[derive(Deserialize, Validate, utoipa::ToSchema)]
pub struct NamedProject {
    #[garde(custom(name::rule))]
    #[schema(max_length = 200)]
    name: String,
}

/// What may be changed of a project; absent members stay.
#[derive(Deserialize, Validate, utoipa::ToSchema)]
pub struct ProjectChange {
    #[serde(default, deserialize_with = "required")]
    #[garde(custom(name::optional))]
    #[schema(nullable = false, max_length = 200)]
    name: Option<String>,
}

/// Lists the projects one is in.
#[utoipa::path(get, path = "/api/v1/projects", tag = "projects", params(PageQuery), responses((status = 200, body = Page<Project>)))]
pub(super) async fn list(
    State(app): State<App>,
    member: Viewer,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Project>>> {
    let mut tx = app.db.read(member.tenant.0).await?;
    let projects = match &member.actor {
        Actor::User { id, .. } => project::of_user(&mut tx, member.tenant, *id).await?,
        Actor::Key { .. } => {
            project::find(&mut tx, member.tenant, member.project).await?.into_iter().collect()
        }
    };
    Ok(Json(Page::part(&page, projects, |project| project.id.0)?))
}

/// Adds a project, whose owner one becomes; for admins of the current one.
#[utoipa::path(post, path = "/api/v1/projects", tag = "projects", request_body = NamedProject,
    responses((status = 201, body = Project)))]
pub(super) async fn create(
    State(app): State<App>,
    member: Admin,
    source: Source,
    Valid(body): Valid<NamedProject>,
) -> Result<(StatusCode, Json<Project>)> {
    let (user, _) = session_of(&member)?;
    let mut tx = app.db.begin(member.tenant.0).await?;
    project::lock_all(&mut tx, member.tenant).await?;
    if project::count(&mut tx, member.tenant).await? >= MAX_PROJECTS {
        return Err(Error::Conflict(format!("an organisation has at most {MAX_PROJECTS} projects")));
    }
    let added = tenant::add_project(&mut tx, member.tenant, &body.name, user).await?;
    let entry = Entry::by(&member, &source, "project.created", format!("project:{}", added.id));
    audit::record(&mut tx, member.tenant, entry.with(json!({"name": added.name}))).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(added)))
}

/// Shows a project.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}", tag = "projects",
    params(("project_id" = ProjectId, Path)), responses((status = 200, body = Project)))]
pub(super) async fn show(State(app): State<App>, member: Viewer) -> Result<Json<Project>> {
    let mut tx = app.db.read(member.tenant.0).await?;
    let found = project::find(&mut tx, member.tenant, member.project).await?.ok_or(Error::NotFound)?;
    Ok(Json(found))
}

/// Renames a project.
#[utoipa::path(patch, path = "/api/v1/projects/{project_id}", tag = "projects",
    params(("project_id" = ProjectId, Path)), request_body = ProjectChange, responses((status = 200, body = Project)))]
pub(super) async fn rename(
    State(app): State<App>,
    member: Admin,
    source: Source,
    Valid(change): Valid<ProjectChange>,
) -> Result<Json<Project>> {
    let mut tx = app.db.begin(member.tenant.0).await?;
    let found = project::find(&mut tx, member.tenant, member.project).await?.ok_or(Error::NotFound)?;
    let Some(name) = change.name else { return Ok(Json(found)) };
    let renamed = Project { name: name.trim().to_owned(), ..found };
    project::rename(&mut tx, member.tenant, renamed.id, &renamed.name).await?;
    let entry = Entry::by(&member, &source, "project.renamed", format!("project:{}", renamed.id));
    audit::record(&mut tx, member.tenant, entry.with(json!({"name": renamed.name, "before": found.name})))
        .await?;
    tx.commit().await?;
    Ok(Json(renamed))
}

/// Deletes a project with its keys, integrations and invitations; the last one stays.
#[utoipa::path(delete, path = "/api/v1/projects/{project_id}", tag = "projects",
    params(("project_id" = ProjectId, Path)), responses((status = 204)))]
pub(super) async fn delete(
    State(app): State<App>,
    member: Owner,
    source: Source,
    Path(id): Path<ProjectId>,
) -> Result<StatusCode> {
    let mut tx = app.db.begin(member.tenant.0).await?;
    project::lock_all(&mut tx, member.tenant).await?;
    let found = project::find(&mut tx, member.tenant, id).await?.ok_or(Error::NotFound)?;
    if project::count(&mut tx, member.tenant).await? <= 1 {
        return Err(Error::Conflict("the last project can't be deleted".to_owned()));
    }
    project::delete(&mut tx, member.tenant, id).await?;
    let entry = Entry::by(&member, &source, "project.deleted", format!("project:{id}"));
    audit::record(&mut tx, member.tenant, entry.with(json!({"name": found.name}))).await?;
    tx.commit().await?;
    app.tokens.forget();
    Ok(StatusCode::NO_CONTENT)
}
