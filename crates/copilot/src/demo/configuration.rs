//! The files that Prometheus and Alertmanager are started with.

use std::time::Duration;

use super::shop::{PROBE_MEAN_S, Service};

/// The label `job` of every series of the shop.
const JOB: &str = "shop";
/// Where a service's page of the shop's manual would be.
const RUNBOOKS: &str = "https://runbooks.example.com/shop";
/// Seconds between two scrapes, and between two looks at the rules.
const INTERVAL: Duration = Duration::from_secs(2);

/// The labels that a scrape adds to a service's series, as they are written between braces.
pub fn target_labels(service: Service) -> String {
    let name = service.name();
    format!("instance=\"{name}-0\",job=\"{JOB}\",service=\"{name}\"")
}

/// The path of a service's metrics on the shop's listener.
pub fn metrics_path(service: &str) -> String {
    format!("/services/{service}/metrics")
}

/// `prometheus.yml`; both addresses are `host:port`, the rule files lie beside it.
pub fn prometheus(exporter: &str, alertmanager: &str) -> String {
    let interval = INTERVAL.as_secs();
    let mut yaml = format!(
        "global: {{ scrape_interval: {interval}s, evaluation_interval: {interval}s, scrape_timeout: {interval}s }}\n\
         rule_files: [\"rules/*.yml\"]\n\
         alerting:\n  alertmanagers:\n    - static_configs: [{{ targets: [\"{alertmanager}\"] }}]\n\
         scrape_configs:\n  - job_name: {JOB}\n    static_configs:\n"
    );
    for service in Service::ALL {
        let name = service.name();
        let path = metrics_path(name);
        yaml.push_str(&format!(
            "      - targets: [\"{exporter}\"]\n        labels: \
             {{ __metrics_path__: \"{path}\", instance: \"{name}-0\", service: \"{name}\" }}\n"
        ));
    }
    yaml
}

/// The shop's alert rules. None of them looks at a database: finding it is the point.
pub fn rules() -> String {
    let errors = Rule {
        alert: "HighErrorRate",
        expr: "100 * sum by (service) (rate(http_requests_total{code=~\"5..\"}[20s])) \
               / sum by (service) (rate(http_requests_total[20s])) > 5",
        hold_s: 10,
        severity: "critical",
        summary: "{{ $labels.service }}: {{ printf \"%.0f\" $value }}% of requests failing",
        description: "More than 5% of the requests to {{ $labels.service }} end with a server error.",
    };
    let latency = Rule {
        alert: "HighLatency",
        expr: "histogram_quantile(0.99, sum by (service, le) \
               (rate(http_request_duration_seconds_bucket{service=\"storefront\"}[20s]))) > 1",
        hold_s: 6,
        severity: "critical",
        summary: "{{ $labels.service }}: slowest 1% of requests take {{ printf \"%.1f\" $value }} s",
        description: "The 99th percentile of {{ $labels.service }}'s latency is above its limit of 1 s.",
    };
    let watchdog = Rule {
        alert: "Watchdog",
        expr: "vector(1)",
        hold_s: 0,
        severity: "none",
        summary: "Always firing: its absence means that alerts no longer arrive",
        description: "Shows that the way from Prometheus to here works.",
    };
    file("shop", &[errors, latency, watchdog])
}

/// The alert rule that flaps: its threshold is the probe's mean.
pub fn flapping_rule() -> String {
    let expr = format!("probe_duration_seconds{{probe=\"synthetic-login\"}} > {PROBE_MEAN_S}");
    let probe = Rule {
        alert: "FlappingProbe",
        expr: &expr,
        hold_s: 0,
        severity: "warning",
        summary: "{{ $labels.service }}: synthetic log-in takes {{ printf \"%.2f\" $value }} s",
        description: "The synthetic log-in from outside is slower than its limit.",
    };
    file("probe", &[probe])
}

/// The alert rule that notices a job which has run by the clock for as long as anybody remembers.
pub fn slow_queries_rule() -> String {
    let slow = Rule {
        alert: "SlowQueries",
        expr: "histogram_quantile(0.9, sum by (service, le) \
               (rate(db_query_duration_seconds_bucket{service=\"catalog-db\"}[20s]))) > 0.05",
        hold_s: 4,
        severity: "warning",
        summary: "{{ $labels.service }}: slowest tenth of queries takes {{ printf \"%.2f\" $value }} s",
        description: "The 90th percentile of the queries to {{ $labels.service }} is above 50 ms.",
    };
    file("queries", &[slow])
}

/// `alertmanager.yml`, which sends every alert to `url`; the token is read from `token_file`.
pub fn alertmanager(url: &str, token_file: &str) -> String {
    let (url, token_file) = (quoted(url), quoted(token_file));
    format!(
        "route:\n  receiver: sre-copilot\n  group_by: [alertname, service]\n  group_wait: 0s\n  \
         group_interval: 5s\n  repeat_interval: 1m\n\
         receivers:\n  - name: sre-copilot\n    webhook_configs:\n      - url: {url}\n        \
         send_resolved: true\n        http_config:\n          \
         authorization: {{ credentials_file: {token_file} }}\n"
    )
}

struct Rule<'a> {
    alert: &'static str,
    expr: &'a str,
    hold_s: u32,
    severity: &'static str,
    summary: &'static str,
    description: &'static str,
}

fn file(group: &str, rules: &[Rule<'_>]) -> String {
    let mut yaml = format!("groups:\n  - name: {group}\n    rules:\n");
    for rule in rules {
        let runbook = format!("{RUNBOOKS}/{}", rule.alert);
        yaml.push_str(&format!(
            "      - alert: {}\n        expr: {}\n        for: {}s\n        \
             labels: {{ severity: {}, team: shop }}\n        annotations:\n          \
             summary: {}\n          description: {}\n          runbook_url: {}\n",
            rule.alert,
            quoted(rule.expr),
            rule.hold_s,
            rule.severity,
            quoted(rule.summary),
            quoted(rule.description),
            quoted(&runbook),
        ));
    }
    yaml
}

/// A JSON string is a YAML string in double quotes.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
