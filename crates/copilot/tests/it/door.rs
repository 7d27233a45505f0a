//! The gateway: services elsewhere, repeated requests, limits, pages.

use std::collections::BTreeSet;

use copilot::server::{self, Start};
use copilot::service::Service;
use futures_util::{SinkExt as _, StreamExt as _};
use outbox::Clock;
use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::browser::Browser;
use crate::process::Process;
use crate::world::{Home, World, client, first_owner, read, text};

const PROJECTS: &str = "/api/v1/projects";

fn slug(body: &Value) -> String {
    text(&body["type"]).trim_start_matches("/problems/").to_owned()
}

#[tokio::test]
async fn a_service_elsewhere_is_reached_through_the_gateway() {
    let home = Home::new().await;
    let start =
        |config, services| Start { config, services, clock: Clock::System, metrics: None, model: None };
    let services =
        vec![Service::Auth, Service::Incident, Service::Ai, Service::Integration, Service::Websocket];
    let behind = server::start(start(home.config(), services)).await.unwrap();
    let mut front = home.config();
    let at = |service: Service| format!("http://{}", behind.addresses[&service]);
    // One replica that nobody listens as, and one that accepts and then says nothing.
    let stalled = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    front.auth_url = format!("http://127.0.0.1:1, {}", at(Service::Auth));
    front.incident_url = format!("http://{},{}", stalled.local_addr().unwrap(), at(Service::Incident));
    front.ai_url = at(Service::Ai);
    front.integration_url = at(Service::Integration);
    front.websocket_url = at(Service::Websocket);
    let gateway = server::start(start(front, vec![Service::Gateway])).await.unwrap();
    let (http, base) = (client(), gateway.url());
    let (_, project, key) = first_owner(&http, &base).await;

    let get = async |path: &str| {
        let request = http.get(format!("{base}{path}")).bearer_auth(&key).header("x-tenant-id", "x");
        read(request.header("connection", "x-secret").header("x-secret", "1").send().await.unwrap()).await
    };
    assert_eq!(get("/api/v1/auth/me").await.expect(200)["project"]["id"], json!(project));
    let created = http.post(format!("{base}{PROJECTS}/{project}/integrations")).bearer_auth(&key);
    let created = created.json(&json!({"kind": "alertmanager", "name": "am"})).send().await.unwrap();
    let token = text(&read(created).await.expect(201)["token"]);

    let mut request = format!("{}/ws", base.replace("http:", "ws:")).into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let hello = socket.next().await.unwrap().unwrap();
    assert!(hello.to_text().unwrap().contains("\"hello\""), "{hello}");

    let body = crate::world::alert("A", "checkout", "firing", Clock::System.now(), None);
    let sent = http
        .post(format!("{base}/webhooks/alertmanager"))
        .bearer_auth(&token)
        .json(&body)
        .send()
        .await
        .unwrap();
    read(sent).await.expect(200);
    let event = loop {
        let message = socket.next().await.unwrap().unwrap();
        if let Message::Text(text) = message {
            break text;
        }
    };
    assert!(event.contains("\"seq\":1"), "{event}");
    socket.send(Message::Close(None)).await.unwrap();
    get("/api/v1/incidents/INC-1").await.expect(200);
    assert_eq!(get("/api/v1/incidents/..").await.status, 404);
    assert_eq!(get("/api/v1/nothing").await.status, 404);
    let stranger = http.get(format!("{base}/api/v1/incidents")).send().await.unwrap();
    assert_eq!(stranger.status(), 401);

    behind.stop().await;
    let gone = get("/api/v1/auth/me").await;
    assert_eq!(gone.headers["retry-after"], "1");
    assert_eq!(slug(&gone.expect(503)), "unavailable");
    let sent = http
        .post(format!("{base}/webhooks/alertmanager"))
        .bearer_auth(&token)
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(sent.status(), 503);
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_with_a_key_is_done_once() {
    let world = World::new().await;
    let browser = Browser::owner(&world).await;
    let keys = format!("{PROJECTS}/{}/api-keys", world.project);
    let post = async |key: &str, name: &str| {
        let headers = [("sec-fetch-site", "same-origin"), ("idempotency-key", key)];
        browser.send(Method::POST, &keys, Some(json!({"name": name, "role": "viewer"})), &headers).await
    };
    let mut secrets = BTreeSet::new();
    for key in ["zero", "half", "one"] {
        let answers = futures_util::future::join_all((0..20).map(|_| post(key, "ci"))).await;
        let given: BTreeSet<String> =
            answers.into_iter().map(|answer| text(&answer.expect(201)["key"])).collect();
        assert_eq!(given.len(), 1, "the answer is given again, secret and all");
        secrets.extend(given);
    }
    let listed = browser.get(&keys).await.expect(200)["items"].as_array().unwrap().len();
    assert_eq!(listed, 4, "the world's own key and these");
    assert_eq!(slug(&post("one", "other").await.expect(422)), "idempotency-conflict");
    post("two", "ci").await.expect(201);
    // A refusal is not kept: the corrected request may use its key again.
    post("three", "").await.expect(422);
    post("three", "ci").await.expect(201);
    for bad in ["", "a b", "é", &"k".repeat(256)] {
        assert_eq!(slug(&post(bad, "ci").await.expect(422)), "validation-failed", "{bad:.10}");
    }
    post(&"k".repeat(255), "ci").await.expect(201);
    // The key is this person's own.
    let body = Some(json!({"name": "ci", "role": "viewer"}));
    let bearer = format!("Bearer {}", world.key);
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", "one")];
    let other = Browser::new(&world).send(Method::POST, &keys, body, &headers).await.expect(201);
    assert!(!secrets.contains(&text(&other["key"])));
    world.clock.advance(0.0);
    world.end().await;
}

#[tokio::test]
async fn a_key_means_another_request_in_another_project() {
    let world = World::new().await;
    let mut browser = Browser::owner(&world).await;
    let headers = [("sec-fetch-site", "same-origin"), ("idempotency-key", "once")];
    let open = async |browser: &Browser| {
        browser.send(Method::POST, "/api/v1/incidents", Some(json!({"title": "slow"})), &headers).await
    };
    let first = open(&browser).await;
    let again = open(&browser).await;
    for name in ["location", "etag"] {
        assert!(first.headers.contains_key(name), "{name}");
        assert_eq!(again.headers.get(name), first.headers.get(name), "{name}");
    }
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.expect(201), first.expect(201));
    let made = browser.page(Method::POST, PROJECTS, Some(json!({"name": "second"}))).await.expect(201);
    browser.visit("/api/v1/auth/switch-project", json!({"project_id": made["id"]})).await.expect(200);
    assert_eq!(slug(&open(&browser).await.expect(422)), "idempotency-conflict");
    assert_eq!(browser.get("/api/v1/incidents").await.expect(200)["items"], json!([]));
    world.end().await;
}

