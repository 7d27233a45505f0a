//! Who sends a webhook: the token names the integration, and with it the project and the tenant.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;

use super::deliveries;
use super::token::Proof;
use crate::app::App;
use crate::auth::Source;
use crate::error::{Error, Result};
use crate::ids::IntegrationId;

/// What a sender without a token is told.
const NO_TOKEN: Error = Error::Credentials(
    "unauthenticated",
    "send the token of this integration, as Authorization: Bearer, as the password of Basic, or as X-Webhook-Secret",
);

/// The sender of a webhook request, proven by its token.
#[derive(Clone, Debug)]
pub struct Hook {
    /// What its token proves.
    pub proof: Arc<Proof>,
    /// The sender's address.
    pub remote: String,
    /// The sender's name for itself.
    pub user_agent: String,
}

impl FromRequestParts<App> for Hook {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let named = named_integration(parts, app).await?;
        let (remote, user_agent) = sender(parts, app);
        let found = match credential(&parts.headers) {
            Ok(token) => app.tokens.prove(app, &token).await,
            Err(error) => Err(error),
        };
        match (found, named) {
            (Ok(proof), named) if named.is_none_or(|id| proof.integration.id == id) => {
                Ok(Self { proof, remote, user_agent })
            }
            (Ok(_), _) => Err(Error::NotFound),
            (Err(error), named) => {
                if let Some(id) = named {
                    Box::pin(deliveries::note_rejection(app, id, &remote, &user_agent, &error)).await;
                }
                Err(error)
            }
        }
    }
}

/// The address of who sends a request, and their name for themselves.
pub fn sender(parts: &Parts, app: &App) -> (String, String) {
    let Source { address, user_agent, .. } = Source::of(app, &parts.extensions, &parts.headers);
    (address.to_string(), user_agent)
}

/// The integration in the path, if there is one; a malformed id is nobody's.
pub async fn named_integration(parts: &mut Parts, app: &App) -> Result<Option<IntegrationId>> {
    let params = RawPathParams::from_request_parts(parts, app).await.map_err(|_| Error::NotFound)?;
    let id = params.iter().find(|(name, _)| *name == "integration_id");
    id.map(|(_, id)| id.parse().map_err(|_| Error::NotFound)).transpose()
}

/// The one token that a request carries: as Bearer, as Basic password, or in a header of its own.
fn credential(headers: &HeaderMap) -> Result<String> {
    let mut found: Vec<String> = Vec::new();
    if let Some(value) = text(headers, header::AUTHORIZATION.as_str()) {
        found.push(authorization(&value)?);
    }
    for name in ["x-webhook-secret", "x-api-key"] {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        found.extend(values.map(str::to_owned));
    }
    found.dedup();
    match found.as_slice() {
        [] => Err(NO_TOKEN),
        [one] if one.is_empty() => Err(NO_TOKEN),
        [one] => Ok(one.clone()),
        _ => Err(Error::Malformed("malformed-request", "two credentials that disagree".to_owned())),
    }
}

fn authorization(value: &str) -> Result<String> {
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(rest.trim().to_owned());
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = STANDARD.decode(rest.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        return decoded
            .and_then(|pair| pair.split_once(':').map(|(_, password)| password.to_owned()))
            .ok_or_else(|| {
                Error::Malformed("malformed-request", "the Basic credential is not user:password".to_owned())
            });
    }
    Err(NO_TOKEN)
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn of(pairs: &[(&'static str, &str)]) -> Result<String> {
        let headers = pairs.iter().map(|(name, value)| {
            (header::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        });
        credential(&headers.collect())
    }

    #[test]
    fn every_way_a_sender_can_carry_its_token_is_read() {
        assert_eq!(of(&[("authorization", "Bearer abc")]).unwrap(), "abc");
        assert_eq!(of(&[("authorization", "basic dXNlcjphYmM=")]).unwrap(), "abc");
        assert_eq!(of(&[("x-webhook-secret", "abc")]).unwrap(), "abc");
        assert_eq!(of(&[("authorization", "Bearer abc"), ("x-api-key", "abc")]).unwrap(), "abc");
    }

    #[test]
    fn what_is_no_credential_is_refused() {
        let status = |pairs: &[_]| of(pairs).unwrap_err().status();
        assert_eq!(status(&[]).1, "unauthenticated");
        assert_eq!(status(&[("authorization", "Bearer ")]).1, "unauthenticated");
        assert_eq!(status(&[("authorization", "Bearer abc"), ("x-api-key", "xyz")]).1, "malformed-request");
        assert_eq!(status(&[("authorization", "Basic !!!")]).1, "malformed-request");
    }
}
