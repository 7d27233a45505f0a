//! Events told to ten thousand open sockets: how late, and for how much processor time.

pub mod bare;
mod listener;

use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde_json::json;

use crate::alert_set::{AlertSet, Target, end_when_sent};
use crate::api::{self, Account};
use crate::product::{self, Product};
use crate::report::{Report, quantile};
use crate::wire::Connection;
use crate::{child, folder, now};
use listener::{Heard, Socket};

/// Alerts of the burst: each opens an incident, which is two events.
const BURST: usize = 50;

/// What to measure.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// A thousand sockets for five seconds; the figures are not kept.
    #[arg(long)]
    quick: bool,
    /// Open sockets.
    #[arg(long, default_value_t = 10_000)]
    sockets: usize,
    /// Projects that they are spread over, each with a key of its own.
    #[arg(long, default_value_t = 10)]
    projects: usize,
    /// Seconds in which every project has one event a second.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
}

/// A project whose events are followed.
struct Followed {
    key: String,
    incident: String,
}

/// What a stretch of events cost.
struct Cost {
    delivered: usize,
    cpu_s: f64,
    latencies_ms: Vec<f64>,
}

/// Opens the sockets, makes events happen, and reports.
///
/// # Errors
/// When something can't be started, or a socket misses an event.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let mut options = options.clone();
    if options.quick {
        options.sockets = options.sockets.min(1_000);
        options.seconds = options.seconds.min(5);
    }
    raise_open_files(options.sockets)?;
    let folder = folder::create()?;
    let title = format!("Fan-out: {} sockets over {} projects", options.sockets, options.projects);
    let mut report = Report::begin("fanout", &title, options.quick)?;
    let settings =
        [("SRE_COPILOT_SOCKETS_PER_USER", "1000000"), ("SRE_COPILOT_SOCKETS_PER_TENANT", "1000000")];
    let product = Product::start(&product::binary(), folder.path(), &settings)?;
    let account = Account::register(&product.gateway)?;
    let token = account.integration("prometheus", &json!({}))?;
    let mut projects = vec![followed(&account)?];
    for at in 1..options.projects {
        projects.push(followed(&account.another(&format!("project-{at}"))?)?);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (steady, burst) = runtime.block_on(measure(&options, &product, &projects, &token))?;
    let bytes = steady.1;
    let bare = bare::measure(options.sockets, options.projects, bytes, options.seconds)?;
    let us = |cost: &Cost| cost.cpu_s * 1e6 / cost.delivered.max(1) as f64;
    let line = |what: &str, cost: &Cost| {
        vec![
            what.to_owned(),
            cost.delivered.to_string(),
            format!("{:.1}", quantile(&cost.latencies_ms, 0.5)),
            format!("{:.1}", quantile(&cost.latencies_ms, 0.99)),
            format!("{:.1}", quantile(&cost.latencies_ms, 1.0)),
            format!("{:.1} us", us(cost)),
            format!("{:.2}", us(cost) / (bare * 1e6)),
        ]
    };
    let headings =
        ["stretch", "delivered", "median ms", "p99 ms", "worst ms", "CPU each", "of the bare loop"];
    report.table(&[
        headings.map(str::to_owned).to_vec(),
        line("one event a second to each", &steady.0),
        line("a burst of 100 events to one project", &burst),
    ])?;
    report.line(&format!(
        "The bare loop, which only writes frames of {bytes} bytes: {:.1} us each.",
        bare * 1e6
    ))?;
    report.line(&format!(
        "Peak resident memory {:.0} MiB. Goals: p99 under 250 ms, CPU at most twice the bare loop's. Latency is from \
         the event's time, taken before its commit, to the client's having read it; no socket missed an event.",
        child::peak_resident_mib(product.process.id())
    ))?;
    report.end()
}

