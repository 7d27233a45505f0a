//! Grafana's HMAC signature: the sender proves that it holds the token without sending it.
//!
//! `X-Grafana-Alerting-Signature` is the HMAC-SHA256 of the body under the token, in hexadecimal digits; where the contact
//! point has a timestamp header, of its value, a colon and the body (Grafana's documentation, "Configure webhook
//! notifications", HMAC signature). That header has no name by default; the two that are in use are understood. A path
//! without an integration names no token, so there is none to check with.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, header};
use hmac::{Hmac, KeyInit as _, Mac as _};
use moka::future::Cache;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::hook::TOKEN_HEADERS;
use super::inbox::OVERLOADED;
use super::manage::token_cell;
use super::soon::soon;
use super::store;
use crate::app::App;
use crate::auth::secret_token::SecretToken;
use crate::auth::shown;
use crate::error::{Error, Result};
use crate::ids::IntegrationId;

const SIGNATURE: &str = "x-grafana-alerting-signature";

const TIMESTAMPS: [&str; 2] = ["x-grafana-alerting-timestamp", "x-grafana-alerting-signature-timestamp"];

/// How far a signed time may be from ours, in seconds.
const SKEW_S: i64 = 300;

/// How long tokens are remembered for when the database is away.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// Integrations that are remembered at most.
const MOST: u64 = 10_000;

/// The largest signed body in bytes: it has to be read before it is known who sends it.
pub const MAX_BODY: usize = 2 * 1024 * 1024;

/// Signed bodies that are read at the same time.
const READ: usize = 16;

/// The tokens of integrations that send signed requests.
pub struct Signers {
    known: Cache<IntegrationId, Arc<Vec<SecretToken>>>,
    places: Semaphore,
}

impl Default for Signers {
    fn default() -> Self {
        let known = Cache::builder().max_capacity(MOST).time_to_live(REMEMBERED).build();
        Self { known, places: Semaphore::new(READ) }
    }
}

impl Signers {
    /// A place to read a body whose sender is not known yet.
    ///
    /// # Errors
    /// 503 when all are taken.
    pub fn place(&self) -> Result<SemaphorePermit<'_>> {
        self.places.try_acquire().map_err(|_| OVERLOADED)
    }
}

/// What the sender of a signature that proves nothing is told.
const WRONG: Error = Error::Credentials(
    "invalid-credentials",
    "the signature is not that of this body under the token of this integration, or its time is more than five minutes off",
);

/// What the sender of an unsigned request is told where the integration wants a signature.
pub const MISSING: Error = Error::Credentials(
    "invalid-credentials",
    "this integration requires a signature: set HMAC with its token as the secret in the contact point, or its \
     setting require_signature to false",
);

/// Marks a request whose signature was checked.
#[derive(Clone, Copy, Debug)]
pub struct Checked;

/// Whether a request is signed.
pub fn is_signed(headers: &HeaderMap) -> bool {
    headers.contains_key(SIGNATURE)
}

/// Whether a request is signed and carries no token.
pub fn is_alone(headers: &HeaderMap) -> bool {
    is_signed(headers) && !shown::is_shown(headers, &TOKEN_HEADERS)
}

/// Puts the token that signed `body` in the place where others carry theirs.
///
/// # Errors
/// 401 when none did, or too long ago; 503 when the database does not answer and the integration's tokens are not remembered.
pub async fn reveal(app: &App, id: IntegrationId, headers: &mut HeaderMap, body: &Bytes) -> Result<()> {
    let signature = Signature::of(app, headers)?;
    for token in tokens(app, id).await?.iter() {
        if signature.is_made(token.reveal(), body) {
            let bearer = HeaderValue::from_str(&format!("Bearer {}", token.reveal()));
            headers.insert(header::AUTHORIZATION, bearer.map_err(|error| Error::Internal(error.into()))?);
            return Ok(());
        }
    }
    Err(WRONG)
}

