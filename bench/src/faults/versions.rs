//! G18: the version before works on the schema of this one, next to it and after it, under load.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use serde_json::json;
use tokio::task::JoinSet;

use super::caller::Caller;
use super::exchange::{Exchange, Tally};
use super::ledger::{Ledger, Pen};
use super::load::Load;
use super::nginx::Nginx;
use super::rolling::{self, RATE};
use super::site::Site;
use super::subscriber::Audience;
use super::{Report, Trial, check};

/// Which replica becomes which version, one after the other: an upgrade, the way back, and the upgrade again.
pub const STEPS: [(usize, Version); 6] = [
    (0, Version::This),
    (1, Version::This),
    (1, Version::Previous),
    (0, Version::Previous),
    (0, Version::This),
    (1, Version::This),
];

/// How often somebody looks at the list and says something, meanwhile.
const PAUSE: Duration = Duration::from_millis(50);

/// What a replica runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The version before.
    Previous,
    /// The one that is tried.
    This,
}

/// T-G18: both replicas begin as `previous` and go through `steps` under load. This version is `trial.broken`; the
/// other never is.
///
/// # Errors
/// When the product can't be started or asked.
pub async fn side_by_side(
    trial: &Trial,
    previous: &Path,
    steps: &[(usize, Version)],
    clients: usize,
) -> anyhow::Result<Report> {
    let before = Trial { binary: previous.to_owned(), broken: "", ..trial.clone() };
    let mut site = Site::with(&before, |replica| replica.set("SRE_COPILOT_SOCKETS_PER_USER", "1000")).await?;
    let ledger = Ledger::create(&site.path("ledger"))?;
    let addresses: Vec<String> = site.replicas.iter().map(|replica| replica.address()).collect();
    let nginx = Nginx::start(&site.path(""), &addresses).await?;
    let audience = Audience::open(&site, &[nginx.address().to_owned()], clients).await?;
    let front = format!("http://{}", nginx.address());
    let load = Load::start(&site, vec![format!("{front}/webhooks/alertmanager")], &ledger, RATE, 0);
    let reader = Reader::start(&site, front);
    let (tally, report) = (Tally::default(), Report::default());
    let mut stage = Stage { pen: ledger.pen(), number: 0, migrated: false, tally, report };
    // Of more than 5,000 open incidents further alerts join one, in which they would be missed.
    let pause = (trial.time / 7).clamp(Duration::from_secs(1), Duration::from_secs(2));
    stage.exchange(&site, pause).await;
    for &(number, version) in steps {
        let next = site.replica(number)?;
        if let Err(error) = next.terminate().await {
            stage.report.find("drain", format!("before {version:?}: {error:#}"));
        }
        let (binary, broken) = match version {
            Version::Previous => (previous, ""),
            Version::This => (trial.binary.as_path(), trial.broken),
        };
        next.replace(binary);
        next.set("SRE_COPILOT_BROKEN", broken);
        let begun = Instant::now();
        if let Err(error) = next.start().await {
            stage.report.find("start", format!("replica {} as {version:?}: {error:#}", number + 1));
            // As whoever runs it would: if that does not help either, there is nothing more to try.
            if next.start().await.is_err() {
                return Ok(stage.report);
            }
        }
        stage.migrated = true;
        let seconds = begun.elapsed().as_secs_f64();
        stage.report.note(format!("replica {} is {version:?} after {seconds:.1} s", number + 1));
        stage.exchange(&site, pause).await;
    }
    reader.stop(&mut stage.report).await;
    load.stop().await;
    let Stage { pen, tally, mut report, .. } = stage;
    drop(pen);
    let book = ledger.close()?;
    report.note(format!("{tally:?}"));
    rolling::accepted(&mut report, &site, &book);
    // A slow machine lets webhooks wait in a spool, of which no client is told yet.
    check::drained(&mut report, &site).await?;
    rolling::resumed(&mut report, &audience).await?;
    report.extend(check::everything(&site, &book, RATE.alerts).await?);
    Ok(report)
}

/// What goes on between two steps.
struct Stage {
    pen: Pen,
    number: usize,
    migrated: bool,
    tally: Tally,
    report: Report,
}

impl Stage {
    /// Tells one replica and asks the other, and the other way round, for `pause`.
    async fn exchange(&mut self, site: &Site, pause: Duration) {
        let begun = Instant::now();
        while begun.elapsed() < pause {
            for sides in [[0, 1], [1, 0]] {
                self.number += 1;
                let Self { pen, number, migrated, tally, report } = self;
                Exchange::new(site, sides, (*number, *migrated), report, tally).run(pen).await;
            }
        }
    }
}

/// Somebody who uses the API by way of nginx all the time.
struct Reader {
    stop: Arc<AtomicBool>,
    task: JoinSet<Report>,
}

impl Reader {
    fn start(site: &Site, front: String) -> Self {
        let (stop, mut task) = (Arc::<AtomicBool>::default(), JoinSet::new());
        task.spawn(read(site.http.clone(), site.key.clone(), front, stop.clone()));
        Self { stop, task }
    }

    async fn stop(mut self, report: &mut Report) {
        self.stop.store(true, Ordering::SeqCst);
        while let Some(Ok(found)) = self.task.join_next().await {
            report.extend(found);
        }
    }
}

/// Lists, counts and opens incidents until told to stop; an answer of 500 or above, or none, is found.
async fn read(http: Client, key: String, front: String, stop: Arc<AtomicBool>) -> Report {
    let (caller, mut report) = (Caller::program(&http, &key), Report::default());
    let mut ticks = tokio::time::interval(PAUSE);
    let mut asked = 0_usize;
    while !stop.load(Ordering::SeqCst) {
        ticks.tick().await;
        let (method, path, body) = match asked % 4 {
            0 => (Method::GET, "/api/v1/incidents?limit=5", None),
            1 => (Method::GET, "/api/v1/incidents/summary", None),
            2 => (Method::GET, "/api/v1/auth/me", None),
            _ => (Method::POST, "/api/v1/incidents", Some(json!({"title": "By hand"}))),
        };
        let what = format!("{method} {path}");
        asked += 1;
        match caller.ask(&front, method, path, body.as_ref(), &[]).await {
            Ok(answer) if answer.status < 400 => {}
            Ok(answer) => report.find("api", format!("{what} answered {}: {}", answer.status, answer.body)),
            Err(error) => report.find("api", format!("{what}: {error:#}")),
        }
    }
    report.note(format!("{asked} requests to the API by way of nginx"));
    report
}
