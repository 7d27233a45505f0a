//! Senders of webhooks that keep a ledger. Every request has alerts that no other request has.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::ledger::{Ledger, Pen};
use super::site::Site;

/// How much is sent.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Requests a second, all senders together; 0 is as fast as they are answered.
    pub per_second: u32,
    /// Alerts in each request.
    pub alerts: usize,
    /// Senders at once.
    pub senders: usize,
}

/// Senders at work.
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
    accepted: Arc<AtomicUsize>,
    failed: Arc<AtomicUsize>,
    next: Arc<AtomicUsize>,
    first: usize,
    tasks: JoinSet<()>,
}

/// What every sender is given.
#[derive(Clone)]
struct Sender {
    http: Client,
    urls: Vec<String>,
    token: String,
    pen: Pen,
    rate: Rate,
    next: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    accepted: Arc<AtomicUsize>,
    failed: Arc<AtomicUsize>,
}

impl Load {
    /// Begins to send to every replica of `site` in turn; requests are numbered from `first`.
    pub fn start(site: &Site, urls: Vec<String>, ledger: &Ledger, rate: Rate, first: usize) -> Self {
        let (stop, accepted) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let failed = Arc::<AtomicUsize>::default();
        let next = Arc::new(AtomicUsize::new(first));
        let sender = Sender {
            http: site.http.clone(),
            urls,
            token: site.token.clone(),
            pen: ledger.pen(),
            rate,
            next: next.clone(),
            stop: stop.clone(),
            accepted: accepted.clone(),
            failed: failed.clone(),
        };
        let mut tasks = JoinSet::new();
        for _ in 0..rate.senders {
            tasks.spawn(sender.clone().run());
        }
        Self { stop, accepted, failed, next, first, tasks }
    }

    /// How many requests were accepted so far.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// How many requests were refused, or not answered, so far.
    pub fn failed(&self) -> usize {
        self.failed.load(Ordering::SeqCst)
    }

    /// How many requests were begun so far.
    pub fn sent(&self) -> usize {
        self.next.load(Ordering::SeqCst) - self.first
    }

    /// Stops, after the answers to what was sent.
    pub async fn stop(mut self) {
        self.stop.store(true, Ordering::SeqCst);
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Sender {
    async fn run(self) {
        let pause = match self.rate.per_second {
            0 => Duration::from_micros(1),
            rate => Duration::from_secs_f64(self.rate.senders as f64 / f64::from(rate)),
        };
        let mut ticks = tokio::time::interval(pause);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !self.stop.load(Ordering::SeqCst) {
            ticks.tick().await;
            self.send(self.next.fetch_add(1, Ordering::SeqCst)).await;
        }
    }

    async fn send(&self, number: usize) {
        let id = request_id(number);
        let Some(url) = self.urls.get(number % self.urls.len().max(1)) else { return };
        let body = body(&id, self.rate.alerts);
        self.pen.invoke(&id);
        let sent = self.http.post(url).bearer_auth(&self.token).header("content-type", "application/json");
        let answer = match sent.body(body.to_string()).send().await {
            Ok(answer) => answer,
            Err(_) => {
                self.pen.info(&id);
                self.failed.fetch_add(1, Ordering::SeqCst);
                // What refuses connections is not asked a thousand times a second.
                tokio::time::sleep(Duration::from_millis(20)).await;
                return;
            }
        };
        let status = answer.status();
        if !status.is_success() {
            self.pen.fail(&id, status.as_u16());
            self.failed.fetch_add(1, Ordering::SeqCst);
            return;
        }
        // The status was received, so it counts as accepted even if the rest of the answer is cut off.
        let read: Value = answer.json().await.unwrap_or_default();
        let receipt = read.get("delivery_id").and_then(Value::as_str).unwrap_or("-");
        self.pen.ok(&id, receipt);
        self.accepted.fetch_add(1, Ordering::SeqCst);
    }
}

/// The name of a request.
pub fn request_id(number: usize) -> String {
    format!("r{number:07}")
}

/// The services of a request's alerts, none of which any other request names.
pub fn services(id: &str, alerts: usize) -> impl Iterator<Item = String> {
    (0..alerts).map(move |at| format!("{id}-{at}"))
}

/// The request that a service belongs to.
pub fn request_of(service: &str) -> Option<&str> {
    service.rsplit_once('-').map(|(id, _)| id)
}

/// An Alertmanager body that fires an alert for each service of a request.
pub fn body(id: &str, alerts: usize) -> Value {
    let alerts: Vec<Value> = services(id, alerts).map(|service| firing("Down", &service)).collect();
    envelope(&alerts)
}

/// A firing alert about a service.
pub fn firing(name: &str, service: &str) -> Value {
    json!({
        "status": "firing", "startsAt": now().to_string(), "endsAt": "0001-01-01T00:00:00Z",
        "labels": {"alertname": name, "service": service, "severity": "critical"},
        "annotations": {"summary": format!("{name} on {service}")}, "generatorURL": "", "fingerprint": "",
    })
}

/// The time of day.
#[expect(clippy::disallowed_methods, reason = "senders and readers live in real time")]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// An Alertmanager body around alerts.
pub fn envelope(alerts: &[Value]) -> Value {
    json!({
        "version": "4", "groupKey": "{}", "truncatedAlerts": 0, "status": "firing", "receiver": "web",
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093", "alerts": alerts,
    })
}
