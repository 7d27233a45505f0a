//! The shop's metrics over HTTP, a path for each service.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Clock;
use super::configuration::metrics_path;
use super::shop::{Model, Service, exposition};

/// The running shop: it lives on whenever somebody looks, so it costs nothing between two scrapes.
#[derive(Clone)]
pub struct Exporter {
    model: Arc<Mutex<Model>>,
    clock: Clock,
}

impl Exporter {
    /// Continues the model by the clock.
    pub fn new(model: Model, clock: Clock) -> Self {
        Self { model: Arc::new(Mutex::new(model)), clock }
    }

    /// Does something with the model as it is now.
    pub fn with_model<T>(&self, act: impl FnOnce(&mut Model) -> T) -> T {
        // A model that panicked in one scrape is still a consistent model: it is only ever advanced.
        let mut model = self.model.lock().unwrap_or_else(PoisonError::into_inner);
        model.advance((self.clock)());
        act(&mut model)
    }

    /// Serves the metrics on a free loopback port until `shutdown`; returns `host:port`.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn serve(&self, shutdown: CancellationToken, tasks: &TaskTracker) -> anyhow::Result<String> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no free port for the shop")?;
        let address = listener.local_addr()?.to_string();
        let router = Router::new().route(&metrics_path("{service}"), get(metrics)).with_state(self.clone());
        let ended = shutdown.clone().cancelled_owned();
        let server = axum::serve(listener, router).with_graceful_shutdown(ended);
        tasks.spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "the shop's listener ended");
                shutdown.cancel();
            }
        });
        Ok(address)
    }
}

async fn metrics(State(exporter): State<Exporter>, Path(name): Path<String>) -> impl IntoResponse {
    let Some(service) = Service::named(&name) else {
        return Err((StatusCode::NOT_FOUND, "the shop has no such service\n"));
    };
    let text =
        exporter.with_model(|model| (!model.is_down(service)).then(|| exposition::text(model, service)));
    let Some(text) = text else { return Err((StatusCode::SERVICE_UNAVAILABLE, "the service is down\n")) };
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}
