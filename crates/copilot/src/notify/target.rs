//! Where a channel leads: sealed at rest, opened to send, shown without what is secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use url::Url;

use super::ChannelKind;
use crate::auth::{Cell, Keys, Place};
use crate::error::{Error, Result};
use crate::ids::{ChannelId, TenantId};

/// Where PagerDuty takes events when a channel names no other address.
pub const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";

/// Bytes of a signing secret; Standard Webhooks asks for 24 to 64.
const SIGNING_BYTES: usize = 32;

/// What a signing secret begins with (Standard Webhooks).
const PREFIX: &str = "whsec_";

/// How many characters are shown of what is secret.
const SHOWN: usize = 4;

/// The address of a channel and what opens it. Its parts are secret: whoever has the address of a webhook may post there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Where requests are sent.
    pub url: String,
    /// Names a PagerDuty integration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routing_key: Option<String>,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Target(hidden)")
    }
}

impl Target {
    /// Where a channel of `kind` leads.
    ///
    /// # Errors
    /// 422 when something is missing, or is not for this kind.
    pub fn of(kind: ChannelKind, url: Option<String>, routing_key: Option<String>) -> Result<Self> {
        let url = url.filter(|url| !url.is_empty());
        match (kind, url, routing_key) {
            (ChannelKind::Pagerduty, url, Some(key)) => {
                if key.len() != 32 || !key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                    let must = "must be the 32 letters and digits that PagerDuty shows";
                    return Err(Error::field("routing_key", must));
                }
                Ok(Self { url: url.unwrap_or_else(|| PAGERDUTY.to_owned()), routing_key: Some(key) })
            }
            (ChannelKind::Pagerduty, _, None) => Err(Error::field("routing_key", "is needed for PagerDuty")),
            (_, _, Some(_)) => {
                Err(Error::field("routing_key", format!("is not for a channel of kind {kind}")))
            }
            (_, Some(url), None) => Ok(Self { url, routing_key: None }),
            (_, None, None) => Err(Error::field("url", format!("is needed for a channel of kind {kind}"))),
        }
    }

    /// What a change makes of `old`; of a part that is absent the old one stays. A routing key stays with the server that it was
    /// entered for.
    ///
    /// # Errors
    /// As [`Target::of`], and 422 when the address is another server's and the key was not entered again.
    pub fn changed(
        kind: ChannelKind,
        old: Option<&Self>,
        url: Option<Option<String>>,
        routing_key: Option<String>,
    ) -> Result<Self> {
        let url = url.unwrap_or_else(|| old.map(|old| old.url.clone()));
        let known = old.filter(|_| routing_key.is_none()).and_then(|old| old.routing_key.as_ref());
        let origin = |url: &str| Url::parse(url).ok().map(|url| url.origin());
        let moves = old.is_some_and(|old| origin(&old.url) != origin(url.as_deref().unwrap_or(PAGERDUTY)));
        if known.is_some() && moves {
            let must =
                "must be entered again: another server is not sent what was entered for the one before";
            return Err(Error::field("routing_key", must));
        }
        let known = known.cloned();
        Self::of(kind, url, routing_key.or(known))
    }

    /// As it is shown: the host, and the last characters of what is secret if it is long enough to keep the rest.
    pub fn address(&self, kind: ChannelKind) -> String {
        let url = Url::parse(&self.url).ok();
        let host = url.as_ref().and_then(|url| {
            let host = url.host_str()?;
            Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
        });
        let secret = match kind {
            ChannelKind::Pagerduty => self.routing_key.clone().unwrap_or_default(),
            ChannelKind::Slack | ChannelKind::Webhook => url.map_or_else(String::new, |url| {
                format!("{}{}", url.path(), url.query().map_or_else(String::new, |query| format!("?{query}")))
            }),
        };
        let tail: String = secret.chars().rev().take(SHOWN).collect::<Vec<_>>().into_iter().rev().collect();
        let tail = if secret.chars().count() >= 4 * SHOWN { tail } else { String::new() };
        format!("{}/…{tail}", host.unwrap_or_default())
    }

    /// Sealed for its channel's row.
    ///
    /// # Errors
    /// When it is too long to be sealed.
    pub fn seal(&self, keys: &Keys, tenant: TenantId, id: ChannelId) -> Result<Vec<u8>> {
        let plain = serde_json::to_vec(self).map_err(|error| Error::Internal(error.into()))?;
        Ok(keys.seal(&plain, cell(tenant, id, Place::ChannelTarget))?)
    }

    /// Opens what was sealed for this channel's row.
    ///
    /// # Errors
    /// When it was sealed for another, or with another key.
    pub fn open(keys: &Keys, tenant: TenantId, id: ChannelId, sealed: &[u8]) -> Result<Self> {
        let plain = keys.open(sealed, cell(tenant, id, Place::ChannelTarget))?;
        serde_json::from_slice(&plain).map_err(|error| Error::Internal(error.into()))
    }
}

