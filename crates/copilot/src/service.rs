//! The product on one screen: its services, their routes and their work.

use std::str::FromStr;

use axum::Router;
use tokio_util::sync::CancellationToken;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::config::Config;
use crate::{ai, auth, gateway, incident, integration, notify, websocket};

/// A part of the product that can run in a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// The door: dashboard, API, webhooks and sockets of every other service.
    Gateway,
    /// People, sessions, projects, members and keys.
    Auth,
    /// Incidents, their workflow and their numbers, and whoever is told of them.
    Incident,
    /// Analyses: evidence and hypotheses.
    Ai,
    /// Webhooks and the systems that send them.
    Integration,
    /// Live events.
    Websocket,
}

impl Service {
    /// Every service, in the order of their ports.
    pub const ALL: [Self; 6] =
        [Self::Gateway, Self::Auth, Self::Incident, Self::Ai, Self::Integration, Self::Websocket];

    /// The name in `--services`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Auth => "auth",
            Self::Incident => "incident",
            Self::Ai => "ai",
            Self::Integration => "integration",
            Self::Websocket => "websocket",
        }
    }

    /// Where the service listens.
    pub fn listen(self, config: &Config) -> &str {
        match self {
            Self::Gateway => &config.gateway_listen,
            Self::Auth => &config.auth_listen,
            Self::Incident => &config.incident_listen,
            Self::Ai => &config.ai_listen,
            Self::Integration => &config.integration_listen,
            Self::Websocket => &config.websocket_listen,
        }
    }

    /// Where the gateway finds the service when it runs elsewhere; the gateway itself runs nowhere else.
    pub fn url(self, config: &Config) -> Option<&str> {
        match self {
            Self::Gateway => None,
            Self::Auth => Some(&config.auth_url),
            Self::Incident => Some(&config.incident_url),
            Self::Ai => Some(&config.ai_url),
            Self::Integration => Some(&config.integration_url),
            Self::Websocket => Some(&config.websocket_url),
        }
    }

    /// The routes that the service itself answers.
    pub fn routes(self) -> OpenApiRouter<App> {
        match self {
            Self::Gateway => gateway::routes(),
            Self::Auth => auth::routes(),
            Self::Incident => incident::routes().merge(notify::routes()),
            Self::Ai => ai::routes(),
            Self::Integration => integration::routes(),
            Self::Websocket => websocket::routes(),
        }
    }

    /// Routes of the service that prove themselves who sends.
    pub fn hooks(self) -> Router<App> {
        match self {
            Self::Integration => integration::hooks(),
            _ => Router::new(),
        }
    }

    /// What the API's document says of them.
    pub fn hooks_document(self) -> OpenApi {
        match self {
            Self::Integration => integration::hooks_document(),
            _ => OpenApi::default(),
        }
    }

    /// The work that the service does beside its requests, until `stop`.
    pub async fn run(self, app: App, stop: CancellationToken) {
        match self {
            Self::Gateway => {}
            Self::Auth => auth::run(app, stop).await,
            Self::Incident => {
                tokio::join!(incident::run(app.clone(), stop.clone()), notify::run(app, stop));
            }
            Self::Ai => ai::run(app, stop).await,
            Self::Integration => integration::run(app, stop).await,
            Self::Websocket => websocket::run(app, stop).await,
        }
    }
}

impl FromStr for Service {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|service| service.name() == name).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|service| service.name()).collect();
            format!("there is no service `{name}`; there are {}", known.join(", "))
        })
    }
}
