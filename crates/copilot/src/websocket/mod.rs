//! Live events: every authorised client, in order, resumable.

use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// The sockets of this process.
pub struct Hub {}

/// The routes of this service.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
}

/// The work of this service.
pub async fn run(_app: App, stop: CancellationToken) {
    stop.cancelled().await;
}
