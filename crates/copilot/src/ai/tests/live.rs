//! A real Prometheus, when one is installed: an hour of a small shop in which a database becomes saturated.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use llm::Failure;
use outbox::Ts;
use serde_json::json;
use tokio::process::{Child, Command};

use super::questions::{ask, says};
use super::world::World;
use crate::ai::analysis::{AnalysisStatus, EvidenceKind, EvidenceRole};
use crate::ids::IncidentId;

/// When the history ends, in Unix seconds; Prometheus accepts blocks of any past.
const END: f64 = 1_769_256_000.0;

/// When the fault begins.
const FAULT: f64 = END - 90.0;

/// Seconds between two samples.
const STEP: f64 = 5.0;

/// Callers first: each calls the next, so that what breaks at the end is felt at the front.
const CHAIN: [&str; 4] = ["storefront", "checkout", "orders", "orders-db"];

struct Server {
    child: Child,
    url: String,
    _folder: tempfile::TempDir,
}

/// A noise that is the same every time, from -1 to 1.
fn noise(seed: f64) -> f64 {
    let x = (seed * 12.9898).sin() * 43_758.547;
    2.0 * (x - x.floor()) - 1.0
}

/// An hour of history in OpenMetrics; with `fault`, `orders-db` runs out of connections at its end.
fn history(fault: bool) -> String {
    let mut out = String::new();
    let rows: Vec<f64> = (0..=720).map(|row| END - 3600.0 + f64::from(row) * STEP).collect();
    let ill = |at: f64| fault && at >= FAULT;
    out.push_str("# TYPE http_requests counter\n");
    for (i, service) in CHAIN.iter().enumerate() {
        for code in ["200", "500"] {
            let mut total = 0.0;
            for at in &rows {
                let sent = 50.0 * STEP * (1.0 + 0.05 * noise(at + i as f64));
                let failing = if ill(*at) { 0.14 } else { 0.002 * (1.0 + 0.3 * noise(at * 0.7 + i as f64)) };
                total += sent * if code == "500" { failing } else { 1.0 - failing };
                let _ = writeln!(
                    out,
                    "http_requests_total{{service=\"{service}\",code=\"{code}\"}} {total} {at}"
                );
            }
        }
    }
    out.push_str("# TYPE rpc_client_duration_seconds summary\n");
    for pair in CHAIN.windows(2) {
        let labels = format!("client=\"{}\",server=\"{}\",service=\"{}\"", pair[0], pair[1], pair[0]);
        for suffix in ["count", "sum"] {
            let (mut count, mut sum) = (0.0, 0.0);
            for at in &rows {
                count += 50.0 * STEP;
                sum += 50.0 * STEP * if ill(*at) { 0.9 } else { 0.02 } * (1.0 + 0.1 * noise(at * 1.3));
                let value = if suffix == "count" { count } else { sum };
                let _ = writeln!(out, "rpc_client_duration_seconds_{suffix}{{{labels}}} {value} {at}");
            }
        }
    }
    out.push_str("# TYPE process_cpu_seconds counter\n");
    let mut cpu = 0.0;
    for at in &rows {
        cpu += STEP * if ill(*at) { 0.063 } else { 0.0615 } * (1.0 + 0.005 * noise(*at));
        let _ = writeln!(out, "process_cpu_seconds_total{{service=\"orders-db\"}} {cpu} {at}");
    }
    out.push_str("# TYPE db_pool_connections_in_use gauge\n");
    for at in &rows {
        let used = if ill(*at) { 39.0 + 0.5 * noise(*at) } else { 16.0 + 2.0 * noise(*at) };
        let _ = writeln!(out, "db_pool_connections_in_use{{service=\"orders-db\"}} {used} {at}");
    }
    out.push_str("# TYPE db_pool_connections_max gauge\n");
    for at in &rows {
        let _ = writeln!(out, "db_pool_connections_max{{service=\"orders-db\"}} 40 {at}");
    }
    out.push_str("# TYPE shop_build info\n");
    for at in &rows {
        let version = if *at < END - 1500.0 { "v1.0" } else { "v1.1" };
        let _ = writeln!(out, "shop_build_info{{service=\"storefront\",version=\"{version}\"}} 1 {at}");
    }
    // Samples of one series must stand together.
    let mut lines: Vec<&str> = out.lines().collect();
    let split = lines.iter().position(|line| line.contains("shop_build info")).unwrap() + 1;
    lines[split..].sort_by_key(|line| line.contains("v1.1"));
    lines.join("\n") + "\n# EOF\n"
}