async fn measure(
    options: &Options,
    product: &Product,
    projects: &[Followed],
    token: &str,
) -> anyhow::Result<((Cost, usize), Cost)> {
    let heard = Heard::default();
    let mut sockets = Vec::with_capacity(options.sockets);
    let mut opening = futures_util::stream::iter(0..options.sockets)
        .map(|at| {
            let key = projects.get(at % projects.len().max(1)).map(|project| project.key.as_str());
            Socket::open(&product.websocket, key.unwrap_or_default())
        })
        .buffer_unordered(64);
    while let Some(opened) = opening.next().await {
        sockets.push(opened.context("opening a socket")?);
    }
    drop(opening);
    let mut listening: FuturesUnordered<_> = sockets.iter_mut().map(|socket| socket.listen(&heard)).collect();
    let listen = async {
        match listening.next().await {
            Some(Err(error)) => Err(error),
            _ => anyhow::bail!("a socket ended"),
        }
    };
    let produce = async {
        let id = product.process.id();
        // The incidents that were opened for this are being explained, which is told too.
        cost(id, &heard, async { Ok(()) }).await?;
        let steady = cost(id, &heard, steady(options, product, projects)).await?;
        let bytes = heard.bytes() / steady.delivered.max(1);
        let expected = options.seconds as usize * options.sockets;
        ensure!(steady.delivered >= expected, "{} events were delivered, not {expected}", steady.delivered);
        let burst = cost(id, &heard, burst(product, token)).await?;
        anyhow::Ok(((steady, bytes), burst))
    };
    tokio::select! {
        ended = listen => ended,
        measured = produce => measured,
    }
}

/// What the product spent while `work` went on and until nothing more arrived for a second.
async fn cost(
    id: u32,
    heard: &Heard,
    work: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<Cost> {
    heard.take();
    let before = child::tree_cpu_seconds(id);
    work.await?;
    loop {
        let delivered = heard.delivered();
        tokio::time::sleep(Duration::from_secs(1)).await;
        if heard.delivered() == delivered {
            break;
        }
    }
    let cpu_s = child::tree_cpu_seconds(id) - before;
    let (delivered, mut latencies_ms) = heard.take();
    latencies_ms.sort_by(f64::total_cmp);
    Ok(Cost { delivered, cpu_s, latencies_ms })
}

/// One event a second in every project, spread over the second.
async fn steady(options: &Options, product: &Product, projects: &[Followed]) -> anyhow::Result<()> {
    let mut connection = Connection::open(&product.gateway).await?;
    let pause = Duration::from_secs(1) / u32::try_from(projects.len())?;
    let mut ticks = tokio::time::interval(pause);
    for second in 0..options.seconds {
        for project in projects {
            ticks.tick().await;
            let body = json!({"title": format!("Errors above their limit, seen {second} times")}).to_string();
            let request = format!(
                "PATCH /api/v1/incidents/{} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n{body}",
                project.incident,
                product.gateway,
                project.key,
                body.len()
            );
            let (status, _, answer) = connection.exchange(request.as_bytes()).await?;
            ensure!(status == 200, "PATCH was answered {status}: {}", String::from_utf8_lossy(&answer));
        }
    }
    Ok(())
}

/// One webhook whose alerts open an incident each.
async fn burst(product: &Product, token: &str) -> anyhow::Result<()> {
    let path = "/webhooks/prometheus/api/v2/alerts";
    let target = Target { address: &product.gateway, path, token: Some(token) };
    let set = AlertSet::new(&target, BURST, BURST, "burst", now());
    let mut request = Vec::new();
    set.batch(0).context("no alerts")?.write(&mut request, &end_when_sent(now()));
    let status = Connection::open(&product.gateway).await?.ask(&request).await?;
    ensure!(status == 200, "the webhook was answered {status}");
    Ok(())
}

/// The account's own project with an incident.
fn followed(account: &Account) -> anyhow::Result<Followed> {
    let body = json!({"title": "Errors above their limit", "service_name": "checkout", "severity": "high"});
    let incident = api::text(&account.call("POST", "/api/v1/incidents", Some(&body))?, "/id")?;
    Ok(Followed { key: account.key.clone(), incident })
}

/// Lets this process and its children have a socket for each client.
fn raise_open_files(sockets: usize) -> anyhow::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let wanted = sockets as u64 + 1_000;
    let found = getrlimit(Resource::Nofile);
    if found.current.is_some_and(|current| current < wanted) {
        let most = found.maximum.map(|most| most.max(wanted));
        setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: most })
            .with_context(|| format!("{wanted} open files are needed: ulimit -n {wanted}"))?;
    }
    Ok(())
}
