//! Files that must say the same, and files that must be there.

use regex::Regex;

use super::text::File;

/// Settings that the commented file or the code alone knows.
pub fn unequal_settings(files: &[File]) -> Vec<String> {
    let file = |path: &str| files.iter().find(|file| file.path() == path);
    let (Some(explained), Some(code)) =
        (file("crates/copilot/config.default.toml"), file("crates/copilot/src/config.rs"))
    else {
        return vec!["crates/copilot:1: the settings are not where they were".to_owned()];
    };
    let keys = named(explained, r"^(\w+) = ", "", "\u{0}");
    let fields = named(code, r"^    pub (\w+): ", "pub struct Config {", "}");
    let only = |file: &File, ours: &[(usize, String)], theirs: &[(usize, String)]| -> Vec<String> {
        let alone = ours.iter().filter(|(_, name)| !theirs.iter().any(|(_, other)| other == name));
        alone.map(|(line, name)| file.at(*line, &format!("only one side knows the setting {name}"))).collect()
    };
    [only(explained, &keys, &fields), only(code, &fields, &keys)].concat()
}

/// What `pattern` names in the lines between the one that is `begin` and the next that is `end`.
fn named(file: &File, pattern: &str, begin: &str, end: &str) -> Vec<(usize, String)> {
    let pattern = Regex::new(pattern).unwrap();
    let inside = file.lines().skip_while(|(_, text)| !begin.is_empty() && *text != begin);
    let inside = inside.take_while(|(_, text)| *text != end);
    inside.filter_map(|(line, text)| Some((line, pattern.captures(text)?[1].to_owned()))).collect()
}

/// A licence that is missing, or is not the one the manifest names.
pub fn missing_licence(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    let licence = files.iter().find(|file| file.path() == "LICENSE").map_or("", File::text);
    if !licence.contains("Apache License") || !licence.contains("Version 2.0") {
        found.push("LICENSE:1: the Apache licence, version 2.0, is not here".to_owned());
    }
    let manifest = files.iter().find(|file| file.path() == "Cargo.toml");
    if !manifest.is_some_and(|file| file.text().contains("license = \"Apache-2.0\"")) {
        found.push("Cargo.toml:1: the licence is not Apache-2.0".to_owned());
    }
    found
}
