//! Starting and stopping: a database, the chosen services, their listeners and their work.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use futures_util::FutureExt as _;
use metrics_exporter_prometheus::PrometheusHandle;
use outbox::{Clock, sabotage};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::address::Proxies;
use crate::ai::Model;
use crate::app::{App, Parts};
use crate::auth::installation;
use crate::config::Config;
use crate::error::Error;
use crate::gateway::{self, Elsewhere, Limits};
use crate::integration::Spool;
use crate::outbound::Outbound;
use crate::redis::Redis;
use crate::service::Service;
use crate::websocket::{self, Hub};
use crate::{db, health, http, metric};

/// How long workers may take to finish what they are at, after the last request was answered.
const SETTLE: Duration = Duration::from_secs(4);

/// How long work that panicked waits before it begins again.
const RESTART: Duration = Duration::from_secs(1);

/// What a process is started with beside its settings.
#[derive(Debug)]
pub struct Start {
    /// The settings.
    pub config: Config,
    /// Which services it runs.
    pub services: Vec<Service>,
    /// Where its time comes from.
    pub clock: Clock,
    /// Renders `/metrics`.
    pub metrics: Option<PrometheusHandle>,
    /// The language model instead of the configured one, for tests.
    pub model: Option<Model>,
}

/// A running process.
pub struct Server {
    /// What its handlers and workers are given.
    pub app: App,
    /// Where each service listens.
    pub addresses: BTreeMap<Service, SocketAddr>,
    listeners: JoinSet<()>,
    halt: CancellationToken,
}

/// Starts a process; it is ready when this returns.
///
/// # Errors
/// When the database can't be opened, an address is taken, or a setting makes no sense.
pub async fn start(start: Start) -> anyhow::Result<Server> {
    let Start { mut config, services, clock, metrics, model } = start;
    let mut bound = Vec::new();
    for service in &services {
        let address = service.listen(&config).to_owned();
        let listener = TcpListener::bind(&address)
            .await
            .with_context(|| format!("{} can't listen on {address}", service.name()))?;
        if *service == Service::Gateway {
            // With port 0 the links must name the port that was given.
            config.gateway_listen = listener.local_addr()?.to_string();
        }
        bound.push((*service, listener));
    }
    let redis = Redis::new(&config.redis_url)?;
    let db = db::open_for(&config, clock).await?;
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let sockets = websocket::Limits::of(&config);
    let app = App::new(Parts {
        keys: installation::join(&db, &config).await?,
        inbox: crate::integration::Inbox::of(config.commit_queue),
        spool: match services.contains(&Service::Integration) {
            true => Spool::open(&config),
            false => Spool::none(),
        },
        tokens: crate::integration::Tokens::default(),
        rates: crate::integration::Rates::default(),
        signers: crate::integration::Signers::default(),
        heard: crate::incident::heard::Heard::default(),
        hub: Hub::new(db.clone(), sockets, tasks.clone(), stop.clone()),
        model: model.map_or_else(|| Model::from_config(&config), Ok)?,
        outbound: Outbound::from_config(&config)?,
        limits: Limits::new(&config, redis.clone())?,
        elsewhere: Elsewhere::new(&config, &services)?,
        redis,
        metrics,
        tasks,
        stop,
        config,
        db,
    });
    let halt = CancellationToken::new();
    if app.redis.is_configured() {
        share(&app, &halt).await;
    }
    app.spawn(installation::follow(app.clone(), halt.clone()));
    watch(&app, &services, &halt);
    let mut server = Server { app, addresses: BTreeMap::new(), listeners: JoinSet::new(), halt };
    for (service, listener) in bound {
        server.run(service, listener, &services)?;
    }
    Ok(server)
}

/// Joins the processes that share a Redis; with none to be reached the process works all the same.
async fn share(app: &App, halt: &CancellationToken) {
    app.db.wake().relay_events();
    app.spawn(app.redis.clone().run(app.db.wake().clone(), halt.clone()));
    app.redis.tried().await;
    app.spawn(websocket::relay(app.clone(), halt.clone()));
}

/// Keeps what `/metrics` says small and up to date.
fn watch(app: &App, services: &[Service], halt: &CancellationToken) {
    let Some(handle) = &app.metrics else { return };
    app.spawn(metric::keep_up(handle.clone(), halt.clone()));
    let mut queues = if services.contains(&Service::Ai) { vec!["analysis", "question"] } else { Vec::new() };
    if app.redis.is_configured() {
        queues.push("relay");
    }
    app.spawn(metric::queues(app.clone(), queues, halt.clone()));
}

impl Server {
    /// Begins a service's work and answers its requests.
    fn run(&mut self, service: Service, listener: TcpListener, local: &[Service]) -> anyhow::Result<()> {
        let app = &self.app;
        let router: Router<App> = match service {
            Service::Gateway => gateway::assemble(app, local)?,
            other => gateway::alone(app, other).fallback(|| async { Error::NotFound }),
        };
        let port = match service {
            Service::Gateway => health::Port::Gateway,
            Service::Integration => health::Port::Webhooks,
            _ => health::Port::Other,
        };
        let router = router.merge(gateway::permitted(app, health::routes(port)));
        // Nobody in front of the gateway is a service of ours.
        let gateways = match service {
            Service::Gateway => Proxies::default(),
            _ => app.limits.proxies.clone(),
        };
        let front = http::Front { https: app.config.is_https(), gateways };
        let router = http::wrap(router.with_state(app.clone()), front);
        self.addresses.insert(service, listener.local_addr()?);
        tracing::info!(service = service.name(), address = %listener.local_addr()?, "listening");
        app.spawn(keep_running(service, app.clone(), self.halt.clone()));
        self.listeners.spawn(http::serve(listener, router, app.stop.clone()));
        Ok(())
    }

    /// The address of the dashboard, if this process runs the gateway.
    pub fn url(&self) -> String {
        self.app.config.public_url()
    }

    /// Stops: no new requests, the running ones are answered, then the work ends and the database is closed.
    pub async fn stop(mut self) {
        self.app.stop.cancel();
        if sabotage::broken("never-drains") {
            std::future::pending::<()>().await;
        }
        while self.listeners.join_next().await.is_some() {}
        self.halt.cancel();
        self.app.tasks.close();
        if tokio::time::timeout(SETTLE, self.app.tasks.wait()).await.is_err() {
            tracing::warn!("some work did not end in time; its lease will run out");
        }
        if let Err(error) = self.app.heard.write(&self.app).await {
            tracing::warn!(error = error.cause(), "alerts that were heard again could not be written");
        }
        self.app.db.close().await;
    }
}

/// Does the work of a service; a panic in it is a defect of ours, and takes no person to recover from.
async fn keep_running(service: Service, app: App, halt: CancellationToken) {
    while AssertUnwindSafe(service.run(app.clone(), halt.clone())).catch_unwind().await.is_err() {
        metrics::counter!("sre_copilot_panics_total").increment(1);
        tracing::error!(service = service.name(), "its work panicked, and begins again");
        if halt.run_until_cancelled(tokio::time::sleep(RESTART)).await.is_none() {
            return;
        }
    }
}
