//! Fields that nobody may set: every one that any answer shows, and more that tables hold, sent along with every body.

use std::collections::BTreeMap;

use copilot::auth::access::{Access, Row, TABLE};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::stage::{Caller, Stage, good_body};
use crate::bodies::document;
use crate::browser::{Browser, join};
use crate::world::{Answer, PASSWORD, text};

/// Names that no answer shows.
const INTERNAL: [&str; 18] = [
    "tenant_id",
    "role",
    "id",
    "created_by",
    "cost",
    "cost_micro_usd",
    "is_admin",
    "admin",
    "owner",
    "password_hash",
    "token_hash",
    "hash",
    "seq",
    "row_version",
    "deleted_at",
    "revoked_at",
    "disabled",
    "lease",
];

/// What is new with each request or goes on meanwhile, and so differs between two that say the same.
const OWN: [&str; 15] = [
    "id",
    "key",
    "prefix",
    "token",
    "webhook_url",
    "link",
    "snippet",
    "email",
    "csrf_token",
    "user_id",
    "project_id",
    "number",
    "version",
    "request_id",
    "analysis",
];

const ID: &str = "0badc0de-0000-7000-8000-00000badc0de";
const TIME: &str = "2001-02-03T04:05:06Z";
const WORD: &str = "mass-assigned";
const NUMBER: u32 = 918_273;

/// Values that nobody was asked for.
struct Hostile {
    values: BTreeMap<String, Value>,
    marks: Vec<String>,
}

impl Hostile {
    /// `other` is what another organisation's owner is told about themselves.
    fn new(document: &Value, other: &Value) -> Self {
        let mut values = BTreeMap::new();
        for schema in document["components"]["schemas"].as_object().unwrap().values() {
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                values.entry(name.clone()).or_insert_with(|| hostile(document, property));
            }
        }
        for name in INTERNAL {
            let value = if name.ends_with("_at") { json!(TIME) } else { json!(WORD) };
            values.entry(name.to_owned()).or_insert(value);
        }
        let user = &other["user"]["id"];
        let real = [
            ("tenant_id", &other["tenant"]["id"]),
            ("tenant", &other["tenant"]["id"]),
            ("project_id", &other["project"]["id"]),
            ("user_id", user),
            ("author_id", user),
            ("created_by", user),
            ("actor_id", user),
            ("asked_by", user),
        ];
        values.extend(real.map(|(name, id)| (name.to_owned(), id.clone())));
        values.insert("role".to_owned(), json!("owner"));
        values.insert("is_admin".to_owned(), json!(true));
        let mut marks = vec![ID.to_owned(), TIME[..10].to_owned(), WORD.to_owned(), NUMBER.to_string()];
        marks.extend(["tenant", "project", "user"].map(|name| text(&other[name]["id"])));
        Self { values, marks }
    }

    /// Those that the route's own body does not have.
    fn beyond(&self, body: &Value, asked: &[String]) -> Map<String, Value> {
        let extra = |name: &String| body.get(name).is_none() && !asked.contains(name);
        let values = self.values.iter().filter(|(name, _)| extra(name));
        values.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    fn marks_in(&self, text: &str) -> Vec<&String> {
        self.marks.iter().filter(|mark| text.contains(mark.as_str())).collect()
    }
}

/// A value of the schema's kind that is nobody's.
fn hostile(document: &Value, schema: &Value) -> Value {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return hostile(document, &document["components"]["schemas"][name]);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        return hostile(document, choices.iter().find(|choice| choice["type"] != "null").unwrap());
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.last().unwrap().clone();
    }
    let kind = schema["type"].to_string();
    match schema["format"].as_str() {
        Some("uuid") => json!(ID),
        Some("date-time") => json!(TIME),
        _ if kind.contains("string") => json!(WORD),
        _ if kind.contains("integer") || kind.contains("number") => json!(NUMBER),
        _ if kind.contains("boolean") => json!(true),
        _ if kind.contains("array") => json!([WORD]),
        _ => json!({ WORD: WORD }),
    }
}

