//! T-G1d: fsync fails; the process ends instead of trying again, and what it accepted is there when it has started anew.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::fsync::is_traced;
use super::ledger::Ledger;
use super::load::{Load, Rate};
use super::postgres::End;
use super::process::Process;
use super::site::Site;
use super::{Backend, Report, Trial, check, until};

/// The load meanwhile.
const RATE: Rate = Rate { per_second: 100, alerts: 3, senders: 8 };

/// Requests that must be accepted before the next step.
const BEFORE: usize = 30;

/// How long a process may go on.
const ENDS: Duration = Duration::from_secs(5);

/// How long anything else may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The status of a process that ends because of it (sysexits(3), `EX_IOERR`).
const STATUS: i32 = 74;

/// The file that can't be synced any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// SQLite's log, at every commit.
    Log,
    /// SQLite's file, when the log is written back.
    File,
    /// The spool, while PostgreSQL is away.
    Spool,
}

impl Place {
    /// The places that there are with a database.
    pub fn of(backend: Backend) -> &'static [Self] {
        match backend {
            Backend::Sqlite => &[Self::Log, Self::File],
            Backend::Postgres => &[Self::Spool],
        }
    }

    fn path(self, site: &Site) -> PathBuf {
        site.path("data").join(match self {
            Self::Log => "sre-copilot.db-wal",
            Self::File => "sre-copilot.db",
            Self::Spool => "spool/0/webhooks",
        })
    }
}

/// Under load, every fsync of one file of the first replica fails with EIO until it has ended; then it is started again.
///
/// # Errors
/// When `strace` is not installed or may not attach, or the product can't be started or asked.
pub async fn ends(trial: &Trial, place: Place) -> anyhow::Result<Report> {
    let mut site = Site::start(trial).await?;
    let ledger = Ledger::create(&site.path("ledger"))?;
    let load = Load::start(&site, site.webhooks(), &ledger, RATE, 0);
    let mut report = Report::default();
    let patience = PATIENCE * site.patience;
    accepts(&load, BEFORE, patience).await?;
    if let Some(postgres) = &mut site.postgres {
        postgres.end(End::Fast).await?;
        // Whatever was under way is answered within this many.
        accepts(&load, BEFORE, patience).await?;
    }
    let mut strace = fail(&site, place).await?;
    let accepted = load.accepted();
    let (promised, first) = (ENDS * site.patience, site.replica(0)?);
    let ended = until(promised, async || Ok(first.ended()?)).await?;
    let said = first.said(6);
    match ended {
        None => report
            .find("went-on", format!("fsync of {place:?} fails, and {promised:?} later it goes on:\n{said}")),
        Some(status) if status.code() != Some(STATUS) => {
            report.find("went-on", format!("it ended by {status}:\n{said}"))
        }
        Some(_) if !said.contains("failed fsync") => {
            report.find("silent", format!("it does not say why:\n{said}"))
        }
        Some(_) => {}
    }
    // Whoever had synced before may have been answered after; each sender waits for one answer.
    let answered = load.accepted() - accepted;
    if place == Place::Log && answered > RATE.senders {
        report.find(
            "unsynced",
            format!("{answered} requests were accepted though the log could not be synced"),
        );
    }
    first.kill()?;
    // It ends with what it traced.
    strace.terminate(PATIENCE).await?;
    if let Some(postgres) = &mut site.postgres {
        postgres.start().await?;
    }
    site.replica(0)?.start().await?;
    if let Err(error) = accepts(&load, BEFORE, patience).await {
        report.find("not-recovered", format!("{error}:\n{}", site.replica(0)?.said(8)));
    }
    load.stop().await;
    report.note(format!(
        "fsync of {place:?} fails: {accepted} requests accepted before, {answered} until the end"
    ));
    report.extend(check::everything(&site, &ledger.close()?, RATE.alerts).await?);
    Ok(report)
}

/// Waits until `count` more requests are accepted.
async fn accepts(load: &Load, count: usize, patience: Duration) -> anyhow::Result<()> {
    let before = load.accepted();
    let accepted = until(patience, async || Ok((load.accepted() >= before + count).then_some(())));
    accepted.await?.with_context(|| format!("not even {count} requests are accepted within {patience:?}"))
}

/// Has every fsync of the first replica's file fail from now on, until the answer is stopped.
async fn fail(site: &Site, place: Place) -> anyhow::Result<Process> {
    let id = site.replicas.first().and_then(|first| first.id()).context("a replica that runs")?;
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO"]);
    command.args(["-e", "signal=none", "-P"]).arg(place.path(site)).arg("-o").arg(site.path("trace"));
    let mut strace =
        Process::start("strace", command.args(["-p", &id.to_string()]), &site.path("strace.log"))?;
    let attached = until(Duration::from_secs(60), async || {
        if let Some(status) = strace.ended()?.filter(|status| !status.success()) {
            bail!("strace ended early: {status}; may this user trace its own processes?");
        }
        Ok(is_traced(id).then_some(()))
    });
    attached.await?.context("strace did not attach")?;
    Ok(strace)
}
