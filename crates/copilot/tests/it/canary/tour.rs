//! One organisation that writes its own mark into every field there is, and reads everything it may.

use std::collections::BTreeMap;
use std::time::Duration;

use copilot::auth::access::{Access, TABLE};
use outbox::Clock;
use reqwest::Method;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::bodies::{body, document};
use crate::browser::Browser;
use crate::world::{Answer, client, read, text};

/// Routes that the tour takes by itself: they begin or change the session that it travels with.
const BY_ITSELF: [&str; 9] = [
    "/api/v1/auth/register",
    "/api/v1/auth/login",
    "/api/v1/auth/link",
    "/api/v1/auth/password",
    "/api/v1/auth/switch-project",
    "/api/v1/auth/refresh",
    "/api/v1/auth/logout",
    "/api/v1/auth/invitations/accept",
    "/api/v1/incidents/{incident_id}/merge",
];

/// An organisation on its tour.
pub struct Tour {
    /// In every text that it writes.
    pub mark: String,
    pub browser: Browser,
    pub key: String,
    pub ids: BTreeMap<&'static str, String>,
    /// Every byte that it was sent.
    pub received: String,
    /// What it was shown apart from the answers that hold a new secret.
    pub shown: String,
    /// Its secrets, and what they are.
    pub secrets: Vec<(&'static str, String)>,
    /// Fields that are not the route's, sent along with each body.
    pub extras: Map<String, Value>,
    /// Where its Prometheus is.
    pub upstream: String,
    written: usize,
}

impl Tour {
    /// Registers, invites somebody, makes a key.
    pub async fn begin(base: &str, upstream: &str) -> Self {
        let mark = format!("zq{:015x}", rand::random::<u64>() >> 4);
        let mut tour = Self {
            browser: Browser::at(base),
            key: String::new(),
            ids: BTreeMap::new(),
            received: String::new(),
            shown: String::new(),
            secrets: Vec::new(),
            extras: Map::new(),
            upstream: upstream.to_owned(),
            written: 0,
            mark,
        };
        let password = tour.password();
        let (email, name, tenant) = (tour.email(), tour.word(), tour.word());
        let registered =
            json!({"email": email, "password": password, "full_name": name, "tenant_name": tenant});
        let made = tour.browser.visit("/api/v1/auth/register", registered).await;
        tour.hear(&made, false);
        let made = made.expect(201);
        tour.ids.insert("project_id", text(&made["project"]["id"]));
        tour.note_cookies();
        let login = json!({"email": email, "password": password});
        tour.browser.visit("/api/v1/auth/login", login).await.expect(200);
        tour.note_cookies();
        tour.browser.visit("/api/v1/auth/refresh", Value::Null).await.expect(204);
        tour.note_cookies();
        tour.colleague().await;
        tour
    }

    fn password(&mut self) -> String {
        let password = format!("granite {:016x} walnut", rand::random::<u64>());
        self.secrets.push(("a password", password.clone()));
        password
    }

    fn note_cookies(&mut self) {
        for name in ["srec_at", "srec_rt"] {
            let value = self.browser.cookie(name);
            self.secrets.push(("a cookie", value));
        }
    }

    /// Somebody who accepts an invitation, and one more who does not.
    async fn colleague(&mut self) {
        let (email, name, password) = (self.email(), self.word(), self.password());
        let invited = json!({"email": email, "role": "viewer"});
        let invited =
            self.browser.page(Method::POST, "/api/v1/auth/invitations", Some(invited)).await.expect(201);
        let token = text(&invited["link"]).split_once('#').unwrap().1.to_owned();
        self.secrets.push(("an invitation", token.clone()));
        let mut other = Browser::at(&self.browser.base);
        let accept = json!({"token": token, "password": password, "full_name": name});
        other.visit("/api/v1/auth/invitations/accept", accept).await.expect(200);
        let me = other.get("/api/v1/auth/me").await.expect(200);
        self.ids.insert("user_id", text(&me["user"]["id"]));
    }

    fn word(&mut self) -> String {
        self.written += 1;
        format!("{}x{}", self.mark, self.written)
    }

    fn email(&mut self) -> String {
        format!("{}@canary.example", self.word())
    }

    /// Takes an answer in; `secret` when it holds a new secret by design.
    fn hear(&mut self, answer: &Answer, secret: bool) {
        let text = format!("{:?}\n{}\n", answer.headers, answer.body);
        self.received.push_str(&text);
        if !secret {
            self.shown.push_str(&answer.body.to_string());
        }
    }

