//! Who asks: people, sessions, projects, members and keys.

mod permission;

pub use permission::{Actor, Admin, Engineer, Member, Owner, Role, Viewer};

use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// Keys derived from the master key.
pub struct Keys {}

/// The routes of this service.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
}

/// The work of this service.
pub async fn run(_app: App, stop: CancellationToken) {
    stop.cancelled().await;
}
