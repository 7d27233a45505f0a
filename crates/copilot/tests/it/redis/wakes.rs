//! What one process commits wakes the others.

use super::server::RedisServer;
use super::{frame, open, socket};
use crate::process::Process;
use crate::world::{Home, client, first_owner};

/// Incidents opened one after the other.
const INCIDENTS: usize = 10;

#[tokio::test]
async fn an_event_of_one_process_wakes_a_socket_of_another() {
    let (home, redis) = (Home::new().await, RedisServer::start(&[]).await);
    let url = redis.url();
    let variables = [("REDIS_URL", url.as_str())];
    let (one, other) =
        (Process::start_with(&home, &variables).await, Process::start_with(&home, &variables).await);
    let (_, _, key) = first_owner(&client(), &one.base).await;
    let mut socket = socket(&other.base, &key).await;
    for n in 0..INCIDENTS {
        let incident = open(&one.base, &key, &format!("Wake {n}")).await;
        loop {
            let event = frame(&mut socket).await;
            if event["type"] == "incident.created" && event["data"]["id"] == incident["id"] {
                break;
            }
        }
    }
    let noticed =
        async |by| other.metric(&format!("sre_copilot_feed_events_total{{noticed_by=\"{by}\"}}")).await;
    let (woken, polled) = (noticed("wake").await, noticed("poll").await);
    // An event may be committed just when the other process looks by itself, every two seconds.
    assert!(woken > 3.0 * polled && woken >= INCIDENTS as f64 / 2.0, "woken {woken}, polled {polled}");
    assert!(other.metric("sre_copilot_wakes_total{direction=\"heard\"}").await > 0.0);
    assert_eq!(other.metric("sre_copilot_wakes_total{direction=\"unreadable\"}").await, 0.0);
}