    /// What goes into the field at `path`.
    fn fill(&mut self, path: &str, longest: usize) -> Value {
        match path.rsplit('.').next().unwrap() {
            "email" => json!(self.email()),
            "project_id" => json!(self.ids["project_id"]),
            "assigned_to" => json!(self.ids["user_id"]),
            "into" => json!(self.ids["second"]),
            "expires_at" => json!(Clock::System.now().plus_seconds(86_400).to_string()),
            "timestamp" => json!(Clock::System.now().to_string()),
            "url" => {
                let word = self.word();
                json!(format!("{}/{word}/", self.upstream))
            }
            "auth" => {
                let token = format!("{}secret{:016x}", self.word(), rand::random::<u64>());
                self.secrets.push(("a credential of an integration", token.clone()));
                json!({"type": "bearer", "token": token})
            }
            _ => {
                let word = self.word();
                assert!(word.len() <= longest, "{path} is too short for a mark: {longest}");
                json!(word)
            }
        }
    }

    /// The route's path with what is this organisation's own.
    pub fn path(&self, pattern: &str) -> String {
        let mut path = pattern.to_owned();
        for (name, id) in &self.ids {
            path = path.replace(&format!("{{{name}}}"), id);
        }
        let absent = Uuid::now_v7().to_string();
        let mut parts: Vec<&str> = path.split('/').collect();
        for part in &mut parts {
            if part.starts_with('{') {
                *part = &absent;
            }
        }
        parts.join("/")
    }

    /// Sends a body with a mark in each of its fields to every route that takes one; says what each answered.
    pub async fn write(&mut self) -> Vec<(String, u16)> {
        let document = document();
        let mut answers = Vec::new();
        for row in TABLE {
            let described = row.path.starts_with("/api/v1/") && ["POST", "PATCH"].contains(&row.method);
            if !described || BY_ITSELF.contains(&row.path) {
                continue;
            }
            let mut made =
                body(&document, row.method, row.path, &mut |path, longest| self.fill(path, longest));
            self.suit(row.method, row.path, &mut made);
            self.lead(row.method, row.path, &mut made);
            let status = self.send(row.method, row.path, made).await;
            answers.push((format!("{} {}", row.method, row.path), status));
        }
        answers
    }

    /// Changes what a body made from the document can't know.
    fn suit(&self, method: &str, path: &str, body: &mut Option<Value>) {
        let Some(Value::Object(body)) = body else { return };
        match (method, path) {
            // A closed choice has its first word, and an incident is in that state already.
            ("PATCH", "/api/v1/incidents/{incident_id}/state") => {
                body.insert("state".to_owned(), json!("acknowledged"));
            }
            // Either of them says how long.
            ("POST", "/api/v1/incidents/{incident_id}/snooze") => drop(body.remove("until")),
            _ => {}
        }
    }

    /// Makes what leads to a channel fit its kind: a webhook, whose address is a secret.
    fn lead(&mut self, method: &str, path: &str, body: &mut Option<Value>) {
        let made = path == "/api/v1/projects/{project_id}/notification-channels" && method == "POST";
        let changed =
            path == "/api/v1/projects/{project_id}/notification-channels/{channel_id}" && method == "PATCH";
        if let (Some(Value::Object(body)), true) = (body, made || changed) {
            let part = format!("{:032x}", rand::random::<u128>());
            self.secrets.push(("the address of a channel", part.clone()));
            body.insert("url".to_owned(), json!(format!("{}/{part}", self.upstream)));
            body.remove("routing_key");
            // It stays on, to be told.
            body.insert("enabled".to_owned(), json!(true));
            if made {
                body.insert("kind".to_owned(), json!("webhook"));
            }
        }
    }

    async fn send(&mut self, method: &str, pattern: &str, mut body: Option<Value>) -> u16 {
        let url = self.path(pattern);
        if let Some(Value::Object(fields)) = &mut body {
            for (name, value) in &self.extras {
                fields.entry(name.clone()).or_insert(value.clone());
            }
        }
        let parsed = Method::from_bytes(method.as_bytes()).unwrap();
        let agent = self.word();
        let key = format!("k{}", self.word());
        let headers =
            [("sec-fetch-site", "same-origin"), ("user-agent", agent.as_str()), ("idempotency-key", &key)];
        let headers = if method == "POST" { &headers[..] } else { &headers[..2] };
        let answer = self.browser.send(parsed, &url, body, headers).await;
        let revealing = [
            "api-keys",
            "integrations",
            "rotate-token",
            "invitations",
            "notification-channels",
            "rotate-secret",
        ];
        self.hear(&answer, revealing.iter().any(|end| pattern.ends_with(end)));
        self.keep(pattern, &answer.body);
        answer.status.as_u16()
    }

