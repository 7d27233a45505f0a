//! Alerts a second durably accepted, against Alertmanager fed the same alerts.

mod cell;
mod side;
mod summary;

use std::time::Duration;

use anyhow::Context as _;

use crate::alert_set::{AlertSet, Target};
use crate::child::Process;
use crate::driver::{self, Amount, Ends, Plan};
use crate::postgres::Postgres;
use crate::report::{Report, median};
use crate::{folder, now};
use cell::Measured;
use side::Side;

/// What to measure.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// One short run over fewer alerts, to see that it works; its figures are not kept.
    #[arg(long)]
    pub quick: bool,
    /// Runs of everything; the medians are reported.
    #[arg(long, default_value_t = 5)]
    pub runs: usize,
    /// Alerts in a request.
    #[arg(long, value_delimiter = ',', default_value = "1,5,64")]
    pub batches: Vec<usize>,
    /// Distinct alerts.
    #[arg(long, value_delimiter = ',', default_value = "1000,100000")]
    pub distinct: Vec<usize>,
    /// Who is measured, in this order.
    #[arg(long, value_delimiter = ',', default_value = "alertmanager,sqlite,postgres")]
    pub sides: Vec<Side>,
    /// Connections of the driver, each with one request at a time; the same for everybody.
    #[arg(long, default_value_t = 128)]
    pub connections: usize,
    /// Seconds of each stretch that repeats alerts.
    #[arg(long, default_value_t = 4.0)]
    pub seconds: f64,
}

/// Measures everything and reports it.
///
/// # Errors
/// When something can't be started, or loses an alert.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let mut options = options.clone();
    if options.quick {
        options.runs = 1;
        options.seconds = options.seconds.min(1.5);
        options.distinct = options.distinct.iter().map(|distinct| *distinct.min(&10_000)).collect();
    }
    let folder = folder::create()?;
    let mut report = Report::begin("ingest", "Ingest: alerts a second durably accepted", options.quick)?;
    report.line(&format!(
        "{} connections, one request at a time on each, from one thread; {} run(s), medians. A write of 4 KiB \
         with its fdatasync in this folder takes {:.2} ms.\n",
        options.connections,
        options.runs,
        folder::sync_ms(folder.path())?
    ))?;
    driver_alone(&options, &mut report)?;
    let postgres =
        if options.sides.contains(&Side::Postgres) { Some(Postgres::start(folder.path())?) } else { None };
    let mut cells: Vec<Measured> = Vec::new();
    for run in 1..=options.runs {
        for distinct in options.distinct.iter().copied() {
            for batch in options.batches.iter().copied() {
                for side in options.sides.iter().copied() {
                    let place = cell::Place { folder: folder.path(), postgres: postgres.as_ref() };
                    let earlier = cells.iter().rev().find(|one| one.is(Side::Alertmanager, distinct, batch));
                    let cell = cell::Cell { side, distinct, batch };
                    let measured = cell::measure(&options, &place, cell, earlier)
                        .with_context(|| format!("{side}, {distinct} alerts in batches of {batch}"))?;
                    crate::report::say(&format!("run {run}: {measured}"))?;
                    cells.push(measured);
                }
            }
        }
    }
    summary::write(&options, &cells, &mut report)?;
    report.end()
}

/// What the driver reaches when every request is answered at once.
fn driver_alone(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let (mut null, address) = start_null()?;
    let target = Target { address: &address, path: "/", token: None };
    for batch in &options.batches {
        let set = AlertSet::new(&target, 1_000, *batch, "null", now());
        let plan = Plan {
            connections: options.connections,
            amount: Amount::For(Duration::from_secs_f64(options.seconds.min(2.0))),
            ends: Ends::Later,
            rate: None,
        };
        let rates = (0..3).map(|_| Ok(driver::send(&address, &set, plan)?.rate()));
        let rate = median(rates.collect::<anyhow::Result<Vec<f64>>>()?);
        report.line(&format!(
            "The driver alone, against a server that only answers, at batches of {batch}: {rate:.0} alerts/s"
        ))?;
    }
    report.line("")?;
    drop(null.stdin.take());
    null.wait()?;
    Ok(())
}

fn start_null() -> anyhow::Result<(std::process::Child, String)> {
    use std::io::BufRead as _;
    use std::process::{Command, Stdio};
    let mut command = Command::new(std::env::current_exe()?);
    let mut child = command.arg("null").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    let said = child.stdout.take().context("the null server's output")?;
    std::io::BufReader::new(said).read_line(&mut line)?;
    Ok((child, line.trim().to_owned()))
}

/// The processes of one side, to be watched while they work.
fn roots<'a>(processes: impl IntoIterator<Item = &'a Process>) -> Vec<u32> {
    processes.into_iter().map(Process::id).collect()
}
