//! What was answered 2xx survives kill -9 at any instant.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use outbox::Ts;
use reqwest::Client;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::process::Process;
use crate::world::{Home, NOON, alert, alertmanager, client, first_owner, read, text};

/// How often the process is killed.
const ROUNDS: usize = 6;

/// How many requests are answered before each kill.
const ACKNOWLEDGED: usize = 60;

/// How many senders send at once.
const SENDERS: usize = 8;

/// What the driver knows: which services' alerts were answered 2xx.
#[derive(Default)]
struct Ledger {
    acknowledged: Mutex<BTreeSet<String>>,
    next: AtomicUsize,
    stop: AtomicBool,
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the senders are joined before the test ends")]
async fn kill_nine_in_mid_stream_loses_nothing_that_was_answered() {
    let home = Home::new().await;
    let http = client();
    let mut process = Process::start(&home).await;
    let (_, project, key) = first_owner(&http, &process.base).await;
    let token = alertmanager(&http, &process.base, &project, &key).await;
    let ledger = Arc::new(Ledger::default());
    for round in 1..=ROUNDS {
        ledger.stop.store(false, Ordering::SeqCst);
        let url = format!("{}/webhooks/alertmanager", process.base);
        let senders: Vec<_> = (0..SENDERS)
            .map(|_| tokio::task::spawn(send(http.clone(), url.clone(), token.clone(), ledger.clone())))
            .collect();
        while ledger.acknowledged.lock().await.len() < round * ACKNOWLEDGED {
            tokio::task::yield_now().await;
        }
        process.kill();
        ledger.stop.store(true, Ordering::SeqCst);
        for sender in senders {
            sender.await.unwrap();
        }
        process = Process::start(&home).await;
    }
    let stored = stored_services(&http, &process.base, &key).await;
    let acknowledged = ledger.acknowledged.lock().await;
    let lost: Vec<_> = acknowledged.difference(&stored).collect();
    assert!(
        lost.is_empty(),
        "{} of {} acknowledged alerts are lost: {lost:?}",
        lost.len(),
        acknowledged.len()
    );
    let sent = ledger.next.load(Ordering::SeqCst);
    assert!(stored.len() <= sent, "{} incidents from {sent} alerts", stored.len());
}

async fn send(http: Client, url: String, token: String, ledger: Arc<Ledger>) {
    while !ledger.stop.load(Ordering::SeqCst) {
        let service = format!("service-{:05}", ledger.next.fetch_add(1, Ordering::SeqCst));
        let body = alert("Down", &service, "firing", Ts::from_micros(NOON * 1_000_000), None);
        let sent = http.post(&url).bearer_auth(&token).json(&body).send().await;
        if sent.is_ok_and(|answer| answer.status().is_success()) {
            ledger.acknowledged.lock().await.insert(service);
        }
    }
}

async fn stored_services(http: &Client, base: &str, key: &str) -> BTreeSet<String> {
    let mut services = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let url = format!("{base}/api/v1/incidents?limit=200&sort=detected_at{cursor}");
        let page = read(http.get(url).bearer_auth(key).send().await.unwrap()).await.expect(200);
        for incident in page["items"].as_array().unwrap() {
            let service = text(&incident["service_name"]);
            assert!(services.insert(service.clone()), "two open incidents of {service}");
        }
        match &page["next_cursor"] {
            Value::String(next) => cursor = format!("&cursor={next}"),
            _ => return services,
        }
    }
}
