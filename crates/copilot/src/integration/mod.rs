//! Webhooks and the systems that send them.

use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// Webhooks waiting for the next commit.
pub struct Inbox {}

/// The routes of this service.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
}

/// The work of this service.
pub async fn run(_app: App, stop: CancellationToken) {
    stop.cancelled().await;
}
