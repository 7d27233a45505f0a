//! A message as any server takes it: JSON, signed as Standard Webhooks has it (standardwebhooks.com, specification).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use outbox::Ts;
use serde_json::{Value, json};
use sha2::Sha256;

use super::What;
use super::facts::{Message, Request, put};
use super::target::signing_key;

/// The request for a message that is sent at `now`, signed with each of the secrets.
pub fn render(message: &Message<'_>, secrets: &[String], now: Ts) -> Request {
    let body = body(message).to_string();
    let (id, timestamp) = (message.id.to_string(), now.micros().div_euclid(1_000_000).to_string());
    let signed = format!("{id}.{timestamp}.{body}");
    let signatures: Vec<String> = secrets.iter().map(|secret| sign(secret, &signed)).collect();
    Request {
        headers: vec![
            ("webhook-id", id),
            ("webhook-timestamp", timestamp),
            ("webhook-signature", signatures.join(" ")),
        ],
        body,
    }
}

/// `v1,` and the HMAC-SHA256 under the secret's key, in base64.
fn sign(secret: &str, text: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(&signing_key(secret));
    // A key of any length is one.
    let digest = mac.map(|mac| mac.chain_update(text).finalize().into_bytes()).unwrap_or_default();
    format!("v1,{}", STANDARD.encode(digest))
}

/// What is sent: the same at each attempt.
fn body(message: &Message<'_>) -> Value {
    let facts = message.facts;
    let kind = match facts.what {
        What::Digest | What::Test | What::Fault => facts.what.to_string(),
        of_incident => format!("incident.{of_incident}"),
    };
    let mut data = json!({
        "title": facts.title,
        "note": facts.note,
        "url": facts.url,
        "project": facts.project,
        "channel": {"id": message.channel, "name": message.channel_name},
    });
    for (name, value) in [
        ("incident", json!(facts.incident)),
        ("cause", json!(facts.cause)),
        ("digest", json!(facts.digest)),
        ("fault", json!(facts.fault)),
    ] {
        if !value.is_null() {
            put(&mut data, name, value);
        }
    }
    json!({"id": message.id, "type": kind, "timestamp": message.created_at, "data": data})
}

#[cfg(test)]
mod unit {
    use super::*;

    /// The example of the specification's reference implementations.
    #[test]
    fn the_signature_is_that_of_the_specification() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let text = "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}";
        assert_eq!(sign(secret, text), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
