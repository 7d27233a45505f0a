//! A service's metrics, and how Prometheus' text format writes them.
//!
//! Names follow <https://prometheus.io/docs/practices/naming/>; a series exists from the start, at zero, so
//! that its first increase is not lost to `rate()`.

use std::fmt::Write as _;

use super::resources::POOL_MAX;
use super::telemetry::{Outcome, Traffic};
use super::topology::{Kind, Service};
use super::Model;

/// What kind of metric a family holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows; its samples end in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Buckets, sum and count.
    Histogram,
}

/// The metrics of one name.
pub struct Family {
    /// The name without the suffix of its samples.
    pub name: &'static str,
    /// Its kind.
    pub kind: MetricKind,
    /// One sentence for a person.
    pub help: &'static str,
    /// Its values.
    pub samples: Vec<Sample>,
}

/// One value.
pub struct Sample {
    /// What follows the family's name.
    pub suffix: &'static str,
    /// Labels as they are written between the braces; empty for none.
    pub labels: String,
    /// The value.
    pub value: f64,
}

/// The kind of metric, as both text formats spell it.
pub const fn kind_name(kind: MetricKind) -> &'static str {
    match kind {
        MetricKind::Counter => "counter",
        MetricKind::Gauge => "gauge",
        MetricKind::Histogram => "histogram",
    }
}

/// A service's metrics in Prometheus' text format 0.0.4.
pub fn text(model: &Model, service: Service) -> String {
    let mut text = String::with_capacity(8_192);
    for family in families(model, service) {
        let total = if family.kind == MetricKind::Counter { "_total" } else { "" };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# HELP {}{total} {}", family.name, family.help);
        let _ = writeln!(text, "# TYPE {}{total} {}", family.name, kind_name(family.kind));
        for sample in &family.samples {
            let _ =
                writeln!(text, "{}{}{{{}}} {}", family.name, sample.suffix, sample.labels, sample.value);
        }
    }
    text
}

/// All metrics of a service as of the model's time.
pub fn families(model: &Model, service: Service) -> Vec<Family> {
    let node = model.nodes.get(service);
    let resources = &node.resources;
    let profile = service.profile();
    let version = format!("version=\"{}\"", model.version(service));
    let mut families = served(service.kind(), &node.traffic);
    families.extend(calls(model, service));
    families.push(counter("process_cpu_seconds", "Processor time used.", "", resources.cpu_seconds));
    families.push(gauge("process_cpu_limit_cores", "Processors it may use.", "", profile.cores));
    families.push(gauge("process_resident_memory_bytes", "Memory in use.", "", resources.memory_bytes));
    families.push(gauge("shop_build_info", "One, with the running version as a label.", &version, 1.0));
    match service.kind() {
        Kind::Http => {
            let in_flight = resources.in_flight.round();
            families.push(gauge("http_requests_in_flight", "Requests being served.", "", in_flight));
        }
        Kind::Database => {
            let (used, waiting) = (resources.connections.round(), resources.waiting_clients.round());
            families.push(gauge("db_pool_connections_in_use", "Connections in use.", "", used));
            families.push(gauge("db_pool_connections_max", "Connections it accepts.", "", POOL_MAX));
            families.push(gauge("db_pool_waiting_clients", "Clients waiting for one.", "", waiting));
        }
        Kind::Cache => {}
    }
    match service {
        Service::Shipping => {
            let queued = resources.queued_labels.round();
            families.push(gauge("queue_depth", "Jobs waiting.", "queue=\"labels\"", queued));
        }
        Service::Storefront => {
            let probe = "probe=\"synthetic-login\"";
            families.push(gauge("probe_duration_seconds", "A log-in from outside.", probe, model.probe_s));
        }
        _ => {}
    }
    families
}

fn served(kind: Kind, traffic: &Traffic) -> Vec<Family> {
    let (count, duration) = match kind {
        Kind::Http => ("http_requests", "http_request_duration_seconds"),
        Kind::Database => ("db_queries", "db_query_duration_seconds"),
        Kind::Cache => ("cache_commands", "cache_command_duration_seconds"),
    };
    let outcomes = match kind {
        Kind::Http => by_code("", traffic),
        Kind::Database | Kind::Cache => {
            let ok = traffic.outcome(Outcome::Ok) as f64;
            let failed = traffic.count() as f64 - ok;
            let total = |labels: &str, value| Sample { suffix: "_total", labels: labels.to_owned(), value };
            vec![total("result=\"ok\"", ok), total("result=\"error\"", failed)]
        }
    };
    vec![
        Family { name: count, kind: MetricKind::Counter, help: "Served, by how it ended.", samples: outcomes },
        histogram(duration, "Time to serve.", duration_samples("", traffic)),
    ]
}

fn calls(model: &Model, client: Service) -> Vec<Family> {
    let (mut outcomes, mut durations) = (Vec::new(), Vec::new());
    for ((_, server), traffic) in model.edges.iter().filter(|((from, _), _)| *from == client) {
        let labels = format!("client=\"{}\",server=\"{}\",", client.name(), server.name());
        outcomes.extend(by_code(&labels, traffic));
        durations.extend(duration_samples(&labels, traffic));
    }
    if outcomes.is_empty() {
        return Vec::new();
    }
    let help = "Calls to another service, by how they ended for the caller.";
    vec![
        Family { name: "rpc_client_requests", kind: MetricKind::Counter, help, samples: outcomes },
        histogram("rpc_client_duration_seconds", "Time until the caller has the answer.", durations),
    ]
}

fn by_code(labels: &str, traffic: &Traffic) -> Vec<Sample> {
    let sample = |outcome: Outcome| Sample {
        suffix: "_total",
        labels: format!("{labels}code=\"{}\"", outcome.code()),
        value: traffic.outcome(outcome) as f64,
    };
    Outcome::ALL.map(sample).into()
}

fn duration_samples(labels: &str, traffic: &Traffic) -> Vec<Sample> {
    let bucket = |(bound, count): (String, u64)| Sample {
        suffix: "_bucket",
        labels: format!("{labels}le=\"{bound}\""),
        value: count as f64,
    };
    // OpenMetrics writes bounds as floats, and a series must be named the same in both formats.
    let bounded = traffic.cumulative().map(|(bound, count)| (format!("{bound:?}"), count));
    let mut samples: Vec<Sample> =
        bounded.chain([("+Inf".to_owned(), traffic.count())]).map(bucket).collect();
    let labels = labels.trim_end_matches(',');
    samples.push(Sample { suffix: "_sum", labels: labels.to_owned(), value: traffic.sum_s() });
    samples.push(Sample { suffix: "_count", labels: labels.to_owned(), value: traffic.count() as f64 });
    samples
}

fn counter(name: &'static str, help: &'static str, labels: &str, value: f64) -> Family {
    one(name, MetricKind::Counter, help, "_total", labels, value)
}

fn gauge(name: &'static str, help: &'static str, labels: &str, value: f64) -> Family {
    one(name, MetricKind::Gauge, help, "", labels, value)
}

fn one(
    name: &'static str,
    kind: MetricKind,
    help: &'static str,
    suffix: &'static str,
    labels: &str,
    value: f64,
) -> Family {
    Family { name, kind, help, samples: vec![Sample { suffix, labels: labels.to_owned(), value }] }
}

fn histogram(name: &'static str, help: &'static str, samples: Vec<Sample>) -> Family {
    Family { name, kind: MetricKind::Histogram, help, samples }
}
