//! The alerts that are sent: the same bytes to everybody who is compared.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

/// Services that alerts are about.
const SERVICES: usize = 50;
/// Alert rules.
const RULES: usize = 20;
/// What stands for the end of an alert until it is sent; as long as the real one.
const END: &str = "0000-00-00T00:00:00.000Z";

/// Requests that together hold a number of distinct alerts.
pub struct AlertSet {
    batches: Vec<Batch>,
    /// Alerts in all of them.
    pub alerts: usize,
}

/// One request: its bytes, and where the ends of its alerts stand.
pub struct Batch {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// To whom a set is sent.
pub struct Target<'a> {
    /// `host:port`.
    pub address: &'a str,
    /// Path of the request.
    pub path: &'a str,
    /// Bearer token, if one is asked for.
    pub token: Option<&'a str>,
}

impl AlertSet {
    /// `alerts` distinct alerts in batches of `batch`, unlike those of any other `salt`.
    ///
    /// They are spread over 50 services and 20 rules, as the alerts of a site are, so that at most 1,000
    /// incidents open whatever the number of alerts.
    pub fn new(target: &Target<'_>, alerts: usize, batch: usize, salt: &str, now: Timestamp) -> Self {
        let starts_at = moment(now - SignedDuration::from_secs(60));
        let batches = (0..alerts).step_by(batch).map(|first| {
            let members = first..alerts.min(first + batch);
            Batch::new(target, members.map(|at| alert(at, salt, &starts_at)).collect())
        });
        Self { batches: batches.collect(), alerts }
    }

    /// Number of requests.
    pub fn requests(&self) -> usize {
        self.batches.len()
    }

    /// The request number `at`, counted on after the last one from the first again.
    pub fn batch(&self, at: usize) -> Option<&Batch> {
        self.batches.get(at % self.batches.len().max(1))
    }
}

impl Batch {
    fn new(target: &Target<'_>, alerts: Vec<serde_json::Value>) -> Self {
        let body = serde_json::Value::Array(alerts).to_string();
        let token =
            target.token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
        let text = format!(
            "POST {} HTTP/1.1\r\nhost: {}\r\nuser-agent: Prometheus/2.42.0\r\ncontent-type: application/json\r\n\
             {token}content-length: {}\r\n\r\n{body}",
            target.path,
            target.address,
            body.len()
        );
        let ends = text.match_indices(END).map(|(at, _)| at).collect();
        Self { bytes: text.into_bytes(), ends }
    }

    /// Alerts in it.
    pub fn alerts(&self) -> usize {
        self.ends.len()
    }

    /// Writes the request into `buffer`, every alert ending at `end`.
    pub fn write(&self, buffer: &mut Vec<u8>, end: &str) {
        buffer.clear();
        buffer.extend_from_slice(&self.bytes);
        for at in &self.ends {
            if let Some(place) = buffer.get_mut(*at..at + END.len()) {
                place.copy_from_slice(end.as_bytes());
            }
        }
    }
}

/// What Prometheus says about an alert that fires: it ends four minutes from now, unless it is said again.
pub fn end_when_sent(now: Timestamp) -> String {
    moment(now + SignedDuration::from_secs(240))
}

fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// An alert as a rule of a site's Prometheus makes it.
fn alert(at: usize, salt: &str, starts_at: &str) -> serde_json::Value {
    let (service, rule) = (at % SERVICES, at / SERVICES % RULES);
    let severity = ["critical", "warning", "page"].get(rule % 3).copied().unwrap_or("warning");
    json!({
        "annotations": {
            "summary": format!("Rule {rule} on service-{service}: above its limit for 5 minutes"),
            "description": "The share of failed requests is above one percent; see the runbook for the first steps.",
            "runbook_url": format!("https://runbooks.example/rule-{rule}"),
        },
        "endsAt": END,
        "startsAt": starts_at,
        "generatorURL": "http://prometheus:9090/graph?g0.expr=sum%28rate%28errors_total%5B5m%5D%29%29+%3E+0.01&g0.tab=1",
        "labels": {
            "alertname": format!("Rule{rule}"),
            "cluster": "eu-1",
            "instance": format!("{salt}-{at}:9100"),
            "job": "shop",
            "service": format!("service-{service}"),
            "severity": severity,
        },
    })
}
