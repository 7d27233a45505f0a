//! The access token: a signed statement of who is signed in, good for a quarter of an hour.
//!
//! It is not a permission: session, membership and role are looked up on every request.

use anyhow::{Context, ensure};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use outbox::Ts;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::permission::Role;
use crate::error::Error;
use crate::ids::{ProjectId, SessionId, TenantId, UserId};

/// How long an access token is good for, in seconds.
pub(super) const LIFETIME_S: i64 = 15 * 60;

/// How far two clocks may be apart, in seconds.
const LEEWAY_S: i64 = 5;

/// Longer than any token of ours, in bytes.
const MAX_LEN: usize = 4096;

/// Both issuer and audience.
const ISSUER: &str = "sre-copilot";

/// The claims of an access token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Claims {
    pub user_id: UserId,
    pub tenant_id: TenantId,
    /// The session's project when the token was made.
    pub project_id: ProjectId,
    pub email: String,
    /// The role when the token was made.
    pub role: Role,
    /// Unix seconds, as `iat` and `nbf`.
    pub exp: i64,
    #[serde(rename = "type")]
    pub kind: Kind,
    pub iss: String,
    pub aud: String,
    pub iat: i64,
    pub nbf: i64,
    pub jti: Uuid,
    /// The session.
    pub sid: SessionId,
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// To be shown with requests.
    Access,
}

/// Who an access token is made for.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub user: UserId,
    pub tenant: TenantId,
    pub project: ProjectId,
    pub email: String,
    pub role: Role,
    pub session: SessionId,
}

impl Subject {
    /// One that is in no database.
    pub fn nobody() -> Self {
        Self {
            user: UserId::new(),
            tenant: TenantId::new(),
            project: ProjectId::new(),
            email: String::new(),
            role: Role::Viewer,
            session: SessionId::new(),
        }
    }
}

/// Why a token was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It was good once.
    Expired,
    /// It never was.
    Invalid,
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Expired => {
                Self::Credentials("token-expired", "the access token has expired; refresh it")
            }
            Refusal::Invalid => Self::Credentials("invalid-credentials", "the access token is not valid"),
        }
    }
}

/// Makes and checks access tokens with one Ed25519 key (RFC 8037).
pub(super) struct Signer {
    header: Header,
    /// The encoded header of every token we make; a token that says anything else is not ours.
    header_text: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl Signer {
    /// Signs with the key made from `seed`, and tries it once.
    pub fn new(seed: &[u8; 32]) -> anyhow::Result<Self> {
        let key = SigningKey::from_bytes(seed);
        let public = key.verifying_key();
        let der = key.to_pkcs8_der().context("encoding the signing key")?;
        let kid: String =
            Sha256::digest(public.as_bytes()).iter().take(8).map(|b| format!("{b:02x}")).collect();
        let header =
            Header { typ: Some("at+jwt".to_owned()), kid: Some(kid), ..Header::new(Algorithm::EdDSA) };
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud"]);
        // The library reads the machine's clock; ours is passed in, so the times are compared in `verify`.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let mut signer = Self {
            header,
            header_text: String::new(),
            encoding: EncodingKey::from_ed_der(der.as_bytes()),
            decoding: DecodingKey::from_ed_der(public.as_bytes()),
            validation,
        };
        let now = Ts::from_micros(0);
        let sample = signer.sign(&Subject::nobody(), now)?;
        let (header_text, _) = sample.split_once('.').context("a token without a header")?;
        signer.header_text = header_text.to_owned();
        ensure!(signer.verify(&sample, now).is_ok(), "the signing key does not verify its own token");
        Ok(signer)
    }

    /// An access token for `subject`, from `now` on.
    pub fn sign(&self, subject: &Subject, now: Ts) -> anyhow::Result<String> {
        let now = now.micros().div_euclid(1_000_000);
        let claims = Claims {
            user_id: subject.user,
            tenant_id: subject.tenant,
            project_id: subject.project,
            email: subject.email.clone(),
            role: subject.role,
            exp: now + LIFETIME_S,
            kind: Kind::Access,
            iss: ISSUER.to_owned(),
            aud: ISSUER.to_owned(),
            iat: now,
            nbf: now,
            jti: Uuid::new_v4(),
            sid: subject.session,
        };
        jsonwebtoken::encode(&self.header, &claims, &self.encoding).context("signing an access token")
    }

    /// Whether `token` says that it was made with this key.
    pub fn has_made(&self, token: &str) -> bool {
        token.split_once('.').is_some_and(|(header, _)| header == self.header_text)
    }

    /// The claims of `token`, if we made it and it is good at `now`.
    pub fn verify(&self, token: &str, now: Ts) -> Result<Claims, Refusal> {
        if token.len() > MAX_LEN || !self.has_made(token) {
            return Err(Refusal::Invalid);
        }
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation)
            .map_err(|_| Refusal::Invalid)?
            .claims;
        let now = now.micros().div_euclid(1_000_000);
        if claims.nbf > now + LEEWAY_S || claims.iat > now + LEEWAY_S {
            return Err(Refusal::Invalid);
        }
        if claims.exp.saturating_add(LEEWAY_S) < now {
            return Err(Refusal::Expired);
        }
        Ok(claims)
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
