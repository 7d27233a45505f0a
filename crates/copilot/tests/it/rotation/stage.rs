//! An organisation that has something sealed in every place, and what it does with it.

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use tokio::sync::Mutex;

use crate::browser::Browser;
use crate::notify::receiver::Receiver;
use crate::signed::signature;
use crate::world::{Home, client, first_owner, read, text};

/// What Prometheus is asked with.
const TOKEN: &str = "a-token-of-prometheus";

/// What Prometheus answers.
const VECTOR: &str = r#"{"status": "success", "data": {"resultType": "vector", "result": []}}"#;

/// An organisation and those that it knows.
pub struct Stage {
    http: Client,
    project: String,
    key: String,
    prometheus: Receiver,
    receiver: Receiver,
    integration: String,
    hook: (String, String),
    /// What was answered to a request that may be sent again.
    answered: Value,
    /// A browser in which somebody signed in with the key of then.
    browser: Mutex<Browser>,
}

impl Stage {
    /// Founds it, and tries everything once.
    pub async fn new(base: &str) -> Self {
        let http = client();
        let (_, project, key) = first_owner(&http, base).await;
        let (prometheus, receiver) = (Receiver::start().await, Receiver::start().await);
        prometheus.answers(200, VECTOR, None);
        let mut browser = Browser::at(base);
        browser.sign_in("ana@shop.example").await.expect(200);
        let mut stage = Self {
            http,
            project,
            key,
            prometheus,
            receiver,
            integration: String::new(),
            hook: (String::new(), String::new()),
            answered: Value::Null,
            browser: Mutex::new(browser),
        };
        let auth = json!({"type": "bearer", "token": TOKEN});
        let url = &stage.prometheus.url;
        let body = json!({"kind": "prometheus", "name": "prometheus", "url": url, "auth": auth});
        stage.integration = text(&stage.post(base, "integrations", &body).await.expect(201)["id"]);
        let body = json!({"kind": "grafana", "name": "grafana"});
        let hook = stage.post(base, "integrations", &body).await.expect(201);
        stage.hook = (text(&hook["id"]), text(&hook["token"]));
        let body = json!({"kind": "webhook", "name": "on-call", "url": stage.receiver.url});
        let channel = text(&stage.post(base, "notification-channels", &body).await.expect(201)["id"]);
        stage
            .post(base, &format!("notification-channels/{channel}/rotate-secret"), &json!({}))
            .await
            .expect(200);
        stage.answered = stage.again(base).send().await.unwrap().json().await.unwrap();
        stage.works(base).await;
        stage
    }

    fn request(&self, method: Method, url: &str) -> RequestBuilder {
        self.http.request(method, url).bearer_auth(&self.key)
    }

    async fn post(&self, base: &str, path: &str, body: &Value) -> crate::world::Answer {
        let url = format!("{base}/api/v1/projects/{}/{path}", self.project);
        read(self.request(Method::POST, &url).json(body).send().await.unwrap()).await
    }

    /// The request whose answer is kept.
    fn again(&self, base: &str) -> RequestBuilder {
        let url = format!("{base}/api/v1/projects/{}/api-keys", self.project);
        let request = self.request(Method::POST, &url).header("idempotency-key", "once");
        request.json(&json!({"name": "once", "role": "viewer"}))
    }

    /// Does everything that needs a key, by the process at `base`; all of it succeeds.
    pub async fn works(&self, base: &str) {
        self.sends(base).await;
        self.asks(base).await;
        self.tells(base, "on-call").await;
        let again = read(self.again(base).send().await.unwrap()).await;
        assert!(again.headers.contains_key("idempotency-replayed"), "{}", again.body);
        assert_eq!(again.body, self.answered);
        Browser::at(base).sign_in("ana@shop.example").await.expect(200);
        self.stays(base).await;
    }

    /// Grafana sends an alert that it has signed.
    pub async fn sends(&self, base: &str) {
        let kept: Value =
            serde_json::from_str(include_str!("../../../../alerts/tests/fixtures/grafana-firing.json"))
                .unwrap();
        let body = kept["body"].to_string();
        let request = self.http.post(format!("{base}/webhooks/grafana/{}", self.hook.0));
        let request = request.header("content-type", "application/json");
        let signed = request.header("x-grafana-alerting-signature", signature(&self.hook.1, None, &body));
        read(signed.body(body).send().await.unwrap()).await.expect(200);
    }

    /// Prometheus is asked with its token.
    async fn asks(&self, base: &str) {
        let before = self.prometheus.got().len();
        let told = self.post(base, &format!("integrations/{}/test", self.integration), &json!({})).await;
        assert_eq!(told.expect(200)["ok"], true);
        let got = self.prometheus.got();
        assert!(got[before..].iter().any(|got| got.header("authorization") == format!("Bearer {TOKEN}")));
    }

    /// The channel of this name is told something.
    pub async fn tells(&self, base: &str, name: &str) {
        let told = self.trial(base, name).await;
        assert_eq!(told["ok"], true, "{told}");
        assert!(self.receiver.got().iter().all(|got| got.header("webhook-signature").starts_with("v1,")));
    }

    /// What became of a test of the channel of this name.
    pub async fn trial(&self, base: &str, name: &str) -> Value {
        let url = format!("{base}/api/v1/projects/{}/notification-channels", self.project);
        let all = read(self.request(Method::GET, &url).send().await.unwrap()).await.expect(200);
        let one = all["items"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone();
        let path = format!("notification-channels/{}/test", text(&one["id"]));
        self.post(base, &path, &json!({})).await.expect(200)
    }

    /// Adds a channel; its name.
    pub async fn channel(&self, base: &str) -> String {
        let name = uuid::Uuid::new_v4().to_string();
        let body = json!({"kind": "webhook", "name": name, "url": self.receiver.url});
        self.post(base, "notification-channels", &body).await.expect(201);
        name
    }

    /// Whoever was signed in still is, and goes on to be: by a script, which has only its token to show.
    async fn stays(&self, base: &str) {
        let mut browser = self.browser.lock().await;
        base.clone_into(&mut browser.base);
        browser.get("/api/v1/auth/me").await.expect(200);
        let csrf = browser.csrf.clone();
        let headers = [("x-csrf-token", csrf.as_str())];
        let refreshed = browser.send(Method::POST, "/api/v1/auth/refresh", None, &headers).await;
        browser.keep(&refreshed);
        refreshed.expect(204);
        let me = browser.get("/api/v1/auth/me").await;
        browser.keep(&me);
        me.expect(200);
    }

    /// How often the audit log tells that the key was changed.
    pub async fn rotations(&self, base: &str) -> usize {
        let log = self.request(Method::GET, &format!("{base}/api/v1/audit?limit=200")).send().await.unwrap();
        let log = read(log).await.expect(200);
        log["items"].as_array().unwrap().iter().filter(|one| one["action"] == "master_key.rotated").count()
    }
}

/// Does something to the database of `home` as whoever owns it.
pub async fn as_owner(home: &Home, statement: &str) {
    let url = home.database.url();
    if url.is_empty() {
        let file = home.folder.path().join("data/sre-copilot.db");
        let mut owner = SqliteConnection::connect(file.to_str().unwrap()).await.unwrap();
        sqlx::query(AssertSqlSafe(statement)).execute(&mut owner).await.unwrap();
        owner.close().await.unwrap();
    } else {
        let mut owner = PgConnection::connect(&url).await.unwrap();
        sqlx::query(AssertSqlSafe(statement)).execute(&mut owner).await.unwrap();
        owner.close().await.unwrap();
    }
}
