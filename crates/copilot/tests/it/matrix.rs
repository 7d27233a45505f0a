//! Every route for everybody: what the table of access declares is what happens, at every door.

use std::collections::BTreeMap;

use copilot::auth::Role;
use copilot::auth::access::{Access, Row, TABLE};
use copilot::config::Registration;
use copilot::service::Service;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::bodies::{body, document};
use crate::browser::{Browser, join};
use crate::world::{PASSWORD, World, alert, read, text};

const ROLES: [&str; 4] = ["viewer", "engineer", "admin", "owner"];

/// What one caller is to the project that the paths name.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Standing {
    /// Not signed in, or no longer.
    Nobody,
    /// A person or a key with this role in it.
    Has(Role),
    /// Owner of something else: another project, or another organisation.
    Foreign,
}

/// Somebody who sends a request.
struct Caller {
    name: String,
    standing: Standing,
    cookies: String,
    key: String,
}

/// How a request may end, as far as permission goes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cell {
    Unauthenticated,
    Forbidden,
    NotFound,
    Passes,
    /// Not sent: it would change the caller, or end the project that the other cells are about.
    Skipped,
}

/// What the table declares.
fn declared(row: &Row, caller: &Caller) -> Cell {
    let person = caller.key.is_empty();
    let about_ours = row.path.contains('{');
    match (row.access, caller.standing) {
        (Access::Public, _) => Cell::Passes,
        (Access::Webhook, _) => Cell::Unauthenticated,
        (Access::Cookie, _) if person && !caller.cookies.is_empty() => Cell::Skipped,
        (Access::Cookie, _) | (_, Standing::Nobody) => Cell::Unauthenticated,
        (Access::Person(_), _) if !person => Cell::Forbidden,
        (_, Standing::Foreign) if about_ours => Cell::NotFound,
        (Access::Member(least) | Access::Person(least), Standing::Has(role)) if role < least => {
            Cell::Forbidden
        }
        _ if row.method == "DELETE" && row.path == "/api/v1/projects/{project_id}" => Cell::Skipped,
        _ => Cell::Passes,
    }
}

/// What happened: whether permission let it through to what it asks for.
fn observed(status: StatusCode, row: &Row, caller: &Caller) -> Cell {
    match status.as_u16() {
        401 => Cell::Unauthenticated,
        403 => Cell::Forbidden,
        // Whoever may delete is sent to delete what is not there.
        404 if row.method == "DELETE" && caller.standing != Standing::Foreign => Cell::Passes,
        404 => Cell::NotFound,
        200..=299 | 400 | 409 | 412 | 415 | 422 | 426 => Cell::Passes,
        other => panic!("{} {} answers {other} to {}", row.method, row.path, caller.name),
    }
}

struct Stage {
    world: World,
    callers: Vec<Caller>,
    ids: BTreeMap<&'static str, String>,
}

