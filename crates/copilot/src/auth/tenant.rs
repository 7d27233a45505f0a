//! Founding an organisation: it, its first project and its owner, all or none.

use outbox::{Tx, event};
use serde::Serialize;

use super::account::User;
use super::permission::Role;
use super::store::project::{self, Project};
use super::store::user::UserRow;
use super::store::{member, user};
use crate::error::{Error, Result};
use crate::event::stream;
use crate::ids::{ProjectId, TenantId, UserId};

/// The name of the project that an organisation begins with.
const FIRST_PROJECT: &str = "Default";

/// An organisation.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Tenant {
    /// Names it.
    pub id: TenantId,
    /// As shown to people.
    pub name: String,
}

/// A person about to be added.
#[derive(Clone, Debug)]
pub(super) struct NewPerson {
    pub email: String,
    pub full_name: String,
    pub password_hash: String,
}

/// An organisation that was just founded.
#[derive(Debug)]
pub(super) struct Founded {
    pub user: User,
    pub tenant: Tenant,
    pub project: Project,
}

/// Founds an organisation, whose owner `person` becomes.
pub(super) async fn found(tx: &mut Tx, name: &str, person: NewPerson) -> Result<Founded> {
    let tenant = Tenant { id: TenantId::new(), name: name.trim().to_owned() };
    tx.scope(tenant.id.0).await?;
    user::insert_tenant(tx, tenant.id, &tenant.name).await?;
    let user = add_person(tx, tenant.id, person).await?;
    let project = add_project(tx, tenant.id, FIRST_PROJECT, user.id).await?;
    Ok(Founded { user, tenant, project })
}

/// Adds a person to an organisation, so far in no project.
pub(super) async fn add_person(tx: &mut Tx, tenant: TenantId, person: NewPerson) -> Result<User> {
    let row = UserRow {
        tenant_id: tenant,
        id: UserId::new(),
        email: person.email,
        full_name: person.full_name.trim().to_owned(),
        password_hash: person.password_hash,
        disabled_at: None,
    };
    if !user::insert(tx, tenant, &row).await? {
        return Err(Error::Conflict("this e-mail address is taken".to_owned()));
    }
    Ok(User { id: row.id, email: row.email, full_name: row.full_name })
}

/// Adds a project with its event stream, whose owner `owner` becomes.
pub(super) async fn add_project(tx: &mut Tx, tenant: TenantId, name: &str, owner: UserId) -> Result<Project> {
    let project = Project { id: ProjectId::new(), name: name.trim().to_owned(), created_at: tx.now() };
    project::insert(tx, tenant, &project).await?;
    event::create(tx, stream(tenant, project.id)).await?;
    member::insert(tx, tenant, project.id, owner, Role::Owner).await?;
    Ok(project)
}
