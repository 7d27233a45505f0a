//! T-G2a: a real Alertmanager delivers every alert, whatever fails meanwhile.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::postgres::End;
use super::process::Process;
use super::site::Site;
use super::{Backend, Report, Trial, replica, until};

/// Alerts that fire at once, each in a notification of its own.
const AT_ONCE: usize = 25;

/// How long something is away.
const AWAY: Duration = Duration::from_secs(2);

/// How long Alertmanager may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long after the last alert the last incident may open. It is far below the five minutes after which Alertmanager
/// says again what it has given up.
const DELIVERED: Duration = Duration::from_secs(30);

/// What befalls the product while alerts fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mishap {
    /// Nothing.
    None,
    /// The process that is notified dies, and is started again.
    Death,
    /// Every second commit fails.
    Errors,
    /// PostgreSQL is stopped, and started again.
    Database,
    /// Redis dies, and is started again.
    Redis,
}

impl Mishap {
    fn of(backend: Backend) -> &'static [Self] {
        match backend {
            Backend::Sqlite => &[Self::None, Self::Death, Self::Errors, Self::Death],
            Backend::Postgres => &[Self::None, Self::Death, Self::Errors, Self::Database, Self::Redis],
        }
    }
}

/// Alerts fire at a real Alertmanager while one thing after another fails; each of them becomes an incident.
///
/// # Errors
/// When the product or Alertmanager can't be started or asked.
pub async fn delivers(trial: &Trial) -> anyhow::Result<Report> {
    let mut site = Site::start(trial).await?;
    let folder = site.path("alertmanager");
    std::fs::create_dir(&folder)?;
    let url = site.webhooks().into_iter().next().context("a replica")?;
    let alertmanager = Alertmanager::start(&site, &folder, &configuration(&url, &site.token)).await?;
    let (mut report, mut fired) = (Report::default(), BTreeSet::new());
    for mishap in Mishap::of(trial.backend) {
        let services: Vec<String> = (0..AT_ONCE).map(|at| format!("s{:03}", fired.len() + at)).collect();
        // Something is broken before they fire, while they wait, and after.
        let (before, after) = services.split_at(AT_ONCE / 2);
        begin(&mut site, *mishap).await?;
        fire(&site, &alertmanager, before).await?;
        tokio::time::sleep(AWAY).await;
        fire(&site, &alertmanager, after).await?;
        end(&mut site, *mishap).await?;
        fired.extend(services);
    }
    let mut missing = BTreeSet::new();
    let delivered = until(DELIVERED * site.patience, async || {
        let there = site.database.incidents().await?.into_iter().map(|incident| incident.service);
        missing = fired.difference(&there.collect()).cloned().collect();
        Ok(missing.is_empty().then_some(()))
    });
    if delivered.await?.is_none() {
        report.find("lost", format!("{missing:?} fired and have no incident"));
    }
    let failed = failed(&site, &alertmanager).await?;
    if failed == 0 {
        report.find("unreached", "no notification of Alertmanager has failed");
    }
    report.note(format!("{} alerts fired, {failed} attempts to notify of them failed", fired.len()));
    Ok(report)
}

/// A running Alertmanager.
struct Alertmanager {
    base: String,
    _process: Process,
}

impl Alertmanager {
    async fn start(site: &Site, folder: &Path, configuration: &str) -> anyhow::Result<Self> {
        let port = replica::free_ports(1)?.first().copied().context("a port")?;
        let file = folder.join("alertmanager.yml");
        std::fs::write(&file, configuration)?;
        let mut serve = Command::new("prometheus-alertmanager");
        serve.args(["--cluster.listen-address=", "--log.level=warn"]);
        serve.arg(format!("--config.file={}", file.display()));
        serve.arg(format!("--storage.path={}", folder.join("data").display()));
        serve.arg(format!("--web.listen-address=127.0.0.1:{port}"));
        let process = Process::start("Alertmanager", &mut serve, &folder.join("alertmanager.log"))?;
        let base = format!("http://127.0.0.1:{port}");
        let ready = until(PATIENCE, async || {
            let answer = site.http.get(format!("{base}/-/ready")).send().await;
            Ok(answer.is_ok_and(|answer| answer.status().is_success()).then_some(()))
        });
        ready.await?.context("Alertmanager did not start")?;
        Ok(Self { base, _process: process })
    }
}

/// Each alert is a notification of its own, and one that is given up is not sent again for five minutes.
fn configuration(url: &str, token: &str) -> String {
    format!(
        "route: {{receiver: copilot, group_by: [service], group_wait: 0s, group_interval: 5m}}
receivers:
  - name: copilot
    webhook_configs:
      - url: {url}
        http_config: {{authorization: {{credentials: {token}}}}}
"
    )
}

async fn begin(site: &mut Site, mishap: Mishap) -> anyhow::Result<()> {
    match mishap {
        Mishap::None => Ok(()),
        Mishap::Death => site.replica(0)?.kill(),
        Mishap::Errors => restart(site, "intake.before_insert=error*2").await,
        Mishap::Database => site.postgres.as_mut().context("a PostgreSQL")?.end(End::Fast).await,
        Mishap::Redis => site.redis()?.kill(),
    }
}

async fn end(site: &mut Site, mishap: Mishap) -> anyhow::Result<()> {
    match mishap {
        Mishap::None => Ok(()),
        Mishap::Death => site.replica(0)?.start().await,
        Mishap::Errors => restart(site, "").await,
        Mishap::Database => site.postgres.as_mut().context("a PostgreSQL")?.start().await,
        Mishap::Redis => site.redis()?.start().await,
    }
}

async fn restart(site: &mut Site, fault: &str) -> anyhow::Result<()> {
    let replica = site.replica(0)?;
    replica.kill()?;
    replica.set("SRE_COPILOT_FAULT", fault);
    replica.start().await
}

async fn fire(site: &Site, alertmanager: &Alertmanager, services: &[String]) -> anyhow::Result<()> {
    let alert = |service: &String| json!({"labels": {"alertname": "Down", "service": service}});
    let alerts: Value = services.iter().map(alert).collect();
    let url = format!("{}/api/v2/alerts", alertmanager.base);
    site.http.post(url).json(&alerts).send().await?.error_for_status()?;
    Ok(())
}

/// How many attempts to notify have failed, by Alertmanager's own count.
async fn failed(site: &Site, alertmanager: &Alertmanager) -> anyhow::Result<u64> {
    let url = format!("{}/metrics", alertmanager.base);
    let text = site.http.get(url).send().await?.text().await?;
    let name = "alertmanager_notification_requests_failed_total{integration=\"webhook\"} ";
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    Ok(line.context("Alertmanager does not count failed requests")?.parse()?)
}
