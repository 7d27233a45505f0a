//! Tells every event on its channel of Redis as well, for other programs: in order, at least once.

use std::time::Duration;

use outbox::relay::{Left, Relay};
use outbox::{Event, Stream};
use tokio::sync::broadcast::error::TryRecvError;
use tokio_util::sync::CancellationToken;

use super::message::Message;
use crate::app::App;
use crate::error::Result;

/// Events told at once.
const PAGE: i64 = 64;

/// How often streams that nobody tells are looked for: those of a process that died before it told them.
const POLL: Duration = Duration::from_secs(2);

/// Seconds after which a stream that Redis did not take is tried again.
const AGAIN_S: i64 = 1;

/// Tells what is committed, here first of all, until `stop`. While Redis is away nothing is claimed.
pub async fn run(app: App, stop: CancellationToken) {
    let mut committed = app.db.wake().committed();
    let mut failing = false;
    while !stop.is_cancelled() {
        tokio::select! {
            () = app.redis.up() => {}
            () = stop.cancelled() => return,
        }
        match once(&app, &stop).await {
            Ok(true) => continue,
            Ok(false) => failing = false,
            Err(error) => {
                if !failing {
                    tracing::warn!(error = error.to_string(), "events can't be told on Redis; trying on");
                }
                failing = true;
            }
        }
        tokio::select! {
            _ = committed.recv() => while !matches!(committed.try_recv(), Err(TryRecvError::Empty | TryRecvError::Closed)) {},
            () = tokio::time::sleep(POLL) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Tells the events of one stream, and says whether there were any and Redis took them.
async fn once(app: &App, stop: &CancellationToken) -> Result<bool> {
    let Some(mut relay) = Relay::claim(&app.db).await? else { return Ok(false) };
    loop {
        match relay.left(&app.db, PAGE).await? {
            Left::Events(events) if !stop.is_cancelled() && tell(app, relay.stream, &events).await => {
                relay.told(events.last().map_or(0, |event| event.seq));
            }
            Left::Events(_) => {
                relay.give_back(&app.db, AGAIN_S).await?;
                return Ok(false);
            }
            Left::Nothing | Left::Lost => return Ok(true),
        }
    }
}

/// Whether Redis took all of `events`.
async fn tell(app: &App, stream: Stream, events: &[Event]) -> bool {
    let messages: Vec<Message> = events.iter().map(|event| Message::new(stream, event)).collect();
    let texts: Vec<(&str, &str)> = messages
        .iter()
        .filter_map(|message| Some((message.channel?.name(), message.text.as_str())))
        .collect();
    let told = texts.is_empty() || app.redis.publish(&texts).await.is_ok();
    if told {
        metrics::counter!("sre_copilot_events_relayed_total").increment(texts.len() as u64);
    }
    told
}

#[cfg(test)]
mod tests {
    use outbox::{Clock, NewEvent, Ts};
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn a_backlog_that_takes_long_is_told_once_and_on_from_where_a_teller_died() {
        let (folder, database) = (tempfile::tempdir().unwrap(), crate::scratch::Scratch::new().await);
        let clock = Clock::manual(Ts::from_micros(1_795_384_800_000_000));
        let db = crate::db::open(&database.url(), folder.path(), clock.clone()).await.unwrap();
        db.wake().relay_events();
        let stream = Stream { owner: Uuid::now_v7(), id: Uuid::now_v7() };
        let mut tx = db.begin(stream.owner).await.unwrap();
        for _ in 0..10 {
            tx.append(stream, NewEvent { kind: "incident.created", data: serde_json::json!({}) });
        }
        tx.commit().await.unwrap();
        let page = async |relay: &mut Relay| match relay.left(&db, 2).await.unwrap() {
            Left::Events(events) => events.iter().map(|event| event.seq).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        let mut one = Relay::claim(&db).await.unwrap().unwrap();
        for first in [1, 3, 5] {
            assert_eq!(page(&mut one).await, [first, first + 1]);
            clock.advance(15.0);
            assert!(Relay::claim(&db).await.unwrap().is_none(), "it is being told");
            one.told(first + 1);
        }
        assert_eq!(page(&mut one).await, [7, 8]);
        clock.advance(21.0);
        let mut other = Relay::claim(&db).await.unwrap().unwrap();
        assert_eq!(page(&mut other).await, [7, 8]);
        other.told(8);
        assert!(matches!(one.left(&db, 2).await.unwrap(), Left::Lost));
        assert_eq!(page(&mut other).await, [9, 10]);
        other.told(10);
        assert!(matches!(other.left(&db, 2).await.unwrap(), Left::Nothing));
    }
}
