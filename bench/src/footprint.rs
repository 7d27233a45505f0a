//! How quickly the product is ready, and what it holds while nothing happens.

use std::time::Duration;

use anyhow::Context as _;

use crate::child;
use crate::folder;
use crate::postgres::Postgres;
use crate::product::{self, Product};
use crate::report::{Report, median};

/// What to measure.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Three starts instead of eleven; the figures are not kept.
    #[arg(long)]
    quick: bool,
}

/// Starts the product several times over each database and reports medians.
///
/// # Errors
/// When it can't be started.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let starts = if options.quick { 3 } else { 11 };
    let folder = folder::create()?;
    let mut report = Report::begin("footprint", "Footprint: start, idle memory, size", options.quick)?;
    let binary = product::binary();
    let size = std::fs::metadata(&binary).with_context(|| format!("{}", binary.display()))?.len();
    let postgres = Postgres::start(folder.path())?;
    let url = postgres.database("footprint")?;
    let mut rows = vec![["what", "goal", "SQLite", "PostgreSQL"].map(str::to_owned).to_vec()];
    let (mut first, mut again, mut idle) = (Vec::new(), Vec::new(), Vec::new());
    for settings in [vec![], vec![("DATABASE_URL", url.as_str())]] {
        let data = tempfile::tempdir_in(folder.path())?;
        let begin = Product::start(&binary, data.path(), &settings)?;
        first.push(format!("{:.0} ms", begin.ready_after.as_secs_f64() * 1e3));
        child::pause(Duration::from_secs(3));
        idle.push(format!("{:.1} MiB", child::resident_mib(begin.process.id())));
        drop(begin);
        let mut times = Vec::new();
        for _ in 0..starts {
            let product = Product::start(&binary, data.path(), &settings)?;
            times.push(product.ready_after.as_secs_f64() * 1e3);
        }
        again.push(format!("{:.0} ms", median(times)));
    }
    for (what, goal, found) in [
        ("start to ready", "300 ms", again),
        ("first start, which creates the schema", "", first),
        ("resident after 3 s idle", "40 MiB", idle),
    ] {
        rows.push([vec![what.to_owned(), goal.to_owned()], found].concat());
    }
    let size = format!("{:.1} MiB", size as f64 / 1024.0 / 1024.0);
    rows.push(vec!["the binary, dashboard inside".to_owned(), "40 MiB".to_owned(), size, String::new()]);
    report.table(&rows)?;
    report.end()
}
