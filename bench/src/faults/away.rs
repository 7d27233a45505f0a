//! G1: webhooks that come while PostgreSQL is away wait on disk, and are all stored once it is back (T-G1e).

use std::time::Duration;

use anyhow::Context as _;

use super::ledger::Ledger;
use super::load::{Load, Rate};
use super::postgres::End;
use super::site::Site;
use super::{Report, Trial, check, until};

/// The load that is on before, while PostgreSQL is away, and after.
const RATE: Rate = Rate { per_second: 50, alerts: 5, senders: 8 };

/// Requests that both replicas together accept before PostgreSQL goes: each must have seen the token.
const BEFORE: usize = 50;

/// Of the requests sent to a replica that lives and has seen the token, the share that must be accepted.
const ACCEPTED: f64 = 0.95;

/// How long requests in flight may take when PostgreSQL goes, before they count.
const SETTLE: Duration = Duration::from_secs(5);

/// PostgreSQL is stopped for the trial's time under load. Halfway the first replica is killed, and the second one when
/// it has begun to store what waits.
///
/// # Errors
/// When the product can't be started or asked.
pub async fn database_away(trial: &Trial) -> anyhow::Result<Report> {
    let mut site = Site::start(trial).await?;
    let ledger = Ledger::create(&site.path("ledger"))?;
    let load = Load::start(&site, site.webhooks(), &ledger, RATE, 0);
    let mut report = Report::default();
    let patience = Duration::from_secs(20) * site.patience;
    until(patience, async || Ok((load.accepted() >= BEFORE).then_some(()))).await?.context("no load")?;
    postgres(&mut site)?.end(End::Fast).await?;
    tokio::time::sleep(SETTLE).await;
    let (sent, accepted) = (load.sent(), load.accepted());
    tokio::time::sleep(trial.time / 2).await;
    let (sent, accepted) = (load.sent() - sent, load.accepted() - accepted);
    if accepted == 0 || (accepted as f64) < ACCEPTED * sent as f64 {
        report
            .find("turned-away", format!("{accepted} of {sent} requests were accepted with PostgreSQL away"));
    }
    site.replica(0)?.kill()?;
    tokio::time::sleep(trial.time / 2).await;
    let waiting = load.accepted();
    postgres(&mut site)?.start().await?;
    site.replica(0)?.start().await?;
    let second = site.replica(1)?;
    let caught =
        until(patience, async || Ok(second.is_ready().await.then_some(second.spools().await))).await?;
    second.kill()?;
    second.start().await?;
    check::alive(&mut report, &site, Duration::from_secs(10)).await?;
    load.stop().await;
    report.note(format!(
        "PostgreSQL away for {:.0} s: {accepted} of {sent} requests accepted in its first half, {waiting} until its \
         end; a replica killed in it, another when PostgreSQL was back ({}); seed {}",
        (SETTLE + trial.time).as_secs_f64(),
        if caught == Some(true) { "while its spool was drained" } else { "its spool was empty by then" },
        trial.seed
    ));
    report.extend(check::everything(&site, &ledger.close()?, RATE.alerts).await?);
    Ok(report)
}

fn postgres(site: &mut Site) -> anyhow::Result<&mut super::postgres::Postgres> {
    site.postgres.as_mut().context("a trial with PostgreSQL")
}
