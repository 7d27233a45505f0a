//! Which of a Prometheus' metrics say something about the health of services, told from names and metadata.
//!
//! RED (rate, errors, duration) and USE (utilisation, saturation, errors); naming conventions:
//! <https://prometheus.io/docs/practices/naming/> and OpenTelemetry's translation to Prometheus.

use std::collections::{BTreeMap, BTreeSet};

use diagnosis::Kind;

use crate::ai::prometheus::Metadata;

/// How a metric is turned into one number a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// Only grows: its rate counts.
    Counter,
    /// Buckets, sum and count.
    Histogram,
    /// Buckets, sum and count in one series of its own kind.
    NativeHistogram,
    /// Quantiles, sum and count.
    Summary,
    /// Goes up and down: it counts as it is.
    Gauge,
}

/// A metric worth a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// The name without `_bucket`, `_sum` and `_count`.
    pub name: String,
    /// How it is read.
    pub form: Form,
    /// What it measures.
    pub kind: Kind,
    /// `s`, `bytes`, `cores` or empty; of a rate, what is counted.
    pub unit: &'static str,
    /// The metric that says how much of it there can be.
    pub limit: Option<String>,
}

impl Family {
    /// A metric of the family that has one series for each of its label sets.
    pub fn representative(&self) -> String {
        match self.form {
            Form::Histogram | Form::Summary => format!("{}_count", self.name),
            Form::Counter | Form::Gauge | Form::NativeHistogram => self.name.clone(),
        }
    }
}

/// Metrics of the runtime and of the monitoring itself: rarely a cause, always many.
const NOISE: [&str; 17] = [
    "go_",
    "python_",
    "nodejs_",
    "jvm_classes",
    "prometheus_",
    "alertmanager_",
    "scrape_",
    "promhttp_",
    "net_conntrack_",
    "ALERTS",
    "process_start",
    "process_virtual",
    "process_network",
    "grafana_",
    "tempo_",
    "loki_",
    "otelcol_",
];

/// How many families of each kind are asked for, likeliest to matter first.
const PLACES: [(Kind, usize); 9] = [
    (Kind::Errors, 4),
    (Kind::Latency, 5),
    (Kind::Traffic, 6),
    (Kind::Saturation, 6),
    (Kind::Cpu, 2),
    (Kind::Memory, 2),
    (Kind::Io, 2),
    (Kind::Network, 2),
    (Kind::Success, 1),
];

/// Families worth a query, of every kind the likeliest.
pub fn choose(names: &[String], metadata: &BTreeMap<String, Vec<Metadata>>) -> Vec<Family> {
    let known: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let mut families: Vec<Family> = names.iter().filter_map(|name| family(name, &known, metadata)).collect();
    // A short name is a general one; of two metrics of a kind it is the likelier to cover every service.
    families.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.name.cmp(&b.name)));
    families.dedup_by(|a, b| a.name == b.name);
    let mut out = Vec::new();
    for (kind, places) in PLACES {
        out.extend(families.iter().filter(|family| family.kind == kind).take(places).cloned());
    }
    out
}

/// Metrics that carry a version: their changes are deployments.
pub fn versions(names: &[String]) -> Vec<String> {
    let build = names.iter().filter(|name| name.ends_with("_build_info") && !is_noise(name));
    build.take(3).cloned().collect()
}

fn is_noise(name: &str) -> bool {
    NOISE.iter().any(|prefix| name.starts_with(prefix))
}

fn rank(family: &Family) -> (bool, bool, bool, usize) {
    let served = ["http_", "grpc_", "rpc_", "istio_", "db_", "traces_", "process_", "container_"];
    let usual = served.iter().any(|prefix| family.name.starts_with(prefix));
    (
        family.limit.is_none(),
        !usual,
        family.form == Form::Gauge && family.kind == Kind::Latency,
        family.name.len(),
    )
}

fn family(name: &str, known: &BTreeSet<&str>, metadata: &BTreeMap<String, Vec<Metadata>>) -> Option<Family> {
    if name == "up" {
        return Some(Family {
            name: name.to_owned(),
            form: Form::Gauge,
            kind: Kind::Success,
            unit: "ratio",
            limit: None,
        });
    }
    // A colon marks a recording rule: what it holds is derived from metrics that are asked for themselves. What
    // has metadata of its own is no part of a family, whatever its name ends with.
    let part = name.ends_with("_sum") && !metadata.contains_key(name);
    let skipped = name.ends_with("_created") || name.ends_with("_info") || part || name.contains(':');
    if is_noise(name) || skipped || is_limit(name) {
        return None;
    }
    let (base, form) = form(name, known, metadata)?;
    let words: Vec<&str> = base.split('_').collect();
    let kind = kind(&base, form, &words);
    if kind == Kind::Other {
        return None;
    }
    let limit = known
        .iter()
        .find(|other| is_limit(other) && stem(other) == stem(&base))
        .map(|other| (*other).to_owned());
    Some(Family { unit: unit(&words, kind), name: base, form, kind, limit })
}

/// The family's name and form; `None` for parts of a family that another part stands for.
fn form(
    name: &str,
    known: &BTreeSet<&str>,
    metadata: &BTreeMap<String, Vec<Metadata>>,
) -> Option<(String, Form)> {
    if let Some(base) = name.strip_suffix("_bucket") {
        return Some((base.to_owned(), Form::Histogram));
    }
    if let Some(base) = name.strip_suffix("_count") {
        let has = |suffix: &str| known.contains(format!("{base}{suffix}").as_str());
        if has("_bucket") {
            return None;
        }
        if has("_sum") {
            return Some((base.to_owned(), Form::Summary));
        }
    }
    if known.contains(format!("{name}_count").as_str()) && known.contains(format!("{name}_sum").as_str()) {
        return None;
    }
    let told = metadata.get(name).and_then(|all| all.first()).map(|one| one.kind.as_str());
    let form = match told {
        Some("counter") => Form::Counter,
        Some("gauge") => Form::Gauge,
        Some("histogram") => Form::NativeHistogram,
        _ if name.ends_with("_total") => Form::Counter,
        _ => Form::Gauge,
    };
    Some((name.to_owned(), form))
}

