//! The reference of all metrics, `docs/metrics.md`.

use super::table::{Kind, Metric, TABLE};

const HEAD: &str = "\
# Metrics

Every service answers `/metrics` on its own port. This page is written from `crates/copilot/src/metric/table.rs`; a test fails
while it says something else. Counters whose labels have known values are there from the start, at 0; others, and gauges
that mean nothing in a process, are absent. No label names an organisation, a project or a person.
`deploy/prometheus/rules.yml` says what to be told about, `deploy/grafana/sre-copilot.json` shows it.

| metric | kind | unit | labels | what it says |
| --- | --- | --- | --- | --- |
";

/// The page, in Markdown.
pub fn page() -> String {
    TABLE.iter().fold(HEAD.to_owned(), |page, metric| page + &row(metric))
}

fn row(metric: &Metric) -> String {
    let kind = match metric.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram(_) => "histogram",
    };
    let label = |(name, values): &(&str, &[&str])| match values {
        [] => format!("`{name}`"),
        values => format!("`{name}`: {}", values.join(", ")),
    };
    let labels: Vec<String> = metric.labels.iter().map(label).collect();
    format!("| `{}` | {kind} | {} | {} | {} |\n", metric.name, metric.unit, labels.join("; "), metric.help)
}
