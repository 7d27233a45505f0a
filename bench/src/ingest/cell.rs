//! One side, one number of distinct alerts, one batch size: measured once, on a server started for it.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use super::Options;
use super::side::{Running, Side};
use crate::alert_set::AlertSet;
use crate::child;
use crate::driver::{self, Amount, Ends, Outcome, Plan};
use crate::now;
use crate::postgres::Postgres;

/// Alerts that warm both sides and their connections up before anything is measured.
const WARM_UP: usize = 500;

/// Where it happens.
pub struct Place<'a> {
    /// A folder for files.
    pub folder: &'a Path,
    /// The server, if PostgreSQL is measured.
    pub postgres: Option<&'a Postgres>,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Who takes the alerts.
    pub side: Side,
    /// Distinct alerts.
    pub distinct: usize,
    /// Alerts in a request.
    pub batch: usize,
}

/// What was found.
#[derive(Debug)]
pub struct Measured {
    /// What was measured.
    pub cell: Cell,
    /// Alerts a second, seen for the first time.
    pub first: f64,
    /// Alerts a second, repeated with a later end.
    pub repeats: f64,
    /// Alerts a second, repeated byte for byte.
    pub equal: f64,
    /// Processor microseconds for a repeated alert, over the whole process tree.
    pub cpu_us: f64,
    /// Repeats at half of the goal's load (or of what was reached, if that is less): alerts a second, and the
    /// milliseconds that 99 of 100 requests were answered within.
    pub paced: Option<(f64, f64)>,
    /// The same for alerts never seen before.
    pub paced_first: Option<(f64, f64)>,
    /// The most memory the program held resident, in MiB.
    pub peak_mib: f64,
    /// What the whole tree held at the end, in MiB.
    pub tree_mib: f64,
    /// Requests that were not answered 2xx.
    pub refused: usize,
}

impl Measured {
    /// Whether it is about this.
    pub fn is(&self, side: Side, distinct: usize, batch: usize) -> bool {
        self.cell == Cell { side, distinct, batch }
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cell { side, distinct, batch } = self.cell;
        write!(f, "{side}, {distinct} alerts in batches of {batch}: first sight {:.0}/s", self.first)?;
        write!(f, ", repeats {:.0}/s, byte-equal {:.0}/s", self.repeats, self.equal)?;
        if let Some((rate, ms)) = self.paced {
            write!(f, ", p99 {ms:.1} ms at {rate:.0}/s")?;
        }
        if let Some((rate, ms)) = self.paced_first {
            write!(f, ", first sight p99 {ms:.1} ms at {rate:.0}/s")?;
        }
        write!(
            f,
            ", {:.1} us CPU, peak {:.0} MiB, tree {:.0} MiB",
            self.cpu_us, self.peak_mib, self.tree_mib
        )?;
        if self.refused > 0 {
            write!(f, ", {} REQUESTS REFUSED", self.refused)?;
        }
        Ok(())
    }
}

/// How many times Alertmanager's load the product is to take at this batch size: first sight, repeats.
pub fn goal(batch: usize) -> (Option<f64>, f64) {
    match batch {
        0..=1 => (None, 2.0),
        2..=16 => (Some(1.0), 4.0),
        _ => (Some(1.0), 5.0),
    }
}

/// Measures one cell. `alertmanager` is what the same cell of Alertmanager gave in this run.
///
/// # Errors
/// When the side can't be started, or lost an alert it had accepted.
pub fn measure(
    options: &Options,
    place: &Place<'_>,
    cell: Cell,
    alertmanager: Option<&Measured>,
) -> anyhow::Result<Measured> {
    let folder = tempfile::tempdir_in(place.folder)?;
    let mut running = Running::start(cell.side, folder.path(), place.postgres)?;
    let mut work = Work { options, cell, running: &running, sent: 0, refused: 0 };
    work.send(WARM_UP, "warm", work.plan(Amount::Once, Ends::Later, None))?;
    let found = work.all(alertmanager);
    let (sent, refused) = (work.sent as u64, work.refused);
    // What was refused may be there or not, and is sent once only.
    if let (Some(stored), Ok(_), 0) = (running.stored()?, &found, refused)
        && stored != sent
    {
        anyhow::bail!("{sent} distinct alerts were accepted, but {stored} are there");
    }
    drop(running);
    if let (Side::Postgres, Some(postgres)) = (cell.side, place.postgres) {
        postgres.drop_database("ingest")?;
    }
    found
}

