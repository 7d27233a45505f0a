//! The one place that knows Redis: wake-ups, channels, limits and locks across processes.
//!
//! Redis is never the truth. Absent, stalled, full, emptied or filled by somebody else it makes the product slower:
//! every question to it ends within half a second, after one unanswered none is put until the link is there again,
//! and whoever asks has an answer of its own. Nothing that Redis says grants, shows or bills anything.
//!
//! * [`link`]: one connection, made again whenever it is lost.
//! * [`hint`]: wake-ups between processes.
//! * [`limit`]: one count of requests for all processes.
//! * [`lock`]: says that somebody is at work on something.

pub mod hint;
pub mod limit;
mod link;
pub mod lock;

use std::sync::Arc;

use ::redis::{Cmd, FromRedisValue, Pipeline, Script};
use outbox::Wake;
use tokio_util::sync::CancellationToken;

use link::Link;

/// Redis did not answer, or refused; the caller goes on without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Redis does not answer")]
pub struct Away;

/// Redis, if one is configured.
#[derive(Clone, Default)]
pub struct Redis(Option<Arc<Link>>);

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_configured() { "Redis(hidden)" } else { "Redis(none)" })
    }
}

impl Redis {
    /// The Redis that `url` names; none when it is empty. Nothing is connected yet.
    ///
    /// # Errors
    /// When it is not a `redis://` or `rediss://` URL.
    pub fn new(url: &str) -> anyhow::Result<Self> {
        if url.is_empty() {
            return Ok(Self::default());
        }
        // The URL may hold a password: no part of it is repeated.
        anyhow::ensure!(
            url.starts_with("redis://") || url.starts_with("rediss://"),
            "redis_url must begin with redis:// or rediss://"
        );
        let link = Link::new(url).map_err(|_| anyhow::anyhow!("redis_url is not a Redis URL"))?;
        Ok(Self(Some(Arc::new(link))))
    }

    /// Whether one is configured.
    pub fn is_configured(&self) -> bool {
        self.0.is_some()
    }

    /// Whether it answered when it was last asked.
    pub fn is_up(&self) -> bool {
        self.0.as_ref().is_some_and(|link| link.is_up())
    }

    /// Waits until it answers; for ever when none is configured.
    pub async fn up(&self) {
        match &self.0 {
            Some(link) => link.up().await,
            None => std::future::pending().await,
        }
    }

    /// Waits until the first attempt to reach it has ended.
    pub async fn tried(&self) {
        if let Some(link) = &self.0 {
            link.tried().await;
        }
    }

    /// Keeps the link, and passes wake-ups on, until `stop`.
    pub async fn run(self, wake: Wake, stop: CancellationToken) {
        let Some(link) = &self.0 else { return };
        let passing = futures_util::future::join(hint::tell(&self, &wake), hint::hear(link, &wake));
        tokio::select! {
            () = link.keep() => {}
            _ = passing => {}
            () = stop.cancelled() => {}
        }
    }

    /// Publishes texts, in order.
    ///
    /// # Errors
    /// When it is not known that all of them were taken.
    pub async fn publish(&self, messages: &[(&str, &str)]) -> Result<(), Away> {
        let mut pipeline = Pipeline::new();
        for (channel, text) in messages {
            pipeline.cmd("PUBLISH").arg(*channel).arg(*text).ignore();
        }
        let link = self.0.as_ref().ok_or(Away)?;
        link.ask(async |connection| pipeline.query_async(connection).await).await
    }

    async fn command<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Away> {
        let link = self.0.as_ref().ok_or(Away)?;
        link.ask(async |connection| command.query_async(connection).await).await
    }

    async fn script<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[String],
        arguments: &[String],
    ) -> Result<T, Away> {
        let link = self.0.as_ref().ok_or(Away)?;
        let mut call = script.prepare_invoke();
        for key in keys {
            call.key(key);
        }
        for argument in arguments {
            call.arg(argument);
        }
        link.ask(async |connection| call.invoke_async(connection).await).await
    }
}
