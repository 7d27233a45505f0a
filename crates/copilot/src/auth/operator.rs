//! What an operator does at the command line, without a browser.

use anyhow::{Context, anyhow, bail, ensure};
use outbox::{Db, Ts};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::account::User;
use super::api_key::NewKey;
use super::audit::{self, Entry};
use super::email::Email;
use super::keys::Keys;
use super::password::Passwords;
use super::permission::Role;
use super::secret_token::SecretToken;
use super::store::{api_key, member, project, project::ProjectRole, session, user};
use super::tenant::{self, NewPerson};
use super::{name, password};
use crate::error::Error;
use crate::ids::{ProjectId, SessionId, TenantId, UserId};

/// Somebody whom an operator has added.
#[derive(Debug)]
pub struct Created {
    /// The organisation.
    pub tenant: TenantId,
    /// The project they are in.
    pub project: ProjectId,
    /// The person.
    pub user: UserId,
    /// Whether the organisation was founded with them.
    pub founded: bool,
}

/// Adds a person: the owner of a new organisation, or, if there is one of this name, an owner of its first
/// project.
///
/// # Errors
/// When the address is taken, or something given is not acceptable; the message says what.
pub async fn create_user(
    db: &Db,
    keys: &Keys,
    tenant_name: &str,
    email: &str,
    full_name: &str,
    password: &str,
) -> anyhow::Result<Created> {
    let email = Email::parse(email).context("the e-mail address is not one")?;
    for (field, text) in [("tenant", tenant_name), ("name", full_name)] {
        name::rule(text, &()).map_err(|error| anyhow!("the {field} {error}"))?;
    }
    password::check("password", password, &[email.as_str(), full_name, tenant_name]).map_err(explain)?;
    let password_hash = keys.passwords.hash(password).await.map_err(explain)?;
    let person =
        NewPerson { email: email.as_str().to_owned(), full_name: full_name.to_owned(), password_hash };

    let mut tx = db.begin_across("operator").await?;
    user::lock_registration(&mut tx).await?;
    let existing = user::tenant_by_name(&mut tx, tenant_name.trim()).await?;
    let created = if let Some(tenant) = existing {
        tx.scope(tenant.0).await?;
        let project = project::first(&mut tx, tenant).await?.context("the organisation has no project")?;
        let User { id, .. } = tenant::add_person(&mut tx, tenant, person).await.map_err(explain)?;
        member::insert(&mut tx, tenant, project.id, id, Role::Owner).await?;
        Created { tenant, project: project.id, user: id, founded: false }
    } else {
        let founded = tenant::found(&mut tx, tenant_name, person).await.map_err(explain)?;
        Created {
            tenant: founded.tenant.id,
            project: founded.project.id,
            user: founded.user.id,
            founded: true,
        }
    };
    let entry = act("user.created", format!("user:{}", created.user), json!({"name": email.as_str()}));
    audit::record(&mut tx, created.tenant, entry).await?;
    tx.commit().await?;
    Ok(created)
}

/// Makes an API key in the name of the person with this address, for a project they are in: `project`, or else
/// their first.
///
/// # Errors
/// When there is no such person, they are in no such project, or their role there is lower.
pub async fn create_token(
    db: &Db,
    email: &str,
    project: Option<ProjectId>,
    key_name: &str,
    role: Role,
    expires_at: Option<Ts>,
) -> anyhow::Result<SecretToken> {
    name::rule(key_name, &()).map_err(|error| anyhow!("the name {error}"))?;
    let email = Email::parse(email).context("the e-mail address is not one")?;
    let mut tx = db.begin_across("operator").await?;
    ensure!(expires_at.is_none_or(|at| at > tx.now()), "the key would have expired already");
    let Some(owner) = user::by_email(&mut tx, email.as_str()).await? else {
        bail!("nobody has the address {}", email.as_str());
    };
    tx.scope(owner.tenant_id.0).await?;
    let roles = project::roles(&mut tx, owner.tenant_id, owner.id).await?;
    let chosen = roles.iter().find(|row| project.is_none_or(|id| id == row.id));
    let chosen = chosen.with_context(|| format!("{} is in no such project", email.as_str()))?;
    ensure!(
        role <= chosen.role,
        "{} is {} there and can't give the role {role}",
        email.as_str(),
        chosen.role
    );
    let key = NewKey { project: chosen.id, name: key_name.to_owned(), role, expires_at };
    let (row, token) = key.make(owner.tenant_id, Some(owner.id), tx.now());
    api_key::insert(&mut tx, owner.tenant_id, &row).await?;
    let entry = act("api_key.created", format!("key:{}", row.id), json!({"name": row.name, "role": role}));
    audit::record(&mut tx, owner.tenant_id, entry).await?;
    tx.commit().await?;
    Ok(token)
}

