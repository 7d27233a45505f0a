//! What the columns of a metrics file are about, told from their names alone.

use std::collections::HashMap;

use crate::case::Series;
use crate::kind::{Kind, words};

/// Labels that name a service, the more telling ones first.
const SERVICE_LABELS: [&str; 11] = [
    "service",
    "service_name",
    "destination_service_name",
    "destination_workload",
    "app",
    "application",
    "app_kubernetes_io_name",
    "deployment",
    "container",
    "job",
    "server",
];

/// Labels that name an instance.
const INSTANCE_LABELS: [&str; 3] = ["pod", "pod_name", "instance"];

/// First words of metrics that tell no kind themselves.
const BEGINNINGS: [&str; 14] = [
    "http",
    "grpc",
    "rpc",
    "container",
    "istio",
    "envoy",
    "jvm",
    "go",
    "process",
    "system",
    "docker",
    "server",
    "client",
    "node",
];

/// Reads the names of all columns but the time's: `service|metric` or `service#instance|metric`, or a Prometheus selector
/// such as `http_requests_total{service="cart"}`. Where no column is named like that, `cart_cpu` or `cpu_cart` is read,
/// whichever way every column can be: the service and the metric that most columns share.
///
/// # Errors
/// The first name that cannot be read.
pub fn columns<'a>(names: &[&'a str]) -> Result<Vec<Series>, &'a str> {
    if !names.is_empty() && names.iter().all(|name| !name.contains(['|', '{'])) {
        let service_first = joined(names, true);
        let metric_first = joined(names, false);
        return match (service_first, metric_first) {
            (Ok(a), Ok(b)) => Ok(if a.0 >= b.0 { a.1 } else { b.1 }),
            (a, Err(_)) => a.map(|found| found.1),
            (Err(_), b) => b.map(|found| found.1),
        };
    }
    names.iter().map(|name| barred(name).or_else(|| selector(name)).ok_or(*name)).collect()
}

fn barred(name: &str) -> Option<Series> {
    let (owner, metric) = name.rsplit_once('|')?;
    if owner.is_empty() || metric.is_empty() {
        return None;
    }
    let (service, instance) = match owner.split_once('#') {
        Some((service, instance)) => (service, Some(instance.to_owned())),
        None => (owner, None),
    };
    Some(Series { instance, ..Series::new(service, metric, Vec::new()) })
}

fn selector(name: &str) -> Option<Series> {
    let (metric, rest) = name.split_once('{')?;
    let inside = rest.trim_end().strip_suffix('}')?;
    let mut labels: HashMap<&str, &str> = HashMap::new();
    // every second piece between quotes is a value
    let mut pieces = inside.split('"');
    while let (Some(before), Some(value)) = (pieces.next(), pieces.next()) {
        labels.insert(before.trim_matches([',', ' ', '=']), value);
    }
    let of = |known: &[&str]| known.iter().find_map(|label| labels.get(label)).copied();
    let service = of(&SERVICE_LABELS).filter(|service| !service.is_empty() && !metric.is_empty())?;
    let tail = labels.get("quantile").map(|quantile| format!("_q{quantile}")).unwrap_or_default();
    let instance = of(&INSTANCE_LABELS).map(str::to_owned);
    Some(Series { instance, ..Series::new(service, &format!("{metric}{tail}"), Vec::new()) })
}

/// Every name split at one of its underscores, and how well these splits fit together; or the first that cannot be split.
fn joined<'a>(names: &[&'a str], service_first: bool) -> Result<(usize, Vec<Series>), &'a str> {
    let splits = |name: &str| -> Vec<(String, String)> {
        let halves = name.match_indices('_').filter_map(|(at, _)| {
            let (first, second) = (name.get(..at)?, name.get(at + 1..)?);
            let (service, metric) = if service_first { (first, second) } else { (second, first) };
            Some((service.to_owned(), metric.to_owned()))
        });
        halves.filter(|(service, metric)| !service.is_empty() && tells(metric)).collect()
    };
    let all: Vec<Vec<(String, String)>> = names.iter().map(|name| splits(name)).collect();
    let mut services: HashMap<&str, usize> = HashMap::new();
    let mut metrics: HashMap<&str, usize> = HashMap::new();
    for (service, metric) in all.iter().flatten() {
        *services.entry(service).or_default() += 1;
        *metrics.entry(metric).or_default() += 1;
    }
    let shared = |split: &(String, String)| services[split.0.as_str()].min(metrics[split.1.as_str()]);
    let mut total = 0;
    let mut out = Vec::with_capacity(names.len());
    for (name, splits) in names.iter().zip(&all) {
        // of equals the shortest metric, so that no part of a service's name is taken for one
        let best = splits.iter().max_by_key(|split| (shared(split), std::cmp::Reverse(split.1.len())));
        let best = best.ok_or(*name)?;
        total += shared(best);
        out.push(Series::new(&best.0, &best.1, Vec::new()));
    }
    Ok((total, out))
}

/// Whether a text can be a metric's name: its first word tells a kind, or is how exporters' names begin.
fn tells(metric: &str) -> bool {
    let first = words(metric).into_iter().next().unwrap_or_default();
    let begins = BEGINNINGS.contains(&first.as_str()) || Kind::of_words(&first) != Kind::Other;
    begins && (first == "node" || Kind::of_metric(metric) != Kind::Other)
}

#[cfg(test)]
mod tests {
    use super::columns;

    fn read(names: &[&str]) -> Vec<(String, String)> {
        let found = columns(names).unwrap_or_default();
        found.into_iter().map(|s| (s.service, s.metric)).collect()
    }

    fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
        of.iter().map(|(service, metric)| ((*service).to_owned(), (*metric).to_owned())).collect()
    }

    #[test]
    fn names_are_read_whichever_way_they_are_joined() {
        let expected = [
            ("cart", "cpu"),
            ("cart", "latency_p90"),
            ("ts_order_service", "cpu"),
            ("ts_order_service", "latency_p90"),
        ];
        let first = ["cart_cpu", "cart_latency_p90", "ts_order_service_cpu", "ts_order_service_latency_p90"];
        assert_eq!(read(&first), pairs(&expected));
        let last = ["cpu_cart", "latency_p90_cart", "cpu_ts_order_service", "latency_p90_ts_order_service"];
        assert_eq!(read(&last), pairs(&expected));
        let public =
            ["frontend_cpu", "frontend_mem", "frontend_latency-90", "redis_cache_cpu", "redis_cache_mem"];
        let split = [("frontend", "cpu"), ("frontend", "mem"), ("frontend", "latency-90")];
        assert_eq!(read(&public)[..3], pairs(&split));
        assert_eq!(read(&public)[3..], pairs(&[("redis_cache", "cpu"), ("redis_cache", "mem")]));
    }

    #[test]
    fn a_selector_names_service_and_instance() {
        let names = [r#"http_requests_total{code="500",service="cart",pod="cart-1"}"#, "cart|cpu"];
        let found = columns(&names).unwrap_or_default();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].service.as_str(), found[0].instance.as_deref()), ("cart", Some("cart-1")));
        assert_eq!(columns(&["up{pod=\"a\"}"]), Err("up{pod=\"a\"}"));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        assert_eq!(columns(&["cart|cpu", "cart_mem"]), Err("cart_mem"));
        assert_eq!(columns(&["cart_cpu", "foo"]), Err("foo"));
        assert_eq!(columns(&["cart|"]), Err("cart|"));
    }
}
