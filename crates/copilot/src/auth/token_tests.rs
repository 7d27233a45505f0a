//! Forged and stale access tokens: none is accepted.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;

const NOW: i64 = 1_769_000_000;

struct Forge {
    signer: Signer,
    key: SigningKey,
    subject: Subject,
}

impl Forge {
    fn new() -> Self {
        let seed = rand::random();
        let subject = Subject {
            user: UserId::new(),
            tenant: TenantId::new(),
            project: ProjectId::new(),
            email: "ada@example.com".to_owned(),
            role: Role::Engineer,
            session: SessionId::new(),
        };
        Self { signer: Signer::new(&seed).unwrap(), key: SigningKey::from_bytes(&seed), subject }
    }

    fn verify(&self, token: &str, now: i64) -> Result<Claims, Refusal> {
        self.signer.verify(token, Ts::from_micros(now * 1_000_000))
    }

    fn good(&self) -> String {
        self.signer.sign(&self.subject, Ts::from_micros(NOW * 1_000_000)).unwrap()
    }

    fn parts(&self) -> (Value, Value) {
        let good = self.good();
        let mut parts = good
            .split('.')
            .take(2)
            .map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap());
        (parts.next().unwrap(), parts.next().unwrap())
    }

    /// A token of exactly these texts, signed with the real key.
    fn signed(&self, header: &str, claims: &str) -> String {
        use ed25519_dalek::Signer as _;
        let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(text.as_bytes()).to_bytes());
        format!("{text}.{signature}")
    }

    fn with_header(&self, change: impl Fn(&mut Value)) -> String {
        let (mut header, claims) = self.parts();
        change(&mut header);
        self.signed(&header.to_string(), &claims.to_string())
    }

    fn with_claims(&self, change: impl Fn(&mut Value)) -> String {
        let good = self.good();
        let (_, mut claims) = self.parts();
        change(&mut claims);
        let header =
            String::from_utf8(URL_SAFE_NO_PAD.decode(good.split('.').next().unwrap()).unwrap()).unwrap();
        self.signed(&header, &claims.to_string())
    }
}

#[test]
fn a_token_is_good_for_a_quarter_of_an_hour() {
    let forge = Forge::new();
    let good = forge.good();
    let claims = forge.verify(&good, NOW).unwrap();
    assert_eq!((claims.user_id, claims.sid), (forge.subject.user, forge.subject.session));
    assert_eq!(claims.exp - claims.iat, 900);
    assert!(forge.verify(&forge.with_claims(|_| ()), NOW).is_ok(), "the forge itself works");
    assert!(forge.verify(&good, NOW + 905).is_ok());
    assert_eq!(forge.verify(&good, NOW + 906), Err(Refusal::Expired));
    assert!(forge.verify(&good, NOW - 5).is_ok());
    assert_eq!(forge.verify(&good, NOW - 6), Err(Refusal::Invalid));
}

#[test]
fn no_other_header_is_accepted() {
    let forge = Forge::new();
    let changes: [(&str, Value); 14] = [
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("alg", json!("RS256")),
        ("alg", json!("ES256")),
        ("typ", json!("JWT")),
        ("typ", json!("refresh")),
        ("kid", json!("../../dev/null")),
        ("kid", json!("' OR 1")),
        ("kid", json!("k".repeat(10_000))),
        ("kid", Value::Null),
        ("jku", json!("https://evil.test/jwks")),
        ("x5u", json!("https://evil.test/x5u")),
        ("jwk", json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"})),
        ("crit", json!(["exp"])),
    ];
    for (name, value) in changes {
        let token = forge.with_header(|header| header[name] = value.clone());
        assert_eq!(forge.verify(&token, NOW), Err(Refusal::Invalid), "{name}: {value}");
    }
}

#[test]
fn a_public_key_is_not_a_secret() {
    let forge = Forge::new();
    let (_, claims) = forge.parts();
    let public = forge.key.verifying_key();
    for secret in [public.as_bytes().to_vec(), Vec::new(), b"secret".to_vec(), b"changeme".to_vec()] {
        let header = Header { typ: Some("at+jwt".to_owned()), ..Header::new(Algorithm::HS256) };
        let token = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&secret)).unwrap();
        assert_eq!(forge.verify(&token, NOW), Err(Refusal::Invalid));
        // The same signature under the header that we expect.
        let ours = forge.good();
        let (_, rest) = token.split_once('.').unwrap();
        let mixed = format!("{}.{rest}", ours.split('.').next().unwrap());
        assert_eq!(forge.verify(&mixed, NOW), Err(Refusal::Invalid));
    }
    let other = Forge::new();
    assert_eq!(forge.verify(&other.good(), NOW), Err(Refusal::Invalid));
}

#[test]
fn no_other_claims_are_accepted() {
    let forge = Forge::new();
    let changes: [(&str, Value); 19] = [
        ("iss", json!("evil")),
        ("iss", Value::Null),
        ("aud", json!("evil")),
        ("aud", Value::Null),
        ("type", json!("refresh")),
        ("type", json!("id")),
        ("type", Value::Null),
        ("exp", json!("1900000000")),
        ("exp", json!(1e30)),
        ("exp", json!(1_900_000_000.5)),
        ("exp", Value::Null),
        ("nbf", json!(NOW + 60)),
        ("iat", json!(NOW + 60)),
        ("user_id", json!("")),
        ("user_id", json!(7)),
        ("user_id", Value::Null),
        ("sid", Value::Null),
        ("role", json!("superadmin")),
        ("extra", json!(true)),
    ];
    for (name, value) in changes {
        let token = forge.with_claims(|claims| {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            } else {
                claims[name] = value.clone();
            }
        });
        assert_eq!(forge.verify(&token, NOW), Err(Refusal::Invalid), "{name}: {value}");
    }
    let negative = forge.with_claims(|claims| claims["exp"] = json!(-1));
    // XC32: expired or invalid, refused either way.
    assert!(matches!(forge.verify(&negative, NOW), Err(Refusal::Expired | Refusal::Invalid)));
}

#[test]
fn what_is_not_a_token_is_refused() {
    let forge = Forge::new();
    let good = forge.good();
    let header = String::from_utf8(URL_SAFE_NO_PAD.decode(good.split('.').next().unwrap()).unwrap()).unwrap();
    let (_, claims) = forge.parts();
    let tenant = format!("\"tenant_id\":\"{}\"", forge.subject.tenant);
    let twice =
        claims.to_string().replace(&tenant, &format!("{tenant},\"tenant_id\":\"{}\"", TenantId::new()));
    assert_ne!(twice, claims.to_string());
    let unsigned = good.rsplit_once('.').unwrap().0;
    for token in [
        forge.signed(&header, &twice),
        format!("{unsigned}."),
        unsigned.to_owned(),
        format!("{good}x"),
        format!("{good}.x.y"),
        good.to_uppercase(),
        String::new(),
        "..".to_owned(),
        "a".repeat(100_000),
        format!("{good}{}", "=".repeat(100_000)),
    ] {
        assert_eq!(forge.verify(&token, NOW), Err(Refusal::Invalid), "{token:.60}");
    }
}
