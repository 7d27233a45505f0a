//! What webhook tokens prove, remembered for a second: a sender's every request carries the same one.
//!
//! A revocation or a change of settings counts within that second in every process, and at once in the one where
//! it was made.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use outbox::{Ts, sabotage};
use sha2::{Digest as _, Sha256};

use super::store::{self, Row, Token};
use crate::app::App;
use crate::auth::secret_token::SecretToken;
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::incident::intake::Source;

/// How long what a token proves is remembered.
const FRESH: Duration = Duration::from_secs(1);

/// Tokens that are remembered at most.
const MOST: u64 = 10_000;

/// The integration that a webhook token proves, with what all its requests need worked out once.
#[derive(Debug)]
pub struct Proof {
    /// The tenant.
    pub tenant: TenantId,
    /// The integration.
    pub integration: Row,
    /// How alerts are read.
    pub settings: alerts::Settings,
    /// The labels whose values choose the incident.
    pub group_by: Vec<String>,
    /// Tenant, project and source as they are written in keys.
    pub names: [String; 3],
    /// What the intake needs to know of the integration.
    pub source: Source,
    /// Differs wherever the same text may mean another alert or another description of it.
    pub seed: [u8; 32],
    expires_at: Option<Ts>,
}

impl Proof {
    /// What is known of an integration, without a token that ends.
    pub fn of(tenant: TenantId, integration: Row) -> Self {
        let settings = &integration.settings.0;
        let source = settings.source.clone().unwrap_or_else(|| integration.id.to_string());
        let names = [tenant.to_string(), integration.project_id.to_string(), source];
        let written = serde_json::to_value(settings).unwrap_or_default();
        let seed = Sha256::new()
            .chain_update(integration.id.0)
            .chain_update(integration.kind.as_str())
            .chain_update([0])
            .chain_update(&integration.name)
            .chain_update([0])
            .chain_update(written.to_string())
            .finalize();
        Self {
            tenant,
            settings: settings.reading(),
            group_by: settings.group_by(),
            names,
            source: Source::new(integration.name.clone(), integration.kind.as_str(), &written),
            seed: seed.into(),
            expires_at: None,
            integration,
        }
    }
}

/// What tokens prove, as far as that was asked within the last second.
pub struct Tokens {
    fresh: Cache<[u8; 32], Arc<Proof>>,
}

impl Default for Tokens {
    fn default() -> Self {
        // A broken build must be caught on a slow machine too.
        let longer = if sabotage::broken("token-cache-unkeyed") { 3600 } else { 1 };
        Self { fresh: Cache::builder().max_capacity(MOST).time_to_live(longer * FRESH).build() }
    }
}

/// What the sender of a token that proves nothing is told.
pub const WRONG: Error = Error::Credentials(
    "invalid-credentials",
    "this webhook token is not valid: check the credentials (or credentials_file) of the sender, \
     or rotate the token on the integrations page",
);

impl Tokens {
    /// What `text` proves.
    ///
    /// # Errors
    /// 401 when it is no valid token; 503 when the database does not answer.
    pub async fn prove(&self, app: &App, text: &str) -> Result<Arc<Proof>> {
        let name: [u8; 32] = match sabotage::broken("token-cache-unkeyed") {
            true => [0; 32],
            false => Sha256::digest(text.as_bytes()).into(),
        };
        if sabotage::broken("tokens-logged") {
            tracing::trace!(token = text, "a webhook");
        }
        let proof = match self.fresh.get(&name).await {
            Some(proof) => proof,
            None => {
                let proof = Arc::new(look_up(app, text).await?);
                self.fresh.insert(name, proof.clone()).await;
                proof
            }
        };
        let now = app.clock().now();
        if proof.expires_at.is_none_or(|end| now < end) { Ok(proof) } else { Err(WRONG) }
    }

    /// Forgets what tokens prove, because some of it was changed here.
    pub fn forget(&self) {
        self.fresh.invalidate_all();
    }
}

async fn look_up(app: &App, text: &str) -> Result<Proof> {
    let Some(sent) = SecretToken::parse(text) else { return Err(WRONG) };
    let mut tx = app.db.read_across("webhook").await?;
    match store::by_token(&mut tx, sent.prefix()).await? {
        Some(Token { tenant_id, secret_hash, expires_at, integration }) if sent.matches(&secret_hash) => {
            Ok(Proof { expires_at, ..Proof::of(tenant_id, integration) })
        }
        _ => Err(WRONG),
    }
}
