//! The server itself in trouble: told from memory.

use serde_json::{Value, json};

use super::receiver::Receiver;
use crate::postgres::cluster::Cluster;
use crate::process::Process;
use crate::world::{Home, client, first_owner, read, text};

const UNLIMITED: (&str, &str) = ("SRE_COPILOT_API_REQUESTS_PER_MINUTE", "0");
const HURRY: (&str, &str) = ("SRE_COPILOT_HURRY", "10");

#[tokio::test]
async fn a_database_that_is_away_is_told_once_and_so_is_its_return() {
    let Some(cluster) = Cluster::start("") else { return };
    cluster.run("postgres", &["create database whole"]).await;
    let (home, receiver, quiet) = (Home::new().await, Receiver::start().await, Receiver::start().await);
    let url = cluster.url("postgres", "whole");
    let variables = [UNLIMITED, HURRY, ("DATABASE_URL", url.as_str())];
    let first = Process::start_with(&home, &variables).await;
    let (http, base) = (client(), first.base.clone());
    let (_, project, key) = first_owner(&http, &base).await;
    let path = format!("/api/v1/projects/{project}/notification-channels");
    let mut ids = Vec::new();
    for (receiver, critical_faults) in [(&receiver, true), (&quiet, false)] {
        let body =
            json!({"kind": "webhook", "name": "a", "url": receiver.url, "critical_faults": critical_faults});
        let made = http.post(format!("{base}{path}")).bearer_auth(&key).json(&body).send().await.unwrap();
        ids.push(text(&read(made).await.expect(201)["id"]));
    }
    drop(first);
    // It remembers whom to tell from its first look on.
    let process = Process::start_with(&home, &variables).await;
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(100));
    for _ in 0..20 {
        ticks.tick().await;
    }
    cluster.down();
    let got = receiver.hears(1).await;
    assert_eq!(got[0].title(), "SRE Copilot can't reach its database");
    assert_eq!(got[0].body()["data"]["fault"]["over"], false);
    for _ in 0..30 {
        ticks.tick().await;
    }
    assert_eq!(receiver.got().len(), 1, "once is enough");
    cluster.up("");
    let got = receiver.hears(2).await;
    assert!(got[1].title().starts_with("SRE Copilot reaches its database again after"), "{}", got[1].title());
    assert_eq!(got[1].body()["data"]["fault"]["over"], true);
    assert!(quiet.got().is_empty());
    let mut told: Vec<Value> = Vec::new();
    for _ in 0..100 {
        ticks.tick().await;
        let list = format!("{}{path}/{}/notifications", process.base, ids[0]);
        let answer = read(http.get(list).bearer_auth(&key).send().await.unwrap()).await;
        told = answer.body["items"].as_array().cloned().unwrap_or_default();
        if told.len() == 2 {
            break;
        }
    }
    assert_eq!(told.len(), 2, "what was told meanwhile is on the list");
    assert!(told.iter().all(|one| one["what"] == "fault" && one["status"] == "sent"), "{told:?}");
    // A defect, as far as the product can tell: a table that it knows is not there.
    cluster.run("whole", &["alter table changes rename to changed"]).await;
    for _ in 0..2 {
        let asked =
            http.get(format!("{}/api/v1/changes", process.base)).bearer_auth(&key).send().await.unwrap();
        read(asked).await.expect(500);
    }
    let got = receiver.hears(3).await;
    assert!(got[2].title().contains("by a defect of its own"), "{}", got[2].title());
    assert_eq!(got[2].body()["data"]["fault"]["kind"], "defect");
}
