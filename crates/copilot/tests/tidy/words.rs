//! Words that have no place in the repository.

use regex::Regex;

use super::text::File;

/// What was left for later.
pub fn unfinished(files: &[File]) -> Vec<String> {
    let files = files.iter().filter(|file| file.is(&["rs", "ts", "tsx", "sql", "css", "sh", "yml", "yaml"]));
    search(files, r"\b(TODO|FIXME|XXX)\b|\b(todo|unimplemented)!", "left for later")
}

/// Tests that do not run, or that keep the others from running.
pub fn ignored_tests(files: &[File]) -> Vec<String> {
    let rust =
        search(files.iter().filter(|file| file.is(&["rs"])), r"#\[ignore\b", "a test that is switched off");
    let pattern = r"\b(test|it|describe)\.(skip|only|todo|fixme)\b";
    let typescript = files.iter().filter(|file| file.is(&["ts", "tsx"]));
    [rust, search(typescript, pattern, "a test that is switched off")].concat()
}

/// Tests that wait for time to pass.
pub fn sleeping_tests(files: &[File]) -> Vec<String> {
    let sleep = Regex::new(r"\bsleep(_until)?\(").unwrap();
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.is(&["rs"])) {
        let lines = file.tests().filter(|(_, text)| sleep.is_match(text));
        found.extend(lines.map(|(line, _)| file.at(line, "a test that sleeps")));
    }
    found
}

/// Paths that exist on one machine alone.
pub fn machine_paths(files: &[File]) -> Vec<String> {
    search(files.iter(), r"(^|[^\w.*})-])/(work|root)/", "a path of one machine")
}

fn search<'a>(files: impl Iterator<Item = &'a File>, pattern: &str, what: &str) -> Vec<String> {
    let pattern = Regex::new(pattern).unwrap();
    let lines = files.flat_map(|file| file.lines().map(move |(line, text)| (file, line, text)));
    let found = lines.filter(|(_, _, text)| pattern.is_match(text));
    found.map(|(file, line, _)| file.at(line, what)).collect()
}
