//! The demo's world: a simulated shop with a real Prometheus and a real Alertmanager that watch it.
//!
//! This knows nothing of our own server but the address its webhooks go to. The order is: [`start`] it, report
//! the changes of its past, wait [`FAULT_AFTER`], [`Shop::inject`], and watch the incident arrive.

mod backfill;
mod children;
mod configuration;
mod exporter;
mod folder;
mod loopback;
mod programs;
mod scenario;
mod shop;
pub mod terminal;

pub use backfill::Summary;
pub use scenario::{Change, ChangeKind, Scenario, UnknownScenario};
pub use shop::Service;

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use backfill::{AHEAD_S, HISTORY_S, History};
use children::{Nursery, Running};
use exporter::Exporter;
use folder::Folder;
use programs::Programs;
use shop::Model;

/// Time to look around between the start and the fault.
pub const FAULT_AFTER: Duration = Duration::from_secs(8);

/// Tells the time in Unix seconds.
pub type Clock = Arc<dyn Fn() -> f64 + Send + Sync>;

/// What the demo is to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// What breaks.
    pub scenario: Scenario,
    /// Where its files go; by default a new folder that is removed at the end.
    pub folder: Option<PathBuf>,
    /// The same seed and times give the same shop.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { scenario: Scenario::default(), folder: None, seed: 7 }
    }
}

/// Where Alertmanager sends alerts.
pub struct Webhook {
    /// The whole address.
    pub url: String,
    /// Sent as `Authorization: Bearer …`.
    pub token: String,
}

/// The running shop; dropping it, or cancelling what it was started with, ends all of it.
pub struct Shop {
    /// `http://host:port` of the shop's metrics.
    pub exporter_url: String,
    /// `http://host:port` of Prometheus.
    pub prometheus_url: String,
    /// `http://host:port` of Alertmanager.
    pub alertmanager_url: String,
    /// What the past consists of.
    pub history: Summary,
    /// Changes of the past hour that harmed nothing, to be reported before the fault.
    pub earlier_changes: Vec<Change>,
    scenario: Scenario,
    rules: PathBuf,
    exporter: Exporter,
    ended: CancellationToken,
    _end_on_drop: DropGuard,
}

/// What has been broken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Injected {
    /// When, in Unix seconds; a few seconds ahead of the clock when the shop has only just started.
    pub at_s: f64,
    /// The change to report at once, if its people know of one.
    pub change: Option<Change>,
}

/// Starts everything and returns once Prometheus and Alertmanager are ready.
///
/// # Errors
/// When a program is missing or does not start; nothing is left running then, nor when `shutdown` comes first.
pub async fn start(
    options: &Options,
    webhook: &Webhook,
    clock: Clock,
    shutdown: &CancellationToken,
    tasks: &TaskTracker,
) -> anyhow::Result<Shop> {
    let ended = shutdown.child_token();
    let end_on_drop = ended.clone().drop_guard();
    let world = tokio::select! {
        biased;
        () = shutdown.cancelled() => bail!("stopped while starting"),
        world = build(options, webhook, clock, &ended, tasks) => world?,
    };
    let shop = Shop {
        exporter_url: format!("http://{}", world.exporter_address),
        prometheus_url: world.prometheus.url(),
        alertmanager_url: world.alertmanager.url(),
        history: world.history,
        earlier_changes: world.earlier_changes,
        scenario: options.scenario,
        rules: world.folder.file("rules"),
        exporter: world.exporter,
        ended: ended.clone(),
        _end_on_drop: end_on_drop,
    };
    tasks.spawn(watch(world.prometheus, world.alertmanager, world.nursery, world.folder, ended));
    Ok(shop)
}

impl Shop {
    /// Breaks what the scenario says.
    ///
    /// # Errors
    /// When Prometheus does not take the scenario's new rule.
    pub async fn inject(&self) -> anyhow::Result<Injected> {
        let fault = self.scenario.fault();
        let at_s = self.exporter.with_model(|model| {
            if let Some(fault) = fault {
                model.inject(fault);
            }
            model.now_s()
        });
        match self.scenario {
            Scenario::FlappingAlert => self.add_rule(&configuration::flapping_rule()).await?,
            Scenario::PeriodicJob => self.add_rule(&configuration::slow_queries_rule()).await?,
            _ => {}
        }
        Ok(Injected { at_s, change: self.scenario.change(at_s) })
    }

    /// Undoes the fault, so that its alert resolves.
    pub fn recover(&self) {
        self.exporter.with_model(Model::recover);
    }

    /// Waits until the shop has ended, also when one of its processes did by itself.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }

    async fn add_rule(&self, rule: &str) -> anyhow::Result<()> {
        let file = self.rules.join("new.yml");
        let written = tokio::fs::write(&file, rule).await;
        written.with_context(|| format!("can't write {}", file.display()))?;
        let status = loopback::post(&format!("{}/-/reload", self.prometheus_url)).await?;
        if !status.is_success() {
            bail!("Prometheus does not take the new rule: it answered {status}");
        }
        Ok(())
    }
}

