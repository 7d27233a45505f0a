//! The door: the dashboard, and the routes of every other service, here or elsewhere.

mod address;
mod dashboard;
mod docs;
mod document;
mod edge;
mod limits;
mod proxy;

pub use address::Proxies;
pub(crate) use address::{UNKNOWN, prefix};
pub use document::document;
pub use limits::Limits;

use anyhow::Context;
use axum::Router;
use axum::middleware::from_fn_with_state;
use url::Url;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::auth::idempotency;
use crate::service::Service;

/// Who answers the routes of a service.
enum Upstream {
    /// This process, by a function call.
    Local(Router),
    /// Another process, at this address.
    Remote(Url),
}

/// The routes that the gateway itself answers: the dashboard and the documentation.
pub fn routes() -> OpenApiRouter<App> {
    docs::routes().merge(dashboard::routes())
}

/// The routes of a service with what belongs around them, for its own port and for the gateway's.
pub fn local(app: &App, service: Service) -> Router {
    let (router, _) = service.routes().split_for_parts();
    router.layer(from_fn_with_state(app.clone(), idempotency::layer)).with_state(app.clone())
}

/// The whole product behind one port: services in `local` by a call, the others by a request to their address.
///
/// # Errors
/// When a service runs elsewhere and its address is not one.
pub fn assemble(app: &App, local: &[Service]) -> anyhow::Result<(Router, OpenApi)> {
    let mut router = Router::new();
    for service in Service::ALL {
        router = router.merge(match upstream(app, service, local)? {
            Upstream::Local(routes) => routes,
            Upstream::Remote(url) => proxy::routes(app, service, url)?,
        });
    }
    Ok((edge::around(app, router), document()))
}

/// A service's routes for its own port, without the gateway in front.
pub fn alone(app: &App, service: Service) -> Router {
    edge::around(app, local(app, service))
}

fn upstream(app: &App, service: Service, here: &[Service]) -> anyhow::Result<Upstream> {
    match service.url(&app.config) {
        Some(url) if !here.contains(&service) => {
            let url = Url::parse(url).with_context(|| format!("the address of {}: {url}", service.name()))?;
            Ok(Upstream::Remote(url))
        }
        _ => Ok(Upstream::Local(local(app, service))),
    }
}

#[cfg(test)]
mod tests;