/// The project of the person with this address: `project`, or else their first. Reads only.
///
/// # Errors
/// When there is no such person, or they are in no such project.
pub async fn project_of(
    db: &Db,
    email: &str,
    project: Option<ProjectId>,
) -> anyhow::Result<(TenantId, ProjectRole)> {
    let email = Email::parse(email).context("the e-mail address is not one")?;
    let mut tx = db.begin_across("operator").await?;
    let Some(person) = user::by_email(&mut tx, email.as_str()).await? else {
        bail!("nobody has the address {}", email.as_str());
    };
    tx.scope(person.tenant_id.0).await?;
    let roles = project::roles(&mut tx, person.tenant_id, person.id).await?;
    let chosen = roles.into_iter().find(|row| project.is_none_or(|id| id == row.id));
    let chosen = chosen.with_context(|| format!("{} is in no such project", email.as_str()))?;
    Ok((person.tenant_id, chosen))
}

/// Somebody, as an operator sees them.
#[derive(Debug, Serialize)]
pub struct Person {
    email: String,
    full_name: String,
    tenant: String,
    user_id: UserId,
    projects: Vec<Place>,
    disabled: bool,
}

/// A project somebody is in, and what they are there.
#[derive(Debug, Serialize)]
struct Place {
    project_id: ProjectId,
    name: String,
    role: Role,
}

impl Place {
    fn of(ProjectRole { id, name, role }: ProjectRole) -> Self {
        Self { project_id: id, name, role }
    }
}

/// Everybody, by organisation. Reads only.
///
/// # Errors
/// When the database refused.
pub async fn people(db: &Db) -> anyhow::Result<Vec<Person>> {
    let mut tx = db.begin_across("operator").await?;
    let mut people = Vec::new();
    for tenant in user::tenants(&mut tx).await? {
        tx.scope(tenant.0).await?;
        let name = user::tenant_name(&mut tx, tenant).await?;
        for row in user::all(&mut tx, tenant).await? {
            let roles = project::roles(&mut tx, tenant, row.id).await?;
            people.push(Person {
                email: row.email,
                full_name: row.full_name,
                tenant: name.clone(),
                user_id: row.id,
                projects: roles.into_iter().map(Place::of).collect(),
                disabled: row.disabled_at.is_some(),
            });
        }
    }
    Ok(people)
}

/// Gives the person with this address another password, and says how many sessions that ended.
///
/// # Errors
/// When there is no such person, or the password is not acceptable.
pub async fn reset_password(db: &Db, email: &str, password: &str) -> anyhow::Result<u64> {
    let email = Email::parse(email).context("the e-mail address is not one")?;
    let mut tx = db.begin_across("operator").await?;
    let Some(person) = user::by_email(&mut tx, email.as_str()).await? else {
        bail!("nobody has the address {}", email.as_str());
    };
    let tenant = person.tenant_id;
    tx.scope(tenant.0).await?;
    let organisation = user::tenant_name(&mut tx, tenant).await?;
    password::check("password", password, &[email.as_str(), &person.full_name, &organisation])
        .map_err(explain)?;
    let hash = Passwords::default().hash(password).await.map_err(explain)?;
    user::set_password(&mut tx, tenant, person.id, &hash).await?;
    let ended = session::end_others(&mut tx, tenant, person.id, SessionId(Uuid::nil())).await?;
    let entry = act("password.reset", format!("user:{}", person.id), json!({"sessions": ended}));
    audit::record(&mut tx, tenant, entry).await?;
    tx.commit().await?;
    Ok(ended)
}

fn act(action: &'static str, object: String, detail: serde_json::Value) -> Entry {
    Entry { actor: "operator".to_owned(), action, object, ok: true, remote: "local".to_owned(), detail }
}

/// The message for a person at a terminal.
fn explain(error: Error) -> anyhow::Error {
    match error {
        Error::Invalid(fields) => {
            let words: Vec<_> =
                fields.iter().map(|field| format!("the {} {}", field.field, field.message)).collect();
            anyhow!(words.join("; "))
        }
        Error::Internal(cause) => cause,
        other => anyhow!(other.to_string()),
    }
}
