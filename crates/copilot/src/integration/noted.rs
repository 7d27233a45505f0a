//! Integrations of which it was written down a moment ago that a request was accepted: again would be a row more a commit.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use outbox::Ts;

use crate::ids::IntegrationId;

/// How old what is stored of an integration's last request may be, in seconds.
const FRESH_S: f64 = 1.0;

/// When the last accepted request of each integration was written down.
#[derive(Debug, Default)]
pub struct Noted(Mutex<HashMap<IntegrationId, Ts>>);

impl Noted {
    /// Whether what is stored says of a moment before `now` that a request was accepted, as far as this process knows.
    pub fn is_fresh(&self, id: IntegrationId, now: Ts) -> bool {
        let at = self.lock().get(&id).copied();
        at.is_some_and(|at| (0.0..FRESH_S).contains(&now.seconds_since(at)))
    }

    /// Takes down what a commit has written of these integrations.
    pub fn accepted(&self, ids: &[IntegrationId], at: Ts) {
        self.lock().extend(ids.iter().map(|id| (*id, at)));
    }

    /// Another request is written down as refused.
    pub fn refused(&self, id: IntegrationId) {
        self.lock().remove(&id);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IntegrationId, Ts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
