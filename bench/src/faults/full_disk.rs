//! T-G1d: the disk is full and has room again; nothing is accepted that was not stored, and nobody has to help.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::ledger::Ledger;
use super::load::{Load, Rate};
use super::site::Site;
use super::{Report, Trial, check, until};

/// The load meanwhile.
const RATE: Rate = Rate { per_second: 100, alerts: 3, senders: 8 };

/// Requests that must have been refused before there is room again.
const REFUSED: usize = 20;

/// How long it may take until something is accepted again: the promise.
const HEALED: Duration = Duration::from_secs(10);

/// A file system in memory, as large as it is told to be; dropping it takes it away.
#[derive(Debug)]
struct Small(PathBuf);

impl Small {
    fn mount(at: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(at)?;
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", "size=48m,mode=0700", "tmpfs"]).arg(at).output()?;
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
    Small::mount(folder.path()).is_ok()
}

/// Fills the disk under the product and makes room again, `rounds` times.
///
/// # Errors
/// When the product can't be started or asked, or there is no disk to fill.
pub async fn fills(trial: &Trial, rounds: usize) -> anyhow::Result<Report> {
    let mut small = None;
    let mut site = Site::with(trial, |replica| {
        small.get_or_insert_with(|| Small::mount(&replica.folder().join("data")));
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

/// Adds to `file` until there is no room for another byte.
fn fill(file: &Path) -> anyhow::Result<()> {
    let mut file = File::options().create(true).append(true).open(file)?;
    for size in [1 << 20, 1 << 12, 1] {
        let bytes = vec![0; size];
        while file.write_all(&bytes).is_ok() {}
    }
    Ok(())
}
