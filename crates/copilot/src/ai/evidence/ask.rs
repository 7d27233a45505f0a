//! The queries of one analysis, in PromQL: every chosen metric as one number a service or a call.

use std::collections::BTreeMap;

use diagnosis::Kind;

use super::family::{Family, Form};
use super::shape::Shape;

/// One query and what its answer means.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// PromQL.
    pub query: String,
    /// The name the engine and the hypotheses use.
    pub metric: String,
    /// The same in words.
    pub words: String,
    /// What it measures.
    pub kind: Kind,
    /// The unit of its values, once they are scaled.
    pub unit: &'static str,
    /// Which labels of the answer say whose it is.
    pub owner: Owner,
    /// How many series are expected.
    pub expected: usize,
    /// Smaller is asked first.
    pub priority: u8,
}

/// Whose a series is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The service that this label names.
    Service(String),
    /// A call, from what the first label names to what the second does.
    Call(&'static str, &'static str),
}

impl Owner {
    fn labels(&self) -> String {
        match self {
            Self::Service(label) => label.clone(),
            Self::Call(client, server) => format!("{client},{server}"),
        }
    }
}

/// Writes queries with one window and one scope.
pub struct Writer<'a> {
    /// The window of rates, such as `20s`.
    pub window: String,
    /// Further label matchers, each with a leading comma; may be empty.
    pub scope: &'a str,
}

impl Writer<'_> {
    /// The queries for these families, most telling first.
    pub fn write(&self, families: &[Family], shapes: &BTreeMap<String, Shape>) -> Vec<Ask> {
        let mut asks = Vec::new();
        for family in families {
            let Some(shape) = shapes.get(&family.representative()) else { continue };
            let (owner, expected) = match (&shape.pair, &shape.service) {
                (Some((client, server)), _) => (Owner::Call(client, server), shape.edges.len()),
                (None, Some(label)) => (Owner::Service(label.clone()), shape.services.len()),
                (None, None) => continue,
            };
            let base = Ask {
                query: String::new(),
                metric: family.name.clone(),
                words: words(&family.name),
                kind: family.kind,
                unit: if family.unit == "ms" { "s" } else { family.unit },
                owner,
                expected,
                priority: 5,
            };
            let from = asks.len();
            self.family(family, shape, &base, &mut asks);
            // The query says what is shown: seconds, also where Prometheus keeps milliseconds.
            for ask in asks.iter_mut().skip(from).filter(|ask| family.unit == "ms" && ask.unit == "s") {
                ask.query = format!("({}) / 1000", ask.query);
            }
        }
        asks.sort_by_key(|ask| ask.priority);
        asks
    }

    fn family(&self, family: &Family, shape: &Shape, base: &Ask, asks: &mut Vec<Ask>) {
        let name = &family.name;
        match family.form {
            Form::Counter => {
                if let Some(failed) = shape.failed.as_deref().filter(|_| family.kind == Kind::Traffic) {
                    asks.push(self.failure_ratio(base, name, failed));
                }
                asks.push(self.rate(base, family));
            }
            Form::Histogram => {
                let by = base.owner.labels();
                let rate = self.rate_of(&format!("{name}_bucket"), "");
                let query = format!("histogram_quantile(0.9, sum by ({by},le) ({rate}))");
                if matches!(base.owner, Owner::Service(_)) {
                    asks.push(named(base, query, "p90", "90th percentile of", 1));
                }
                asks.push(self.average(base, name));
                if let Some(failed) = shape.failed.as_deref() {
                    asks.push(self.failure_ratio(base, &format!("{name}_count"), failed));
                }
            }
            Form::Summary => asks.push(self.average(base, name)),
            Form::NativeHistogram => {
                let whole = format!("sum by ({}) ({})", base.owner.labels(), self.rate_of(name, ""));
                if matches!(base.owner, Owner::Service(_)) {
                    let query = format!("histogram_quantile(0.9, {whole})");
                    asks.push(named(base, query, "p90", "90th percentile of", 1));
                }
                let query = format!("histogram_sum({whole}) / histogram_count({whole})");
                asks.push(named(base, query, "avg", "average", 2));
            }
            Form::Gauge => asks.push(self.gauge(base, family)),
        }
    }

    fn failure_ratio(&self, base: &Ask, metric: &str, failed: &str) -> Ask {
        let by = base.owner.labels();
        let all = format!("sum by ({by}) ({})", self.rate_of(metric, ""));
        let failing = format!("sum by ({by}) ({})", self.rate_of(metric, failed));
        let query = format!("({failing} or 0 * {all}) / {all}");
        let mut ask = named(base, query, "errors", "share of failed", 0);
        (ask.kind, ask.unit) = (Kind::Errors, "ratio");
        ask.words = format!("share of failed {}", plural(&base.words));
        ask
    }

    fn average(&self, base: &Ask, name: &str) -> Ask {
        let by = base.owner.labels();
        let sum = self.rate_of(&format!("{name}_sum"), "");
        let count = self.rate_of(&format!("{name}_count"), "");
        named(base, format!("sum by ({by}) ({sum}) / sum by ({by}) ({count})"), "avg", "average", 2)
    }

    fn rate(&self, base: &Ask, family: &Family) -> Ask {
        let by = base.owner.labels();
        let mut query = format!("sum by ({by}) ({})", self.rate_of(&family.name, ""));
        let mut ask =
            named(base, String::new(), "rate", "", if family.kind == Kind::Traffic { 3 } else { 2 });
        ask.words = plural(&base.words);
        ask.unit = match family.unit {
            "cores" => "cores",
            "bytes" => "bytes/s",
            _ => "/s",
        };
        if let Some(limit) = &family.limit {
            query = format!("{query} / sum by ({by}) ({})", self.select(limit, ""));
            ask.unit = "ratio";
        }
        ask.query = query;
        ask
    }

    fn gauge(&self, base: &Ask, family: &Family) -> Ask {
        let by = base.owner.labels();
        let own = self.select(&family.name, "");
        let (query, unit) = match &family.limit {
            Some(limit) => {
                (format!("sum by ({by}) ({own}) / sum by ({by}) ({})", self.select(limit, "")), "ratio")
            }
            None if family.kind == Kind::Success => (format!("avg by ({by}) ({own})"), base.unit),
            None => (format!("max by ({by}) ({own})"), base.unit),
        };
        Ask { query, unit, priority: if family.limit.is_some() { 1 } else { 3 }, ..base.clone() }
    }

    fn rate_of(&self, metric: &str, matcher: &str) -> String {
        format!("rate({}[{}])", self.select(metric, matcher), self.window)
    }

    fn select(&self, metric: &str, matcher: &str) -> String {
        let matchers = format!("{matcher}{}", self.scope);
        let matchers = matchers.trim_start_matches(',');
        if matchers.is_empty() { metric.to_owned() } else { format!("{metric}{{{matchers}}}") }
    }
}

