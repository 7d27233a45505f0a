//! What a measurement found: said on the terminal, and kept in a file with the machine it was found on.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

/// Where reports are kept.
const FOLDER: &str = "bench/results";

/// A report that grows while it is measured.
pub struct Report {
    name: &'static str,
    text: String,
    quick: bool,
}

impl Report {
    /// Begins the report `name`; a quick one is not kept.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn begin(name: &'static str, title: &str, quick: bool) -> anyhow::Result<Self> {
        let mut report = Self { name, text: String::new(), quick };
        report.line(&format!("# {title}\n"))?;
        report.line(&format!("{}\n", machine()))?;
        Ok(report)
    }

    /// Says one line.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn line(&mut self, line: &str) -> anyhow::Result<()> {
        say(line)?;
        self.text.push_str(line);
        self.text.push('\n');
        Ok(())
    }

    /// Says a table: its first row names the columns.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn table(&mut self, rows: &[Vec<String>]) -> anyhow::Result<()> {
        self.line(&table(rows))
    }

    /// Keeps it.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn end(self) -> anyhow::Result<()> {
        if self.quick {
            return say("A quick run: not kept.");
        }
        let path = PathBuf::from(FOLDER).join(format!("{}.md", self.name));
        std::fs::create_dir_all(FOLDER)?;
        std::fs::write(&path, self.text)?;
        say(&format!("Kept in {}", path.display()))
    }
}

/// Says one line on standard output.
///
/// # Errors
/// When nobody reads it any longer.
pub fn say(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}

/// The value that `share` of the sorted `values` stay at or under; 0 of none.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let rank = (values.len() as f64 * share).ceil() as usize;
    values.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    quantile(&values, 0.5)
}

/// Where, when and by which command.
fn machine() -> String {
    let processor = read("/proc/cpuinfo");
    let model = processor.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown processor", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = read("/proc/meminfo");
    let kib: f64 = memory.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0.0);
    let command: Vec<String> = std::env::args().skip(1).collect();
    let busy = read("/proc/loadavg");
    format!(
        "{}, {cores} x {model}, {:.0} GiB, Linux {}, load before {}, commit {}: `bench {}`",
        crate::now().strftime("%Y-%m-%d %H:%M UTC"),
        kib / 1024.0 / 1024.0,
        read("/proc/sys/kernel/osrelease").trim(),
        busy.split_whitespace().next().unwrap_or("unknown"),
        commit(),
        command.join(" "),
    )
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn commit() -> String {
    let asked = std::process::Command::new("git").args(["describe", "--always", "--dirty"]).output();
    let said = asked.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    said.ok().filter(|said| !said.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}

/// A table as Markdown, its columns lined up for the terminal.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(&widths) {
            // Writing to a text can't fail.
            let _ = write!(text, "| {cell:>width$} ");
        }
        text.push_str("|\n");
        if at == 0 {
            for width in &widths {
                let _ = write!(text, "| {}: ", "-".repeat(width.saturating_sub(1)));
            }
            text.push_str("|\n");
        }
    }
    text
}