#[tokio::test]
async fn a_credential_does_not_lift_the_limit_of_a_public_route() {
    let change = |config: &mut copilot::config::Config| {
        (config.api_requests_per_minute, config.anonymous_requests_per_minute) = (600, 10);
    };
    let world = World::with(change, copilot::ai::Model::none()).await;
    let body = json!({"email": "ana@shop.example", "password": "a wrong one, and long", "token": "x"});
    let garbage = [("cookie", "a=b"), ("authorization", "Bearer x")];
    let routes = ["auth/login", "auth/link", "auth/invitations/accept", "auth/refresh", "auth/logout"];
    let mut statuses = Vec::new();
    for at in 0..20 {
        let (name, value) = garbage[at % 2];
        let request = world.http.post(format!("{}/api/v1/{}", world.base, routes[at % 5]));
        let answer = request.header(name, value).json(&body).send().await.unwrap();
        statuses.push(answer.status().as_u16());
    }
    // The first owner's registration was one of the ten.
    assert!(statuses[..9].iter().all(|status| *status != 429), "{statuses:?}");
    assert!(statuses[11..].iter().all(|status| *status == 429), "{statuses:?}");
    world.get("/api/v1/auth/me").await;
    world.end().await;
}

#[tokio::test]
async fn requests_are_limited_and_webhooks_are_not() {
    let world = World::with(|config| config.api_requests_per_minute = 5, copilot::ai::Model::none()).await;
    let browser = Browser::owner(&world).await;
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(browser.get("/api/v1/auth/me").await.status.as_u16());
    }
    // Making the world's API key was this person's first request.
    assert_eq!(statuses, [200, 200, 200, 200, 429, 429, 429, 429]);
    let limited = browser.get("/api/v1/auth/me").await;
    assert!(limited.headers.contains_key("retry-after"));
    assert_eq!(slug(&limited.expect(429)), "rate-limited");
    assert_eq!(world.get("/api/v1/auth/me").await["role"], "owner", "a key is counted by itself");
    let stranger = Browser::new(&world);
    let mut last = 0;
    for _ in 0..12 {
        last = stranger.get("/api/v1/auth/me").await.status.as_u16();
    }
    assert_eq!(last, 429);
    for _ in 0..12 {
        let sent = world.http.post(format!("{}/webhooks/alertmanager", world.base)).json(&json!({}));
        assert_eq!(sent.send().await.unwrap().status(), 401);
    }
    world.end().await;
}