impl Server {
    /// Starts one over an hour of history, or says that none is installed.
    async fn start(fault: bool) -> Option<Self> {
        let bin = |name: &str| {
            [PathBuf::from("/usr/bin").join(name), PathBuf::from("/usr/local/bin").join(name)]
                .into_iter()
                .find(|path| path.exists())
        };
        let (Some(prometheus), Some(promtool)) = (bin("prometheus"), bin("promtool")) else {
            println!("skipped: no prometheus and promtool are installed");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("history.txt"), history(fault)).unwrap();
        std::fs::write(path("prometheus.yml"), "global: { scrape_interval: 5s }\n").unwrap();
        let made = Command::new(promtool)
            .args(["tsdb", "create-blocks-from", "openmetrics"])
            .args([path("history.txt"), path("data")])
            .output()
            .await
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = serve(&prometheus, folder.path(), port);
        let server = Self { child, url: format!("http://127.0.0.1:{port}"), _folder: folder };
        server.ready().await;
        Some(server)
    }

    async fn ready(&self) {
        let address = self.url.trim_start_matches("http://").to_owned();
        let started = Instant::now();
        let mut tick = tokio::time::interval(Duration::from_millis(100));
        loop {
            tick.tick().await;
            if tokio::net::TcpStream::connect(&address).await.is_ok() {
                let door =
                    crate::outbound::Outbound::from_config(&crate::config::Config::defaults().unwrap())
                        .unwrap();
                let target = door.open(&self.url, None).await.unwrap();
                if target.get("-/ready", &[], 1000).await.is_ok_and(|answer| answer.status == 200) {
                    return;
                }
            }
            assert!(started.elapsed() < Duration::from_secs(60), "prometheus did not start");
        }
    }
}

