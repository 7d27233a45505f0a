//! The medians, next to Alertmanager's and the goals.

use super::Options;
use super::cell::{Cell, Measured, goal};
use super::side::Side;
use crate::report::{Report, median};

/// Writes the tables.
///
/// # Errors
/// When the terminal is gone.
pub fn write(options: &Options, cells: &[Measured], report: &mut Report) -> anyhow::Result<()> {
    let mut rows = vec![headings()];
    for distinct in options.distinct.iter().copied() {
        for batch in options.batches.iter().copied() {
            let other = Medians::of(cells, Cell { side: Side::Alertmanager, distinct, batch });
            for side in options.sides.iter().copied() {
                if let Some(medians) = Medians::of(cells, Cell { side, distinct, batch }) {
                    rows.push(medians.row(other.as_ref()));
                }
            }
        }
    }
    report.table(&rows)?;
    report.line(
        "Rates are alerts a second answered 2xx, in brackets as multiples of Alertmanager's in the same run;",
    )?;
    report.line("`repeats` carry a later end each time, as Prometheus sends them, `equal` are the same bytes. p99 is from")?;
    report.line("when a request was due to its answer, at half of the goal's load or of the load reached, whichever is")?;
    report.line(
        "less. CPU is of the whole process tree for one repeat, peak the program's resident memory, tree the",
    )?;
    report.line("memory of all its processes with PostgreSQL's, refused the requests of all runs not answered 2xx. After each")?;
    report.line("cell without any of those the API was asked whether every accepted alert is there: it was.")
}

fn headings() -> Vec<String> {
    let names = [
        "distinct",
        "batch",
        "who",
        "first sight",
        "goal",
        "repeats",
        "goal",
        "equal",
        "p99 repeats",
        "p99 first",
        "CPU us",
        "peak MiB",
        "tree MiB",
        "refused",
    ];
    names.map(str::to_owned).to_vec()
}

struct Medians {
    cell: Cell,
    first: f64,
    repeats: f64,
    equal: f64,
    cpu_us: f64,
    paced: Option<(f64, f64)>,
    paced_first: Option<(f64, f64)>,
    peak_mib: f64,
    tree_mib: f64,
    refused: usize,
}

impl Medians {
    fn of(cells: &[Measured], cell: Cell) -> Option<Self> {
        let runs: Vec<&Measured> = cells.iter().filter(|one| one.cell == cell).collect();
        let over = |value: fn(&Measured) -> f64| median(runs.iter().map(|one| value(one)).collect());
        let paced = |value: fn(&Measured) -> Option<(f64, f64)>| {
            let found: Vec<(f64, f64)> = runs.iter().filter_map(|one| value(one)).collect();
            let (rates, times) = (found.iter().map(|one| one.0), found.iter().map(|one| one.1));
            (!found.is_empty()).then(|| (median(rates.collect()), median(times.collect())))
        };
        (!runs.is_empty()).then(|| Self {
            cell,
            first: over(|one| one.first),
            repeats: over(|one| one.repeats),
            equal: over(|one| one.equal),
            cpu_us: over(|one| one.cpu_us),
            paced: paced(|one| one.paced),
            paced_first: paced(|one| one.paced_first),
            peak_mib: over(|one| one.peak_mib),
            tree_mib: over(|one| one.tree_mib),
            refused: runs.iter().map(|one| one.refused).sum(),
        })
    }

    fn row(&self, other: Option<&Self>) -> Vec<String> {
        let ours = self.cell.side != Side::Alertmanager;
        let (goal_first, goal_repeats) = goal(self.cell.batch);
        let against = |rate: f64, theirs: Option<f64>| match theirs {
            Some(theirs) if ours => format!("{rate:.0} ({:.2}x)", rate / theirs.max(1.0)),
            _ => format!("{rate:.0}"),
        };
        let times = |goal: Option<f64>| match goal {
            Some(goal) if ours => format!("{goal:.0}x"),
            _ => String::new(),
        };
        let paced = |found: Option<(f64, f64)>| match found {
            Some((rate, ms)) => format!("{ms:.1} ms at {rate:.0}/s"),
            None => String::new(),
        };
        vec![
            self.cell.distinct.to_string(),
            self.cell.batch.to_string(),
            self.cell.side.to_string(),
            against(self.first, other.map(|other| other.first)),
            times(goal_first),
            against(self.repeats, other.map(|other| other.repeats)),
            times(Some(goal_repeats)),
            against(self.equal, other.map(|other| other.equal)),
            paced(self.paced),
            paced(self.paced_first),
            format!("{:.1}", self.cpu_us),
            format!("{:.0}", self.peak_mib),
            format!("{:.0}", self.tree_mib),
            self.refused.to_string(),
        ]
    }
}
