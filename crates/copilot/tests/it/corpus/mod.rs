//! Broken and hostile requests, byte for byte, and a search for more of them along the OpenAPI document.
//!
//! `cases.toml` holds the requests and their answers; both databases answer alike.

mod fuzz;

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use regex::Regex;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::browser::Browser;
use crate::world::{PASSWORD, World, alert, text};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(12);

/// Fewest cases of each class, so that none is lost unnoticed.
const CASES: [(&str, usize); 6] = [("XA", 67), ("XB", 8), ("XC", 28), ("XD", 33), ("XE", 12), ("XF", 140)];

#[derive(Deserialize)]
struct Corpus {
    case: Vec<Case>,
    addresses: Addresses,
}

#[derive(Deserialize)]
struct Addresses {
    refused: Vec<String>,
}

#[derive(Clone, Deserialize)]
struct Case {
    id: String,
    #[serde(default)]
    raw: bool,
    head: String,
    body: Option<String>,
    expect: String,
    /// What may be nowhere in the answer.
    absent: Option<String>,
}

/// The world that the cases are about, and the names by which they speak of it.
struct Stage {
    world: World,
    names: BTreeMap<&'static str, String>,
}

impl Stage {
    async fn new() -> Self {
        let world = World::with(
            |config| config.registration = copilot::config::Registration::Open,
            copilot::ai::Model::none(),
        )
        .await;
        let hook = world.integration("alertmanager", json!({})).await;
        let body = alert("A", "checkout", "firing", world.clock.now(), None);
        let sent = hook.send_json(&body).await.expect(200);
        let ana = Browser::owner(&world).await;
        let mut eve = Browser::new(&world);
        let register = json!({"email": "eve@other.example", "password": PASSWORD, "full_name": "Eve", "tenant_name": "Other"});
        let foreign = eve.visit("/api/v1/auth/register", register).await.expect(201);
        let foreign_project = text(&foreign["project"]["id"]);
        let hooks = format!("/api/v1/projects/{foreign_project}/integrations");
        let made = json!({"kind": "alertmanager", "name": "theirs"});
        let foreign_hook = eve.page(Method::POST, &hooks, Some(made)).await.expect(201);
        let opened =
            eve.page(Method::POST, "/api/v1/incidents", Some(json!({"title": "theirs"}))).await.expect(201);
        let (access, refresh) = (ana.cookie("srec_at"), ana.cookie("srec_rt"));
        let me = ana.get("/api/v1/auth/me").await.expect(200);
        let upgrade = "connection: upgrade\nupgrade: websocket\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\nsec-websocket-version: 13";
        let names = BTreeMap::from([
            ("alert", body.to_string()),
            ("token", hook.token.clone()),
            ("basic", STANDARD.encode(format!("user:{}", hook.token))),
            ("fresh", copilot::auth::SecretToken::generate().reveal().to_owned()),
            ("key", world.key.clone()),
            ("integration", hook.id.clone()),
            ("incident", text(&sent["results"][0]["incident_id"])),
            ("project", world.project.clone()),
            ("tenant", world.tenant.clone()),
            ("user", text(&me["user"]["id"])),
            ("foreign_user", text(&foreign["user"]["id"])),
            ("foreign_project", foreign_project),
            ("foreign_integration", text(&foreign_hook["id"])),
            ("foreign_incident", text(&opened["id"])),
            ("cookies", ana.cookies.clone()),
            ("origin", world.base.clone()),
            ("localhost", world.base.replace("127.0.0.1", "localhost")),
            ("upgrade", upgrade.to_owned()),
            ("unsigned", forged(&access, "none", |_| String::new())),
            ("hs256", forged(&access, "HS256", hs256)),
            ("altered", altered(&access)),
            ("access", access),
            ("refresh", refresh),
        ]);
        Self { world, names }
    }

