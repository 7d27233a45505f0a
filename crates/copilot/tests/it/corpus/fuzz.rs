//! Every route, every parameter and every field of the document, with what does not belong there: no fault of ours comes
//! of it, and every refusal is a problem that says its reason.

use std::collections::BTreeMap;

use copilot::auth::access::TABLE;
use reqwest::Method;
use serde_json::{Value, json};

use super::Stage;
use crate::bodies::{body, document};

/// What is put into a field, as JSON text: wrong kinds, wrong sizes, and texts that break parsers.
fn misfits() -> Vec<String> {
    let long = "x".repeat(70_000);
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let texts = [
        "",
        " ",
        "\u{0}",
        "a\u{0}b",
        "\u{202e}abc",
        "\u{feff}",
        "🦀",
        "' OR 1=1 --",
        "../../etc",
        "\r\nX: y",
    ];
    let mut all: Vec<String> = texts.iter().map(|text| Value::from(*text).to_string()).collect();
    let raw = [
        "null",
        "true",
        "0",
        "-1",
        "1e400",
        "1.5",
        "9223372036854775808",
        "[]",
        "{}",
        "[null]",
        "\"\\ud800\"",
        "{\"a\":{\"b\":[]}}",
        "\"0001-01-01T00:00:00Z\"",
        "\"+292277026596-12-31T23:59:59Z\"",
    ];
    all.extend(raw.map(str::to_owned));
    all.extend([Value::from(long).to_string(), deep]);
    all
}

/// Whole bodies that are none.
const BODIES: [&[u8]; 10] = [
    b"",
    b"null",
    b"[]",
    b"42",
    b"{",
    b"{\"a\":1,}",
    b"{\"a\":1}{\"a\":1}",
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b"{\"title\":\"\xff\"}",
];

/// What is put into a parameter of the path or the query, encoded.
const PARAMETERS: [&str; 14] = [
    "",
    "%00",
    "%ff",
    "%ed%a0%80",
    "-1",
    "0",
    "1e9",
    "9223372036854775808",
    "nonsense",
    "%27%20OR%201%3D1",
    "..%2f..",
    "0001-01-01T00%3A00%3A00Z",
    "2999-12-31T23%3A59%3A59Z",
    "%F0%9F%A6%80",
];

/// What was sent and what was wrong about the answers.
#[derive(Default)]
struct Found {
    sent: usize,
    statuses: BTreeMap<u16, usize>,
    wrong: Vec<String>,
}

impl Stage {
    async fn throw(&self, found: &mut Found, method: &str, path: &str, body: Option<Vec<u8>>) {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.world.http.request(method.clone(), format!("{}{path}", self.world.base));
        let mut request = request.bearer_auth(&self.world.key);
        if let Some(body) = &body {
            request = request.header("content-type", "application/json").body(body.clone());
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let kind =
            headers.get("content-type").map(|kind| kind.to_str().unwrap().to_owned()).unwrap_or_default();
        // An answer that is streamed has no end worth waiting for.
        let body = body.map(|body| String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned());
        let sent = format!("{method} {path:.200} {body:?}");
        found.sent += 1;
        *found.statuses.entry(status.as_u16()).or_default() += 1;
        if status.is_success() {
            return;
        }
        let problem: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default();
        let whole = ["type", "title", "detail", "request_id"].iter().all(|name| problem[name].is_string());
        if status.is_server_error()
            || kind != "application/problem+json"
            || !whole
            || problem["status"] != status.as_u16()
        {
            found.wrong.push(format!("{sent}: {status} {kind} {problem}"));
        }
    }

    /// The route's path with what the world has, in which `misfit` stands for the last parameter.
    fn path(&self, pattern: &str, misfit: Option<&str>) -> String {
        let names = [
            ("project_id", "project"),
            ("integration_id", "integration"),
            ("incident_id", "incident"),
            ("user_id", "user"),
        ];
        let mut path = pattern.to_owned();
        if let (Some(misfit), Some(at)) = (misfit, path.rfind('{')) {
            let end = at + path[at..].find('}').unwrap() + 1;
            path.replace_range(at..end, misfit);
        }
        for (name, known) in names {
            path = path.replace(&format!("{{{name}}}"), &self.names[known]);
        }
        let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
        for part in parts.iter_mut().filter(|part| part.starts_with('{')) {
            *part = uuid::Uuid::now_v7().to_string();
        }
        parts.join("/")
    }
}

/// Every place in a body, as a JSON pointer.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    if !at.is_empty() {
        found.push(at.to_owned());
    }
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                places(value, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                places(item, &format!("{at}/{n}"), found);
            }
        }
        _ => {}
    }
}

