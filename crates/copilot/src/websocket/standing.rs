//! Whether callers may still listen: asked once for all the sockets of a credential, not once a socket.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::session::Session;
use super::socket::End;
use crate::auth;
use crate::ids::{ProjectId, TenantId};

/// What a socket listens with, and to what: a session or a key, in one project.
pub(super) type Credential = (TenantId, ProjectId, Uuid);

/// One credential that sockets are open with.
pub(super) struct Standing {
    ended: CancellationToken,
    /// Whether it ended because the caller is no longer in the project.
    barred: AtomicBool,
}

impl Standing {
    /// Returns once the credential no longer holds, with the reason.
    pub(super) async fn ended(&self) -> End {
        self.ended.cancelled().await;
        if self.barred.load(Ordering::SeqCst) { End::Barred } else { End::SignedOut }
    }
}

/// The credentials that sockets are open with.
#[derive(Default)]
pub(super) struct Standings(Arc<Mutex<HashMap<Credential, Weak<Standing>>>>);

impl Standings {
    /// The standing of `session`, looked at every `every` for as long as a socket holds it.
    pub(super) fn of(
        &self,
        session: &Arc<Session>,
        every: Duration,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Arc<Standing> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(standing) = known.get(&session.credential()).and_then(Weak::upgrade) {
            return standing;
        }
        let standing = Arc::new(Standing { ended: CancellationToken::new(), barred: AtomicBool::new(false) });
        known.insert(session.credential(), Arc::downgrade(&standing));
        let (session, known, weak) = (Arc::clone(session), Arc::clone(&self.0), Arc::downgrade(&standing));
        let stop = stop.clone();
        tasks.spawn(async move {
            let mut found = auth::Standing::Holds;
            while weak.strong_count() > 0 && found == auth::Standing::Holds {
                tokio::select! {
                    () = tokio::time::sleep(every) => {}
                    () = stop.cancelled() => return,
                }
                found = session.standing().await;
            }
            // Whoever comes later was let in anew and is looked at anew.
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.get(&session.credential()).is_some_and(|known| known.ptr_eq(&weak)) {
                known.remove(&session.credential());
            }
            if let Some(standing) = weak.upgrade() {
                standing.barred.store(found == auth::Standing::NoMember, Ordering::SeqCst);
                standing.ended.cancel();
            }
        });
        standing
    }
}
