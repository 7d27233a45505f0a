//! Who sends a webhook: the token names the integration, and with it the project and the tenant.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use std::sync::Arc;

use super::deliveries;
use super::token::Proof;
use crate::app::App;
use crate::auth::{Source, shown};
use crate::error::{Error, Result};
use crate::ids::IntegrationId;

/// The headers beside `Authorization` that a token may be in.
pub const TOKEN_HEADERS: [&str; 2] = ["x-webhook-secret", "x-api-key"];

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
        let found = match shown::secret(&parts.headers, &TOKEN_HEADERS) {
            Ok(Some(token)) => app.tokens.prove(app, &token).await,
            Ok(None) => Err(NO_TOKEN),
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
