//! The channels for other programs: what sockets get, in order, once while nothing dies and at least once else.

use serde_json::Value;

use super::server::{Listener, RedisServer};
use super::{frame, open, socket, until};
use crate::process::Process;
use crate::world::{Home, client, first_owner};

const CHANNELS: [&str; 3] = ["incidents", "hypotheses", "alerts"];

/// Incidents that are opened through each process at once.
const INCIDENTS: usize = 12;

async fn envelope(listener: &mut Listener) -> (String, Value) {
    let (channel, text) = listener.next().await;
    (channel, serde_json::from_str(&text).unwrap())
}

#[tokio::test]
async fn two_processes_tell_each_event_once_and_in_order() {
    let (home, redis) = (Home::new().await, RedisServer::start(&[]).await);
    let url = redis.url();
    let variables = [("REDIS_URL", url.as_str())];
    let (one, other) =
        (Process::start_with(&home, &variables).await, Process::start_with(&home, &variables).await);
    let (tenant, project, key) = first_owner(&client(), &one.base).await;
    let mut listener = redis.listen(&CHANNELS).await;
    let mut socket = socket(&one.base, &key).await;
    let opening = (0..INCIDENTS).flat_map(|n| [(&one, n), (&other, n)]);
    let key = &key;
    let opened =
        opening.map(|(process, n)| async move { open(&process.base, key, &format!("Told {n}")).await });
    futures_util::future::join_all(opened.collect::<Vec<_>>()).await;
    let mut ended = 0;
    let mut seq = 0;
    // Every incident is analysed, and the end of each analysis is an event too.
    while ended < 2 * INCIDENTS {
        let (sent, (channel, told)) = (frame(&mut socket).await, envelope(&mut listener).await);
        assert_eq!(told, sent, "the same envelope as on the socket");
        seq += 1;
        assert_eq!(told["seq"], seq, "in order, none twice");
        assert_eq!(
            (&told["tenant_id"], &told["project_id"]),
            (&tenant.clone().into(), &project.clone().into())
        );
        let kind = told["type"].as_str().unwrap();
        let expected = if kind.starts_with("incident.") { "incidents" } else { "hypotheses" };
        assert_eq!(channel, expected);
        ended += usize::from(kind == "hypothesis.generated");
    }
}

#[tokio::test]
async fn what_a_dead_process_has_not_told_is_told_by_another() {
    let (home, mut redis) = (Home::new().await, RedisServer::start(&[]).await);
    let url = redis.url();
    let variables = [("REDIS_URL", url.as_str())];
    let mut one = Process::start_with(&home, &variables).await;
    let (_, _, key) = first_owner(&client(), &one.base).await;
    redis.kill();
    until("the process goes on without Redis", async || one.metric("sre_copilot_redis_up").await == 0.0)
        .await;
    for n in 0..3 {
        open(&one.base, &key, &format!("Untold {n}")).await;
    }
    one.kill();
    redis.restart().await;
    let mut listener = redis.listen(&CHANNELS).await;
    let _other = Process::start_with(&home, &variables).await;
    for seq in 1..=3 {
        assert_eq!(envelope(&mut listener).await.1["seq"], seq);
    }
}
