//! What is sent to a collector of traces, and what becomes of the product when there is something wrong with it.

mod collector;

use std::net::TcpListener;
use std::process::Stdio;
use std::time::{Duration, Instant};

use bench::faults::model_server::ModelServer;
use opentelemetry_proto::tonic::trace::v1::Span;
use outbox::Clock;
use serde_json::json;

use crate::process::Process;
use crate::world::{Home, alert, alertmanager, client, first_owner, read, text};
use collector::{Collector, told};

const LIMITLESS: (&str, &str) = ("SRE_COPILOT_API_REQUESTS_PER_MINUTE", "0");

/// The variables of a process whose spans go to a collector at `endpoint`.
fn sending<'a>(endpoint: &'a str, name: &'a str) -> Vec<(&'a str, &'a str)> {
    let sends = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("OTEL_SERVICE_NAME", name)];
    [LIMITLESS].into_iter().chain(sends).collect()
}

fn is(span: &Span, key: &str, value: &str) -> bool {
    told(&span.attributes, key).as_deref() == Some(value)
}

#[tokio::test]
async fn a_webhook_through_gateway_and_service_is_one_trace_and_tells_no_secret() {
    let home = Home::new().await;
    let collector = Collector::start().await;
    // Nothing is sent before they are asked to stop.
    let late = ("OTEL_BSP_SCHEDULE_DELAY", "600000");
    let header = ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=opens%20it");
    let mut variables = sending(&collector.url, "behind");
    variables.extend([late, header, ("SRE_COPILOT_TRUSTED_PROXIES", "127.0.0.0/8")]);
    let mut service = Process::start_part(&home, "integration", &variables, Stdio::inherit()).await;
    let url = service.base.clone();
    let mut variables = sending(&collector.url, "door");
    variables.extend([late, header, ("SRE_COPILOT_INTEGRATION_URL", url.as_str())]);
    let services = "gateway,auth,incident,ai,websocket";
    let mut gateway = Process::start_part(&home, services, &variables, Stdio::inherit()).await;
    let (http, base) = (client(), gateway.base.as_str());
    let (_, project, key) = first_owner(&http, base).await;
    let token = alertmanager(&http, base, &project, &key).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let firing = alert("Down", "checkout", "firing", Clock::System.now(), None);
    let sent =
        http.post(format!("{base}/webhooks/alertmanager?token=hidden")).bearer_auth(&token).json(&firing);
    let sent = sent.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    let answer = read(sent.send().await.unwrap()).await;
    let id = answer.headers["x-request-id"].to_str().unwrap().to_owned();
    answer.expect(200);
    assert_eq!(collector.spans().len(), 0);
    assert!(gateway.terminate().await.success());
    assert!(service.terminate().await.success());
    let spans = collector.spans();
    let ours = |service: &str, name: &str| {
        let found = spans.iter().filter(|(of, span)| of == service && span.name == name);
        let found: Vec<&Span> =
            found.map(|(_, span)| span).filter(|span| hex(&span.trace_id) == trace).collect();
        let names = || spans.iter().map(|(of, span)| format!("{of}: {}", span.name)).collect::<Vec<_>>();
        assert_eq!(found.len(), 1, "{service}: {name} of {:?}", names());
        found[0].clone()
    };
    let door = ours("door", "POST /webhooks/{*path}");
    let call = ours("door", "POST integration");
    let behind = ours("behind", "POST /webhooks/alertmanager");
    let commit = ours("behind", "webhook commit");
    assert_eq!(hex(&door.parent_span_id), "00f067aa0ba902b7");
    assert_eq!((&call.parent_span_id, &behind.parent_span_id), (&door.span_id, &call.span_id));
    assert_eq!(commit.parent_span_id, behind.span_id);
    // 2 is SERVER and 3 is CLIENT.
    assert_eq!((door.kind, call.kind, behind.kind), (2, 3, 2));
    for span in [&door, &behind] {
        assert!(is(span, "http.request.method", "POST") && is(span, "http.response.status_code", "200"));
        assert!(is(span, "request_id", &id), "{span:?}");
    }
    assert!(
        is(&call, "service.peer.name", "integration")
            && url.ends_with(&told(&call.attributes, "server.address").unwrap())
    );
    for secret in [token.as_str(), key.as_str(), "hidden", "checkout", crate::world::PASSWORD] {
        assert!(!collector.was_told(secret), "{secret} was told");
    }
    let seen = collector.headers();
    assert!(seen.iter().all(|headers| headers["api-key"] == "opens it"), "{seen:?}");
}