/// A body that passes, whatever comes of it.
fn good(document: &Value, method: &str, path: &str) -> Option<Value> {
    body(document, method, path, &mut |path, longest| match path.rsplit('.').next().unwrap() {
        "email" => json!("someone@shop.example"),
        "project_id" | "into" | "assigned_to" => json!(uuid::Uuid::now_v7()),
        "expires_at" => Value::Null,
        "timestamp" => json!("2026-01-24T12:00:00Z"),
        "url" => json!("http://93.184.216.34:9090/"),
        "auth" => json!({"type": "bearer", "token": "t"}),
        _ => Value::String("words".chars().take(longest).collect()),
    })
}

#[tokio::test]
async fn no_field_of_a_body_makes_us_fail() {
    let stage = Stage::new().await;
    let (document, misfits, mut found) = (document(), misfits(), Found::default());
    // What senders post is described as an object that may hold anything.
    let ours = TABLE.iter().filter(|row| row.path.starts_with("/api/v1/"));
    for row in ours.filter(|row| ["POST", "PATCH"].contains(&row.method)) {
        let Some(good) = good(&document, row.method, row.path) else { continue };
        let path = stage.path(row.path, None);
        for whole in BODIES {
            stage.throw(&mut found, row.method, &path, Some(whole.to_vec())).await;
        }
        let mut more = good.clone();
        more["zz_unknown"] = json!({"a": [1]});
        stage.throw(&mut found, row.method, &path, Some(more.to_string().into_bytes())).await;
        let mut everywhere = Vec::new();
        places(&good, "", &mut everywhere);
        for place in everywhere {
            for misfit in &misfits {
                let mut body = good.clone();
                *body.pointer_mut(&place).unwrap() = json!("zz-misfit-zz");
                let text = body.to_string().replace("\"zz-misfit-zz\"", misfit);
                stage.throw(&mut found, row.method, &path, Some(text.into_bytes())).await;
            }
        }
    }
    let Found { sent, statuses, wrong } = found;
    assert!(wrong.is_empty(), "{} of {sent} answers are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(sent > 1_500 && statuses.contains_key(&422), "{sent}: {statuses:?}");
    stage.world.end().await;
}

#[tokio::test]
async fn no_parameter_makes_us_fail() {
    let stage = Stage::new().await;
    let (document, mut found) = (document(), Found::default());
    for row in TABLE.iter().filter(|row| row.path.starts_with("/api/v1/")) {
        let operation = &document["paths"][row.path][row.method.to_lowercase()];
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let body = good(&document, row.method, row.path).map(|body| body.to_string().into_bytes());
        if row.path.contains('{') {
            let long = "a".repeat(4_000);
            for misfit in PARAMETERS.into_iter().skip(1).chain([long.as_str()]) {
                let path = stage.path(row.path, Some(misfit));
                stage.throw(&mut found, row.method, &path, body.clone()).await;
            }
        }
        // What is deleted is not there to be asked about.
        if row.method == "DELETE" {
            continue;
        }
        for parameter in parameters.iter().filter(|parameter| parameter["in"] == "query") {
            let (name, path) = (parameter["name"].as_str().unwrap(), stage.path(row.path, None));
            for misfit in PARAMETERS {
                for query in [
                    format!("{name}={misfit}"),
                    format!("{name}={misfit}&{name}={misfit}"),
                    format!("{name}[]={misfit}"),
                ] {
                    stage.throw(&mut found, row.method, &format!("{path}?{query}"), body.clone()).await;
                }
            }
        }
    }
    let Found { sent, statuses, wrong } = found;
    assert!(wrong.is_empty(), "{} of {sent} answers are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(sent > 1_500 && statuses.contains_key(&422), "{sent}: {statuses:?}");
    stage.world.end().await;
}