/// The column of a signing secret: the current one's, or that of the one before.
#[derive(Clone, Copy, Debug)]
pub enum Signing {
    /// Signs from now on.
    Current,
    /// Signs too until it ends.
    Old,
}

impl Signing {
    fn place(self) -> Place {
        match self {
            Self::Current => Place::ChannelSigning,
            Self::Old => Place::ChannelOldSigning,
        }
    }
}

/// A new secret to sign with, as its receiver is given it.
pub fn new_signing() -> String {
    let bytes: [u8; SIGNING_BYTES] = rand::random();
    format!("{PREFIX}{}", STANDARD.encode(bytes))
}

/// The key that a signing secret stands for.
pub fn signing_key(secret: &str) -> Vec<u8> {
    let text = secret.strip_prefix(PREFIX).unwrap_or(secret);
    STANDARD.decode(text).unwrap_or_default()
}

/// Seals a signing secret for its column.
///
/// # Errors
/// When it can't be sealed.
pub fn seal_signing(
    keys: &Keys,
    tenant: TenantId,
    id: ChannelId,
    which: Signing,
    secret: &str,
) -> Result<Vec<u8>> {
    Ok(keys.seal(secret.as_bytes(), cell(tenant, id, which.place()))?)
}

/// Opens a signing secret.
///
/// # Errors
/// When it was sealed for another cell, or with another key.
pub fn open_signing(
    keys: &Keys,
    tenant: TenantId,
    id: ChannelId,
    which: Signing,
    sealed: &[u8],
) -> Result<String> {
    let plain = keys.open(sealed, cell(tenant, id, which.place()))?;
    String::from_utf8(plain).map_err(|error| Error::Internal(error.into()))
}

fn cell(tenant: TenantId, id: ChannelId, place: Place) -> Cell {
    Cell { tenant, place, row: id.0 }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_secret() {
        let shown = |url: &str| Target { url: url.to_owned(), routing_key: None }.address(ChannelKind::Slack);
        assert_eq!(shown("https://hooks.slack.com/services/T000/B000/abcdefghijkl"), "hooks.slack.com/…ijkl");
        assert_eq!(shown("http://10.0.0.7:8080/hook"), "10.0.0.7:8080/…");
        assert_eq!(shown("https://a.example/in?key=0123456789abcdef"), "a.example/…cdef");
        let key = Target {
            url: PAGERDUTY.to_owned(),
            routing_key: Some("0123456789abcdef0123456789abcdef".to_owned()),
        };
        assert_eq!(key.address(ChannelKind::Pagerduty), "events.pagerduty.com/…cdef");
        assert_eq!(format!("{key:?}"), "Target(hidden)");
    }

    #[test]
    fn a_signing_secret_is_base64_of_its_key() {
        let secret = new_signing();
        assert!(secret.starts_with("whsec_"), "{secret}");
        assert_eq!(signing_key(&secret).len(), SIGNING_BYTES);
        assert_ne!(secret, new_signing());
    }
}