fn serve(prometheus: &Path, folder: &Path, port: u16) -> Child {
    Command::new(prometheus)
        .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
        .arg("--storage.tsdb.retention.time=100y")
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

async fn world(server: &Server, expression: &str) -> World {
    let world = World::at(Ts::from_micros((END * 1e6) as i64).plus_seconds(-30), None).await;
    world.clock.advance(30.0);
    world.alert(world.incident, "HighErrorRate", expression).await;
    world.prometheus(&server.url).await;
    world
}

/// More than one request in twenty fails.
const FAILING: &str = "sum by (service) (rate(http_requests_total{code=\"500\"}[20s])) \
                       / sum by (service) (rate(http_requests_total[20s])) > 0.05";

#[tokio::test]
async fn a_change_long_before_is_not_named_for_it() {
    let Some(mut server) = Server::start(true).await else { return };
    let world = world(&server, FAILING).await;
    world.change("orders-db", "v9", 40 * 60).await;
    let first = &world.analyse(false).await.items[0];
    assert!(first.claim.starts_with("orders-db is saturated: db pool connections in use 9"), "{first:#?}");
    let second = World::at(Ts::from_micros((END * 1e6) as i64).plus_seconds(-30), None).await;
    second.clock.advance(30.0);
    second.alert(second.incident, "HighErrorRate", FAILING).await;
    for url in ["http://127.0.0.1:1", &server.url] {
        second.prometheus(url).await;
    }
    let found = second.analyse(false).await;
    assert_eq!(found.items[0].claim, first.claim, "the one that answers is asked: {:?}", found.analysis);
    assert!(first.next_checks.iter().all(|check| !check.contains("v9")), "{first:#?}");
    server.child.kill().await.unwrap();
}

#[tokio::test]
async fn a_question_is_looked_up_in_the_prometheus_that_answers() {
    let Some(mut server) = Server::start(true).await else { return };
    let world = World::at(Ts::from_micros((END * 1e6) as i64), Some(5_000_000)).await;
    for url in ["http://127.0.0.1:1", &server.url] {
        world.prometheus(url).await;
    }
    world.script.then(Err(Failure::Config { status: 401 }));
    world.analyse(false).await;
    let wish = json!({"promql": "max(db_pool_connections_in_use)", "why": "to see"});
    world.script.then(says(json!({"answer": "", "cites": [], "enough": false, "queries": [wish]})));
    world.script.then(says(json!({"answer": "", "cites": [], "enough": false})));
    let found = &ask(&world, "Is the pool full?").await.evidence;
    assert!(found.iter().any(|fact| fact.value.is_some_and(|value| value > 30.0)), "{found:#?}");
    server.child.kill().await.unwrap();
}

#[tokio::test]
async fn a_saturated_database_is_found_behind_its_callers() {
    let Some(mut server) = Server::start(true).await else { return };
    let world = world(&server, FAILING).await;
    let answer = world.analyse(false).await;
    let analysis = answer.analysis.unwrap();
    let evidence = world.evidence().await;
    let told = format!(
        "{:#?}\n{:#?}\n{:#?}",
        analysis,
        answer.items,
        evidence.iter().map(|row| &row.summary).collect::<Vec<_>>()
    );
    assert_eq!(analysis.status, AnalysisStatus::Completed, "{told}");
    let first = &answer.items[0];
    assert_eq!(first.suspected_service.as_deref(), Some("orders-db"), "{told}");
    assert!(first.claim.starts_with("orders-db is saturated: db pool connections in use 9"), "{told}");
    assert!(first.claim.ends_with("checkout depends on it and suffers"), "{told}");
    assert!(analysis.onset_at.is_some_and(|at| (at.unix_seconds() - FAULT).abs() <= 30.0), "{told}");
    let symptoms = evidence.iter().filter(|row| row.role == EvidenceRole::Symptom);
    let symptom = symptoms.max_by_key(|row| row.query.as_ref().map(String::len)).unwrap();
    assert_eq!(symptom.threshold, Some(0.05), "{told}");
    assert!((symptom.value.unwrap() - 0.14).abs() < 0.02 && symptom.baseline.unwrap() < 0.005, "{told}");
    let still =
        evidence.iter().find(|row| row.summary.starts_with("Process cpu use of orders-db is")).expect(&told);
    assert!(!first.supporting_evidence.contains(&still.id), "what hardly moved speaks for nothing: {told}");
    let changed = evidence.iter().find(|row| row.kind == EvidenceKind::Change).unwrap();
    assert!(changed.summary.contains("storefront runs version v1.1"), "{told}");
    for row in evidence.iter().filter(|row| row.kind == EvidenceKind::Metric) {
        let series = row.series.as_ref().unwrap();
        assert!(row.query.is_some() && row.url.as_ref().unwrap().starts_with(&server.url), "{row:?}");
        assert!(series.iter().all(|one| (1..=240).contains(&one.points.len())), "{}", row.summary);
    }
    for item in &answer.items {
        let cited = item.supporting_evidence.iter().chain(&item.contradicting_evidence);
        assert!(
            cited.clone().count() > 0 && cited.clone().all(|id| evidence.iter().any(|row| row.id == *id))
        );
        assert!(
            item.confidence_lower <= item.confidence_score && item.confidence_score <= item.confidence_upper
        );
    }
    server.child.kill().await.unwrap();
}

/// More requests a second than there ever were.
const CROWDED: &str = "sum by (service) (rate(http_requests_total[20s])) > 49";

#[tokio::test]
async fn to_look_again_is_no_failure() {
    let Some(mut server) = Server::start(false).await else { return };
    let world = World::at(Ts::from_micros((END * 1e6) as i64), None).await;
    world.alert(world.incident, "Crowded", CROWDED).await;
    world.prometheus(&server.url).await;
    world.ask(false, None).await.unwrap();
    for _ in 0..2 {
        assert!(world.worker().step().await.unwrap());
        assert_eq!(world.read().await.analysis.unwrap().status, AnalysisStatus::Running, "too fresh");
        assert!(!world.worker().step().await.unwrap(), "and looked at later");
        world.clock.advance(10.0);
    }
    outbox::lease::claim(&world.db, "analysis", 20).await.unwrap().expect("a process that dies at once");
    world.clock.advance(21.0);
    assert!(world.worker().step().await.unwrap());
    let analysis = world.read().await.analysis.unwrap();
    assert_eq!(analysis.status, AnalysisStatus::Inconclusive, "one attempt failed, not three: {analysis:?}");
    server.child.kill().await.unwrap();
}

#[tokio::test]
async fn what_broke_elsewhere_is_no_sure_cause_for_a_service_nobody_measures() {
    let Some(mut server) = Server::start(true).await else { return };
    for (expression, sure) in [(FAILING, true), ("backup_age_seconds > 86400", false)] {
        let mut world = world(&server, FAILING).await;
        world.incident = IncidentId::new();
        world.incident(world.incident, 2).await;
        world.alert(world.incident, "BackupTooOld", expression).await;
        world.speaks_of("hr-database").await;
        let first = &world.analyse(false).await.items[0];
        assert_eq!(first.suspected_service.as_deref(), Some("orders-db"));
        assert_eq!(first.confidence_score > 0.5, sure, "{first:#?}");
        assert_eq!(!first.description.contains("these metrics don't know hr-database"), sure, "{first:#?}");
        assert!(first.confidence_upper <= 0.31 || sure, "{first:#?}");
    }
    server.child.kill().await.unwrap();
}

#[tokio::test]
async fn where_nothing_is_wrong_nothing_is_named() {
    let Some(mut server) = Server::start(false).await else { return };
    let world = world(&server, CROWDED).await;
    let answer = world.analyse(false).await;
    let analysis = answer.analysis.unwrap();
    let told = format!("{analysis:#?}\n{:#?}", answer.items);
    assert_eq!((analysis.status, answer.items.len()), (AnalysisStatus::Inconclusive, 0), "{told}");
    assert!(analysis.checked.iter().any(|line| line.contains("queries to Prometheus found")), "{told}");
    let unreachable = World::new(None).await;
    server.child.kill().await.unwrap();
    unreachable.prometheus(&server.url).await;
    let checked = unreachable.analyse(false).await.analysis.unwrap().checked;
    assert!(checked.iter().any(|line| line.contains("can't be reached")), "{checked:?}");
}
