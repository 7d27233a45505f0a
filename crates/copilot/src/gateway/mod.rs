//! The door: the dashboard, and the routes of every other service, here or elsewhere.

mod address;
mod limits;

pub use address::Proxies;
pub(crate) use address::{UNKNOWN, prefix};
pub use limits::Limits;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// The routes that the gateway itself answers.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
}
