//! What an operator sees of the product: its metrics, what is written about them, and its log.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use copilot::incident::intake::Outcome;
use copilot::metric::{self, Kind, TABLE};
use copilot::server::{self, Start};
use copilot::service::Service;
use metrics_exporter_prometheus::PrometheusBuilder;
use outbox::{Clock, Ts, lease};
use regex::Regex;
use serde_json::Value;

use crate::process::Process;
use crate::world::{Home, NOON, World, alert, alertmanager, client, first_owner, read};

fn repository(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file)).unwrap()
}

async fn scrape(process: &Process) -> String {
    client().get(format!("{}/metrics", process.base)).send().await.unwrap().text().await.unwrap()
}

/// Runs `promtool check metrics`, unless this machine does not have it.
#[expect(clippy::print_stdout, reason = "a skipped check says so")]
fn is_clean(text: &str) {
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return println!("skipped: promtool: {error}"),
    };
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[tokio::test]
async fn metrics_are_explained_and_count_from_the_first() {
    let home = Home::new().await;
    let process = Process::start(&home).await;
    for (series, value) in [
        ("sre_copilot_panics_total", 0.0),
        ("sre_copilot_internal_errors_total", 0.0),
        ("sre_copilot_webhook_refusals_total{status=\"401\"}", 0.0),
        ("sre_copilot_sockets", 0.0),
    ] {
        let text = scrape(&process).await;
        assert!(text.lines().any(|line| line == format!("{series} {value}")), "{series}: {text}");
    }
    let (http, now) = (client(), Ts::from_micros(NOON * 1_000_000));
    let (_, project, key) = first_owner(&http, &process.base).await;
    let token = alertmanager(&http, &process.base, &project, &key).await;
    let url = format!("{}/webhooks/alertmanager", process.base);
    for (token, name, status) in
        [("wrong", "Down", 401), (&token, "Down", 200), (&token, "Down", 200), (&token, "Slow", 200)]
    {
        let body = alert(name, "shop", "firing", now, None);
        let sent = http.post(&url).bearer_auth(token).json(&body).send().await.unwrap();
        read(sent).await.expect(status);
    }
    let of = async |series: &str| process.metric(series).await;
    assert_eq!(of("sre_copilot_webhook_refusals_total{status=\"401\"}").await, 1.0);
    assert_eq!(of("sre_copilot_alerts_total{outcome=\"opened\"}").await, 2.0);
    assert_eq!(of("sre_copilot_alerts_total{outcome=\"repeated\"}").await, 1.0);
    for (series, least) in [
        ("sre_copilot_webhook_last_accepted_timestamp_seconds", 1.7e9),
        ("process_resident_memory_bytes", 1e6),
        ("process_open_fds", 3.0),
        ("process_start_time_seconds", 1.7e9),
        ("sre_copilot_database_begin_duration_seconds_count", 3.0),
        (
            "sre_copilot_http_request_duration_seconds_bucket{method=\"POST\",route=\"/webhooks/alertmanager\",status=\"200\",le=\"60\"}",
            3.0,
        ),
    ] {
        assert!(of(series).await >= least, "{series}: {}", scrape(&process).await);
    }
    let text = scrape(&process).await;
    let info = text.lines().find(|line| line.starts_with("sre_copilot_build_info{")).unwrap();
    let database = if home.database.url().is_empty() { "sqlite" } else { "postgresql" };
    for label in [format!("database=\"{database}\""), "services=\"gateway,auth,incident".to_owned()] {
        assert!(info.contains(&label), "{info}");
    }
    let pool = if database == "sqlite" { "writer" } else { "postgresql" };
    assert!(of(&format!("sre_copilot_database_connections_max{{pool=\"{pool}\"}}")).await >= 1.0, "{text}");
    is_clean(&text);
}

#[test]
fn the_table_knows_the_words_of_the_code() {
    let words = |name: &str, label: &str| -> BTreeSet<&str> {
        let metric = TABLE.iter().find(|metric| metric.name == name).unwrap();
        metric.labels.iter().find(|(name, _)| *name == label).unwrap().1.iter().copied().collect()
    };
    let outcomes = Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect();
    assert_eq!(words("sre_copilot_alerts_total", "outcome"), outcomes);
    let elsewhere = Service::ALL.into_iter().filter(|service| *service != Service::Gateway);
    assert_eq!(
        words("sre_copilot_gateway_failures_total", "service"),
        elsewhere.map(Service::name).collect()
    );
    let calls = words("sre_copilot_model_calls_total", "outcome");
    let failures = [
        llm::Failure::Config { status: 401 },
        llm::Failure::Quota,
        llm::Failure::RateLimited { retry_after: None },
        llm::Failure::ContentFilter { usage: None },
        llm::Failure::Refused { usage: None },
        llm::Failure::Truncated { usage: None },
        llm::Failure::bad_output(llm::BadOutput::Shape, None),
        llm::Failure::TooLarge { status: None },
        llm::Failure::Timeout,
        llm::Failure::Lost,
        llm::Failure::Unavailable { status: None },
    ];
    for failure in failures {
        assert!(calls.contains(failure.slug()), "{failure}");
    }
}

#[test]
fn no_label_names_a_tenant() {
    for metric in TABLE {
        for (label, _) in metric.labels {
            let about = ["tenant", "project", "organisation", "integration", "user", "incident"];
            assert!(!about.contains(label), "{} has {label}", metric.name);
        }
    }
}

#[test]
fn the_reference_says_what_the_table_says() {
    let (page, written) = (metric::page(), repository("docs/metrics.md"));
    if page != written {
        let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("metrics.md");
        std::fs::write(&fresh, page).unwrap();
        panic!("docs/metrics.md is stale: cp {} docs/metrics.md", fresh.display());
    }
}

