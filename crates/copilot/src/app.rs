//! What every handler and every worker is given.

use std::ops::Deref;
use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;
use outbox::{Clock, Db};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::ai::Model;
use crate::auth::Keys;
use crate::config::Config;
use crate::gateway::{Elsewhere, Limits};
use crate::incident::heard::Heard;
use crate::integration::{Inbox, Rates, Signers, Spool, Tokens};
use crate::outbound::Outbound;
use crate::redis::Redis;
use crate::websocket::Hub;

/// The running product: its database, its settings and the few things its services share.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What [`App`] is made of.
pub struct Parts {
    /// The settings in force.
    pub config: Config,
    /// The database.
    pub db: Db,
    /// Signing and encryption keys.
    pub keys: Keys,
    /// Webhooks waiting for the next commit.
    pub inbox: Inbox,
    /// Webhooks that wait on the disk while the database is away.
    pub spool: Spool,
    /// What webhook tokens prove, for a second.
    pub tokens: Tokens,
    /// The requests of integrations that have a rate.
    pub rates: Rates,
    /// The tokens of integrations that sign.
    pub signers: Signers,
    /// Alerts that were heard again and are not written yet.
    pub heard: Heard,
    /// Sockets of this process.
    pub hub: Hub,
    /// The language model, if one is configured.
    pub model: Model,
    /// The door for requests to addresses that users configured.
    pub outbound: Outbound,
    /// Redis, if one is configured.
    pub redis: Redis,
    /// The services that the gateway finds elsewhere.
    pub elsewhere: Elsewhere,
    /// Request limits.
    pub limits: Limits,
    /// Renders `/metrics`; absent in tests.
    pub metrics: Option<PrometheusHandle>,
    /// Every task that was started.
    pub tasks: TaskTracker,
    /// Cancelled when the process is to stop.
    pub stop: CancellationToken,
}

impl App {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The clock that dates everything.
    pub fn clock(&self) -> &Clock {
        self.db.clock()
    }

    /// Starts a task that the shutdown waits for.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
