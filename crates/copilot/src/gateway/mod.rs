//! The door: the dashboard, and the routes of every other service, here or elsewhere.

mod cells;
mod dashboard;
mod docs;
mod document;
mod elsewhere;
mod headers;
mod limits;
mod proxy;
mod refusals;
mod replicas;

use axum::Router;
use axum::middleware::from_fn_with_state;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::auth::{access, idempotency};
use crate::service::Service;
pub use document::document;
pub use elsewhere::Elsewhere;
pub use limits::Limits;
use replicas::Replicas;

/// Who answers the routes of a service.
enum Upstream {
    /// This process, by a function call.
    Local(Router<App>),
    /// Other processes, at these addresses.
    Remote(Replicas),
}

/// The routes that the gateway itself answers.
pub fn routes() -> OpenApiRouter<App> {
    docs::routes()
}

/// The gateway's router: services in `local` by a call, the others by a request to their address, and the
/// dashboard for the rest.
///
/// # Errors
/// When a service runs elsewhere and its address is not one.
pub fn assemble(app: &App, local: &[Service]) -> anyhow::Result<Router<App>> {
    let mut router = Router::new();
    for service in Service::ALL {
        router = router.merge(match upstream(app, service, local)? {
            Upstream::Local(routes) => routes,
            Upstream::Remote(replicas) => proxy::routes(app, service, replicas)?,
        });
    }
    Ok(with_hooks(limited(app, router, Service::Gateway), local).fallback(dashboard::serve))
}

/// The router of a service on its own port.
pub fn alone(app: &App, service: Service) -> Router<App> {
    with_hooks(limited(app, local_routes(app, service), service), &[service])
}

/// The receivers of webhooks beside the other routes: what is put around those asks who a person is, which is nothing to
/// a sender.
fn with_hooks(router: Router<App>, local: &[Service]) -> Router<App> {
    local.iter().fold(router, |router, service| router.merge(service.hooks()))
}

fn upstream(app: &App, service: Service, local: &[Service]) -> anyhow::Result<Upstream> {
    match service.url(&app.config) {
        Some(addresses) if !local.contains(&service) => {
            Ok(Upstream::Remote(Replicas::parse(service, addresses)?))
        }
        _ => Ok(Upstream::Local(local_routes(app, service))),
    }
}

/// The service's own answers, each to a repeated request once. A service elsewhere sees to that itself.
fn local_routes(app: &App, service: Service) -> Router<App> {
    let (routes, _) = service.routes().split_for_parts();
    permitted(app, routes.layer(from_fn_with_state(app.clone(), idempotency::layer)))
}

/// The routes for those whom the table of access names, and no others.
pub fn permitted(app: &App, routes: Router<App>) -> Router<App> {
    routes.layer(from_fn_with_state(app.clone(), access::layer))
}

/// Limits whoever has not signed in; the others are counted once it is known who they are.
fn limited(app: &App, router: Router<App>, door: Service) -> Router<App> {
    let count = move |state, source, request, next| limits::count(door.name(), state, source, request, next);
    router.layer(from_fn_with_state(app.clone(), count))
}