/// The names of metrics in `text`, without what a histogram adds to its own.
fn named(text: &str) -> BTreeSet<String> {
    let name = Regex::new(r"\b(?:sre_copilot|process)_[a-z_]+\b").unwrap();
    let histograms = |name: &str| {
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end))?;
        let mut table = TABLE.iter();
        table.any(|one| one.name == base && matches!(one.kind, Kind::Histogram(_))).then(|| base.to_owned())
    };
    let found = name.find_iter(text).map(|name| name.as_str());
    found.map(|name| histograms(name).unwrap_or_else(|| name.to_owned())).collect()
}

#[test]
fn rules_and_dashboard_ask_for_metrics_that_exist() {
    let known: BTreeSet<String> = TABLE.iter().map(|metric| metric.name.to_owned()).collect();
    for file in
        ["deploy/prometheus/rules.yml", "deploy/prometheus/rules.test.yml", "deploy/grafana/sre-copilot.json"]
    {
        let named = named(&repository(file));
        let unknown: Vec<_> = named.difference(&known).collect();
        assert!(unknown.is_empty() && named.len() > 15, "{file} names {unknown:?}");
    }
    let board: Value = serde_json::from_str(&repository("deploy/grafana/sre-copilot.json")).unwrap();
    let panels = board["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_i64()).collect();
    assert!(panels.len() > 10 && ids.len() == panels.len());
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        assert!(panel["targets"].as_array().is_some_and(|targets| !targets.is_empty()), "{panel}");
    }
}

#[test]
fn every_rule_says_what_to_do_and_is_tested() {
    let (rules, tests) =
        (repository("deploy/prometheus/rules.yml"), repository("deploy/prometheus/rules.test.yml"));
    let rules: BTreeMap<&str, &str> =
        rules.split("- alert: ").skip(1).map(|rule| rule.split_once('\n').unwrap()).collect();
    assert!(rules.len() > 20);
    for (name, rule) in rules {
        for part in ["summary: ", "description: ", "severity: "] {
            assert!(rule.contains(part), "{name} has no {part}");
        }
        assert!(tests.contains(&format!("alertname=\"{name}\"")), "{name} has no test");
    }
}

#[tokio::test]
async fn what_waits_in_a_queue_is_counted() {
    let world = World::new().await;
    let hook = world.integration("alertmanager", serde_json::json!({})).await;
    hook.send_json(&alert("Down", "shop", "firing", world.clock.now(), None)).await.expect(200);
    world.settle().await;
    let db = &world.server.app.db;
    assert_eq!(lease::waits(db, "made up").await.unwrap(), lease::Waits::default());
    let mut tx = db.begin(world.tenant.parse().unwrap()).await.unwrap();
    for (key, in_s) in [("a", -30), ("b", -10), ("c", 10)] {
        let job = outbox::NewJob {
            owner: world.tenant.parse().unwrap(),
            queue: "made up",
            key: key.to_owned(),
            payload: Value::Null,
            run_at: world.clock.now().plus_seconds(in_s),
        };
        lease::enqueue(&mut tx, job).await.unwrap();
    }
    tx.commit().await.unwrap();
    let waits = lease::waits(db, "made up").await.unwrap();
    assert_eq!(waits, lease::Waits { jobs: 2, oldest_s: 30.0 });
    lease::claim(db, "made up", 20).await.unwrap().unwrap();
    let waits = lease::waits(db, "made up").await.unwrap();
    assert_eq!(waits, lease::Waits { jobs: 1, oldest_s: 10.0 });
    world.end().await;
}

#[tokio::test]
async fn a_log_in_a_file_is_plain_and_says_what_started() {
    let home = Home::new().await;
    let path = home.folder.path().join("log");
    let log = std::fs::File::create(&path).unwrap();
    let variables = [
        ("SRE_COPILOT_LOG_FORMAT", "text"),
        ("SRE_COPILOT_LOG_LEVEL", "info"),
        ("OPENAI_API_KEY", "sk-not-for-the-log"),
        ("OPENAI_BASE_URL", "http://127.0.0.1:9/v1"),
        ("REDIS_URL", "redis://:not-for-the-log@127.0.0.1:9"),
    ];
    let _process = Process::start_logging(&home, &variables, Stdio::from(log)).await;
    let (begun, mut ticks) = (Instant::now(), tokio::time::interval(Duration::from_millis(50)));
    let text = loop {
        ticks.tick().await;
        let text = std::fs::read_to_string(&path).unwrap();
        if text.contains("is ready") {
            break text;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{text}");
    };
    assert!(!text.contains('\u{1b}'), "{text}");
    assert!(!text.contains("not-for-the-log"), "{text}");
    let database = if home.database.url().is_empty() { "sqlite" } else { "postgresql" };
    let folder = home.folder.path().join("data").display().to_string();
    for said in
        [env!("CARGO_PKG_VERSION"), database, &folder, "redis=\"yes\"", "at 127.0.0.1 (OpenAI protocol)"]
    {
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[tokio::test]
async fn a_service_that_the_gateway_does_not_reach_is_counted() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _here = metrics::set_default_local_recorder(&recorder);
    let home = Home::new().await;
    let mut config = home.config();
    config.incident_url = "http://127.0.0.1:9".to_owned();
    let services = vec![Service::Gateway];
    let start = Start { config, services, clock: Clock::System, metrics: None, model: None };
    let server = server::start(start).await.unwrap();
    let answer = client().get(format!("{}/api/v1/incidents", server.url())).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    let text = recorder.handle().render();
    assert!(text.contains("sre_copilot_gateway_failures_total{service=\"incident\"} 1"), "{text}");
    server.stop().await;
}
