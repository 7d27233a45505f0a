//! What webhook tokens prove, remembered for a second: a sender's every request carries the same one.
//!
//! A revocation or a change of settings counts within that second in every process, and at once in the one where
//! it was made. While the database is away a token counts that it has confirmed within the last day and that was not
//! found to be wrong since: what it sends is spooled, and asked about again before it is stored.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use outbox::{Ts, sabotage};
use sha2::{Digest as _, Sha256};

use super::soon::soon;
use super::store::{self, Row, Token};
use crate::app::App;
use crate::auth::{self, SecretToken};
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::incident::intake::Source;

/// How long what a token proves is remembered.
const FRESH: Duration = Duration::from_secs(1);

/// How long after the database has confirmed a token it counts while the database is away.
const CONFIRMED: Duration = Duration::from_secs(24 * 3600);

/// Tokens that are remembered at most.
const MOST: u64 = 10_000;

/// The integration that a webhook token proves, with what all its requests need worked out once.
#[derive(Clone, Debug)]
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
    /// The public part of the token; empty without one.
    pub prefix: String,
    /// Differs wherever the same text may mean another alert or another description of it.
    pub seed: [u8; 32],
    /// Whether the database has just said so. If not, what it proves must be spooled, and is asked about again there.
    pub sure: bool,
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
            prefix: String::new(),
            sure: true,
            expires_at: None,
            integration,
        }
    }

    /// The same by a token that ends at `expires_at`.
    pub fn until(self, expires_at: Option<Ts>) -> Self {
        Self { expires_at, ..self }
    }

    /// The same, remembered while the database does not answer.
    fn remembered(&self) -> Arc<Self> {
        Arc::new(Self { sure: false, ..self.clone() })
    }

    /// Whether its token had not ended by `at`.
    pub fn held_at(&self, at: Ts) -> bool {
        self.expires_at.is_none_or(|end| at < end)
    }
}

/// What tokens prove, as far as that was asked within the last second.
pub struct Tokens {
    fresh: Cache<[u8; 32], Arc<Proof>>,
    confirmed: Cache<[u8; 32], Arc<Proof>>,
}

impl Default for Tokens {
    fn default() -> Self {
        // A broken build must be caught on a slow machine too.
        let longer = if sabotage::broken("token-cache-unkeyed") { 3600 } else { 1 };
        let remembered = |time| Cache::builder().max_capacity(MOST).time_to_live(time).build();
        Self { fresh: remembered(longer * FRESH), confirmed: remembered(CONFIRMED) }
    }
}

/// What the sender of a token that proves nothing is told.
pub const WRONG: Error = Error::Credentials(
    "invalid-credentials",
    "this webhook token is not valid: check the credentials (or credentials_file) of the sender, \
     or rotate the token on the integrations page",
);

/// What the sender of an API key is told, whatever its role: a key is for people's programs, not for alerts.
const API_KEY: &str = "this is an API key, which may not send alerts: \
                       send the integration's own token, which the integrations page shows once, when it makes one";

/// What the sender of a token that was never seen is told while nobody can say what it proves.
const NO_ANSWER: Error = Error::Unavailable("unavailable", "the database does not answer; send it again");

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
            // One of those who find it gone asks, and all are told.
            None => {
                let asked = self.fresh.try_get_with(name, self.confirm(app, text, name));
                let proof = Box::pin(asked).await.map_err(told)?;
                if !proof.sure {
                    self.fresh.invalidate(&name).await;
                }
                proof
            }
        };
        if proof.held_at(app.clock().now()) { Ok(proof) } else { Err(WRONG) }
    }

    /// Asks the database, or remembers what it said if it does not answer soon and the request can be spooled.
    async fn confirm(&self, app: &App, text: &str, name: [u8; 32]) -> Result<Arc<Proof>> {
        let confirmed = self.confirmed.get(&name).await.filter(|_| app.spool.is_on());
        if let Some(proof) = confirmed.as_ref().filter(|_| app.spool.is_behind()) {
            // The database was away a moment ago; nobody waits for it to be sure.
            return Ok(proof.remembered());
        }
        let ask = || look_up(app, text);
        let found = match (app.spool.is_on(), confirmed) {
            (false, _) => ask().await,
            (true, confirmed) => match (soon(ask).await, confirmed) {
                (Some(found), _) => found,
                (None, Some(proof)) => return Ok(proof.remembered()),
                (None, None) => Err(NO_ANSWER),
            },
        };
        if matches!(found, Err(Error::Credentials(..))) {
            self.confirmed.invalidate(&name).await;
        }
        let proof = Arc::new(found?);
        self.confirmed.insert(name, proof.clone()).await;
        Ok(proof)
    }

    /// Forgets what tokens prove, because some of it was changed here.
    pub fn forget(&self) {
        self.fresh.invalidate_all();
        self.confirmed.invalidate_all();
    }
}

/// An error that several requests are answered with.
fn told(error: Arc<Error>) -> Error {
    match &*error {
        Error::Credentials(slug, why) => Error::Credentials(slug, why),
        Error::Forbidden(why) => Error::Forbidden(why.clone()),
        Error::Unavailable(slug, why) => Error::Unavailable(slug, why),
        other => Error::Internal(anyhow::anyhow!("{other:?}")),
    }
}

async fn look_up(app: &App, text: &str) -> Result<Proof> {
    let Some(sent) = SecretToken::parse(text) else { return Err(WRONG) };
    let mut tx = app.db.read_across("webhook").await?;
    match store::by_token(&mut tx, sent.prefix()).await? {
        Some(Token { tenant_id, secret_hash, expires_at, integration }) if sent.matches(&secret_hash) => {
            let prefix = sent.prefix().to_owned();
            Ok(Proof { prefix, ..Proof::of(tenant_id, integration).until(expires_at) })
        }
        _ => {
            drop(tx);
            Err(if auth::is_live_key(app, &sent).await? {
                Error::Forbidden(API_KEY.to_owned())
            } else {
                WRONG
            })
        }
    }
}
