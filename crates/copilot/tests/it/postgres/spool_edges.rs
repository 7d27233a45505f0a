//! A spool that is full, one that was damaged on the disk, and one that takes what the database is too slow for.

use std::collections::BTreeSet;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use futures_util::future::join_all;
use serde_json::json;

use super::spool::{Site, drained, firing};
use crate::process::Process;

/// Bytes of a request that fills the spool soon.
const LARGE: usize = 100_000;

/// Sends one webhook of each service, none of which can be stored, and says which were accepted.
async fn spooled(site: &Site, process: &Process, token: &str, services: &[String]) -> BTreeSet<String> {
    let mut accepted = BTreeSet::new();
    for service in services {
        let mut body = firing(service);
        body["padding"] = json!("x".repeat(LARGE));
        let answer = site.send(process, token, &body).await;
        if answer.status == 200 {
            accepted.insert(service.clone());
        } else {
            assert_eq!(answer.expect(503)["type"], "/problems/ingest-overloaded");
        }
    }
    accepted
}

fn services(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("service-{number}")).collect()
}

#[tokio::test]
async fn a_full_spool_refuses_what_it_can_not_keep_and_keeps_the_rest() {
    let Some((mut site, mut process)) = Site::start().await else { return };
    process.kill();
    site.spool_mib = 1;
    let process = site.process("one").await;
    let (_, token) = site.integration(&process, "am").await;
    site.send(&process, &token, &firing("known")).await.expect(200);
    site.cluster.down();
    let accepted = spooled(&site, &process, &token, &services(15)).await;
    assert!((5..15).contains(&accepted.len()), "{accepted:?}");
    site.cluster.up("");
    drained(&process.base).await;
    let mut stored = site.services(true).await;
    assert!(stored.remove("known"));
    assert_eq!(stored, accepted);
    let later = site.send(&process, &token, &firing("later")).await.expect(200);
    assert_eq!(later["results"][0]["outcome"], "opened", "{later}");
}

#[tokio::test]
async fn more_than_the_database_stores_in_time_waits_on_the_disk() {
    let Some((mut site, mut process)) = Site::start().await else { return };
    let (_, token) = site.integration(&process, "am").await;
    process.kill();
    site.commit_queue = 2;
    let process = site.faulty("one", "intake.before_commit=sleep:700").await;
    let bodies: Vec<_> = services(8).iter().map(|service| firing(service)).collect();
    let answers = join_all(bodies.iter().map(|body| site.send(&process, &token, body))).await;
    let answers: Vec<_> = answers.into_iter().map(|answer| answer.expect(200)).collect();
    let outcome = |answer: &serde_json::Value| answer["results"][0]["outcome"].clone();
    assert!(answers.iter().any(|answer| outcome(answer) == "opened"), "{answers:?}");
    assert!(answers.iter().any(|answer| outcome(answer) == "held"), "nothing was too much: {answers:?}");
    drained(&process.base).await;
    assert_eq!(site.services(true).await, services(8).into_iter().collect());
    let later = site.send(&process, &token, &firing("later")).await.expect(200);
    assert_eq!(outcome(&later), "opened", "{later}");
}

/// The file of the queue, and those that were set aside as damaged.
fn queue(site: &Site) -> (PathBuf, Vec<PathBuf>) {
    let folder = site.home.folder.path().join("one/spool/0");
    let names = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let damaged = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("damaged");
    (folder.join("webhooks"), names.filter(damaged).collect())
}

#[tokio::test]
async fn a_damaged_spool_is_kept_for_a_person_and_stops_nobody() {
    let Some((site, mut process)) = Site::start().await else { return };
    let (_, token) = site.integration(&process, "am").await;
    site.send(&process, &token, &firing("known")).await.expect(200);
    site.cluster.down();
    let accepted = spooled(&site, &process, &token, &services(4)).await;
    assert_eq!(accepted.len(), 4);
    process.kill();
    let (file, _) = queue(&site);
    // In the padding of the third of them.
    let place = LARGE as u64 * 5 / 2;
    std::fs::File::options().write(true).open(&file).unwrap().write_all_at(b"damage", place).unwrap();
    site.cluster.up("");
    let process = site.process("one").await;
    drained(&process.base).await;
    let stored = site.services(true).await;
    assert!(stored.contains("service-0") && stored.contains("service-1"), "{stored:?}");
    let (_, damaged) = queue(&site);
    assert_eq!(damaged.len(), 1);
    let kept = String::from_utf8_lossy(&std::fs::read(&damaged[0]).unwrap()).into_owned();
    assert!(
        kept.contains("service-2") && kept.contains("service-3"),
        "what was not stored is there to be read"
    );
    assert!(process.metric("sre_copilot_spool_damaged_total").await >= 1.0);
    let later = site.send(&process, &token, &firing("later")).await.expect(200);
    assert_eq!(later["results"][0]["outcome"], "opened", "{later}");
}

#[tokio::test]
async fn a_file_that_is_no_queue_is_set_aside_at_the_start() {
    let Some((site, mut process)) = Site::start().await else { return };
    let (_, token) = site.integration(&process, "am").await;
    process.kill();
    let (file, _) = queue(&site);
    std::fs::write(&file, "this is no queue".repeat(1000)).unwrap();
    let process = site.process("one").await;
    assert_eq!(queue(&site).1.len(), 1);
    site.send(&process, &token, &firing("known")).await.expect(200);
    site.cluster.down();
    assert_eq!(spooled(&site, &process, &token, &services(3)).await.len(), 3);
    site.cluster.up("");
    drained(&process.base).await;
    assert_eq!(site.services(true).await.len(), 4);
}
