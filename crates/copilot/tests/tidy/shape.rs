//! Sizes and names.

use regex::Regex;

use super::text::File;

/// Lines of a Rust file.
const RUST_LINES: usize = 400;

/// Lines of a TypeScript file.
const TYPESCRIPT_LINES: usize = 250;

/// Members of the workspace.
const CRATES: usize = 6;

/// Names that say nothing.
const BANNED: [&str; 9] =
    ["utils", "common", "shared", "helper", "helpers", "manager", "managers", "handler", "handlers"];

/// Files with more lines than one question needs; generated ones are as long as they are.
pub fn long_files(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| !file.name().contains(".gen.")) {
        let most = match file {
            file if file.is(&["rs"]) => RUST_LINES,
            file if file.is(&["ts", "tsx"]) => TYPESCRIPT_LINES,
            _ => continue,
        };
        let lines = file.text().lines().count();
        if lines > most {
            found.push(file.at(lines, &format!("more than {most} lines")));
        }
    }
    found
}

/// A workspace of more members than it needs.
pub fn too_many_crates(files: &[File]) -> Vec<String> {
    let members = Regex::new(r"(?s)members\s*=\s*\[(.*?)\]").unwrap();
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.path() == "Cargo.toml") {
        let Some(list) = members.captures(file.text()) else { continue };
        let count = list[1].split(',').filter(|member| !member.trim().is_empty()).count();
        if count > CRATES {
            let line = file.text()[..list.get(0).unwrap().start()].lines().count() + 1;
            found.push(file.at(line, &format!("{count} workspace members")));
        }
    }
    found
}

/// Files, folders, modules and types whose name says nothing.
pub fn banned_names(files: &[File]) -> Vec<String> {
    let named = Regex::new(
        r"^\s*(?:export )?(?:pub(?:\([a-z]+\))? )?(?:struct|enum|trait|type|mod|class|interface) (\w+)",
    );
    let named = named.unwrap();
    let ours = |file: &&File| file.path().starts_with("crates/") || file.path().starts_with("frontend/src/");
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.is(&["rs", "ts", "tsx"])).filter(ours) {
        let parts = file.path().split('/').map(|part| part.split('.').next().unwrap_or_default());
        for part in parts.filter(|part| BANNED.contains(part)) {
            found.push(file.at(1, &format!("a path called {part}")));
        }
        for (line, text) in file.lines() {
            let Some(name) = named.captures(text).map(|found| found[1].to_owned()) else { continue };
            if words(&name).iter().any(|word| BANNED.contains(&word.as_str())) {
                found.push(file.at(line, &format!("the name {name}")));
            }
        }
    }
    found
}

/// The words of a name in CamelCase or snake_case.
fn words(name: &str) -> Vec<String> {
    let word = Regex::new("[A-Z]?[a-z0-9]+|[A-Z]+").unwrap();
    word.find_iter(name).map(|word| word.as_str().to_lowercase()).collect()
}
