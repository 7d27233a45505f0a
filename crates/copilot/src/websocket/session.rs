//! Asks whether a caller may listen, and goes on asking while the socket is open.

use axum::http::HeaderMap;
use outbox::sabotage;

use super::standing::Credential;
use crate::app::App;
use crate::auth::{self, Actor, Member};
use crate::error::Result;
use crate::ids::ProjectId;

/// A caller and the means to ask about them again.
pub(super) enum Session {
    /// A browser session or a program's key.
    Signed {
        /// Where to ask.
        app: App,
        /// Who it is, in the project that the socket follows.
        member: Member,
    },
    /// A test's hand: valid until the flag falls.
    #[cfg(test)]
    Scripted {
        /// Who it is.
        member: Member,
        /// Whether it is still valid.
        valid: std::sync::Arc<std::sync::atomic::AtomicBool>,
    },
}

impl Session {
    /// The caller behind `headers`, in `project` or else in the project of the session or the key.
    ///
    /// # Errors
    /// When nobody is signed in, or `project` is not one that the caller may read.
    pub(super) async fn authenticate(
        headers: &HeaderMap,
        app: &App,
        project: Option<ProjectId>,
    ) -> Result<Self> {
        let member = auth::authenticate_in(headers, app, project).await?;
        Ok(Self::Signed { app: app.clone(), member })
    }

    /// Who it is.
    pub(super) fn member(&self) -> &Member {
        match self {
            Self::Signed { member, .. } => member,
            #[cfg(test)]
            Self::Scripted { member, .. } => member,
        }
    }

    /// What the caller listens with, and to what.
    pub(super) fn credential(&self) -> Credential {
        let member = self.member();
        let id = match self {
            Self::Signed { .. } => match &member.actor {
                Actor::User { session, .. } => session.0,
                Actor::Key { id, .. } => id.0,
            },
            #[cfg(test)]
            Self::Scripted { valid, .. } => {
                uuid::Uuid::from_u128(std::sync::Arc::as_ptr(valid).addr() as u128)
            }
        };
        (member.tenant, member.project, id)
    }

    /// Whether the caller may still listen; a database that does not answer ends nobody's session.
    pub(super) async fn standing(&self) -> auth::Standing {
        if sabotage::broken("sockets-never-rechecked") {
            return auth::Standing::Holds;
        }
        match self {
            Self::Signed { app, member } => {
                auth::still_valid(app, member).await.unwrap_or(auth::Standing::Holds)
            }
            #[cfg(test)]
            Self::Scripted { valid, .. } if valid.load(std::sync::atomic::Ordering::SeqCst) => {
                auth::Standing::Holds
            }
            #[cfg(test)]
            Self::Scripted { .. } => auth::Standing::SignedOut,
        }
    }
}