fn kind(base: &str, form: Form, words: &[&str]) -> Kind {
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
    if has(&["time", "timestamp", "uptime", "age"]) && form == Form::Gauge {
        return Kind::Other;
    }
    if has(&["cpu"]) {
        return Kind::Cpu;
    }
    if matches!(form, Form::Histogram | Form::Summary | Form::NativeHistogram) {
        let timed = has(&["seconds", "milliseconds", "duration", "latency", "ms"]);
        return if timed { Kind::Latency } else { Kind::Other };
    }
    if form == Form::Gauge
        && has(&["flight", "inflight", "waiting", "pending", "depth", "queue", "backlog", "lag"])
    {
        return Kind::Saturation;
    }
    if form == Form::Counter && has(&["queries", "commands", "operations", "messages", "jobs", "handled"]) {
        return Kind::Traffic;
    }
    let kind = Kind::of_words(base);
    match (kind, form) {
        // A gauge of requests or of a duration at one moment says little; a counter of seconds is not a duration.
        (Kind::Traffic, Form::Gauge) | (Kind::Latency, Form::Counter) => Kind::Other,
        (Kind::Log | Kind::CallPattern, _) => Kind::Other,
        _ => kind,
    }
}

fn unit(words: &[&str], kind: Kind) -> &'static str {
    let has = |word: &str| words.contains(&word);
    if kind == Kind::Cpu && has("seconds") {
        "cores"
    } else if has("milliseconds") || has("ms") {
        "ms"
    } else if has("seconds") {
        "s"
    } else if has("bytes") {
        "bytes"
    } else if has("ratio") {
        "ratio"
    } else {
        ""
    }
}

/// Whether a metric says how much there can be of another one.
fn is_limit(name: &str) -> bool {
    name.split('_').any(|word| ["max", "limit", "limits", "capacity", "maximum"].contains(&word))
}

/// The name without the words that tell use from limit.
fn stem(name: &str) -> String {
    const LEFT_OUT: [&str; 17] = [
        "total", "seconds", "bytes", "in", "use", "used", "usage", "active", "current", "max", "limit",
        "limits", "capacity", "maximum", "cores", "open", "count",
    ];
    let kept: Vec<&str> = name.split('_').filter(|word| !LEFT_OUT.contains(word)).collect();
    kept.join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &[&str]) -> Vec<String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let show = |family: Family| {
            let limit = family.limit.map(|limit| format!(" of {limit}")).unwrap_or_default();
            format!("{:?} {:?} {} [{}]{limit}", family.kind, family.form, family.name, family.unit)
        };
        choose(&names, &BTreeMap::new()).into_iter().map(show).collect()
    }

    #[test]
    fn metadata_wins_over_names() {
        let names =
            ["http_errors", "queue_total", "rpc_seconds", "rpc_wait_seconds_count"].map(str::to_owned);
        let told = |kind: &str| vec![Metadata { kind: kind.to_owned(), help: String::new() }];
        let metadata = BTreeMap::from([
            ("http_errors".to_owned(), told("counter")),
            ("queue_total".to_owned(), told("gauge")),
            ("rpc_seconds".to_owned(), told("histogram")),
        ]);
        let forms: Vec<(String, Form)> =
            choose(&names, &metadata).into_iter().map(|family| (family.name, family.form)).collect();
        assert!(forms.contains(&("http_errors".to_owned(), Form::Counter)), "{forms:?}");
        assert!(forms.contains(&("queue_total".to_owned(), Form::Gauge)), "{forms:?}");
        assert!(forms.contains(&("rpc_seconds".to_owned(), Form::NativeHistogram)), "{forms:?}");
    }

    #[test]
    fn red_and_use_are_found_and_noise_is_not() {
        let names = [
            "up",
            "go_goroutines",
            "http_requests_total",
            "http_request_duration_seconds_bucket",
            "http_request_duration_seconds_count",
            "http_request_duration_seconds_sum",
            "db_queries_total",
            "db_pool_connections_in_use",
            "db_pool_connections_max",
            "db_pool_waiting_clients",
            "process_cpu_seconds_total",
            "process_cpu_limit_cores",
            "process_resident_memory_bytes",
            "shop_build_info",
            "queue_depth",
            "http_requests_in_flight",
            "process_start_time_seconds",
            "rpc_durations_seconds",
            "rpc_durations_seconds_sum",
            "rpc_durations_seconds_count",
            "job:x:rate5m",
            "cache_evictions_created",
        ];
        assert_eq!(
            chosen(&names),
            [
                "Latency Summary rpc_durations_seconds [s]",
                "Latency Histogram http_request_duration_seconds [s]",
                "Traffic Counter db_queries_total []",
                "Traffic Counter http_requests_total []",
                "Saturation Gauge db_pool_connections_in_use [] of db_pool_connections_max",
                "Saturation Gauge db_pool_waiting_clients []",
                "Saturation Gauge http_requests_in_flight []",
                "Saturation Gauge queue_depth []",
                "Cpu Counter process_cpu_seconds_total [cores] of process_cpu_limit_cores",
                "Memory Gauge process_resident_memory_bytes [bytes]",
                "Success Gauge up [ratio]",
            ]
        );
    }
}
