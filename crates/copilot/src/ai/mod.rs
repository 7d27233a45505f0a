//! Analyses: evidence from live systems, hypotheses ranked by it.

use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// The language model, if one is configured.
pub struct Model {}

/// The routes of this service.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
}

/// The work of this service.
pub async fn run(_app: App, stop: CancellationToken) {
    stop.cancelled().await;
}
