//! The door: the dashboard, and the routes of every other service, here or elsewhere.

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// Request limits of this process.
pub struct Limits {}

/// The routes that the gateway itself answers.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
}
