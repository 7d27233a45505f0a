//! The files and the children, with the real programs where they are installed.

use std::process::Command;

use super::*;

fn webhook() -> Webhook {
    Webhook { url: "http://127.0.0.1:1/webhooks/alertmanager".to_owned(), token: "demo-token".to_owned() }
}

/// Runs a checker over the file; says so when it is not installed.
fn check(program: &str, arguments: &[&str], file: &Path) {
    let outcome = match Command::new(program).args(arguments).arg(file).output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            println!("{program} is not installed: {} is not checked by it", file.display());
            return;
        }
        outcome => outcome.unwrap(),
    };
    let said = String::from_utf8_lossy(&outcome.stdout) + String::from_utf8_lossy(&outcome.stderr);
    assert!(outcome.status.success(), "{said}");
}

#[test]
fn the_programs_own_checkers_accept_the_files() {
    let parent = tempfile::tempdir().unwrap();
    let folder = Folder::prepare(Some(&parent.path().join("a \"quoted\" folder"))).unwrap();
    let rules = folder.write("rules/shop.yml", &configuration::rules()).unwrap();
    let probe = folder.write("rules/probe.yml", &configuration::flapping_rule()).unwrap();
    let text = configuration::prometheus("127.0.0.1:1", "127.0.0.1:2");
    let prometheus = folder.write("prometheus.yml", &text).unwrap();
    let token = folder.write("webhook-token", "t").unwrap();
    let text = configuration::alertmanager("http://127.0.0.1:3/a?b=\"c\"", &token.to_string_lossy());
    let alertmanager = folder.write("alertmanager.yml", &text).unwrap();
    check("promtool", &["check", "rules"], &rules);
    check("promtool", &["check", "rules"], &probe);
    let queries = folder.write("rules/queries.yml", &configuration::slow_queries_rule()).unwrap();
    check("promtool", &["check", "rules"], &queries);
    check("promtool", &["check", "config"], &prometheus);
    check("amtool", &["check-config"], &alertmanager);
}

#[test]
fn no_rule_gives_the_database_away() {
    let rules = configuration::rules();
    assert!(!rules.contains("db_") && !rules.contains("orders-db"), "{rules}");
    assert!(!rules.contains("FlappingProbe"));
}

/// The model's time: the past and the queries need no real one.
const NOW_S: f64 = 1_780_000_000.0;

fn clock() -> Clock {
    Arc::new(|| NOW_S)
}

#[tokio::test]
async fn a_cancelled_start_leaves_nothing() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("demo");
    let options = Options { folder: Some(path.clone()), ..Options::default() };
    let (shutdown, tasks) = (CancellationToken::new(), TaskTracker::new());
    shutdown.cancel();
    let error = start(&options, &webhook(), clock(), &shutdown, &tasks).await.err().unwrap();
    tasks.close();
    tasks.wait().await;
    assert_eq!(error.to_string(), "stopped while starting");
    assert!(!path.exists());
}

#[tokio::test]
async fn the_past_can_be_queried_at_once_and_cancelling_ends_every_process() {
    if Programs::find(std::env::var_os("PATH").as_deref()).is_err() {
        println!("Prometheus and Alertmanager are not installed: the real children are not tested");
        return;
    }
    let (shutdown, tasks) = (CancellationToken::new(), TaskTracker::new());
    let shop = start(&Options::default(), &webhook(), clock(), &shutdown, &tasks).await.unwrap();
    let expression = "count(rate(http_requests_total{code=\"200\"}[20s]) > 0)";
    for at_s in [NOW_S - HISTORY_S + 60.0, NOW_S - 1_800.0, NOW_S] {
        let at = format!("--time={at_s}");
        let arguments = ["query", "instant", &at, &shop.prometheus_url, expression];
        let answer = Command::new("promtool").args(arguments).output().unwrap();
        let answer = String::from_utf8_lossy(&answer.stdout).into_owned();
        assert!(answer.starts_with("{} => 9 @"), "at {at_s}: {answer}");
    }
    assert!(
        loopback::get(&format!("{}/services/orders/metrics", shop.exporter_url)).await.unwrap().is_success()
    );
    shutdown.cancel();
    tasks.close();
    tasks.wait().await;
    for url in [&shop.exporter_url, &shop.prometheus_url, &shop.alertmanager_url] {
        assert!(loopback::get(url).await.is_err(), "{url} still answers");
    }
    assert!(!shop.rules.exists());
}

#[tokio::test]
async fn the_token_is_in_a_file_of_its_own_that_others_cannot_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = tempfile::tempdir().unwrap();
    let folder = Folder::prepare(Some(&parent.path().join("demo"))).unwrap();
    let token = folder.write("webhook-token", "secret").unwrap();
    assert_eq!(std::fs::metadata(&token).unwrap().permissions().mode() & 0o777, 0o600);
    let text = configuration::alertmanager("http://127.0.0.1:3", &token.to_string_lossy());
    assert!(!text.contains("secret") && text.contains("webhook-token"));
}
