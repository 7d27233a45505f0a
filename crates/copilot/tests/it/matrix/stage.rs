//! Everybody who may send a request, something of every kind to send it to, and what the table declares.

use std::collections::BTreeMap;

use copilot::auth::Role;
use copilot::auth::access::{Access, Row};
use copilot::config::Registration;
use copilot::service::Service;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::bodies::body;
use crate::browser::{Browser, join};
use crate::world::{Answer, PASSWORD, World, alert, read, text};

const ROLES: [&str; 4] = ["viewer", "engineer", "admin", "owner"];

/// What one caller is to the project that the paths name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Standing {
    /// Not signed in, or no longer.
    Nobody,
    /// A person or a key with this role in it.
    Has(Role),
    /// Owner of something else: another project, or another organisation.
    Foreign,
}

/// Somebody who sends a request.
pub struct Caller {
    pub name: String,
    pub standing: Standing,
    pub cookies: String,
    pub key: String,
    /// The project of those who are not in the world's.
    pub own: String,
}

/// How a request may end, as far as permission goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell {
    Unauthenticated,
    Forbidden,
    NotFound,
    Passes,
    /// An answer that no cell of the table stands for.
    Unserved,
    /// Sent by the tests of the two cookies and of the end of a project: it changes the
    /// caller, or ends the project that the other cells are about.
    Elsewhere,
}

/// What the table declares.
pub fn declared(row: &Row, caller: &Caller) -> Cell {
    let person = caller.key.is_empty();
    let about_ours = row.path.contains('{');
    match (row.access, caller.standing) {
        (Access::Public, _) => Cell::Passes,
        // A key is known, and may not send alerts.
        (Access::Webhook, Standing::Has(_) | Standing::Foreign) if !caller.key.is_empty() => Cell::Forbidden,
        (Access::Webhook, _) => Cell::Unauthenticated,
        (Access::Cookie, _) if person && !caller.cookies.is_empty() => Cell::Elsewhere,
        (Access::Cookie, _) | (_, Standing::Nobody) => Cell::Unauthenticated,
        (Access::Person(_), _) if !person => Cell::Forbidden,
        (_, Standing::Foreign) if about_ours => Cell::NotFound,
        (Access::Member(least) | Access::Person(least), Standing::Has(role)) if role < least => {
            Cell::Forbidden
        }
        // Only the organisation's first project counts, which is ours.
        (_, Standing::Foreign)
            if (row.method, row.path) == ("PATCH", "/api/v1/tenant")
                && caller.name.starts_with("a neighbour") =>
        {
            Cell::Forbidden
        }
        _ if row.method == "DELETE" && row.path == "/api/v1/projects/{project_id}" => Cell::Elsewhere,
        _ => Cell::Passes,
    }
}

/// What happened: whether permission let it through to what it asks for.
pub fn observed(status: StatusCode, row: &Row, caller: &Caller) -> Cell {
    match status.as_u16() {
        401 => Cell::Unauthenticated,
        403 => Cell::Forbidden,
        // Whoever may delete is sent to delete what is not there, and a session is its owner's alone.
        404 if caller.standing != Standing::Foreign
            && (row.method == "DELETE" || row.path.ends_with("/{session_id}")) =>
        {
            Cell::Passes
        }
        404 => Cell::NotFound,
        200..=299 | 400 | 409 | 412 | 415 | 422 | 426 => Cell::Passes,
        _ => Cell::Unserved,
    }
}

pub struct Stage {
    pub world: World,
    pub callers: Vec<Caller>,
    pub ids: BTreeMap<&'static str, String>,
}

impl Stage {
    pub async fn new() -> Self {
        let open = |config: &mut copilot::config::Config| config.registration = Registration::Open;
        let world = World::with(open, copilot::ai::Model::none()).await;
        let mut callers = past(&world).await;
        for role in ROLES {
            let standing = Standing::Has(role.parse().unwrap());
            let person = join(&world, &format!("{role}@shop.example"), role).await;
            callers.push(Caller::person(role, standing, &person));
            callers.push(Caller::key(&format!("{role}'s key"), standing, key(&world, role, None).await));
        }
        callers.extend(foreign(&world).await);
        let ids = ids(&world).await;
        Self { world, callers, ids }
    }

