//! Asks whether a caller may listen, and goes on asking while the socket is open.

use axum::extract::FromRequestParts as _;
use axum::http::request::Parts;

use crate::app::App;
use crate::auth::{Member, Role, Viewer};
use crate::error::{Error, Result};
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
    /// The caller behind `parts`, in `project` or else in the project of the session or the key.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for no or a bad credential, [`Error::NotFound`] for a project that the
    /// caller may not read.
    pub(super) async fn authenticate(
        parts: &mut Parts,
        app: &App,
        project: Option<ProjectId>,
    ) -> Result<Self> {
        let Viewer(member) = Viewer::from_request_parts(parts, app).await?;
        if project.is_some_and(|project| project != member.project) {
            return Err(Error::NotFound);
        }
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

    /// Whether the caller may still listen; a database that does not answer ends nobody's session.
    pub(super) async fn is_valid(&self) -> bool {
        match self {
            Self::Signed { app, member } => !app.stop.is_cancelled() && member.role >= Role::Viewer,
            #[cfg(test)]
            Self::Scripted { valid, .. } => valid.load(std::sync::atomic::Ordering::SeqCst),
        }
    }
}
