//! A world per test: the whole product over real HTTP on free ports, its own database, a clock moved by hand.

use std::time::Duration;

use copilot::ai::Model;
use copilot::config::Config;
use copilot::server::{self, Server, Start};
use copilot::service::Service;
use outbox::{Clock, Ts};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::scratch::Scratch;

/// When every test begins, unless it says otherwise: just after the captured payloads were captured.
pub const NOON: i64 = 1_795_384_800;

/// The password of every person in a test.
pub const PASSWORD: &str = "lantern orchid seventeen tugboat";

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct World {
    pub server: Server,
    pub http: reqwest::Client,
    pub clock: Clock,
    pub base: String,
    pub project: String,
    pub tenant: String,
    pub key: String,
    _home: Home,
}

/// An answer, read.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answer {
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| {}, Model::none()).await
    }

    pub async fn with(change: impl FnOnce(&mut Config), model: Model) -> Self {
        let home = Home::new().await;
        let clock = Clock::manual(Ts::from_micros(NOON * 1_000_000));
        let mut config = home.config();
        change(&mut config);
        let start = Start {
            config,
            services: Service::ALL.to_vec(),
            clock: clock.clone(),
            metrics: None,
            model: Some(model),
        };
        let server = server::start(start).await.unwrap();
        let base = server.url();
        let http = client();
        let (tenant, project, key) = first_owner(&http, &base).await;
        Self { server, http, clock, base, project, tenant, key, _home: home }
    }

    /// Where its database is; for looks from outside, on PostgreSQL.
    pub fn database_url(&self) -> String {
        self.server.app.config.database_url.clone()
    }

    /// Ends the world cleanly.
    pub async fn end(self) {
        self.server.stop().await;
    }

    /// A request as the owner's API key.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        read(request.send().await.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Value {
        self.call(Method::GET, path, None).await.expect(200)
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    /// Adds an integration and returns its webhook.
    pub async fn integration(&self, kind: &str, settings: Value) -> Webhook {
        let path = format!("/api/v1/projects/{}/integrations", self.project);
        let created =
            self.post(&path, json!({"kind": kind, "name": format!("my {kind}"), "settings": settings}));
        let created = created.await.expect(201);
        let route = if kind == "prometheus" { "prometheus/api/v2/alerts" } else { kind };
        Webhook {
            id: text(&created["id"]),
            token: text(&created["token"]),
            url: format!("{}/webhooks/{route}", self.base),
            http: self.http.clone(),
        }
    }

    pub async fn incidents(&self) -> Vec<Value> {
        self.get("/api/v1/incidents?sort=detected_at&limit=200").await["items"].as_array().cloned().unwrap()
    }

    /// Does what time alone brings about.
    pub async fn sweep(&self) {
        copilot::incident::sweep::once(&self.server.app).await.unwrap();
    }

    /// Moves the clock and lets time have its effect.
    pub async fn later(&self, seconds: f64) {
        self.clock.advance(seconds);
        self.sweep().await;
    }

    /// The events of the project, in order.
    pub async fn events(&self) -> Vec<(i64, String, Value)> {
        self.events_after(0, 100_000).await.1
    }

    /// Where the project's stream stands, and at most `count` of its events after the number `seq`.
    pub async fn events_after(&self, seq: i64, count: i64) -> (i64, Vec<(i64, String, Value)>) {
        let mut tx = self.server.app.db.read(self.tenant.parse().unwrap()).await.unwrap();
        self.events_in(&mut tx, seq, count).await
    }

    /// As [`World::events_after`], as of a transaction.
    pub async fn events_in(
        &self,
        tx: &mut outbox::Tx,
        seq: i64,
        count: i64,
    ) -> (i64, Vec<(i64, String, Value)>) {
        let stream =
            outbox::Stream { owner: self.tenant.parse().unwrap(), id: self.project.parse().unwrap() };
        let head = outbox::event::head(tx, stream).await.unwrap();
        let events = outbox::event::after(tx, stream, seq, count).await.unwrap();
        (head.seq, events.into_iter().map(|event| (event.seq, event.kind, event.data.0)).collect())
    }

    /// Waits until no analysis is queued or running.
    pub async fn settle(&self) {
        let settled = async {
            loop {
                while copilot::ai::work_once(&self.server.app).await.unwrap() {}
                // The server's own worker may be in the middle of one.
                if !self.is_working().await {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, settled).await.expect("the analyses did not settle");
    }
}

impl World {
    async fn is_working(&self) -> bool {
        let mut tx = self.server.app.db.read_across("jobs").await.unwrap();
        outbox::on_tx!(tx, c => sqlx::query_scalar::<_, bool>(
            "select exists (select 1 from jobs where queue = 'analysis' and done_at is null and lease_until is not null)")
            .fetch_one(c).await)
        .unwrap()
    }
}

/// Where an integration's sender posts to.
pub struct Webhook {
    pub id: String,
    pub token: String,
    pub url: String,
    http: reqwest::Client,
}

impl Webhook {
    pub async fn send(&self, body: impl Into<reqwest::Body>) -> Answer {
        let request =
            self.http.post(&self.url).bearer_auth(&self.token).header("content-type", "application/json");
        read(request.body(body).send().await.unwrap()).await
    }

    pub async fn send_json(&self, body: &Value) -> Answer {
        self.send(body.to_string()).await
    }
}

/// An Alertmanager body with one alert.
pub fn alert(name: &str, service: &str, status: &str, starts_at: Ts, ends_at: Option<Ts>) -> Value {
    json!({
        "version": "4", "groupKey": "{}", "truncatedAlerts": 0, "status": status, "receiver": "web",
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://alertmanager:9093",
        "alerts": [{
            "status": status,
            "labels": {"alertname": name, "service": service, "severity": "critical"},
            "annotations": {"summary": format!("{name} on {service}")},
            "startsAt": starts_at.to_string(),
            "endsAt": ends_at.map_or("0001-01-01T00:00:00Z".to_owned(), |at| at.to_string()),
            "generatorURL": "", "fingerprint": "",
        }],
    })
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

pub fn client() -> reqwest::Client {
    // Another test of this process may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

pub async fn read(response: reqwest::Response) -> Answer {
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.bytes().await.unwrap();
    let body = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    Answer { status, headers, body }
}

/// Where a process of a test keeps things: its folder and its database, both gone with this value.
pub struct Home {
    pub folder: TempDir,
    pub database: Scratch,
}

impl Home {
    pub async fn new() -> Self {
        Self { folder: folder(), database: Scratch::new().await }
    }

    /// The defaults on free ports, in this folder and on this database.
    pub fn config(&self) -> Config {
        let mut config = config(self.folder.path());
        config.database_url = self.database.url();
        config.master_key = self.database.master_key();
        config
    }
}

fn config(folder: &std::path::Path) -> Config {
    let mut config = Config::defaults().unwrap();
    for listen in [
        &mut config.gateway_listen,
        &mut config.auth_listen,
        &mut config.incident_listen,
        &mut config.ai_listen,
        &mut config.integration_listen,
        &mut config.websocket_listen,
    ] {
        *listen = "127.0.0.1:0".to_owned();
    }
    config.data_dir = folder.join("data");
    config.api_requests_per_minute = 0;
    config
}

/// A folder in memory where there is one: what these tests prove does not hang on the speed of a disk.
pub fn folder() -> TempDir {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

/// Registers the first visitor and gives them an API key: tenant, project, key.
pub async fn first_owner(http: &reqwest::Client, base: &str) -> (String, String, String) {
    let body = json!({
        "email": "ana@shop.example", "password": PASSWORD, "full_name": "Ana Lee", "tenant_name": "Shop",
    });
    let sent = http.post(format!("{base}/api/v1/auth/register")).json(&body).send().await.unwrap();
    let cookies = cookies(sent.headers());
    let registered = read(sent).await.expect(201);
    let project = text(&registered["project"]["id"]);
    let path = format!("{base}/api/v1/projects/{project}/api-keys");
    let sent = http
        .post(path)
        .header("cookie", cookies)
        .header("sec-fetch-site", "same-origin")
        .json(&json!({"name": "tests", "role": "owner"}));
    let key = read(sent.send().await.unwrap()).await.expect(201);
    (text(&registered["tenant"]["id"]), project, text(&key["key"]))
}

/// Adds an Alertmanager to the project: the token that it sends with.
pub async fn alertmanager(http: &reqwest::Client, base: &str, project: &str, key: &str) -> String {
    let body = json!({"kind": "alertmanager", "name": "am"});
    let path = format!("{base}/api/v1/projects/{project}/integrations");
    let created = read(http.post(path).bearer_auth(key).json(&body).send().await.unwrap()).await.expect(201);
    text(&created["token"])
}

/// What a browser would send back.
pub fn cookies(headers: &reqwest::header::HeaderMap) -> String {
    let set = headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    set.filter_map(|cookie| cookie.split(';').next()).collect::<Vec<_>>().join("; ")
}