    /// The row's path with what is in the world's project, or with something that is nowhere in the end.
    pub fn path(&self, row: &Row, absent: bool) -> String {
        let mut path = row.path.to_owned();
        let mut named: Vec<&str> = row.path.split(['{', '}']).skip(1).step_by(2).collect();
        if absent && let Some(last) = named.pop() {
            path = path.replace(&format!("{{{last}}}"), &Uuid::now_v7().to_string());
        }
        for name in named {
            let id = self.ids.get(name).unwrap_or_else(|| panic!("{}: what is {name}?", row.path));
            path = path.replace(&format!("{{{name}}}"), id);
        }
        path
    }

    /// The addresses of every door that serves the row: the gateway's, and the service's own.
    pub fn doors(&self, row: &Row) -> Vec<String> {
        let mut doors = vec![self.world.base.clone()];
        let own = Service::ALL.into_iter().filter(|service| *service != Service::Gateway).find(|service| {
            let (_, document) = service.routes().split_for_parts();
            let hooks = row.access == Access::Webhook && *service == Service::Integration;
            hooks || document.paths.paths.contains_key(row.path)
        });
        doors.extend(own.map(|service| format!("http://{}", self.world.server.addresses[&service])));
        doors
    }

    /// Refused changes in the audit log of the world's organisation.
    pub async fn refusals(&self) -> usize {
        let (mut found, mut cursor) = (0, String::new());
        loop {
            let page = self.world.get(&format!("/api/v1/audit?limit=200{cursor}")).await;
            let items = page["items"].as_array().unwrap();
            found += items.iter().filter(|entry| entry["action"] == "request.sent").count();
            let Some(next) = page["next_cursor"].as_str() else { return found };
            cursor = format!("&cursor={next}");
        }
    }

    pub async fn send(&self, url: &str, method: &str, caller: &Caller, body: Option<Value>) -> StatusCode {
        self.answer(url, method, caller, body).await.status
    }

    pub async fn answer(&self, url: &str, method: &str, caller: &Caller, body: Option<Value>) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.world.http.request(method, url);
        if !caller.cookies.is_empty() {
            request = request.header("cookie", &caller.cookies).header("sec-fetch-site", "same-origin");
            request = request.header("origin", &self.world.base);
        }
        if !caller.key.is_empty() {
            request = request.bearer_auth(&caller.key);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        read(request.send().await.unwrap()).await
    }
}

impl Caller {
    fn person(name: &str, standing: Standing, browser: &Browser) -> Self {
        let (cookies, key, own) = (browser.cookies.clone(), String::new(), String::new());
        Self { name: name.to_owned(), standing, cookies, key, own }
    }

    fn key(name: &str, standing: Standing, key: String) -> Self {
        Self { name: name.to_owned(), standing, cookies: String::new(), key, own: String::new() }
    }

    fn of(self, project: &str) -> Self {
        Self { own: project.to_owned(), ..self }
    }

    /// Whether the world's organisation is theirs, and its audit log about them.
    pub fn is_ours(&self) -> bool {
        self.standing != Standing::Nobody && !self.name.starts_with("another tenant")
    }
}

async fn key(world: &World, role: &str, expires_at: Option<String>) -> String {
    let path = format!("/api/v1/projects/{}/api-keys", world.project);
    let body = json!({"name": role, "role": role, "expires_at": expires_at});
    text(&world.post(&path, body).await.expect(201)["key"])
}

/// Those whose credential was good once.
async fn past(world: &World) -> Vec<Caller> {
    let stranger = Caller::person("a stranger", Standing::Nobody, &Browser::new(world));
    let expired = Browser::owner(world).await;
    let soon = world.clock.now().plus_seconds(60).to_string();
    let expired_key = key(world, "owner", Some(soon)).await;
    world.clock.advance(16.0 * 60.0);
    let ended = Browser::owner(world).await;
    ended.page(Method::POST, "/api/v1/auth/logout", None).await.expect(204);
    vec![
        stranger,
        Caller::person("an expired session", Standing::Nobody, &expired),
        Caller::person("an ended session", Standing::Nobody, &ended),
        Caller::key("an expired key", Standing::Nobody, expired_key),
        Caller::key("no key", Standing::Nobody, "srec_live_nonsense".to_owned()),
    ]
}