/// All parts; dropping it kills what runs. Fields are dropped in this order.
struct World {
    prometheus: Running,
    alertmanager: Running,
    nursery: Nursery,
    exporter_address: String,
    exporter: Exporter,
    history: Summary,
    earlier_changes: Vec<Change>,
    folder: Folder,
}

async fn build(
    options: &Options,
    webhook: &Webhook,
    clock: Clock,
    ended: &CancellationToken,
    tasks: &TaskTracker,
) -> anyhow::Result<World> {
    let programs = Programs::find(std::env::var_os("PATH").as_deref())?;
    let folder = Folder::prepare(options.folder.as_deref())?;
    let now_s = clock();
    let (model, history) =
        live_through_the_past(options, now_s, Arc::clone(&clock), &programs, &folder).await?;
    let exporter = Exporter::new(model, clock);
    let exporter_address = exporter.serve(ended.clone(), tasks).await?;
    let nursery = Nursery::new(programs.setpriv.clone())?;
    let alertmanager = start_alertmanager(&nursery, &programs.alertmanager, &folder, webhook).await?;
    folder.write("prometheus.yml", &configuration::prometheus(&exporter_address, &alertmanager.address))?;
    folder.write("rules/shop.yml", &configuration::rules())?;
    let prometheus = start_prometheus(&nursery, &programs.prometheus, &folder).await?;
    let earlier_changes = scenario::earlier_changes(now_s).into();
    Ok(World {
        prometheus,
        alertmanager,
        nursery,
        exporter_address,
        exporter,
        history,
        earlier_changes,
        folder,
    })
}

async fn live_through_the_past(
    options: &Options,
    now_s: f64,
    clock: Clock,
    programs: &Programs,
    folder: &Folder,
) -> anyhow::Result<(Model, Summary)> {
    let text = folder.file("history.om");
    let file = File::create(&text).with_context(|| format!("can't write {}", text.display()))?;
    let (seed, scenario) = (options.seed, options.scenario);
    let live = move || -> io::Result<(Model, Summary)> {
        let mut model = Model::new(seed, now_s - HISTORY_S, scenario::earlier_releases(now_s));
        if let Some(job) = scenario.job(now_s) {
            model.schedule(job);
        }
        let mut history = History::default();
        let before_s = scenario.begins_before_s();
        if let Some(fault) = scenario.fault().filter(|_| before_s > 0.0) {
            history.collect(&mut model, || now_s - before_s);
            model.inject(fault);
        }
        history.collect(&mut model, || clock() + AHEAD_S);
        let mut output = BufWriter::new(file);
        history.write_openmetrics(&mut output)?;
        output.flush()?;
        Ok((model, history.summary()))
    };
    let (model, summary) = tokio::task::spawn_blocking(live).await?.context("can't write the past")?;
    backfill::write_blocks(&programs.promtool, &text, &folder.blocks()).await?;
    Ok((model, summary))
}

async fn start_alertmanager(
    nursery: &Nursery,
    program: &Path,
    folder: &Folder,
    webhook: &Webhook,
) -> anyhow::Result<Running> {
    let token = folder.write("webhook-token", &webhook.token)?;
    let file = configuration::alertmanager(&webhook.url, &token.to_string_lossy());
    let file = folder.write("alertmanager.yml", &file)?;
    let storage = folder.file("alertmanager-data");
    let arguments = |address: &str| {
        vec![
            format!("--config.file={}", file.display()),
            format!("--storage.path={}", storage.display()),
            format!("--web.listen-address={address}"),
            format!("--web.external-url=http://{address}"),
            // Alone: no gossip, no second port.
            "--cluster.listen-address=".to_owned(),
        ]
    };
    nursery.start("Alertmanager", program, &folder.file("alertmanager.log"), arguments).await
}

async fn start_prometheus(nursery: &Nursery, program: &Path, folder: &Folder) -> anyhow::Result<Running> {
    let (file, blocks) = (folder.file("prometheus.yml"), folder.blocks());
    let arguments = |address: &str| {
        vec![
            format!("--config.file={}", file.display()),
            format!("--storage.tsdb.path={}", blocks.display()),
            format!("--web.listen-address={address}"),
            format!("--web.external-url=http://{address}"),
            "--web.enable-lifecycle".to_owned(),
            // What was sent before Alertmanager was discovered is lost; the default sends again after a minute.
            "--rules.alert.resend-delay=10s".to_owned(),
        ]
    };
    nursery.start("Prometheus", program, &folder.file("prometheus.log"), arguments).await
}

/// Ends everything when asked to, or when a part has ended by itself.
async fn watch(
    mut prometheus: Running,
    mut alertmanager: Running,
    nursery: Nursery,
    folder: Folder,
    ended: CancellationToken,
) {
    let alone = tokio::select! {
        () = ended.cancelled() => None,
        status = prometheus.wait() => Some((prometheus.name, status)),
        status = alertmanager.wait() => Some((alertmanager.name, status)),
    };
    if let Some((name, status)) = alone {
        tracing::error!(name, ?status, "a part of the demo ended by itself");
        ended.cancel();
    }
    tokio::join!(prometheus.stop(), alertmanager.stop());
    // Only now: the kernel ends the children with the thread of the nursery, and they write into the folder.
    drop(nursery);
    drop(folder);
}

#[cfg(test)]
mod tests;