    /// Remembers what an answer made.
    fn keep(&mut self, pattern: &str, made: &Value) {
        let name = match pattern {
            "/api/v1/projects/{project_id}/integrations" => "integration_id",
            "/api/v1/projects/{project_id}/notification-channels" => "channel_id",
            "/api/v1/projects/{project_id}/api-keys" => "key_id",
            "/api/v1/auth/invitations" => "invitation_id",
            "/api/v1/incidents" => "second",
            _ => "",
        };
        if let (false, Some(id)) = (name.is_empty(), made["id"].as_str()) {
            self.ids.insert(name, id.to_owned());
        }
        if let Some(key) = made["key"].as_str() {
            self.secrets.push(("an API key", key.to_owned()));
            self.key = key.to_owned();
        }
        if let Some(secret) = made["signing_secret"].as_str() {
            self.secrets.push(("a signing secret", secret.to_owned()));
        }
        if let Some(token) = made["token"].as_str() {
            self.secrets.push(("a webhook token", token.to_owned()));
            self.ids.insert("hook", token.to_owned());
        }
    }

    /// Makes an integration and sends it an alert with a mark in every text, and `same`, which others send as well.
    pub async fn alert(&mut self, same: &Value) -> Value {
        let path = "/api/v1/projects/{project_id}/integrations";
        let status = self.send("POST", path, Some(json!({"kind": "alertmanager", "name": self.mark}))).await;
        assert_eq!(status, 201);
        let mut word = || self.word();
        let now = Clock::System.now().to_string();
        let body = json!({
            "version": "4", "groupKey": word(), "truncatedAlerts": 0, "status": "firing", "receiver": word(),
            "groupLabels": {"a": word()}, "commonLabels": {"b": word()}, "commonAnnotations": {"c": word()},
            "externalURL": format!("http://{}.example", word()),
            "alerts": [{
                "status": "firing",
                "labels": {"alertname": word(), "service": word(), "severity": "critical", word(): word()},
                "annotations": {"summary": word(), "description": word(), word(): word()},
                "startsAt": now, "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": format!("http://p.example/graph?g0.expr={}", word()), "fingerprint": word(),
            }, {"status": word(), "labels": {"alertname": word()}}],
        });
        let sent = self.hook(&body).await;
        self.ids.insert("incident_id", text(&sent["results"][0]["incident_id"]));
        self.ids.insert("delivery_id", text(&sent["delivery_id"]));
        self.hook(same).await;
        self.hook(same).await
    }

    async fn hook(&mut self, body: &Value) -> Value {
        let url = format!("{}/webhooks/alertmanager", self.browser.base);
        let request = client().post(url).bearer_auth(&self.ids["hook"]).header("user-agent", self.word());
        let answer = read(request.json(body).send().await.unwrap()).await;
        self.hear(&answer, false);
        answer.expect(200)
    }

    /// Waits until the analysis of its incident has ended.
    pub async fn explained(&mut self) {
        let path = self.path("/api/v1/incidents/{incident_id}/hypotheses");
        let ended = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(100));
            loop {
                ticks.tick().await;
                let found = self.browser.get(&path).await.expect(200);
                if !["queued", "running"].contains(&found["analysis"]["status"].as_str().unwrap_or("queued"))
                {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(90), ended).await.expect("the analysis did not end");
        let path = "/api/v1/incidents/{incident_id}/evidence";
        let found = self.browser.get(&self.path(path)).await.expect(200);
        if let Some(id) = found["items"][0]["id"].as_str() {
            self.ids.insert("evidence_id", id.to_owned());
        }
    }

    /// Reads every route that can be read.
    pub async fn read(&mut self) -> usize {
        let mut read = 0;
        for row in TABLE
            .iter()
            .filter(|row| row.method == "GET" && matches!(row.access, Access::Member(_) | Access::Person(_)))
        {
            for end in ["", "?limit=200", "?limit=200&sort=-detected_at"] {
                let answer = self.browser.get(&format!("{}{end}", self.path(row.path))).await;
                assert!(!answer.status.is_server_error(), "{}: {}", row.path, answer.body);
                read += usize::from(answer.status.is_success());
                self.hear(&answer, false);
            }
        }
        let key = client().get(format!("{}/api/v1/auth/me", self.browser.base)).bearer_auth(&self.key);
        let answer = crate::world::read(key.send().await.unwrap()).await;
        self.hear(&answer, false);
        read
    }

    /// How many of the words it wrote it was shown again.
    pub fn found(&self) -> usize {
        (1..=self.written)
            .filter(|n| {
                let word = format!("{}x{n}", self.mark);
                self.shown.match_indices(&word).any(|(at, _)| {
                    !self.shown[at + word.len()..].starts_with(|next: char| next.is_ascii_digit())
                })
            })
            .count()
    }
}
