//! T-G1d: the disk is full and has room again; nothing is accepted that was not stored, and nobody has to help.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::ledger::Ledger;
use super::load::{Load, Rate};
use super::postgres::{End, Postgres};
use super::site::{self, Site};
use super::{Report, Trial, check, until};

/// The load meanwhile.
const RATE: Rate = Rate { per_second: 100, alerts: 3, senders: 8 };

/// Requests that must have been refused before there is room again.
const REFUSED: usize = 20;

/// The disk of PostgreSQL: its own files, and a few segments of its log.
const POSTGRES_MIB: u32 = 160;

/// How long it may take until something is accepted again: the promise.
const HEALED: Duration = Duration::from_secs(10);

/// A file system in memory, as large as it is told to be; dropping it takes it away.
#[derive(Debug)]
struct Small(PathBuf);

impl Small {
    fn mount(at: &Path, mib: u32) -> anyhow::Result<Self> {
        std::fs::create_dir_all(at)?;
        let options = format!("size={mib}m,mode=0700");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(at).output()?;
        if !mounted.status.success() {
            bail!("{}", String::from_utf8_lossy(&mounted.stderr));
        }
        Ok(Self(at.to_owned()))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // Also while somebody still has files open on it.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Whether this user may mount: without it there is no small disk to fill.
pub fn is_possible() -> bool {
    let Ok(folder) = tempfile::tempdir() else { return false };
    Small::mount(folder.path(), 1).is_ok()
}

/// Fills the disk under the product and makes room again, `rounds` times.
///
/// # Errors
/// When the product can't be started or asked, or there is no disk to fill.
pub async fn fills(trial: &Trial, rounds: usize) -> anyhow::Result<Report> {
    let mut small = None;
    let mut site = Site::with(trial, |replica| {
        small.get_or_insert_with(|| Small::mount(&replica.folder().join("data"), 48));
    })
    .await?;
    let small = small.context("a disk")??;
    let ledger = Ledger::create(&site.path("ledger"))?;
    let load = Load::start(&site, site.webhooks(), &ledger, RATE, 0);
    let mut report = Report::default();
    for _ in 0..rounds {
        let (accepted, patience) = (load.accepted(), Duration::from_secs(20));
        until(patience, async || Ok((load.accepted() > accepted + 10).then_some(()))).await?;
        let filler = small.0.join("filler");
        fill(&filler)?;
        let failed = load.failed();
        let refused = until(patience, async || {
            // What the database gave back meanwhile is taken as well.
            fill(&filler)?;
            Ok((load.failed() >= failed + REFUSED).then_some(()))
        });
        if refused.await?.is_none() {
            report.find("unreached", "a full disk refuses nothing");
        }
        let said = site.replica(0)?.says("/-/healthy").await;
        if said != Some(200) {
            report.find("liveness", format!("/-/healthy says {said:?} while the disk is full"));
        }
        std::fs::remove_file(&filler)?;
        let (accepted, freed) = (load.accepted(), Instant::now());
        let patience = HEALED * site.patience;
        let healed = until(patience, async || Ok((load.accepted() > accepted + 10).then_some(()))).await?;
        if healed.is_none() {
            let log = site.replica(0)?.said(8);
            report.find(
                "not-recovered",
                format!("nothing is accepted {patience:?} after there was room:\n{log}"),
            );
        }
        report.note(format!("works {:.1} s after there was room", freed.elapsed().as_secs_f64()));
    }
    load.stop().await;
    // What was accepted is on the disk, not in the memory of one process.
    site.replica(0)?.kill()?;
    site.replica(0)?.start().await?;
    let book = ledger.close()?;
    for (id, status) in book.failed.iter().filter(|(_, status)| **status != 503) {
        report.find("refused", format!("{id} was answered {status}"));
    }
    report.extend(check::everything(&site, &book, RATE.alerts).await?);
    site.replica(0)?.kill()?;
    site.database.close().await;
    drop(small);
    Ok(report)
}

/// Fills the disk under PostgreSQL until webhooks wait in the spool, and makes room again. PostgreSQL may end when it can't write
/// its log; whoever looks after it starts it again once there is room.
///
/// # Errors
/// When the product can't be started or asked, or there is no disk to fill.
pub async fn fills_postgres(trial: &Trial, rounds: usize) -> anyhow::Result<Report> {
    let folder = site::folder()?;
    let small = Small::mount(&Postgres::data(folder.path()), POSTGRES_MIB)?;
    let mut site = Site::within(folder, trial, |_| {}).await?;
    let ledger = Ledger::create(&site.path("ledger"))?;
    let load = Load::start(&site, site.webhooks(), &ledger, RATE, 0);
    let mut report = Report::default();
    for _ in 0..rounds {
        let (accepted, patience) = (load.accepted(), Duration::from_secs(20) * site.patience);
        until(patience, async || Ok((load.accepted() > accepted + 10).then_some(()))).await?;
        let filler = small.0.join("filler");
        let filled = until(patience, async || {
            fill(&filler)?;
            Ok(site.replica(0)?.spools().await.then_some(()))
        });
        if filled.await?.is_none() {
            report.find("unreached", "PostgreSQL writes on though its disk is full");
        }
        let (sent, accepted) = (load.sent(), load.accepted());
        tokio::time::sleep(trial.time).await;
        let said = site.replica(0)?.says("/-/healthy").await;
        if said != Some(200) {
            report.find("liveness", format!("/-/healthy says {said:?} while PostgreSQL's disk is full"));
        }
        let (sent, accepted) = (load.sent() - sent, load.accepted() - accepted);
        std::fs::remove_file(&filler)?;
        let freed = Instant::now();
        let ended = site.postgres.as_mut().context("a PostgreSQL")?.revive().await?;
        check::alive(&mut report, &site, HEALED).await?;
        report.note(format!(
            "{accepted} of {sent} requests accepted while PostgreSQL's disk was full ({}); works {:.1} s after there was room",
            if ended { "it had ended" } else { "it went on" },
            freed.elapsed().as_secs_f64()
        ));
    }
    load.stop().await;
    report.extend(check::everything(&site, &ledger.close()?, RATE.alerts).await?);
    for replica in &mut site.replicas {
        replica.kill()?;
    }
    site.database.close().await;
    site.postgres.as_mut().context("a PostgreSQL")?.end(End::Kill).await?;
    drop(small);
    Ok(report)
}

/// Adds to `file` until there is no room for another byte.
fn fill(file: &Path) -> anyhow::Result<()> {
    let mut file = File::options().create(true).append(true).open(file)?;
    for size in [1 << 20, 1 << 12, 1] {
        let bytes = vec![0; size];
        while file.write_all(&bytes).is_ok() {}
    }
    Ok(())
}
