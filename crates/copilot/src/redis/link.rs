//! One connection, made again whenever it is lost. While it is lost nobody waits for it.

use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{
    AsyncConnectionConfig, Client, IntoConnectionInfo as _, ProtocolVersion, PushInfo, PushKind, RedisError,
    Value,
};
use outbox::sabotage;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::timeout;
use uuid::Uuid;

use super::{Away, hint};

/// How long a question may take before Redis counts as away.
pub(super) const ANSWER: Duration = Duration::from_millis(300);

/// How long connecting may take, TLS and greeting included.
const CONNECT: Duration = Duration::from_secs(1);

/// Time between two attempts to connect.
const RETRY: Duration = Duration::from_millis(500);

/// Time between two looks whether a silent Redis is still there.
const PING: Duration = Duration::from_secs(1);

/// Messages of other processes that wait to be read; further ones are dropped, which costs a poll.
const HEARD: usize = 1024;

/// A connection and the number of it.
type Live = Option<(u64, MultiplexedConnection)>;

pub(super) struct Link {
    client: Client,
    config: AsyncConnectionConfig,
    live: watch::Sender<Live>,
    tried: watch::Sender<bool>,
    /// What others published for us.
    pub(super) heard: Mutex<mpsc::Receiver<Vec<u8>>>,
    /// Names this process among those that share a Redis.
    pub(super) me: Uuid,
}

impl Link {
    pub(super) fn new(url: &str) -> Result<Self, RedisError> {
        let info = url.into_connection_info()?;
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let client = Client::open(info.set_redis_settings(settings))?;
        let (sender, heard) = mpsc::channel(HEARD);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(ANSWER))
            // It never fails, whatever comes: an error here would end the connection's reader.
            .set_push_sender(move |push: PushInfo| {
                if let Some(text) = message(push) {
                    let _ = sender.try_send(text);
                }
                Ok::<(), ::redis::aio::SendError>(())
            });
        let (live, tried) = (watch::channel(None).0, watch::channel(false).0);
        Ok(Self { client, config, live, tried, heard: Mutex::new(heard), me: Uuid::new_v4() })
    }

    pub(super) fn is_up(&self) -> bool {
        self.live.borrow().is_some()
    }

    pub(super) async fn up(&self) {
        // The sender lives as long as `self`, so waiting can't fail.
        let _ = self.live.subscribe().wait_for(Option::is_some).await;
    }

    pub(super) async fn tried(&self) {
        let _ = self.tried.subscribe().wait_for(|tried| *tried).await;
    }

    /// Asks once. A question that Redis refuses is an error; one that it does not answer also ends the link.
    pub(super) async fn ask<T>(
        &self,
        question: impl AsyncFnOnce(&mut MultiplexedConnection) -> Result<T, RedisError>,
    ) -> Result<T, Away> {
        let Some((number, mut connection)) = self.live.borrow().clone() else { return Err(Away) };
        // The client's own limit is for one answer; this one is for the question, waiting in line included.
        let answer = timeout(ANSWER + ANSWER / 2, question(&mut connection)).await;
        let (why, lost) = match answer {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => {
                (error.category().to_owned(), error.is_io_error() || error.is_unrecoverable_error())
            }
            Err(_) => ("no answer".to_owned(), true),
        };
        metrics::counter!("sre_copilot_redis_failures_total", "kind" => why.clone()).increment(1);
        if lost && self.end(number) {
            tracing::warn!(error = why, "Redis does not answer; going on without it");
        }
        Err(Away)
    }

    /// Keeps a connection there, for ever.
    pub(super) async fn keep(&self) {
        let mut failing = false;
        for number in 0.. {
            match self.connect().await {
                Ok(connection) => {
                    tracing::info!("Redis answers");
                    failing = false;
                    metrics::gauge!("sre_copilot_redis_up").set(1.0);
                    self.live.send_replace(Some((number, connection)));
                    self.tried.send_replace(true);
                    self.watch().await;
                    metrics::gauge!("sre_copilot_redis_up").set(0.0);
                    if sabotage::broken("redis-link-once") {
                        return;
                    }
                }
                Err(error) => {
                    if !failing {
                        tracing::warn!(
                            error = error.category(),
                            "Redis can't be reached; going on without it"
                        );
                        metrics::gauge!("sre_copilot_redis_up").set(0.0);
                    }
                    failing = true;
                    self.tried.send_replace(true);
                }
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        let mut connection = self.client.get_multiplexed_async_connection_with_config(&self.config).await?;
        connection.subscribe(hint::CHANNEL).await?;
        Ok(connection)
    }

    /// Returns when the connection was given up.
    async fn watch(&self) {
        let mut live = self.live.subscribe();
        loop {
            let gone = timeout(PING, live.wait_for(Option::is_none)).await.is_ok();
            if gone {
                return;
            }
            let ping = ::redis::cmd("PING");
            let _: Result<String, Away> =
                self.ask(async |connection| ping.query_async(connection).await).await;
        }
    }

    /// Gives connection `number` up; false when that was done already.
    fn end(&self, number: u64) -> bool {
        self.live.send_if_modified(|live| {
            let current = live.as_ref().is_some_and(|(current, _)| *current == number);
            if current {
                *live = None;
            }
            current
        })
    }
}

/// The text of a message on a channel that we listen to.
fn message(push: PushInfo) -> Option<Vec<u8>> {
    if push.kind != PushKind::Message {
        return None;
    }
    match push.data.into_iter().nth(1)? {
        Value::BulkString(text) => Some(text),
        Value::SimpleString(text) => Some(text.into_bytes()),
        _ => None,
    }
}
