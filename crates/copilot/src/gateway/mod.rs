//! The door: the dashboard, and the routes of every service that runs here.

mod dashboard;
mod document;
mod limits;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;

pub use document::document;
pub use limits::Limits;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::auth::idempotency;
use crate::service::Service;

/// The routes that the gateway itself answers.
pub fn routes() -> OpenApiRouter<App> {
    let router =
        Router::new().route("/api/v1/openapi.json", get(document::json)).route("/docs", get(document::page));
    OpenApiRouter::from(router)
}

/// The gateway's router: its own routes, those of the services in this process, and the dashboard for the rest.
pub fn assemble(app: &App, local: &[Service]) -> Router<App> {
    let routes = local.iter().fold(OpenApiRouter::new(), |all, service| all.merge(service.routes()));
    guard(app, routes.split_for_parts().0).fallback(dashboard::serve)
}

/// Puts limits and idempotency around a service's routes.
pub fn guard(app: &App, routes: Router<App>) -> Router<App> {
    routes
        .layer(from_fn_with_state(app.clone(), idempotency::layer))
        .layer(from_fn_with_state(app.clone(), limits::strangers))
}
