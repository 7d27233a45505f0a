//! The refresh token: opaque, used once, and its successor follows from it alone.
//!
//! A token is `tenant | session | secret | mac`. The secret of the next one is an HMAC of the last, so that
//! two tabs that refresh at the same time get the same successor although only hashes are stored. The mac
//! tells every token that we ever gave out from one that was made up: an old one that comes back, however
//! old, ends its session (RFC 9700, 4.14), and a made-up one costs no query.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use super::master::hmac;
use crate::ids::{SessionId, TenantId};

/// How long a session lives without being refreshed, in seconds: 7 days.
pub(super) const LIFETIME_S: i64 = 7 * 24 * 3600;

/// For so many seconds after a rotation the old token still yields its successor.
pub(super) const GRACE_S: i64 = 10;

const MAC: usize = 16;

/// A refresh token that we gave out at some time.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct RefreshToken {
    pub tenant: TenantId,
    pub session: SessionId,
    secret: [u8; 32],
}

/// Makes and recognises refresh tokens.
pub(super) struct RefreshKey([u8; 32]);

impl RefreshKey {
    /// With a key of its own.
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The token that follows `token`: always the same one.
    pub fn successor(&self, token: &RefreshToken) -> RefreshToken {
        let secret = hmac(&self.0, &[b"next", token.session.0.as_bytes(), &token.secret]);
        RefreshToken { secret, ..token.clone() }
    }

    /// The cookie's value.
    pub fn write(&self, token: &RefreshToken) -> String {
        let mac = self.mac(token);
        URL_SAFE_NO_PAD
            .encode([token.tenant.0.as_bytes(), token.session.0.as_bytes(), &token.secret[..], &mac].concat())
    }

    /// The token in a cookie, if we wrote it.
    pub fn read(&self, text: &str) -> Option<RefreshToken> {
        if text.len() > 256 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (tenant, rest) = bytes.split_first_chunk::<16>()?;
        let (session, rest) = rest.split_first_chunk::<16>()?;
        let (secret, mac) = rest.split_first_chunk::<32>()?;
        let token = RefreshToken {
            tenant: TenantId(Uuid::from_bytes(*tenant)),
            session: SessionId(Uuid::from_bytes(*session)),
            secret: *secret,
        };
        bool::from(self.mac(&token).ct_eq(mac)).then_some(token)
    }

    fn mac(&self, token: &RefreshToken) -> Vec<u8> {
        let parts: [&[u8]; 4] =
            [b"mac", token.tenant.0.as_bytes(), token.session.0.as_bytes(), &token.secret];
        hmac(&self.0, &parts).into_iter().take(MAC).collect()
    }
}

impl RefreshToken {
    /// The first token of a session.
    pub fn first(tenant: TenantId, session: SessionId) -> Self {
        Self { tenant, session, secret: rand::random() }
    }

    /// What is stored of it.
    pub fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.secret).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_the_cookie_and_has_one_successor() {
        let key = RefreshKey::new(rand::random());
        let first = RefreshToken::first(TenantId::new(), SessionId::new());
        let text = key.write(&first);
        assert!(key.read(&text) == Some(first.clone()));
        assert!(key.successor(&first) == key.successor(&first));
        assert_ne!(key.successor(&first).hash(), first.hash());
    }

    #[test]
    fn a_made_up_token_is_not_recognised() {
        let key = RefreshKey::new(rand::random());
        let text = key.write(&RefreshToken::first(TenantId::new(), SessionId::new()));
        assert!(RefreshKey::new(rand::random()).read(&text).is_none());
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert!(key.read(&String::from_utf8(changed).unwrap()).is_none(), "character {at}");
        }
        for made_up in ["", "A", &"A".repeat(43), &"A".repeat(107), &"A".repeat(100_000)] {
            assert!(key.read(made_up).is_none());
        }
    }
}