struct Work<'a> {
    options: &'a Options,
    cell: Cell,
    running: &'a Running,
    /// Distinct alerts sent so far.
    sent: usize,
    /// Requests refused so far.
    refused: usize,
}

impl Work<'_> {
    fn all(&mut self, alertmanager: Option<&Measured>) -> anyhow::Result<Measured> {
        let processes = self.running.processes();
        let cpu = || processes.iter().copied().map(child::tree_cpu_seconds).sum::<f64>();
        let set = self.set(self.cell.distinct, "seen");
        let first = self.run(&set, self.plan(Amount::Once, Ends::Later, None))?;
        self.sent += set.alerts;
        let stretch = Amount::For(Duration::from_secs_f64(self.options.seconds));
        let before = cpu();
        let repeats = self.run(&set, self.plan(stretch, Ends::Later, None))?;
        let cpu_us = (cpu() - before) * 1e6 / repeats.accepted.max(1) as f64;
        let equal = self.run(&set, self.plan(stretch, Ends::Same, None))?;
        let (goal_first, goal_repeats) = goal(self.cell.batch);
        let (mut paced, mut paced_first) = (None, None);
        if self.cell.side != Side::Alertmanager {
            let load = alertmanager.map_or(f64::MAX, |other| other.repeats * goal_repeats);
            let rate = load.min(repeats.rate()) / 2.0;
            let outcome = self.run(&set, self.plan(stretch, Ends::Later, Some(rate)))?;
            paced = Some((rate, outcome.quantile_ms(0.99)));
            let load = alertmanager.map_or(f64::MAX, |other| other.first * goal_first.unwrap_or(1.0));
            let rate = load.min(first.rate()) / 2.0;
            let alerts = (rate * self.options.seconds) as usize;
            let plan = self.plan(Amount::Once, Ends::Later, Some(rate));
            let outcome = self.send(alerts.max(self.cell.batch), "paced", plan)?;
            paced_first = Some((rate, outcome.quantile_ms(0.99)));
        }
        Ok(Measured {
            cell: self.cell,
            first: first.rate(),
            repeats: repeats.rate(),
            equal: equal.rate(),
            cpu_us,
            paced,
            paced_first,
            peak_mib: processes.first().copied().map_or(0.0, child::peak_resident_mib),
            tree_mib: processes.iter().copied().map(|root| child::usage(root).memory_mib).sum(),
            refused: self.refused,
        })
    }

    fn plan(&self, amount: Amount, ends: Ends, rate: Option<f64>) -> Plan {
        Plan { connections: self.options.connections, amount, ends, rate }
    }

    fn set(&self, alerts: usize, salt: &str) -> AlertSet {
        AlertSet::new(&self.running.target(), alerts, self.cell.batch, salt, now())
    }

    /// Sends alerts that were never seen before.
    fn send(&mut self, alerts: usize, salt: &str, plan: Plan) -> anyhow::Result<Outcome> {
        let set = self.set(alerts, salt);
        let outcome = self.run(&set, plan)?;
        self.sent += set.alerts;
        Ok(outcome)
    }

    fn run(&mut self, set: &AlertSet, plan: Plan) -> anyhow::Result<Outcome> {
        let outcome = driver::send(self.running.target().address, set, plan)?;
        self.refused += outcome.refused;
        Ok(outcome)
    }
}