/// Checks the signature of a request that carries a token: that token has made it, or another of the integration's.
///
/// # Errors
/// As [`reveal`].
pub async fn check(app: &App, id: IntegrationId, headers: &HeaderMap, body: &Bytes) -> Result<()> {
    let signature = Signature::of(app, headers)?;
    let sent = shown::secret(headers, &TOKEN_HEADERS)?;
    if sent.is_some_and(|token| signature.is_made(&token, body))
        || tokens(app, id).await?.iter().any(|token| signature.is_made(token.reveal(), body))
    {
        return Ok(());
    }
    Err(WRONG)
}

/// A signature as it was sent, with the time that it covers.
struct Signature {
    digits: String,
    timestamp: Option<String>,
}

impl Signature {
    /// The one signature among `headers`, if it is not too old.
    fn of(app: &App, headers: &HeaderMap) -> Result<Self> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let digits = text(SIGNATURE).filter(|_| headers.get_all(SIGNATURE).iter().count() == 1);
        let digits = digits.map(str::to_ascii_lowercase).ok_or(WRONG)?;
        let timestamp = TIMESTAMPS.into_iter().find_map(text).map(str::to_owned);
        if timestamp.as_deref().is_some_and(|at| !is_near(at, app.clock().now().micros() / 1_000_000)) {
            return Err(WRONG);
        }
        Ok(Self { digits, timestamp })
    }

    /// Whether it is that of `body` under `key`; takes the same time either way.
    fn is_made(&self, key: &str, body: &[u8]) -> bool {
        signed(key, self.timestamp.as_deref(), body).as_bytes().ct_eq(self.digits.as_bytes()).into()
    }
}

fn is_near(timestamp: &str, now_s: i64) -> bool {
    timestamp.parse::<i64>().is_ok_and(|at| now_s.abs_diff(at) <= SKEW_S.unsigned_abs())
}

/// The signature under `key`, in lower-case hexadecimal digits.
fn signed(key: &str, timestamp: Option<&str>, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return String::new() };
    if let Some(timestamp) = timestamp {
        mac.update(timestamp.as_bytes());
        mac.update(b":");
    }
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The tokens of an integration, or those that it had when the database last answered.
async fn tokens(app: &App, id: IntegrationId) -> Result<Arc<Vec<SecretToken>>> {
    let ask = || look_up(app, id);
    let found = match app.signers.known.get(&id).await {
        None => ask().await,
        Some(remembered) => match soon(ask).await {
            Some(found) => found,
            None => return Ok(remembered),
        },
    };
    let found = Arc::new(found?);
    app.signers.known.insert(id, found.clone()).await;
    Ok(found)
}

async fn look_up(app: &App, id: IntegrationId) -> Result<Vec<SecretToken>> {
    let mut tx = app.db.read_across("webhook").await?;
    let mut found = Vec::new();
    let Some((tenant, _)) = store::by_id(&mut tx, id).await? else { return Ok(found) };
    for sealed in store::sealed_tokens(&mut tx, tenant, id).await? {
        let plain = app.keys.open(&sealed, token_cell(tenant, id)).map_err(Error::Internal)?;
        found.extend(std::str::from_utf8(&plain).ok().and_then(SecretToken::parse));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, 4.3; Grafana's own form with a time is checked from outside.
    #[test]
    fn the_signature_is_the_standard_one() {
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(signed("Jefe", None, b"what do ya want for nothing?"), expected);
        assert_eq!(
            signed("Jefe", Some("what do ya want for nothing?"), b""),
            signed("Jefe", None, b"what do ya want for nothing?:")
        );
    }

    #[test]
    fn a_signed_time_must_be_near() {
        for (at, near) in
            [("1000", true), ("701", true), ("1300", true), ("699", false), ("1301", false), ("x", false)]
        {
            assert_eq!(is_near(at, 1000), near, "{at}");
        }
    }
}
