//! Where SQL is, and that it knows its tenant.

use std::collections::BTreeMap;

use regex::Regex;

use super::text::File;

/// Paths outside of the stores that may hold SQL; the fault programme looks behind the product's back.
const SQL: [&str; 4] = ["bench/", "crates/outbox/", "crates/copilot/src/db/", "crates/copilot/src/health.rs"];

/// Functions of a store that can't be given a tenant: their answer names it, or they look for due work.
const TENANTLESS: [(&str, &str); 35] = [
    // The answer is the tenant: a webhook's token, and the receipt of a request without a valid one.
    ("integration/store.rs", "by_token"),
    ("integration/store.rs", "by_id"),
    ("incident/store.rs", "maybe_stale"),
    ("incident/store.rs", "snoozed_enough"),
    ("incident/tracked/store.rs", "due"),
    ("incident/tracked/store.rs", "heartbeats"),
    ("notify/store.rs", "watching"),
    ("notify/store/pass.rs", "due"),
    ("notify/store/sent.rs", "all_waiting"),
    ("auth/store/api_key.rs", "by_prefix"),
    ("auth/store/audit.rs", "aged"),
    // Attempts to sign in are counted before anybody knows whose they are.
    ("auth/store/attempt.rs", "find"),
    ("auth/store/attempt.rs", "replace"),
    ("auth/store/attempt.rs", "touch"),
    ("auth/store/attempt.rs", "clear"),
    // The whole database has one master key.
    ("auth/store/installation.rs", "key_check"),
    ("auth/store/installation.rs", "note_key"),
    ("auth/store/installation.rs", "forget_key"),
    ("auth/store/installation.rs", "hold"),
    ("auth/store/installation.rs", "bring_into_use"),
    ("auth/store/installation.rs", "end"),
    ("auth/store/installation.rs", "call"),
    ("auth/store/installation.rs", "is_called"),
    ("auth/store/installation.rs", "register"),
    ("auth/store/installation.rs", "holders"),
    ("auth/store/installation.rs", "leave"),
    ("auth/store/installation.rs", "bury"),
    ("auth/store/sealed.rs", "tenants"),
    ("auth/store/sealed.rs", "count_others"),
    ("auth/store/invitation.rs", "by_token"),
    ("auth/store/user.rs", "lock_registration"),
    ("auth/store/user.rs", "any"),
    ("auth/store/user.rs", "by_email"),
    ("auth/store/user.rs", "tenant_by_name"),
    ("auth/store/user.rs", "tenants"),
];

/// A `store.rs`, or a file of a store that is split by noun.
fn is_store(file: &File) -> bool {
    file.name() == "store.rs" || file.path().contains("/store/")
}

/// SQL outside of the stores.
pub fn scattered_sql(files: &[File]) -> Vec<String> {
    let sql = Regex::new(
        r"\bsqlx::(query|raw_sql|QueryBuilder)|\bQueryBuilder::|\bquery(_as|_scalar)?(::<.*>)?\(\s*\x22",
    )
    .unwrap();
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.is(&["rs"]) && !is_store(file)) {
        if SQL.iter().any(|path| file.path().starts_with(path)) {
            continue;
        }
        let lines = file.code().filter(|(_, text)| sql.is_match(text));
        found.extend(lines.map(|(line, _)| file.at(line, "SQL outside of the stores")));
    }
    found
}

/// Functions of a store whose first parameter after the connection is not the tenant.
pub fn stores_without_tenant(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| is_store(file)) {
        for (line, name, parameters) in functions(file) {
            let [connection, rest @ ..] = parameters.as_slice() else { continue };
            let connected = ["Tx", "&Db", "TxConn"].iter().any(|kind| connection.ends_with(kind));
            let listed =
                TENANTLESS.iter().any(|(path, listed)| file.path().ends_with(path) && *listed == name);
            if connected && !listed && rest.first().is_none_or(|second| second != "tenant: TenantId") {
                found.push(file.at(line, &format!("{name} does not take the tenant after its connection")));
            }
        }
    }
    found
}

/// Line, name and parameters of every function of a file.
fn functions(file: &File) -> Vec<(usize, String, Vec<String>)> {
    let head = Regex::new(r"\bfn (\w+)(?:<[^(]*>)?\(").unwrap();
    let lines: Vec<(usize, &str)> = file.code().collect();
    let mut found = Vec::new();
    for (at, (line, text)) in lines.iter().enumerate() {
        let Some(head) = head.captures(text) else { continue };
        let mut rest = text[head.get(0).unwrap().end()..].to_owned();
        rest.extend(lines[at + 1..].iter().take(20).map(|(_, text)| text.trim()));
        found.push((*line, head[1].to_owned(), parameters(&rest)));
    }
    found
}

/// The parameters in `text`, which begins after the opening parenthesis.
fn parameters(text: &str) -> Vec<String> {
    let mut depth = 0;
    let mut found = vec![String::new()];
    for letter in text.chars() {
        match letter {
            ')' if depth == 0 => break,
            '(' | '<' | '[' => depth += 1,
            ')' | '>' | ']' => depth -= 1,
            ',' if depth == 0 => {
                found.push(String::new());
                continue;
            }
            _ => {}
        }
        found.last_mut().unwrap().push(letter);
    }
    found.iter().map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect()
}

/// A column: its file name without the engine, its table and its name.
type Column = (String, String, String);

/// Files, tables and columns that only one of the two databases has.
pub fn unequal_migrations(files: &[File]) -> Vec<String> {
    let folders = ["migrations/sqlite/", "migrations/postgres/"];
    let mut found = Vec::new();
    for (ours, theirs) in [(folders[0], folders[1]), (folders[1], folders[0])] {
        let names: Vec<&str> = files.iter().filter_map(|file| file.path().strip_prefix(theirs)).collect();
        let other = columns(files, theirs);
        for file in files {
            let Some(name) = file.path().strip_prefix(ours) else { continue };
            if !names.contains(&name) {
                found.push(file.at(1, &format!("{theirs} has no such file")));
            }
        }
        for (column, place) in columns(files, ours) {
            if !other.contains_key(&column) {
                found.push(format!("{place}: {theirs} has no {}.{}", column.1, column.2));
            }
        }
    }
    found
}

fn columns(files: &[File], folder: &str) -> BTreeMap<Column, String> {
    let create = Regex::new(r"(?i)^\s*create table (?:if not exists )?(\w+)").unwrap();
    let alter = Regex::new(r"(?i)^\s*alter table (\w+) add column (\w+)").unwrap();
    let column = Regex::new(r"^    (\w+) ").unwrap();
    let mut found = BTreeMap::new();
    for file in files {
        let Some(name) = file.path().strip_prefix(folder) else { continue };
        let mut table = None;
        for (line, text) in file.lines() {
            let mut add = |table: &str, column: &str| {
                let key = (name.to_owned(), table.to_owned(), column.to_owned());
                found.insert(key, format!("{}:{line}", file.path()));
            };
            if let Some(altered) = alter.captures(text) {
                add(&altered[1], &altered[2]);
            } else if let Some(created) = create.captures(text) {
                table = Some(created[1].to_owned());
                add(&created[1], "*");
            } else if text.starts_with(')') {
                table = None;
            } else if let (Some(table), Some(named)) = (&table, column.captures(text))
                && !["primary", "unique", "foreign", "check", "constraint"].contains(&&named[1])
            {
                add(table, &named[1]);
            }
        }
    }
    found
}