#[tokio::test]
async fn the_documentation_is_a_page_and_a_document() {
    let world = World::new().await;
    let stranger = Browser::new(&world);
    let document = stranger.get("/api/v1/openapi.json").await.expect(200);
    assert_eq!(document["openapi"], "3.1.0");
    let mut names = BTreeSet::new();
    let mut count = 0;
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            count += 1;
            names.insert(text(&operation["operationId"]));
            assert!(operation["summary"].is_string() && operation["responses"]["default"].is_object());
        }
    }
    assert_eq!(names.len(), count, "operations have names of their own");
    let page = stranger.get("/docs").await;
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    let page = text(&page.expect(200));
    assert!(page.contains("/api/v1/auth/login") && !page.contains("<script") && !page.contains("<style"));
    stranger.get("/docs/style.css").await.expect(200);
    for path in ["/api/v1/x", "/.git/config", "/.env", "/assets/x.js", "/internal/x", "/metrics/x"] {
        stranger.send(Method::GET, path, None, &[("accept", "text/html")]).await.expect(404);
    }
    world.end().await;
}

/// Whoever makes up methods makes no series of them, which would stay for good.
#[tokio::test]
async fn methods_that_strangers_make_up_are_one_series() {
    let process = Process::start(&Home::new().await).await;
    let http = client();
    for number in 0..20 {
        let method = Method::from_bytes(format!("MADEUP{number}").as_bytes()).unwrap();
        assert_eq!(http.request(method, &process.base).send().await.unwrap().status(), 405);
    }
    let metrics = http.get(format!("{}/metrics", process.base)).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("method=\"other\"") && !metrics.contains("MADEUP"), "{metrics}");
}

/// What a client hears that sends all of its body before it reads anything.
async fn heard(base: &str, head: String, body: usize) -> String {
    use std::io::{Read as _, Write as _};
    let address = base.trim_start_matches("http://").to_owned();
    let talk = move || {
        let mut stream = std::net::TcpStream::connect(address)?;
        stream.write_all(head.as_bytes())?;
        for _ in 0..body / 65_536 {
            stream.write_all(&[b' '; 65_536])?;
        }
        let mut heard = String::new();
        stream.read_to_string(&mut heard).map(|_| heard)
    };
    let heard: std::io::Result<String> = tokio::task::spawn_blocking(talk).await.unwrap();
    heard.unwrap_or_else(|error| error.to_string())
}

#[tokio::test]
async fn who_is_refused_while_it_still_sends_learns_why() {
    let world = World::new().await;
    let hook = world.integration("alertmanager", json!({})).await;
    let post = |more: &str| format!("POST /webhooks/alertmanager HTTP/1.1\r\nhost: h\r\n{more}\r\n");
    let (large, token) = (64 * 1024 * 1024, format!("authorization: Bearer {}\r\n", hook.token));
    let announced = format!("content-length: {large}\r\ncontent-type: application/json\r\n");
    let stranger = heard(&world.base, post(&announced), large).await;
    assert!(stranger.starts_with("HTTP/1.1 401"), "{stranger}");
    let much = heard(&world.base, post(&(token + &announced)), large).await;
    assert!(much.starts_with("HTTP/1.1 413") && much.contains("payload-too-large"), "{much}");
    let unreadable = heard(&world.base, "GET / HTTP/1.1\n".to_owned(), large).await;
    assert!(unreadable.starts_with("HTTP/1.1 400") && unreadable.contains("request_id"), "{unreadable}");
}
