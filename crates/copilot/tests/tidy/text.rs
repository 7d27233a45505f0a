//! The files of the repository, and the parts of them that a rule looks at.

use std::path::Path;
use std::process::Command;

/// A file whose text is read, by its path from the root of the repository.
#[derive(Debug)]
pub struct File {
    path: String,
    text: String,
}

impl File {
    /// A file made up for a test, or read from the disk.
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// The path, with `/` between its parts.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The last part of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Whether the name ends in one of `extensions`.
    pub fn is(&self, extensions: &[&str]) -> bool {
        extensions.iter().any(|extension| self.path.ends_with(&format!(".{extension}")))
    }

    /// The rules' own samples of what is forbidden.
    fn is_sample(&self) -> bool {
        self.path.starts_with("crates/copilot/tests/tidy")
    }

    fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.name() == "tests.rs" || self.name().ends_with("_tests.rs")
    }

    /// Numbered lines, counted from 1; none of the rules' own samples.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(at, line)| (at + 1, line));
        lines.filter(|_| !self.is_sample())
    }

    /// Numbered lines of Rust without comments, and without tests.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = if self.is_test() { 0 } else { self.first_test_line() };
        self.lines().take_while(move |(at, _)| *at < end).map(|(at, line)| (at, uncommented(line)))
    }

    /// Numbered lines of Rust that are tests.
    pub fn tests(&self) -> impl Iterator<Item = (usize, &str)> {
        let begin = if self.is_test() { 0 } else { self.first_test_line() };
        self.lines().skip_while(move |(at, _)| *at < begin).map(|(at, line)| (at, uncommented(line)))
    }

    /// The line that begins the tests inside a file: they come last, as a module of their own.
    fn first_test_line(&self) -> usize {
        let lines: Vec<&str> = self.text.lines().collect();
        let begins = |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1].ends_with('{');
        lines.windows(2).position(begins).map_or(usize::MAX, |at| at + 1)
    }

    /// The place of a finding.
    pub fn at(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.path)
    }
}

fn uncommented(line: &str) -> &str {
    match line.find("//") {
        // Two slashes after a colon are an address.
        Some(at) if !line[..at].ends_with(':') => &line[..at],
        _ => line,
    }
}

/// Every text file that is, or could be, committed.
pub fn repository() -> Vec<File> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .ok()
        .filter(|output| output.status.success());
    let paths = match listed {
        Some(output) => {
            String::from_utf8(output.stdout).unwrap().split_terminator('\0').map(str::to_owned).collect()
        }
        None => walk(root, ""),
    };
    let read = |path: String| Some(File { text: std::fs::read_to_string(root.join(&path)).ok()?, path });
    paths.into_iter().filter_map(read).collect()
}

/// The files below `folder`, for a copy of the source that has no history.
fn walk(root: &Path, folder: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(root.join(folder)).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        if !entry.path().is_dir() {
            paths.push(path);
        } else if ![".git", "target", "node_modules", "dist", "data"].contains(&name.as_str()) {
            paths.extend(walk(root, &path));
        }
    }
    paths
}
