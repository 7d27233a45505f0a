//! G1: what was answered 2xx survives the death of any process, at any step and at any instant.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::ledger::Ledger;
use super::load::{Load, Rate};
use super::postgres::End;
use super::site::Site;
use super::{Report, Trial, check, until};

/// The steps of a webhook, in order, at which a process may be made to die.
pub const WEBHOOK: [&str; 11] = [
    "webhook.authenticated",
    "webhook.read",
    "webhook.parsed",
    "intake.before_insert",
    "intake.before_incidents",
    "intake.incidents_written",
    "intake.before_commit",
    "commit.before",
    "commit.done",
    "commit.published",
    "intake.committed",
];

/// The step at which nothing of an accepted webhook may be missing any more: what the broken builds are killed at.
pub const BEFORE_COMMIT: [&str; 1] = ["intake.before_commit"];

/// The load that is on while processes die.
const RATE: Rate = Rate { per_second: 50, alerts: 5, senders: 8 };

/// How long a fault may take to be reached, and a process to work again after it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Requests that must be accepted after a fault before the next one.
const BETWEEN: usize = 3;

/// T-G1a: one process dies at each of `points` in each way of `actions`, under load.
///
/// # Errors
/// When the product can't be started or asked.
pub async fn crash_points(trial: &Trial, points: &[&str], actions: &[&str]) -> anyhow::Result<Report> {
    let mut random = StdRng::seed_from_u64(trial.seed);
    let mut site = Site::start(trial).await?;
    let ledger = Ledger::create(&site.path("ledger"))?;
    let load = Load::start(&site, site.webhooks(), &ledger, RATE, 0);
    let mut report = Report::default();
    let mut count = 0;
    for point in points {
        for action in actions {
            count += 1;
            let fault = match action.contains('*') {
                true => format!("{point}={action}"),
                false => format!("{point}={action}@{}", random.random_range(1..8)),
            };
            strike(&mut site, &load, point, &fault, &mut report).await?;
        }
    }
    let first = site.replica(0)?;
    first.kill()?;
    first.set("SRE_COPILOT_FAULT", "");
    first.start().await?;
    load.stop().await;
    report.note(format!("{count} faults at {} points, {actions:?}, seed {}", points.len(), trial.seed));
    report.extend(check::everything(&site, &ledger.close()?, RATE.alerts).await?);
    Ok(report)
}

/// Starts the first replica anew with a fault, waits until it has struck, and sees that the product works again.
async fn strike(
    site: &mut Site,
    load: &Load,
    point: &str,
    fault: &str,
    report: &mut Report,
) -> anyhow::Result<()> {
    let patience = site.patience;
    let first = site.replica(0)?;
    let before = first.acted(point);
    first.kill()?;
    first.set("SRE_COPILOT_FAULT", fault);
    first.launch()?;
    let struck = until(PATIENCE * patience, async || Ok((first.acted(point) > before).then_some(()))).await?;
    if struck.is_none() {
        report.find("unreached", format!("{fault} was never reached"));
    }
    // One that lives on, as after a panic, has to work again by itself.
    let lives = until(Duration::from_millis(200), async || Ok(first.ended()?)).await?.is_none();
    if lives {
        let accepted = load.accepted();
        let again = until(PATIENCE * patience, async || {
            Ok((load.accepted() >= accepted + BETWEEN || first.ended()?.is_some()).then_some(()))
        });
        if again.await?.is_none() {
            let log = first.said(12);
            report.find("not-recovered", format!("after {fault} nothing is accepted any more:\n{log}"));
        }
    }
    Ok(())
}

/// T-G1b: under load one process after the other is killed at random, PostgreSQL's all at once, and started again.
///
/// # Errors
/// When the product can't be started or asked.
pub async fn random_kills(trial: &Trial, rate: Rate, pause: Duration) -> anyhow::Result<Report> {
    let mut random = StdRng::seed_from_u64(trial.seed);
    let mut site = Site::start(trial).await?;
    let ledger = Ledger::create(&site.path("ledger"))?;
    let load = Load::start(&site, site.webhooks(), &ledger, rate, 0);
    let mut report = Report::default();
    let (begun, mut kills) = (Instant::now(), 0);
    while begun.elapsed() < trial.time {
        tokio::time::sleep(pause.mul_f64(random.random_range(0.5..1.5))).await;
        let others = usize::from(site.postgres.is_some()) + usize::from(site.redis.is_some());
        let victim = random.random_range(0..site.replicas.len() + others);
        if let Some(postgres) = site.postgres.as_mut().filter(|_| victim == site.replicas.len()) {
            let ends = [End::Kill, End::Immediate, End::Fast];
            let end = *ends.get(random.random_range(0..ends.len())).context("a way to end")?;
            postgres.end(end).await?;
            postgres.start().await?;
        } else if victim > site.replicas.len() {
            site.redis()?.kill()?;
            site.redis()?.start().await?;
        } else {
            let replica = site.replica(victim)?;
            replica.kill()?;
            replica.start().await?;
        }
        kills += 1;
        check::alive(&mut report, &site, Duration::from_secs(10)).await?;
    }
    load.stop().await;
    report.note(format!("{kills} kills in {:.0} s, seed {}", begun.elapsed().as_secs_f64(), trial.seed));
    report.extend(check::everything(&site, &ledger.close()?, rate.alerts).await?);
    Ok(report)
}