/// Fields of the route's own body.
fn asked(document: &Value, row: &Row) -> Vec<String> {
    let operation = &document["paths"][row.path][row.method.to_lowercase()];
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let choices = schema["oneOf"].as_array().into_iter().flatten();
    let name = choices.chain([schema]).find_map(|schema| schema["$ref"].as_str()).unwrap();
    let named = &document["components"]["schemas"][name.rsplit('/').next().unwrap()]["properties"];
    named.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

/// Who sends what where.
struct Sending {
    browser: Browser,
    path: String,
    body: Value,
}

impl Stage {
    /// A request that passes, each time it is asked for.
    async fn sending(&self, (document, row): (&Value, &Row), ana: &Browser, n: usize) -> Option<Sending> {
        let world = &self.world;
        let mut body = good_body(document, row)?;
        let (mut browser, mut path) = (ana.clone(), self.path(row, false));
        let email = format!("extra{n}@shop.example");
        match (row.method, row.path) {
            (_, "/api/v1/auth/register") => {
                browser = Browser::new(world);
                body = json!({"email": email, "password": PASSWORD, "full_name": "X", "tenant_name": "Y"});
            }
            (_, "/api/v1/auth/login") => {
                browser = Browser::new(world);
                body = json!({"email": "viewer@shop.example", "password": PASSWORD});
            }
            (_, "/api/v1/auth/invitations/accept") => {
                let invited = json!({"email": email, "role": "viewer"});
                let invited = world.post("/api/v1/auth/invitations", invited).await.expect(201);
                let token = text(&invited["link"]).split_once('#').unwrap().1.to_owned();
                browser = Browser::new(world);
                body = json!({"token": token, "password": PASSWORD, "full_name": "X"});
            }
            (_, "/api/v1/auth/link") => {
                let viewer = self.me("viewer").await;
                let (tenant, user) = (&viewer["tenant"]["id"], &viewer["user"]["id"]);
                let (tenant, user) = (text(tenant).parse().unwrap(), text(user).parse().unwrap());
                browser = Browser::new(world);
                body = json!({"token": copilot::auth::issue_link(&world.server.app, tenant, user)});
            }
            (_, "/api/v1/auth/password") => {
                browser = join(world, &email, "viewer").await;
                let next = format!("{PASSWORD} {n}");
                body = json!({"old_password": PASSWORD, "new_password": next});
            }
            (_, "/api/v1/auth/switch-project") => body = json!({"project_id": world.project}),
            (_, "/api/v1/auth/invitations") => body["email"] = json!(email),
            ("POST", "/api/v1/projects/{project_id}/members") => {
                body["email"] = json!("nina@shop.example");
                let nina = text(&self.me("a neighbour").await["user"]["id"]);
                browser.page(Method::DELETE, &format!("{path}/{nina}"), None).await;
            }
            (_, "/api/v1/incidents/{incident_id}/merge") => {
                let opened = world.post("/api/v1/incidents", json!({"title": "twin"})).await.expect(201);
                path = format!("/api/v1/incidents/{}/merge", text(&opened["id"]));
                body = json!({"into": self.ids["incident_id"]});
            }
            (_, "/api/v1/incidents/{incident_id}/state") => {
                let opened = world.post("/api/v1/incidents", json!({"title": "twin"})).await.expect(201);
                path = format!("/api/v1/incidents/{}/state", text(&opened["id"]));
                body["state"] = json!("acknowledged");
            }
            (_, "/api/v1/incidents/{incident_id}/snooze") => {
                let opened = world.post("/api/v1/incidents", json!({"title": "twin"})).await.expect(201);
                path = format!("/api/v1/incidents/{}/snooze", text(&opened["id"]));
                body = json!({"until": world.clock.now().plus_seconds(3_600).to_string()});
            }
            // Who joined last is an owner, and stays one.
            ("PATCH", "/api/v1/projects/{project_id}/members/{user_id}") => body = json!({"role": "owner"}),
            ("PATCH", "/api/v1/incidents/{incident_id}") => body["assigned_to"] = Value::Null,
            // A routing key is for another kind.
            (
                _,
                "/api/v1/projects/{project_id}/notification-channels"
                | "/api/v1/projects/{project_id}/notification-channels/{channel_id}",
            ) => drop(body.as_object_mut().map(|body| body.remove("routing_key"))),
            _ => {}
        }
        // A body of optional fields alone.
        if !body.is_object() {
            body = json!({});
        }
        Some(Sending { browser, path, body })
    }

    fn caller(&self, name: &str) -> &Caller {
        self.callers.iter().find(|caller| caller.name == name).unwrap()
    }

    /// What somebody is told about themselves.
    async fn me(&self, name: &str) -> Value {
        let url = format!("{}/api/v1/auth/me", self.world.base);
        self.answer(&url, "GET", self.caller(name), None).await.expect(200)
    }

    /// Everything that somebody may read: of the world's project, or of their own.
    async fn read(&self, name: &str) -> BTreeMap<String, String> {
        let (caller, mut all) = (self.caller(name), BTreeMap::new());
        let reading =
            |row: &&Row| row.method == "GET" && matches!(row.access, Access::Member(_) | Access::Person(_));
        for row in TABLE.iter().filter(reading) {
            let mut path = row.path.to_owned();
            if !caller.own.is_empty() {
                path = path.replace("{project_id}", &caller.own);
            } else if path.contains('{') {
                path = self.path(row, false);
            }
            if path.contains('{') {
                continue;
            }
            let ask = async |end: &str| {
                self.answer(&format!("{}{path}{end}", self.world.base), "GET", caller, None).await
            };
            let mut answer = ask("?limit=200").await;
            if answer.status == 422 {
                answer = ask("").await;
            }
            assert!(answer.status == 200 || answer.status == 404, "{path}: {}", answer.body);
            all.insert(path, answer.body.to_string());
        }
        all
    }
}

/// Where two answers differ, other than in what is each one's own.
fn differences(one: &Value, other: &Value, at: &str, found: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let names: std::collections::BTreeSet<_> = one.keys().chain(other.keys()).collect();
            for name in names.into_iter().filter(|name| !OWN.contains(&name.as_str())) {
                let value = |of: &Map<String, Value>| of.get(name).cloned().unwrap_or_default();
                differences(&value(one), &value(other), &format!("{at}.{name}"), found);
            }
        }
        (one, other) if one != other => found.push(format!("{at} is {other}, not {one}")),
        _ => {}
    }
}