fn named(base: &Ask, query: String, suffix: &str, prefix: &str, priority: u8) -> Ask {
    let words = format!("{prefix} {}", base.words).trim().to_owned();
    Ask { query, metric: format!("{}_{suffix}", base.metric), words, priority, ..base.clone() }
}

/// A metric's name without its unit, as words.
pub fn words(name: &str) -> String {
    const UNITS: [&str; 6] = ["total", "seconds", "bytes", "ratio", "milliseconds", "count"];
    let kept: Vec<&str> = name.split('_').filter(|word| !UNITS.contains(word)).collect();
    kept.join(" ")
}

/// What a counter counts reads as many of them already; `cpu` does not.
fn plural(words: &str) -> String {
    if words.ends_with("cpu") { format!("{words} use") } else { words.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn queries(family: Family, shape: Shape) -> Vec<(String, String)> {
        let shapes = BTreeMap::from([(family.representative(), shape)]);
        let writer = Writer { window: "20s".to_owned(), scope: "" };
        writer.write(&[family], &shapes).into_iter().map(|ask| (ask.words, ask.query)).collect()
    }

    fn family(name: &str, form: Form, kind: Kind, limit: Option<&str>) -> Family {
        Family { name: name.to_owned(), form, kind, unit: "", limit: limit.map(str::to_owned) }
    }

    #[test]
    fn every_form_has_its_query() {
        let service = Shape {
            service: Some("service".to_owned()),
            services: BTreeSet::from(["a".to_owned()]),
            failed: Some("code=~\"5..\"".to_owned()),
            ..Shape::default()
        };
        let call = Shape { pair: Some(("client", "server")), ..service.clone() };
        let found = [
            queries(family("http_requests_total", Form::Counter, Kind::Traffic, None), service.clone()),
            queries(
                family("rpc_duration_seconds", Form::Histogram, Kind::Latency, None),
                Shape { failed: None, ..call },
            ),
            queries(family("pool_in_use", Form::Gauge, Kind::Saturation, Some("pool_max")), service.clone()),
            queries(
                family("http_duration_seconds", Form::Histogram, Kind::Latency, None),
                Shape { failed: None, ..service },
            ),
        ]
        .concat();
        let expected = [
            (
                "share of failed http requests",
                "(sum by (service) (rate(http_requests_total{code=~\"5..\"}[20s])) or 0 * sum by (service) \
                 (rate(http_requests_total[20s]))) / sum by (service) (rate(http_requests_total[20s]))",
            ),
            ("http requests", "sum by (service) (rate(http_requests_total[20s]))"),
            (
                "average rpc duration",
                "sum by (client,server) (rate(rpc_duration_seconds_sum[20s])) / sum by (client,server) \
                 (rate(rpc_duration_seconds_count[20s]))",
            ),
            ("pool in use", "sum by (service) (pool_in_use) / sum by (service) (pool_max)"),
            (
                "90th percentile of http duration",
                "histogram_quantile(0.9, sum by (service,le) (rate(http_duration_seconds_bucket[20s])))",
            ),
            (
                "average http duration",
                "sum by (service) (rate(http_duration_seconds_sum[20s])) / sum by (service) \
                 (rate(http_duration_seconds_count[20s]))",
            ),
        ];
        assert_eq!(found, expected.map(|(words, query)| (words.to_owned(), query.to_owned())));
    }
}
