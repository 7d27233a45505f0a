//! Who may know whom.

use regex::Regex;

use super::text::File;

/// The services and the modules above them.
const SERVICES: [&str; 9] =
    ["auth", "incident", "ai", "integration", "notify", "websocket", "gateway", "service", "demo"];

/// Modules that put the product together and may know every part of it.
const ABOVE: [&str; 9] = ["app", "cli", "service", "server", "main", "lib", "demo", "openapi", "command"];

/// What a module may import of the services, beside `auth` and itself.
const FORWARD: [(&str, &[&str]); 5] = [
    ("integration", &["incident"]),
    ("ai", &["incident"]),
    ("notify", &["incident"]),
    // An incident's event carries its summary, so the two know each other's types.
    ("event", &["incident"]),
    // The gateway serves every service, through the enum that names them.
    ("gateway", &["service"]),
];

/// Clients of other machines, and the only paths that may use them.
const DOORS: [(&str, &[&str]); 3] = [
    (
        "reqwest",
        &[
            "bench/",
            "crates/copilot/src/cli/health.rs",
            "crates/copilot/src/outbound",
            "crates/copilot/src/gateway/",
            "crates/copilot/src/traces/collector.rs",
            "crates/llm/",
        ],
    ),
    ("tokio_tungstenite", &["bench/", "crates/copilot/src/gateway/"]),
    // `crate::redis` is the door itself, for everybody.
    ("::redis", &["crates/copilot/src/redis/"]),
];

/// Imports of a service that comes later.
pub fn backward(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        let Some(module) = module(file) else { continue };
        if ABOVE.contains(&module.as_str()) {
            continue;
        }
        let forward = FORWARD.iter().find(|(from, _)| *from == module).map_or(&[][..], |(_, to)| to);
        for (line, to) in imported(file) {
            let allowed = to == "auth" || to == module || forward.contains(&to.as_str());
            if SERVICES.contains(&to.as_str()) && !allowed {
                found.push(file.at(line, &format!("{module} imports {to}")));
            }
        }
    }
    found
}

/// The top-level module of the product that a file belongs to.
fn module(file: &File) -> Option<String> {
    let rest = file.path().strip_prefix("crates/copilot/src/")?;
    Some(rest.split('/').next()?.trim_end_matches(".rs").to_owned())
}

/// The top-level modules that a file names, with the line of each.
fn imported(file: &File) -> Vec<(usize, String)> {
    let named = Regex::new(r"\bcrate::(\w+)").unwrap();
    let first = Regex::new(r"^\s*(\w+)").unwrap();
    let mut found = Vec::new();
    // Inside `use crate::{…}`: how many braces are open.
    let mut depth = 0;
    for (line, text) in file.code() {
        found.extend(named.captures_iter(text).map(|name| (line, name[1].to_owned())));
        let mut rest = text;
        if let Some((_, group)) = text.split_once("crate::{") {
            depth = 1;
            rest = group;
        }
        if depth == 0 {
            continue;
        }
        // Only names at the outermost level are modules of ours.
        for piece in rest.split_inclusive([',', '{', '}']) {
            if depth == 1
                && let Some(name) = first.captures(piece)
            {
                found.push((line, name[1].to_owned()));
            }
            depth += i32::from(piece.ends_with('{')) - i32::from(piece.ends_with('}'));
            if depth == 0 {
                break;
            }
        }
    }
    found
}

/// Uses of a client outside of its door.
pub fn other_doors(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.is(&["rs"])) {
        for (client, doors) in DOORS {
            if doors.iter().any(|door| file.path().starts_with(door)) {
                continue;
            }
            let before = if client.starts_with(':') { r"(?:^|\W)" } else { r"\b" };
            let used = Regex::new(&format!(r"{before}{client}\b")).unwrap();
            let lines = file.code().filter(|(_, text)| used.is_match(text));
            found.extend(lines.map(|(line, _)| file.at(line, &format!("{client} outside of its door"))));
        }
    }
    found
}