async fn sent(sending: Sending, method: &str, extra: Map<String, Value>) -> Answer {
    let Sending { browser, path, mut body } = sending;
    body.as_object_mut().unwrap().extend(extra);
    browser.page(Method::from_bytes(method.as_bytes()).unwrap(), &path, Some(body)).await
}

/// Whether the body was refused for the name of a field.
fn is_unknown(answer: &Answer) -> bool {
    answer.status == 422 && answer.body["errors"].to_string().contains("unknown field")
}

/// T-G13c.
#[tokio::test]
async fn what_nobody_may_set_is_set_by_nobody() {
    let stage = Stage::new().await;
    let document = document();
    let hostile = Hostile::new(&document, &stage.me("another tenant").await);
    let (ana, theirs) = (Browser::owner(&stage.world).await, stage.read("another tenant").await);
    let (viewer, members) = (stage.me("viewer").await, roles(&stage).await);
    let (mut wrong, mut n, mut taken, mut refused) = (Vec::new(), 0, 0, 0);
    // What senders post may hold anything.
    let ours = TABLE.iter().filter(|row| row.path.starts_with("/api/v1/"));
    for row in ours.filter(|row| ["POST", "PATCH"].contains(&row.method)) {
        let route = format!("{} {}", row.method, row.path);
        let mut next = async || {
            n += 1;
            stage.sending((&document, row), &ana, n).await
        };
        let Some(first) = next().await else { continue };
        let extra = hostile.beyond(&first.body, &asked(&document, row));
        assert!(extra.len() > 150, "{route}: only {} fields", extra.len());
        let clean = sent(first, row.method, Map::new()).await;
        let all = sent(next().await.unwrap(), row.method, extra.clone()).await;
        if is_unknown(&all) {
            // It takes no other names; then none of them, alone.
            for (name, value) in extra {
                let one = Map::from_iter([(name.clone(), value)]);
                let answer = sent(next().await.unwrap(), row.method, one).await;
                refused += 1;
                if !is_unknown(&answer) {
                    wrong.push(format!("{route}: {name} is answered {}", answer.status));
                }
            }
            continue;
        }
        taken += 1;
        if !clean.status.is_success() || clean.status != all.status {
            wrong.push(format!("{route}: {} {}, then {}", clean.status, clean.body, all.status));
        }
        let mut found = Vec::new();
        differences(&clean.body, &all.body, "", &mut found);
        let marks = hostile.marks_in(&all.body.to_string()).into_iter().map(|mark| format!("it has {mark}"));
        found.extend(marks);
        wrong.extend(found.into_iter().map(|one| format!("{route}: {one}")));
    }
    for (path, shown) in stage.read("owner").await {
        wrong.extend(hostile.marks_in(&shown).into_iter().map(|mark| format!("{path} has {mark}")));
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(taken >= 15 && refused > 500, "{taken} routes, {refused} refusals");
    assert_eq!(stage.read("another tenant").await, theirs);
    let now = stage.me("viewer").await;
    for name in ["tenant", "user", "role"] {
        assert_eq!(now[name], viewer[name]);
    }
    let after = roles(&stage).await;
    assert!(members.iter().all(|(email, role)| after.get(email) == Some(role)), "{members:?}: {after:?}");
    assert!(after.iter().all(|(email, role)| !email.starts_with("extra") || role == "viewer"), "{after:?}");
    stage.world.end().await;
}

/// The role of each member of the world's project.
async fn roles(stage: &Stage) -> BTreeMap<String, String> {
    let path = format!("/api/v1/projects/{}/members?limit=200", stage.world.project);
    let members = stage.world.get(&path).await;
    let members = members["items"].as_array().unwrap().iter();
    members.map(|one| (text(&one["email"]), text(&one["role"]))).collect()
}