impl Stage {
    async fn new() -> Self {
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
    fn path(&self, row: &Row, absent: bool) -> String {
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
    fn doors(&self, row: &Row) -> Vec<String> {
        let mut doors = vec![self.world.base.clone()];
        let own = Service::ALL.into_iter().filter(|service| *service != Service::Gateway).find(|service| {
            let (_, document) = service.routes().split_for_parts();
            let hooks = row.access == Access::Webhook && *service == Service::Integration;
            hooks || document.paths.paths.contains_key(row.path)
        });
        doors.extend(own.map(|service| format!("http://{}", self.world.server.addresses[&service])));
        doors
    }

    async fn send(&self, url: &str, method: &str, caller: &Caller, body: Option<Value>) -> StatusCode {
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
        read(request.send().await.unwrap()).await.status
    }
}

impl Caller {
    fn person(name: &str, standing: Standing, browser: &Browser) -> Self {
        Self { name: name.to_owned(), standing, cookies: browser.cookies.clone(), key: String::new() }
    }

    fn key(name: &str, standing: Standing, key: String) -> Self {
        Self { name: name.to_owned(), standing, cookies: String::new(), key }
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
        let keys = format!("/api/v1/projects/{}/api-keys", text(project));
        let made = owner.page(Method::POST, &keys, Some(json!({"name": "k", "role": "owner"}))).await;
        callers.push(Caller::person(name, Standing::Foreign, &owner));
        callers.push(Caller::key(
            &format!("{name}'s key"),
            Standing::Foreign,
            text(&made.expect(201)["key"]),
        ));
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
    BTreeMap::from([
        ("project_id", world.project.clone()),
        ("integration_id", hook.id.clone()),
        ("delivery_id", text(&sent["delivery_id"])),
        ("incident_id", incident.clone()),
        ("evidence_id", text(&first(&format!("/api/v1/incidents/{incident}/evidence")).await["id"])),
        ("hypothesis_id", Uuid::now_v7().to_string()),
        ("invitation_id", text(&invited["id"])),
        ("session_id", text(&first("/api/v1/auth/sessions").await["id"])),
        ("user_id", text(&first(&format!("{project}/members")).await["user_id"])),
        ("key_id", text(&first(&format!("{project}/api-keys")).await["id"])),
    ])
}

/// A body that is good enough to get past its checks to what the path names.
fn good_body(document: &Value, row: &Row) -> Option<Value> {
    body(document, row.method, row.path, &mut |path, longest| match path {
        "email" => json!("someone@shop.example"),
        "project_id" | "into" | "assigned_to" => json!(Uuid::now_v7()),
        "expires_at" => Value::Null,
        "timestamp" => json!("2026-01-24T12:00:00Z"),
        "url" => json!("http://93.184.216.34:9090/"),
        "auth" => Value::Null,
        _ => Value::String("words".chars().take(longest).collect()),
    })
}

#[tokio::test]
async fn everybody_may_do_what_the_table_says_and_no_more() {
    let stage = Stage::new().await;
    let document = document();
    let (mut wrong, mut cells) = (Vec::new(), 0);
    for row in TABLE {
        for caller in &stage.callers {
            let cell = declared(row, caller);
            if cell == Cell::Skipped {
                continue;
            }
            let foreign = caller.standing == Standing::Foreign;
            let path = stage.path(row, row.method == "DELETE" && !foreign && cell == Cell::Passes);
            let body = match row.method {
                "GET" | "DELETE" => None,
                _ if foreign && row.path.contains('{') => good_body(&document, row),
                _ => Some(json!({})),
            };
            for door in stage.doors(row) {
                let status = stage.send(&format!("{door}{path}"), row.method, caller, body.clone()).await;
                let seen = observed(status, row, caller);
                cells += 1;
                if seen != cell {
                    let Row { method, path, .. } = row;
                    wrong.push(format!("{method} {path} as {}: {cell:?}, but {status}", caller.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {cells} cells are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cells > 1_500, "only {cells} cells");
    stage.world.end().await;
}

/// An unoffered method, or a path that is only nearly a route, is absent: never done, and never a redirect,
/// which senders follow without their body.
#[tokio::test]
async fn nearly_a_route_is_none() {
    let stage = Stage::new().await;
    let document = document();
    let owner = stage.callers.iter().find(|caller| caller.name == "owner").unwrap();
    let mut wrong = Vec::new();
    for row in TABLE {
        let path = stage.path(row, false);
        let body = if row.method == "PATCH" { good_body(&document, row) } else { None };
        let at = path.rfind('/').unwrap();
        let (parent, leaf) = path.split_at(at);
        let variants = [
            format!("/{path}"),
            format!("{parent}/{leaf}"),
            format!("{path}/"),
            format!("{path}."),
            format!("{path};x=1"),
            format!("{}%2f{}", if parent.is_empty() { "/" } else { parent }, &leaf[1..]),
            format!("{path}/x"),
            path.to_uppercase(),
        ];
        for variant in variants {
            for door in stage.doors(row) {
                let status =
                    stage.send(&format!("{door}{variant}"), row.method, owner, body.clone()).await.as_u16();
                if ![404, 405].contains(&status) {
                    wrong.push(format!("{} {variant} (of {}): {status}", row.method, row.path));
                }
            }
        }
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"] {
            if TABLE.iter().any(|other| other.path == row.path && other.method == method) {
                continue;
            }
            for door in stage.doors(row) {
                let status = stage.send(&format!("{door}{path}"), method, owner, None).await;
                if status != StatusCode::METHOD_NOT_ALLOWED {
                    wrong.push(format!("{method} {}: {status}", row.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    stage.world.end().await;
}
