//! A request is followed from process to process, and in what each of them says of it.

use std::fs::File;
use std::process::Stdio;

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Connection as _;
use uuid::Uuid;

use crate::process::Process;
use crate::world::{Answer, Home, World, client, first_owner, read, text};

/// The log of a process, in a file of its home.
struct Log(std::path::PathBuf);

impl Log {
    fn new(home: &Home, name: &str) -> Self {
        Self(home.folder.path().join(name))
    }

    fn sink(&self) -> Stdio {
        File::create(&self.0).unwrap().into()
    }

    /// The lines, as they were logged in JSON, whose message is `message`.
    fn told(&self, message: &str) -> Vec<Value> {
        let log = std::fs::read_to_string(&self.0).unwrap();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["fields"]["message"] == message).collect()
    }
}

fn id(answer: &Answer) -> String {
    answer.headers["x-request-id"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_request_keeps_its_id_through_all_hops_and_a_stranger_gives_none() {
    let home = Home::new().await;
    let (door, behind) = (Log::new(&home, "door.log"), Log::new(&home, "behind.log"));
    let debug = ("SRE_COPILOT_LOG_LEVEL", "debug");
    let trusting = [debug, ("SRE_COPILOT_TRUSTED_PROXIES", "127.0.0.0/8")];
    let service = Process::start_part(&home, "integration", &trusting, behind.sink()).await;
    let apart = [trusting[0], trusting[1], ("SRE_COPILOT_INTEGRATION_URL", service.base.as_str())];
    let gateway = Process::start_part(&home, "gateway,auth,incident,ai,websocket", &apart, door.sink()).await;
    let http = client();
    let made_up = Uuid::new_v4().to_string();
    let sent = http.post(format!("{}/webhooks/grafana", gateway.base)).header("x-request-id", &made_up);
    let answer = read(sent.send().await.unwrap()).await;
    let given = id(&answer);
    assert_ne!(given, made_up, "a stranger's id is not taken");
    assert_eq!(answer.expect(401)["request_id"], given);
    for (log, route) in [(&door, "/webhooks/{*path}"), (&behind, "/webhooks/grafana")] {
        let lines = log.told("request answered");
        let line = lines.iter().find(|line| line["fields"]["request_id"] == given.as_str());
        let fields = &line.unwrap_or_else(|| panic!("{given} is not in {lines:?}"))["fields"];
        assert_eq!((&fields["method"], &fields["route"]), (&"POST".into(), &route.into()));
        assert_eq!(fields["status"], 401);
        assert!(fields["elapsed_ms"].is_f64(), "{fields}");
    }
    // The gateway may have given one; what is no UUID is nobody's.
    for (sent, kept) in [(made_up.as_str(), true), (given.as_str(), true), ("a b", false), ("{}", false)] {
        let request = http.post(format!("{}/webhooks/grafana", service.base)).header("x-request-id", sent);
        let answer = read(request.send().await.unwrap()).await;
        assert_eq!(id(&answer) == sent, kept, "{sent}");
        assert_eq!(id(&answer), text(&answer.expect(401)["request_id"]));
    }
}

#[tokio::test]
async fn a_service_that_is_down_is_named_in_the_log_and_by_readiness() {
    let home = Home::new().await;
    let log = Log::new(&home, "gateway.log");
    // Nobody listens there.
    let nobody = format!("127.0.0.1:{}", bench::faults::replica::free_ports(1).unwrap()[0]);
    let url = format!("http://someone:a-secret@{nobody}");
    let variables =
        [("SRE_COPILOT_INCIDENT_URL", url.as_str()), ("SRE_COPILOT_API_REQUESTS_PER_MINUTE", "0")];
    let services = "gateway,auth,ai,integration,websocket";
    let gateway = Process::start_part(&home, services, &variables, log.sink()).await;
    let http = client();
    let (_, _, key) = first_owner(&http, &gateway.base).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        let asked = http.get(format!("{}/api/v1/incidents", gateway.base)).bearer_auth(&key);
        let answer = read(asked.send().await.unwrap()).await;
        ids.push(id(&answer));
        assert_eq!(answer.expect(503)["request_id"], ids.last().unwrap().as_str());
    }
    let told = log.told("a service does not answer");
    assert_eq!(told.len(), 1, "once in 10 s: {told:?}");
    let fields = &told[0]["fields"];
    assert_eq!((&fields["service"], &fields["address"]), (&"incident".into(), &nobody.as_str().into()));
    assert_eq!(fields["request_id"], ids[0].as_str());
    assert!(!fields.to_string().contains("a-secret"), "{fields}");
    let ready = read(http.get(format!("{}/-/ready", gateway.base)).send().await.unwrap()).await;
    assert_eq!(ready.expect(200), "ready, degraded: these services do not answer: incident\n");
}

#[tokio::test]
async fn a_method_that_is_not_offered_is_told_which_are() {
    let world = World::new().await;
    for (method, path, allowed) in [
        ("DELETE", "/api/v1/incidents", "GET, HEAD, POST"),
        ("TRACE", "/api/v1/incidents", "GET, HEAD, POST"),
        ("FOO", "/webhooks/grafana", "POST, PUT"),
        ("GET", "/webhooks/alertmanager", "POST"),
        ("TRACE", "/", "GET, HEAD"),
        ("POST", "/metrics", "GET, HEAD"),
    ] {
        let answer = world.call(Method::from_bytes(method.as_bytes()).unwrap(), path, None).await;
        let allow = answer.headers.get("allow").map_or("", |allow| allow.to_str().unwrap());
        let mut allow: Vec<String> = allow.split(',').map(|name| name.trim().to_owned()).collect();
        allow.sort();
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{method} {path}");
        assert_eq!(answer.expect(405)["type"], "/problems/method-not-allowed");
        assert_eq!(allow.join(", "), allowed, "{method} {path}");
    }
    for (method, path) in [
        ("GET", "/api"),
        ("GET", "/api/v1/nowhere"),
        ("POST", "/nowhere"),
        ("TRACE", "/nowhere"),
        ("GET", "/-/nowhere"),
        ("GET", "/webhooks/nowhere"),
        ("OPTIONS", "/webhooks"),
    ] {
        let answer = world.call(Method::from_bytes(method.as_bytes()).unwrap(), path, None).await;
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{method} {path}");
        assert_eq!(answer.expect(404)["type"], "/problems/not-found", "{method} {path}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_database_that_refuses_is_logged_with_the_id_that_was_answered() {
    let home = Home::new().await;
    if !home.database.url().is_empty() {
        println!("skipped: it is SQLite's file that is locked");
        return;
    }
    let log = Log::new(&home, "log");
    let process = Process::start_part(&home, "", &[], log.sink()).await;
    let http = client();
    let (_, _, key) = first_owner(&http, &process.base).await;
    let file = home.folder.path().join("data/sre-copilot.db");
    let mut other = sqlx::SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
    sqlx::query("begin immediate").execute(&mut other).await.unwrap();
    let sent = http.post(format!("{}/api/v1/incidents", process.base)).bearer_auth(&key);
    let answer = read(sent.json(&json!({"title": "t"})).send().await.unwrap()).await;
    let given = id(&answer);
    assert_eq!(answer.expect(503)["request_id"], given);
    let messages = ["the database could not do it now", "the database does not answer"];
    let told: Vec<Value> = messages.iter().flat_map(|message| log.told(message)).collect();
    assert!(told.iter().any(|line| line["fields"]["request_id"] == given.as_str()), "{given}: {told:?}");
}