/// The owners of another project of this organisation, and of another organisation.
async fn foreign(world: &World) -> Vec<Caller> {
    let ana = &mut Browser::owner(world).await;
    let spare = ana.page(Method::POST, "/api/v1/projects", Some(json!({"name": "spare"}))).await.expect(201);
    ana.visit("/api/v1/auth/switch-project", json!({"project_id": spare["id"]})).await.expect(200);
    let invited = json!({"email": "nina@shop.example", "role": "owner"});
    let invited = ana.page(Method::POST, "/api/v1/auth/invitations", Some(invited)).await.expect(201);
    let link = text(&invited["link"]);
    let mut nina = Browser::new(world);
    let accept = json!({"token": link.split_once('#').unwrap().1, "password": PASSWORD, "full_name": "Nina"});
    nina.visit("/api/v1/auth/invitations/accept", accept).await.expect(200);
    let mut eve = Browser::new(world);
    let body = json!({"email": "eve@other.example", "password": PASSWORD, "full_name": "Eve", "tenant_name": "Other"});
    let other = eve.visit("/api/v1/auth/register", body).await.expect(201)["project"]["id"].clone();
    let mut callers = Vec::new();
    for (name, owner, project) in [("a neighbour", nina, &spare["id"]), ("another tenant", eve, &other)] {
        let project = text(project);
        let keys = format!("/api/v1/projects/{project}/api-keys");
        let made = owner.page(Method::POST, &keys, Some(json!({"name": "k", "role": "owner"}))).await;
        let key = text(&made.expect(201)["key"]);
        callers.push(Caller::person(name, Standing::Foreign, &owner).of(&project));
        callers.push(Caller::key(&format!("{name}'s key"), Standing::Foreign, key).of(&project));
    }
    callers
}

/// Something of every kind in the world's project.
async fn ids(world: &World) -> BTreeMap<&'static str, String> {
    let hook = world.integration("alertmanager", json!({})).await;
    let now = world.clock.now();
    let sent = hook.send_json(&alert("A", "checkout", "firing", now, None)).await.expect(200);
    let ana = Browser::owner(world).await;
    let invited = json!({"email": "late@shop.example", "role": "viewer"});
    let invited = world.post("/api/v1/auth/invitations", invited).await.expect(201);
    let project = format!("/api/v1/projects/{}", world.project);
    let incident = text(&sent["results"][0]["incident_id"]);
    world.settle().await;
    let first = async |path: &str| ana.get(path).await.expect(200)["items"][0].clone();
    let channel = json!({"kind": "webhook", "name": "on-call", "url": "http://nobody.invalid/"});
    let channel = world.post(&format!("{project}/notification-channels"), channel).await.expect(201);
    // Somebody who is in no project of the foreign ones.
    let members = ana.get(&format!("{project}/members")).await.expect(200);
    let stranger = text(&members["items"].as_array().unwrap().last().unwrap()["user_id"]);
    BTreeMap::from([
        ("project_id", world.project.clone()),
        ("integration_id", hook.id.clone()),
        ("channel_id", text(&channel["id"])),
        ("delivery_id", text(&sent["delivery_id"])),
        ("incident_id", incident.clone()),
        ("evidence_id", text(&first(&format!("/api/v1/incidents/{incident}/evidence")).await["id"])),
        ("hypothesis_id", Uuid::now_v7().to_string()),
        ("invitation_id", text(&invited["id"])),
        ("session_id", text(&first("/api/v1/auth/sessions").await["id"])),
        ("user_id", stranger),
        ("key_id", text(&first(&format!("{project}/api-keys")).await["id"])),
    ])
}

/// A body that is good enough to get past its checks to what the path names.
pub fn good_body(document: &Value, row: &Row) -> Option<Value> {
    body(document, row.method, row.path, &mut |path, longest| match path {
        "email" => json!("someone@shop.example"),
        "project_id" | "into" | "assigned_to" => json!(Uuid::now_v7()),
        "expires_at" => Value::Null,
        "timestamp" | "until" => json!("2026-01-24T12:00:00Z"),
        "url" => json!("http://93.184.216.34:9090/"),
        "auth" => Value::Null,
        _ => Value::String("words".chars().take(longest).collect()),
    })
}
