//! `check`: whether the configuration of a sender would let every alert arrive here.

mod alertmanager;
mod matcher;
mod receiver;
mod route;
#[cfg(test)]
mod tests;
mod yaml;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Subcommand;

use super::print;

/// The largest file that is read, in bytes; the longest configurations have some thousand lines.
const MOST_BYTES: u64 = 8 << 20;

/// What can be checked.
#[derive(Debug, Subcommand)]
pub enum CheckCommand {
    /// Says what in an alertmanager.yml keeps alerts from arriving here, or makes them look wrong. Nothing is asked or
    /// changed. Exits with 1 when alerts would be lost.
    AlertmanagerConfig {
        /// The file.
        file: PathBuf,
    },
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    /// Alerts, or their ends, do not arrive.
    Error,
    /// They arrive, and something about them will mislead.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    level: Level,
    /// Counted from 1.
    line: usize,
    what: String,
    /// Why it matters to whoever is on call.
    why: String,
    /// What to write instead.
    instead: String,
}

impl Finding {
    fn error(line: usize, what: impl Into<String>, why: &str, instead: impl Into<String>) -> Self {
        Self { level: Level::Error, line, what: what.into(), why: why.to_owned(), instead: instead.into() }
    }

    fn warning(line: usize, what: impl Into<String>, why: &str, instead: impl Into<String>) -> Self {
        Self { level: Level::Warning, ..Self::error(line, what, why, instead) }
    }

    /// The finding as a terminal shows it, line by line.
    fn lines(&self, file: &str) -> Vec<String> {
        let level = if self.level == Level::Error { "error" } else { "warning" };
        let Self { line, what, why, instead, .. } = self;
        let mut all = vec![format!("{file}:{line}: {level}: {what}"), format!("  why:     {why}")];
        for (at, line) in instead.lines().enumerate() {
            let begin = if at == 0 { "  instead: " } else { "           " };
            all.push(format!("{begin}{line}"));
        }
        all.iter().map(|line| print::plain(line)).collect()
    }
}

/// Runs a check.
///
/// # Errors
/// When the file can't be read, or alerts would be lost.
pub fn check(command: &CheckCommand) -> anyhow::Result<()> {
    let CheckCommand::AlertmanagerConfig { file } = command;
    let text = read(file)?;
    let name = file.display().to_string();
    let found = alertmanager::check(&text).map_err(|broken| {
        anyhow::anyhow!("{name}:{}: this is no YAML that Alertmanager reads: {}", broken.line, broken.what)
    })?;
    for line in found.iter().flat_map(|finding| finding.lines(&name)) {
        print::line(&line)?;
    }
    let errors = found.iter().filter(|finding| finding.level == Level::Error).count();
    let warnings = found.len() - errors;
    ensure!(
        errors == 0,
        "{}: {} that would lose alerts, or keep somebody from being paged",
        print::plain(&name),
        counted(errors, "mistake")
    );
    print::line(&match warnings {
        0 => format!("{name}: no problems"),
        _ => format!("{name}: no mistakes, {}", counted(warnings, "warning")),
    })
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn read(file: &Path) -> anyhow::Result<String> {
    let reading = || format!("reading {}", file.display());
    let length = std::fs::metadata(file).with_context(reading)?.len();
    ensure!(
        length <= MOST_BYTES,
        "{} has more than {MOST_BYTES} bytes, so it is no configuration",
        file.display()
    );
    std::fs::read_to_string(file).with_context(reading)
}