#[tokio::test]
async fn an_analysis_is_a_trace_of_its_queries_its_ranking_and_its_model() {
    let home = Home::new().await;
    let collector = Collector::start().await;
    let model = ModelServer::start(home.folder.path()).await.unwrap();
    let endpoint = model.url();
    let mut variables = sending(&collector.url, "all");
    variables.extend([("OPENAI_API_KEY", "opens nothing"), ("OPENAI_BASE_URL", endpoint.as_str())]);
    variables.push(("OTEL_BSP_SCHEDULE_DELAY", "50"));
    let process = Process::start_with(&home, &variables).await;
    let (http, base) = (client(), process.base.as_str());
    let (_, project, key) = first_owner(&http, base).await;
    let path = format!("{base}/api/v1/projects/{project}/integrations");
    // It is none, and is asked nevertheless.
    let source = json!({"kind": "prometheus", "name": "p", "url": collector.url});
    read(http.post(path).bearer_auth(&key).json(&source).send().await.unwrap()).await.expect(201);
    let token = alertmanager(&http, base, &project, &key).await;
    // The model knows services by such names.
    let service = format!("{}-0", bench::faults::load::request_id(7));
    let change = json!({"service_name": service, "summary": "a new version", "kind": "deploy"});
    let sent = http.post(format!("{base}/api/v1/changes")).bearer_auth(&key).json(&change);
    read(sent.send().await.unwrap()).await.expect(201);
    let firing = alert("Down", &service, "firing", Clock::System.now(), None);
    let sent = http.post(format!("{base}/webhooks/alertmanager")).bearer_auth(&token).json(&firing);
    let answer = read(sent.send().await.unwrap()).await.expect(200);
    let incident = text(&answer["results"][0]["incident_id"]);
    let analysis = collector.span(|_, span| span.name == "analysis").await;
    assert!(is(&analysis, "incident", &incident) && told(&analysis.attributes, "outcome").is_some());
    let spans = collector.spans();
    let of = |name: &str| {
        let found = spans.iter().map(|(_, span)| span).find(|span| span.name == name);
        let names = || spans.iter().map(|(_, span)| span.name.clone()).collect::<Vec<_>>();
        found.unwrap_or_else(|| panic!("no {name} in {:?}", names()))
    };
    let (gathering, query, chat) = (of("gather evidence"), of("prometheus query"), of("chat gpt-4o-mini"));
    for child in [gathering, of("rank causes"), chat] {
        assert_eq!(child.parent_span_id, analysis.span_id, "{}", child.name);
    }
    assert_eq!(query.parent_span_id, gathering.span_id);
    assert!(
        is(query, "error.type", "not-prometheus") && is(query, "http.response.status_code", "404"),
        "{query:?}"
    );
    for (key, value) in [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "openai"),
        ("gen_ai.request.model", "gpt-4o-mini"),
        ("gen_ai.usage.input_tokens", "1001"),
    ] {
        assert!(is(chat, key, value), "{key}: {chat:?}");
    }
    assert!(!collector.was_told("a new version"), "what the model is told was told");
}

#[tokio::test]
async fn a_collector_that_is_away_or_hangs_is_said_once_and_slows_nothing() {
    // Nobody accepts what the system connects.
    let hangs = TcpListener::bind("127.0.0.1:0").unwrap();
    let away = bench::faults::replica::free_ports(1).unwrap()[0];
    for port in [away, hangs.local_addr().unwrap().port()] {
        let home = Home::new().await;
        let log = home.folder.path().join("log");
        let endpoint = format!("http://someone:a-secret@127.0.0.1:{port}");
        let mut variables = sending(&endpoint, "all");
        variables.extend([("OTEL_BSP_SCHEDULE_DELAY", "10"), ("OTEL_BSP_MAX_QUEUE_SIZE", "16")]);
        variables.extend([("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "16"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "1000")]);
        let sink = std::fs::File::create(&log).unwrap();
        let mut process = Process::start_part(&home, "", &variables, sink.into()).await;
        let (http, begun) = (client(), Instant::now());
        let mut asked = 0;
        // Longer than one request to the collector may take.
        while begun.elapsed() < Duration::from_millis(2500) {
            let answer = http.get(format!("{}/-/healthy", process.base));
            let answer = answer.timeout(Duration::from_millis(500)).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            asked += 1;
        }
        assert!(asked > 200, "only {asked} answers");
        let stopping = Instant::now();
        assert!(process.terminate().await.success());
        assert!(stopping.elapsed() < Duration::from_secs(8), "it took {:?} to stop", stopping.elapsed());
        let log = std::fs::read_to_string(&log).unwrap();
        assert_eq!(log.matches("traces could not be delivered").count(), 1, "{log}");
        assert!(log.contains(&format!("127.0.0.1:{port}")) && !log.contains("a-secret"), "{log}");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
