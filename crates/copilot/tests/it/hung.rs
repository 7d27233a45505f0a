//! A model that never answers holds up nothing but its own answers.

use std::time::{Duration, Instant};

use bench::faults::load::request_id;
use bench::faults::model_server::ModelServer;
use outbox::Clock;
use serde_json::{Value, json};

use crate::process::Process;
use crate::world::{Home, alert, alertmanager, client, first_owner, read, text};

/// More than one process may ask the model about at once.
const INCIDENTS: usize = 12;

#[tokio::test]
async fn a_model_that_never_answers_holds_up_no_ranking() {
    let home = Home::new().await;
    let model = ModelServer::start(home.folder.path()).await.unwrap();
    model.answer_after(Duration::from_secs(3600));
    let url = model.url();
    let variables = [("OPENAI_API_KEY", "opens nothing"), ("OPENAI_BASE_URL", url.as_str())];
    let process = Process::start_with(&home, &variables).await;
    let (http, base) = (client(), process.base.as_str());
    let (_, project, key) = first_owner(&http, base).await;
    let token = alertmanager(&http, base, &project, &key).await;
    let mut incidents = Vec::new();
    for number in 0..INCIDENTS {
        let service = format!("{}-0", request_id(number));
        let change = json!({"service_name": service, "summary": "a new version", "kind": "deploy"});
        let sent = http.post(format!("{base}/api/v1/changes")).bearer_auth(&key).json(&change);
        read(sent.send().await.unwrap()).await.expect(201);
        let firing = alert("Down", &service, "firing", Clock::System.now(), None);
        let sent = http.post(format!("{base}/webhooks/alertmanager")).bearer_auth(&token).json(&firing);
        let answer = read(sent.send().await.unwrap()).await.expect(200);
        incidents.push(text(&answer["results"][0]["incident_id"]));
    }
    let (begun, mut ticks) = (Instant::now(), tokio::time::interval(Duration::from_millis(50)));
    for incident in &incidents {
        let url = format!("{base}/api/v1/incidents/{incident}/hypotheses");
        let ranking: Value = loop {
            ticks.tick().await;
            let told = read(http.get(&url).bearer_auth(&key).send().await.unwrap()).await.expect(200);
            if told["items"].as_array().is_some_and(|items| !items.is_empty()) {
                break told;
            }
            // A call may take three times as long.
            assert!(begun.elapsed() < Duration::from_secs(20), "{incident} has no ranking: {told}");
        };
        assert_eq!(ranking["analysis"]["status"], "running", "the model is still asked: {ranking}");
    }
    assert!((1..INCIDENTS).contains(&model.under_way()), "{} calls", model.under_way());
}
