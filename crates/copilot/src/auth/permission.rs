//! Permission as a parameter type: a handler that takes an [`Engineer`] is for engineers and above.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::app::App;
use crate::error::Error;
use crate::ids::{ApiKeyId, ProjectId, SessionId, TenantId, UserId};

crate::words! {
    /// What a member of a project may do; each may do all that those before it may.
    pub enum Role {
        /// Reads.
        Viewer = "viewer",
        /// Works on incidents.
        Engineer = "engineer",
        /// Manages integrations, members and keys.
        Admin = "admin",
        /// Deletes projects.
        Owner = "owner",
    }
}

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A person, through a browser session.
    User {
        /// The person.
        id: UserId,
        /// As shown to others.
        name: String,
        /// The address they sign in with.
        email: String,
        /// The session.
        session: SessionId,
    },
    /// A program, through an API key.
    Key {
        /// The key.
        id: ApiKeyId,
        /// As shown to others.
        name: String,
    },
}

impl Actor {
    /// As shown to others.
    pub fn name(&self) -> &str {
        match self {
            Self::User { name, .. } | Self::Key { name, .. } => name,
        }
    }

    /// The person, if it is one.
    pub fn user(&self) -> Option<UserId> {
        match self {
            Self::User { id, .. } => Some(*id),
            Self::Key { .. } => None,
        }
    }

    /// Names the actor for the audit log and for idempotency: `user:ID` or `key:ID`.
    pub fn principal(&self) -> String {
        match self {
            Self::User { id, .. } => format!("user:{id}"),
            Self::Key { id, .. } => format!("key:{id}"),
        }
    }
}

/// A signed-in caller in one project: the one in the path (`{project_id}`), or else the session's or the key's.
#[derive(Clone, Debug)]
pub struct Member {
    /// The tenant.
    pub tenant: TenantId,
    /// The project.
    pub project: ProjectId,
    /// The role in that project.
    pub role: Role,
    /// Who it is.
    pub actor: Actor,
}

macro_rules! at_least {
    ($(#[$doc:meta])* $name:ident, $role:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(pub Member);

        impl std::ops::Deref for $name {
            type Target = Member;

            fn deref(&self) -> &Member {
                &self.0
            }
        }

        impl FromRequestParts<App> for $name {
            type Rejection = Error;

            async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Error> {
                granted(parts, $role).map(Self)
            }
        }
    };
}

at_least!(
    /// A member who may read.
    Viewer,
    Role::Viewer
);
at_least!(
    /// A member who may work on incidents.
    Engineer,
    Role::Engineer
);
at_least!(
    /// A member who may manage integrations, members and keys.
    Admin,
    Role::Admin
);
at_least!(
    /// A member who may delete the project.
    Owner,
    Role::Owner
);

/// What the table of [`access`](super::access) has granted to a request.
#[derive(Clone, Debug)]
pub(super) struct Granted {
    pub member: Member,
    /// The role that the route's row asks for.
    pub least: Role,
}

/// The caller of a request that was granted on a route for `least`.
///
/// A handler on a route whose row says otherwise answers nobody: one of the two is wrong.
fn granted(parts: &Parts, least: Role) -> Result<Member, Error> {
    match parts.extensions.get::<Granted>() {
        Some(granted) if granted.least == least => Ok(granted.member.clone()),
        other => {
            let row = other.map(|granted| granted.least);
            Err(Error::Internal(anyhow::anyhow!("a handler for {least} is on a route for {row:?}")))
        }
    }
}

/// The person and the session behind a request; programs have neither.
pub(super) fn session_of(member: &Member) -> Result<(UserId, SessionId), Error> {
    match &member.actor {
        Actor::User { id, session, .. } => Ok((*id, *session)),
        Actor::Key { .. } => Err(Error::Forbidden("this is for people; an API key can't do it".to_owned())),
    }
}
