//! Processes that die between sending a message and noting that down.

use reqwest::Method;
use serde_json::{Value, json};

use super::receiver::Receiver;
use crate::process::Process;
use crate::world::{Home, alert, alertmanager, client, first_owner, read, text};

/// Leases are a tenth of what they are.
const HURRY: (&str, &str) = ("SRE_COPILOT_HURRY", "10");
const UNLIMITED: (&str, &str) = ("SRE_COPILOT_API_REQUESTS_PER_MINUTE", "0");
const DIES: (&str, &str) = ("SRE_COPILOT_FAULT", "notify.sent=kill@1");

/// Who asks, and whom they know.
struct Caller {
    http: reqwest::Client,
    project: String,
    key: String,
    token: String,
}

impl Caller {
    async fn of(base: &str) -> Self {
        let http = client();
        let (_, project, key) = first_owner(&http, base).await;
        let token = alertmanager(&http, base, &project, &key).await;
        Self { http, project, key, token }
    }

    async fn call(&self, base: &str, method: Method, path: &str, body: Value) -> Value {
        let url = format!("{base}/api/v1/projects/{}/notification-channels{path}", self.project);
        let request = self.http.request(method.clone(), url).bearer_auth(&self.key);
        let request = if method == Method::GET { request } else { request.json(&body) };
        read(request.send().await.unwrap()).await.expect(if method == Method::POST { 201 } else { 200 })
    }

    async fn channel(&self, base: &str, receiver: &Receiver) -> String {
        let body = json!({"kind": "webhook", "name": "on-call", "url": receiver.url});
        text(&self.call(base, Method::POST, "", body).await["id"])
    }

    async fn fires(&self, base: &str, service: &str) {
        let body = alert("Down", service, "firing", outbox::Clock::System.now(), None);
        let sent =
            self.http.post(format!("{base}/webhooks/alertmanager")).bearer_auth(&self.token).json(&body);
        read(sent.send().await.unwrap()).await.expect(200);
    }

    /// Waits until a channel has sent all that it had to, and says what that was.
    async fn sent(&self, base: &str, channel: &str) -> Vec<Value> {
        let mut ticks = tokio::time::interval(std::time::Duration::from_millis(100));
        for _ in 0..300 {
            ticks.tick().await;
            let all = self.call(base, Method::GET, &format!("/{channel}/notifications"), Value::Null).await;
            let all = all["items"].as_array().unwrap().clone();
            if !all.is_empty() && all.iter().all(|one| one["status"] == "sent") {
                return all;
            }
        }
        panic!("a message was not sent")
    }
}

#[tokio::test]
async fn a_message_outlives_the_process_that_sent_it() {
    let (home, receiver) = (Home::new().await, Receiver::start().await);
    let mut dies = Process::start_with(&home, &[HURRY, UNLIMITED, DIES]).await;
    let caller = Caller::of(&dies.base).await;
    let channel = caller.channel(&dies.base, &receiver).await;
    caller.fires(&dies.base, "checkout").await;
    receiver.hears(1).await;
    dies.ended().await;
    let next = Process::start_with(&home, &[HURRY, UNLIMITED]).await;
    let got = receiver.hears(2).await;
    assert_eq!(
        got[0].header("webhook-id"),
        got[1].header("webhook-id"),
        "the same message has the same name"
    );
    assert_eq!(got[0].text, got[1].text);
    let sent = caller.sent(&next.base, &channel).await;
    assert_eq!((sent.len(), &sent[0]["id"]), (1, &json!(got[0].header("webhook-id"))));
}

#[tokio::test]
async fn a_replica_takes_over_what_another_died_with() {
    if std::env::var_os("SRE_COPILOT_TEST_DATABASE_URL").is_none() {
        return;
    }
    let home = Home::new().await;
    let mut dies = Process::start_with(&home, &[HURRY, UNLIMITED, DIES]).await;
    let lives = Process::start_with(&home, &[HURRY, UNLIMITED]).await;
    let caller = Caller::of(&lives.base).await;
    let mut channels = Vec::new();
    for _ in 0..8 {
        let receiver = Receiver::start().await;
        channels.push((caller.channel(&lives.base, &receiver).await, receiver));
    }
    // Each tells some of the channels, the one that an alert came to sooner, until the first message of one of them is its last.
    let mut rounds = 0;
    while !dies.is_over() {
        caller.fires(&dies.base, &format!("service-{rounds}")).await;
        rounds += 1;
        for (_, receiver) in &channels {
            receiver
                .until(|got| got.iter().any(|got| got.title().contains(&format!("service-{}", rounds - 1))))
                .await;
        }
        assert!(rounds < 6, "the process that was to die told nobody");
    }
    for (channel, receiver) in &channels {
        let sent = caller.sent(&lives.base, channel).await;
        assert_eq!(sent.len(), rounds, "{sent:#?}");
        let taken = receiver.taken();
        assert_eq!(taken.len(), rounds, "each message has one name, however often it came");
        for one in &sent {
            assert!(
                taken.iter().any(|got| got.header("webhook-id") == text(&one["id"])),
                "{one} was never sent"
            );
        }
    }
    let again = channels.iter().filter(|(_, receiver)| receiver.got().len() > receiver.taken().len());
    assert!(again.count() >= 1, "what was under way when it died came twice");
}
