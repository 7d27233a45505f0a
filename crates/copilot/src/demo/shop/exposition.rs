//! A service's metrics, and how Prometheus' text format writes them.
//!
//! Names follow <https://prometheus.io/docs/practices/naming/>; a series exists from the start, at zero, so
//! that its first increase is not lost to `rate()`.

use std::fmt::{self, Write as _};

use super::Model;
use super::resources::POOL_MAX;
use super::telemetry::{Outcome, Traffic};
use super::topology::{Kind, Service};

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
    /// Its labels, without those that a scrape adds.
    pub labels: Labels,
    /// The value.
    pub value: f64,
}

/// A sample's labels; they are displayed as they are written between braces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Labels {
    /// Who called whom, for a metric of calls.
    call: Option<(Service, Service)>,
    /// One more, by name and value.
    own: Option<(&'static str, &'static str)>,
}

impl Labels {
    const fn own(name: &'static str, value: &'static str) -> Self {
        Self { call: None, own: Some((name, value)) }
    }

    const fn with(self, name: &'static str, value: &'static str) -> Self {
        Self { own: Some((name, value)), ..self }
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((client, server)) = self.call {
            write!(formatter, "client=\"{}\",server=\"{}\"", client.name(), server.name())?;
        }
        if let Some((name, value)) = self.own {
            let separator = if self.call.is_some() { "," } else { "" };
            write!(formatter, "{separator}{name}=\"{value}\"")?;
        }
        Ok(())
    }
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
            let _ = writeln!(text, "{}{}{{{}}} {}", family.name, sample.suffix, sample.labels, sample.value);
        }
    }
    text
}

/// What Prometheus adds to a service that answers its scrapes.
pub fn up() -> Family {
    gauge("up", "Whether the last scrape worked.", Labels::default(), 1.0)
}

/// All metrics of a service as of the model's time.
pub fn families(model: &Model, service: Service) -> Vec<Family> {
    let node = model.nodes.get(service);
    let resources = &node.resources;
    let profile = service.profile();
    let version = Labels::own("version", model.version(service));
    let none = Labels::default();
    let mut families = served(service.kind(), &node.traffic);
    families.extend(calls(model, service));
    families.push(counter("process_cpu_seconds", "Processor time used.", none, resources.cpu_seconds));
    let throttled = resources.throttled_seconds;
    families.push(counter("container_cpu_throttled_seconds", "Time without a processor.", none, throttled));
    families.push(gauge("process_cpu_limit_cores", "Processors it may use.", none, profile.cores));
    families.push(gauge("process_resident_memory_bytes", "Memory in use.", none, resources.memory_bytes));
    families.push(gauge("shop_build_info", "One, with the running version as a label.", version, 1.0));
    match service.kind() {
        Kind::Http => {
            let in_flight = resources.in_flight.round();
            families.push(gauge("http_requests_in_flight", "Requests being served.", none, in_flight));
        }
        Kind::Database => {
            let (used, waiting) = (resources.connections.round(), resources.waiting_clients.round());
            families.push(gauge("db_pool_connections_in_use", "Connections in use.", none, used));
            families.push(gauge("db_pool_connections_max", "Connections it accepts.", none, POOL_MAX));
            families.push(gauge("db_pool_waiting_clients", "Clients waiting for one.", none, waiting));
        }
        Kind::Cache => {}
    }
    match service {
        Service::Shipping => {
            let queued = resources.queued_labels.round();
            families.push(gauge("queue_depth", "Jobs waiting.", Labels::own("queue", "labels"), queued));
        }
        Service::Storefront => {
            let probe = Labels::own("probe", "synthetic-login");
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
    let none = Labels::default();
    let outcomes = match kind {
        Kind::Http => by_code(none, traffic),
        Kind::Database | Kind::Cache => {
            let ok = traffic.outcome(Outcome::Ok) as f64;
            let failed = traffic.count() as f64 - ok;
            let total =
                |result, value| Sample { suffix: "_total", labels: none.with("result", result), value };
            vec![total("ok", ok), total("error", failed)]
        }
    };
    vec![
        Family {
            name: count,
            kind: MetricKind::Counter,
            help: "Served, by how it ended.",
            samples: outcomes,
        },
        histogram(duration, "Time to serve.", duration_samples(none, traffic)),
    ]
}

fn calls(model: &Model, client: Service) -> Vec<Family> {
    let (mut outcomes, mut durations) = (Vec::new(), Vec::new());
    for ((_, server), traffic) in model.edges.iter().filter(|((from, _), _)| *from == client) {
        let labels = Labels { call: Some((client, *server)), own: None };
        outcomes.extend(by_code(labels, traffic));
        durations.extend(duration_samples(labels, traffic));
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

fn by_code(labels: Labels, traffic: &Traffic) -> Vec<Sample> {
    let sample = |outcome: Outcome| Sample {
        suffix: "_total",
        labels: labels.with("code", outcome.code()),
        value: traffic.outcome(outcome) as f64,
    };
    Outcome::ALL.map(sample).into()
}

fn duration_samples(labels: Labels, traffic: &Traffic) -> Vec<Sample> {
    let count = traffic.count();
    let bucket = |(bound, count): (&'static str, u64)| Sample {
        suffix: "_bucket",
        labels: labels.with("le", bound),
        value: count as f64,
    };
    let mut samples: Vec<Sample> = traffic.cumulative().chain([("+Inf", count)]).map(bucket).collect();
    samples.push(Sample { suffix: "_sum", labels, value: traffic.sum_s() });
    samples.push(Sample { suffix: "_count", labels, value: count as f64 });
    samples
}

fn counter(name: &'static str, help: &'static str, labels: Labels, value: f64) -> Family {
    one(name, MetricKind::Counter, help, "_total", labels, value)
}

fn gauge(name: &'static str, help: &'static str, labels: Labels, value: f64) -> Family {
    one(name, MetricKind::Gauge, help, "", labels, value)
}

fn one(
    name: &'static str,
    kind: MetricKind,
    help: &'static str,
    suffix: &'static str,
    labels: Labels,
    value: f64,
) -> Family {
    Family { name, kind, help, samples: vec![Sample { suffix, labels, value }] }
}

fn histogram(name: &'static str, help: &'static str, samples: Vec<Sample>) -> Family {
    Family { name, kind: MetricKind::Histogram, help, samples }
}
