//! T-G2a: a real Alertmanager delivers every alert, whatever fails meanwhile.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::ledger::Ledger;
use super::load::{Load, Rate};
use super::nginx::Nginx;
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
    /// Others send as fast as they are answered.
    Load,
}

/// How others send then.
const OTHERS: Rate = Rate { per_second: 0, alerts: 5, senders: 16 };

impl Mishap {
    fn of(backend: Backend) -> &'static [Self] {
        match backend {
            Backend::Sqlite => &[Self::None, Self::Death, Self::Errors, Self::Load],
            Backend::Postgres => {
                &[Self::None, Self::Death, Self::Errors, Self::Database, Self::Redis, Self::Load]
            }
        }
    }
}

/// Alerts fire at a real Alertmanager while one thing after another fails; each of them becomes an incident.
///
/// # Errors
/// When the product or Alertmanager can't be started or asked.
pub async fn delivers(trial: &Trial) -> anyhow::Result<Report> {
    let site = Site::start(trial).await?;
    let url = site.webhooks().into_iter().next().context("a replica")?;
    let (mut report, failed) = notified(trial, site, &url).await?;
    if failed == 0 {
        report.find("unreached", "no notification of Alertmanager has failed");
    }
    Ok(report)
}

/// The same through the nginx that we recommend, in front of two replicas: it may well keep every failure to itself.
///
/// # Errors
/// When the product, nginx or Alertmanager can't be started or asked.
pub async fn delivers_through_a_proxy(trial: &Trial) -> anyhow::Result<Report> {
    let site = Site::start(trial).await?;
    let addresses: Vec<String> = site.replicas.iter().map(|replica| replica.address()).collect();
    let nginx = Nginx::start(&site.path(""), &addresses).await?;
    let url = format!("http://{}/webhooks/alertmanager", nginx.address());
    Ok(notified(trial, site, &url).await?.0)
}

/// What came of alerts of which Alertmanager notifies `url`, and how many attempts failed.
async fn notified(trial: &Trial, mut site: Site, url: &str) -> anyhow::Result<(Report, u64)> {
    let folder = site.path("alertmanager");
    std::fs::create_dir(&folder)?;
    let ledger = Ledger::create(&site.path("others"))?;
    let alertmanager = Alertmanager::start(&site, &folder, &configuration(url, &site.token)).await?;
    let (mut report, mut fired) = (Report::default(), BTreeSet::new());
    for mishap in Mishap::of(trial.backend) {
        let services: Vec<String> = (0..AT_ONCE).map(|at| format!("s{:03}", fired.len() + at)).collect();
        // Something is broken before they fire, while they wait, and after.
        let (before, after) = services.split_at(AT_ONCE / 2);
        begin(&mut site, *mishap).await?;
        let load = *mishap == Mishap::Load;
        let others = load.then(|| Load::start(&site, site.webhooks(), &ledger, OTHERS, 0));
        fire(&site, &alertmanager, before).await?;
        tokio::time::sleep(AWAY).await;
        fire(&site, &alertmanager, after).await?;
        if let Some(others) = others {
            report.note(format!("others sent {} requests", others.sent()));
            others.stop().await;
        }
        end(&mut site, *mishap).await?;
        fired.extend(services);
    }
    let mut missing = BTreeSet::new();
    let delivered = until(DELIVERED * site.patience, async || {
        let own = site.database.incidents().await?.into_iter().map(|incident| incident.service);
        // In a storm an alert may belong to an incident of many.
        let there = own.chain(site.database.attached().await?).collect();
        missing = fired.difference(&there).cloned().collect();
        Ok(missing.is_empty().then_some(()))
    });
    if delivered.await?.is_none() {
        report.find("lost", format!("{missing:?} fired and have no incident"));
    }
    let failed = failed(&site, &alertmanager).await?;
    report.note(format!("{} alerts fired, {failed} attempts to notify of them failed", fired.len()));
    Ok((report, failed))
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
        Mishap::None | Mishap::Load => Ok(()),
        Mishap::Death => site.replica(0)?.kill(),
        Mishap::Errors => restart(site, "intake.before_insert=error*2").await,
        Mishap::Database => site.postgres.as_mut().context("a PostgreSQL")?.end(End::Fast).await,
        Mishap::Redis => site.redis()?.kill(),
    }
}

async fn end(site: &mut Site, mishap: Mishap) -> anyhow::Result<()> {
    match mishap {
        Mishap::None | Mishap::Load => Ok(()),
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
