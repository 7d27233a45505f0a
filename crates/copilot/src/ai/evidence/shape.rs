//! What the chosen metrics look like: which label names the service, who calls whom, which values mean failure.
//!
//! One query answers it all: the chosen metrics, grouped by the few labels that matter.

use std::collections::{BTreeMap, BTreeSet};

use crate::ai::prometheus::{Labels, Line};

/// Labels that name the two ends of a call: OpenTelemetry's service graph, Istio, and what people write.
pub const PAIRS: [(&str, &str); 5] = [
    ("client", "server"),
    ("source_workload", "destination_workload"),
    ("source", "destination"),
    ("caller", "callee"),
    ("source_service", "destination_service"),
];

/// Labels that say how a request ended.
const OUTCOMES: [&str; 11] = [
    "code",
    "status",
    "status_code",
    "http_status_code",
    "response_code",
    "http_response_status_code",
    "grpc_code",
    "grpc_status",
    "result",
    "outcome",
    "error",
];

/// Values of those labels that mean failure when they are words.
const FAILURES: &str = "(?i)(error|err|fail|failed|failure|exception|timeout|true|internal|unavailable|unknown|\
                        deadlineexceeded|deadline_exceeded|dataloss|5xx)";

/// What one metric's series look like.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shape {
    /// The label that names the service.
    pub service: Option<String>,
    /// The services.
    pub services: BTreeSet<String>,
    /// The labels that name both ends of a call.
    pub pair: Option<(&'static str, &'static str)>,
    /// Caller and callee of every call.
    pub edges: BTreeSet<(String, String)>,
    /// Selects the series of failed requests, such as `code=~"5.."`.
    pub failed: Option<String>,
}

/// The query whose answer [`read`] understands.
pub fn query(metrics: &[String], service_labels: &[String], scope: &str) -> String {
    let mut by: Vec<&str> = vec!["__name__"];
    by.extend(service_labels.iter().map(String::as_str));
    by.extend(PAIRS.iter().flat_map(|(client, server)| [*client, *server]));
    by.extend(OUTCOMES);
    let mut seen = BTreeSet::new();
    by.retain(|label| seen.insert(*label));
    format!("group by ({}) ({{__name__=~\"{}\"{scope}}})", by.join(","), metrics.join("|"))
}

/// The shapes by metric. `preferred` is the label that names the alert's service; a metric that lacks it may use
/// another one only where that names services that are known already.
pub fn read(lines: &[Line], preferred: &str, service_labels: &[String]) -> BTreeMap<String, Shape> {
    let mut by_metric: BTreeMap<&str, Vec<&Labels>> = BTreeMap::new();
    for line in lines {
        if let Some(name) = line.labels.get("__name__") {
            by_metric.entry(name).or_default().push(&line.labels);
        }
    }
    let known: BTreeSet<&str> = lines.iter().filter_map(|line| value(&line.labels, preferred)).collect();
    let shape = |series: &Vec<&Labels>| shape(series, preferred, service_labels, &known);
    by_metric.iter().map(|(name, series)| ((*name).to_owned(), shape(series))).collect()
}

fn shape(series: &[&Labels], preferred: &str, service_labels: &[String], known: &BTreeSet<&str>) -> Shape {
    let values =
        |label: &str| -> BTreeSet<&str> { series.iter().filter_map(|labels| value(labels, label)).collect() };
    let pair = PAIRS.into_iter().find(|(client, server)| {
        series.iter().any(|labels| value(labels, client).is_some() && value(labels, server).is_some())
    });
    let edges = pair.map(|(client, server)| {
        let ends =
            |labels: &&Labels| Some((value(labels, client)?.to_owned(), value(labels, server)?.to_owned()));
        series.iter().filter_map(ends).collect()
    });
    let service = if values(preferred).is_empty() {
        let fits = |label: &&String| values(label).iter().any(|name| known.contains(name));
        service_labels.iter().find(fits).cloned()
    } else {
        Some(preferred.to_owned())
    };
    let services = service.iter().flat_map(|label| values(label)).map(str::to_owned).collect();
    let failed = OUTCOMES.iter().find_map(|label| failed(label, &values(label)));
    Shape { service, services, pair, edges: edges.unwrap_or_default(), failed }
}

/// The selector of failures by this label, when its values tell how requests ended.
fn failed(label: &str, values: &BTreeSet<&str>) -> Option<String> {
    let is_status = |value: &&str| value.len() == 3 && value.bytes().all(|byte| byte.is_ascii_digit());
    if values.iter().any(is_status) {
        return Some(format!("{label}=~\"5..\""));
    }
    const WORDS: [&str; 12] = [
        "error",
        "err",
        "fail",
        "failed",
        "failure",
        "exception",
        "timeout",
        "ok",
        "success",
        "true",
        "2xx",
        "5xx",
    ];
    let told = values.iter().any(|value| WORDS.contains(&value.to_lowercase().as_str()));
    told.then(|| format!("{label}=~\"{FAILURES}\""))
}

fn value<'a>(labels: &'a Labels, label: &str) -> Option<&'a str> {
    labels.get(label).map(String::as_str).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(labels: &[(&str, &str)]) -> Line {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Line { labels, points: Vec::new() }
    }

    #[test]
    fn services_calls_and_failures_are_read_off_the_labels() {
        let lines = [
            line(&[
                ("__name__", "http_requests_total"),
                ("service", "cart"),
                ("job", "shop"),
                ("code", "200"),
            ]),
            line(&[
                ("__name__", "http_requests_total"),
                ("service", "web"),
                ("job", "shop"),
                ("code", "404"),
            ]),
            line(&[("__name__", "queries_total"), ("service", "db"), ("result", "ok")]),
            line(&[("__name__", "calls_count"), ("service", "web"), ("client", "web"), ("server", "cart")]),
            line(&[("__name__", "container_cpu"), ("container", "cart")]),
            line(&[("__name__", "container_cpu"), ("container", "sidecar")]),
            line(&[("__name__", "node_load1"), ("job", "node")]),
        ];
        let labels = ["service", "container", "job"].map(str::to_owned);
        let shapes = read(&lines, "service", &labels);
        let shape = |name: &str| shapes.get(name).unwrap();
        assert_eq!(shape("http_requests_total").failed.as_deref(), Some("code=~\"5..\""));
        assert_eq!(shape("http_requests_total").services.len(), 2);
        assert!(
            shape("queries_total").failed.as_deref().is_some_and(|failed| failed.starts_with("result=~"))
        );
        assert_eq!(shape("calls_count").pair, Some(("client", "server")));
        assert!(shape("calls_count").edges.contains(&("web".to_owned(), "cart".to_owned())));
        assert_eq!(shape("container_cpu").service.as_deref(), Some("container"));
        assert_eq!(shape("node_load1").service, None);
        let query = query(&["a".to_owned(), "b".to_owned()], &labels, ",cluster=\"x\"");
        assert!(query.starts_with("group by (__name__,service,container,job,client,server,"), "{query}");
        assert!(query.ends_with(" ({__name__=~\"a|b\",cluster=\"x\"})"), "{query}");
    }
}
