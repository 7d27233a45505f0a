//! G18: one replica after the other is stopped and started anew under load, behind nginx, and nobody loses anything.

use std::time::Instant;

use super::ledger::{Book, Ledger};
use super::load::{Load, Rate};
use super::nginx::Nginx;
use super::site::Site;
use super::subscriber::Audience;
use super::{Report, Trial, check};

/// The load meanwhile.
pub const RATE: Rate = Rate { per_second: 100, alerts: 2, senders: 16 };

/// Answers of nginx that let a sender send again.
const AGAIN: [u16; 3] = [502, 503, 504];

/// Restarts at the least.
const LEAST: usize = 4;

/// T-G18: replicas are asked to stop and are started again in turn, with `clients` clients of live events.
///
/// # Errors
/// When the product can't be started or asked.
pub async fn restarts(trial: &Trial, clients: usize) -> anyhow::Result<Report> {
    let mut site = Site::with(trial, |replica| replica.set("SRE_COPILOT_SOCKETS_PER_USER", "1000")).await?;
    let ledger = Ledger::create(&site.path("ledger"))?;
    let addresses: Vec<String> = site.replicas.iter().map(|replica| replica.address()).collect();
    let nginx = Nginx::start(&site.path(""), &addresses).await?;
    let audience = Audience::open(&site, &[nginx.address().to_owned()], clients).await?;
    let webhook = format!("http://{}/webhooks/alertmanager", nginx.address());
    let load = Load::start(&site, vec![webhook], &ledger, RATE, 0);
    let mut report = Report::default();
    let (begun, mut count, mut longest) = (Instant::now(), 0, 0.0_f64);
    while report.findings.is_empty() && (count < LEAST || begun.elapsed() < trial.time) {
        let next = site.replica(count % 2)?;
        let asked = Instant::now();
        if let Err(error) = next.terminate().await {
            report.find("drain", format!("restart {count}: {error:#}"));
        }
        longest = longest.max(asked.elapsed().as_secs_f64());
        next.start().await?;
        count += 1;
    }
    load.stop().await;
    let book = ledger.close()?;
    report.note(format!("{count} restarts, the longest stop took {longest:.1} s"));
    accepted(&mut report, &site, &book);
    // A slow machine lets webhooks wait in a spool, of which no client is told yet.
    check::drained(&mut report, &site).await?;
    resumed(&mut report, &audience).await?;
    report.extend(check::everything(&site, &book, RATE.alerts).await?);
    Ok(report)
}

/// Whether 999 of 1,000 requests were accepted.
pub fn accepted(report: &mut Report, site: &Site, book: &Book) {
    // On a busy machine an answer may come later than nginx waits for it: then only what is refused for good is bad.
    let busy = site.patience > 1;
    let refused = book.failed.values().filter(|status| !(busy && AGAIN.contains(*status))).count();
    let bad = refused + if busy { 0 } else { book.unknown.len() };
    if bad * 1000 > book.invoked.len() {
        let log = std::fs::read_to_string(site.path("nginx.log")).unwrap_or_default();
        let log: Vec<&str> = log.lines().rev().take(5).collect();
        let what = format!("{bad} of {} requests were not accepted; nginx said {log:#?}", book.invoked.len());
        report.find("refused", format!("{}: {what}", book.summary()));
    }
}

/// Whether every client knows everything, and 19 of 20 returns went on where they had stopped.
///
/// # Errors
/// When the database can't be asked.
pub async fn resumed(report: &mut Report, audience: &Audience) -> anyhow::Result<()> {
    let (returns, resyncs) = audience.judge(report).await?;
    if resyncs * 20 > returns {
        report.find("resync", format!("{resyncs} of {returns} returns began anew"));
    }
    if returns == 0 {
        report.find("unreached", "no client had to come back");
    }
    Ok(())
}
