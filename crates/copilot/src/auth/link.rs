//! One-time links that sign somebody in without a password: for the demonstration, which has no other way.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use outbox::Ts;

use super::secret_token::SecretToken;
use crate::app::App;
use crate::ids::{TenantId, UserId};

/// How long a link works, in seconds.
const LIFETIME_S: i64 = 600;

/// The links of this process that nobody has used yet, by the hash of their token.
#[derive(Default)]
pub(super) struct Links(Mutex<HashMap<Vec<u8>, Link>>);

struct Link {
    tenant: TenantId,
    user: UserId,
    expires_at: Ts,
}

impl Links {
    fn issue(&self, tenant: TenantId, user: UserId, now: Ts) -> String {
        let token = SecretToken::generate();
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|_, link| link.expires_at > now);
        links.insert(token.hash(), Link { tenant, user, expires_at: now.plus_seconds(LIFETIME_S) });
        token.reveal().to_owned()
    }

    /// Whom `token` signs in; it does so once.
    pub fn redeem(&self, token: &str, now: Ts) -> Option<(TenantId, UserId)> {
        let token = SecretToken::parse(token)?;
        let link = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&token.hash())?;
        (link.expires_at > now).then_some((link.tenant, link.user))
    }
}

/// A token that signs `user` in once within ten minutes, in this process: the page is `/link#TOKEN`.
pub fn issue_link(app: &App, tenant: TenantId, user: UserId) -> String {
    app.keys.links.issue(tenant, user, app.clock().now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_works_once_and_not_for_long() {
        let links = Links::default();
        let (tenant, user, start) = (TenantId::new(), UserId::new(), Ts::from_micros(0));
        let token = links.issue(tenant, user, start);
        assert_eq!(links.redeem(&token, start.plus_seconds(599)), Some((tenant, user)));
        assert_eq!(links.redeem(&token, start), None);
        let late = links.issue(tenant, user, start);
        assert_eq!(links.redeem(&late, start.plus_seconds(600)), None);
        assert_eq!(links.redeem("", start), None);
    }
}