    /// The text with what the names stand for.
    fn fill(&self, template: &str) -> String {
        let repeated = Regex::new(r"\{([^{}]{1,3}|\[|\])\*(\d+)\}").unwrap();
        let text = repeated
            .replace_all(template, |found: &regex::Captures<'_>| found[1].repeat(found[2].parse().unwrap()));
        let mut text = text.into_owned();
        for (name, value) in &self.names {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }

    /// The bytes of a case.
    fn request(&self, case: &Case) -> String {
        let head = self.fill(&case.head);
        if case.raw {
            return head;
        }
        let head = head.replace("%0A", "\n");
        let body = case.body.as_ref().map(|body| self.fill(body));
        let mut lines: Vec<String> = head.lines().map(str::to_owned).collect();
        lines[0].push_str(" HTTP/1.1");
        let has = |name: &str| head.to_ascii_lowercase().contains(&format!("\n{name}:"));
        let mut more = Vec::new();
        for (name, value) in [("host", "h".to_owned()), ("connection", "close".to_owned())] {
            more.extend((!has(name)).then(|| format!("{name}: {value}")));
        }
        if let Some(body) = &body {
            more.extend((!has("content-type")).then(|| "content-type: application/json".to_owned()));
            more.extend((!has("content-length")).then(|| format!("content-length: {}", body.len())));
        }
        lines.extend(more);
        format!("{}\r\n\r\n{}", lines.join("\r\n"), body.unwrap_or_default())
    }

    /// What comes back: status, kind of problem, all of it.
    async fn send(&self, bytes: &[u8]) -> (u16, String, String) {
        let address = self.world.base.trim_start_matches("http://");
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let (mut from, mut to) = stream.split();
        let mut answer = Vec::new();
        let talk = async {
            // A server that has refused need not read the rest.
            let _ = to.write_all(bytes).await;
            let mut part = [0; 4096];
            while !is_whole(&answer)
                && let Ok(1..) =
                    from.read(&mut part).await.inspect(|read| answer.extend_from_slice(&part[..*read]))
            {
            }
        };
        if tokio::time::timeout(PATIENCE, talk).await.is_err() {
            return (0, "the connection was not closed".to_owned(), String::new());
        }
        let text = String::from_utf8_lossy(&answer).into_owned();
        let status = text.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let problem: Value = serde_json::from_str(body).unwrap_or_default();
        let kind = problem["type"].as_str().unwrap_or_default().trim_start_matches("/problems/").to_owned();
        if !kind.is_empty() {
            assert!(head.contains("content-type: application/problem+json"), "{head}");
        }
        (status, kind, text)
    }
}

/// Whether an answer has as much of a body as it says; the server may wait for another request behind it.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.and_then(|length| length.parse().ok()).is_some_and(|length: usize| body.len() >= length)
}

/// An access token with these claims and another signature.
fn forged(token: &str, algorithm: &str, sign: impl Fn(&str) -> String) -> String {
    let header = URL_SAFE_NO_PAD.encode(json!({"alg": algorithm, "typ": "JWT"}).to_string());
    let said = format!("{header}.{}", token.split('.').nth(1).unwrap());
    let signature = sign(&said);
    format!("{said}.{signature}")
}

fn hs256(said: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"secret").unwrap();
    mac.update(said.as_bytes());
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

/// An access token that says more than was signed.
fn altered(token: &str) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    claims["role"] = json!("owner");
    claims["tenant_id"] = json!(uuid::Uuid::now_v7());
    format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(claims.to_string()), parts[2])
}

fn corpus() -> Vec<Case> {
    let Corpus { mut case, addresses } = toml::from_str(include_str!("cases.toml")).unwrap();
    for (n, address) in addresses.refused.iter().enumerate() {
        let adding = json!({"kind": "prometheus", "name": "p", "url": address}).to_string();
        let changing = json!({ "url": address }).to_string();
        let hooks = "/api/v1/projects/{project}/integrations";
        for (method, path, body) in
            [("POST", hooks.to_owned(), adding), ("PATCH", format!("{hooks}/{{integration}}"), changing)]
        {
            case.push(Case {
                id: format!("XF{n:02} {method} {address}"),
                raw: false,
                head: format!("{method} {path}\nauthorization: Bearer {{key}}"),
                body: Some(body),
                expect: "422 url-not-allowed".to_owned(),
                absent: None,
            });
        }
    }
    case
}

/// Whether an answer is what a case expects: `401 a`, `400|501 *`, `422 a|b`, `200`.
fn is_expected(expect: &str, status: u16, kind: &str) -> bool {
    let (statuses, kinds) = expect.split_once(' ').unwrap_or((expect, ""));
    let is_status = statuses.split('|').any(|one| one == status.to_string());
    is_status && (kinds == "*" || kinds.split('|').any(|one| one == kind))
}

#[tokio::test]
async fn each_case_gets_its_answer() {
    let stage = Stage::new().await;
    let (mut wrong, mut counts) = (Vec::new(), BTreeMap::<String, usize>::new());
    for case in corpus() {
        let (status, kind, answer) = stage.send(stage.request(&case).as_bytes()).await;
        *counts.entry(case.id[..2].to_owned()).or_default() += 1;
        let said = case.absent.as_ref().is_some_and(|absent| answer.contains(absent));
        if !is_expected(&case.expect, status, &kind) || said {
            wrong.push(format!("{}: expected {}, found {status} {kind}", case.id, case.expect));
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    for (class, least) in CASES {
        let count = counts.get(class).copied().unwrap_or_default();
        assert!(count >= least, "{class} has only {count} cases");
    }
    stage.world.end().await;
}

/// XC13, XC57 and the like change nothing: the world is as it was, and the owner is still signed in.
#[tokio::test]
async fn refused_requests_change_nothing() {
    let stage = Stage::new().await;
    let before = (stage.world.incidents().await, projects(&stage).await);
    // Too large a webhook opens an incident that says so.
    for case in corpus().iter().filter(|case| case.expect.starts_with('4') && !case.expect.starts_with("413"))
    {
        stage.send(stage.request(case).as_bytes()).await;
    }
    stage.world.settle().await;
    let after = (stage.world.incidents().await, projects(&stage).await);
    let titles = |incidents: &[Value]| incidents.iter().map(|one| one["title"].clone()).collect::<Vec<_>>();
    assert_eq!(titles(&after.0), titles(&before.0));
    assert_eq!(after.1, before.1);
    stage.world.end().await;
}

async fn projects(stage: &Stage) -> (Value, Value) {
    let hooks = format!("/api/v1/projects/{}/integrations", stage.names["project"]);
    let mut hooks = stage.world.get(&hooks).await;
    for hook in hooks["items"].as_array_mut().unwrap() {
        // A refused request is noted.
        hook["last_delivery_at"] = Value::Null;
        hook["last_delivery_status"] = Value::Null;
    }
    (stage.world.get("/api/v1/projects").await, hooks)
}
