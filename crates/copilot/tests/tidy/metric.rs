//! What is recorded, held against the table of metrics.

use std::collections::{BTreeMap, BTreeSet};

use copilot::metric::{Kind, Metric, TABLE};
use regex::Regex;

use super::text::File;

/// Where the table is, and what records each of its rows by name.
const HOME: &str = "crates/copilot/src/metric/";

/// What another crate records; its names are in the table all the same.
const BORROWED: &str = "process_";

/// Records of metrics that are not in the table as they are recorded.
pub fn unknown(files: &[File]) -> Vec<String> {
    let known: BTreeMap<&str, &Metric> = TABLE.iter().map(|metric| (metric.name, metric)).collect();
    let mut found = Vec::new();
    for file in files {
        for record in records(file) {
            let why = match known.get(record.name.as_str()) {
                None => "it is not in the table",
                Some(metric) if word(metric.kind) != record.kind => "the table says it is of another kind",
                Some(metric) if labels(metric) != record.labels => "the table says it has other labels",
                Some(_) => continue,
            };
            found.push(file.at(record.line, &format!("{} {}: {why}", record.kind, record.name)));
        }
    }
    found
}

/// Rows of the table that nothing records.
pub fn unrecorded(files: &[File]) -> Vec<String> {
    let recorded: BTreeSet<String> = files.iter().flat_map(records).map(|record| record.name).collect();
    let unused = TABLE.iter().filter(|metric| !metric.name.starts_with(BORROWED));
    let unused = unused.filter(|metric| !recorded.contains(metric.name));
    unused.map(|metric| format!("{HOME}table.rs:1: nothing records {}", metric.name)).collect()
}

struct Record {
    line: usize,
    kind: String,
    name: String,
    labels: BTreeSet<String>,
}

/// What a file records. The table's own module goes through all rows by name, and is left out where it does.
fn records(file: &File) -> Vec<Record> {
    // Nearly all files record nothing.
    let records = ["counter!(", "gauge!(", "histogram!("];
    if !file.is(&["rs"]) || !records.iter().any(|record| file.text().contains(record)) {
        return Vec::new();
    }
    let macros = Regex::new(r"\b(counter|gauge|histogram)!\(").unwrap();
    let name = Regex::new(r#"^\s*"([^"]*)""#).unwrap();
    let label = Regex::new(r#""(\w+)"\s*=>"#).unwrap();
    let lines: Vec<(usize, &str)> = file.code().collect();
    let mut found = Vec::new();
    for (index, (line, text)) in lines.iter().enumerate() {
        for call in macros.captures_iter(text) {
            let begin = call.get(0).unwrap().end();
            let rest: Vec<&str> = lines[index + 1..].iter().take(12).map(|(_, text)| *text).collect();
            let arguments = arguments(&format!("{}\n{}", &text[begin..], rest.join("\n")));
            let name = name.captures(&arguments).map_or_else(String::new, |name| name[1].to_owned());
            if name.is_empty() && file.path().starts_with(HOME) {
                continue;
            }
            let labels = label.captures_iter(&arguments).map(|label| label[1].to_owned()).collect();
            found.push(Record { line: *line, kind: call[1].to_owned(), name, labels });
        }
    }
    found
}

/// The text up to the bracket that ends it.
fn arguments(text: &str) -> String {
    let mut open = 1;
    let inside = text.chars().take_while(|letter| {
        open += i32::from(*letter == '(') - i32::from(*letter == ')');
        open > 0
    });
    inside.collect()
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram(_) => "histogram",
    }
}

fn labels(metric: &Metric) -> BTreeSet<String> {
    metric.labels.iter().map(|(name, _)| (*name).to_owned()).collect()
}
