//! Live events: every authorised client, in order, resumable.
//!
//! * [`handshake`]: who may open a socket, and from which page.
//! * [`session`]: asks whether the caller may still listen.
//! * [`standing`]: the same, once for all sockets of a credential.
//! * [`socket`]: one client from its hello to its close.
//! * [`request`]: what a client may say.
//! * [`message`]: what the server says.
//! * [`hub`]: the sockets of this process and what they share.
//! * [`feed`]: follows one project's events, once for all of its sockets.
//! * [`history`]: what a client missed, or that it must look again.
//! * [`relay`]: tells the events on the channels of Redis as well.
//! * [`retention`]: lets old events go.

mod feed;
mod handshake;
mod history;
mod hub;
mod message;
mod reader;
mod relay;
mod request;
mod retention;
mod session;
mod socket;
mod standing;
#[cfg(test)]
mod tests;
mod writer;

pub use hub::{Hub, Limits};
pub use relay::run as relay;

use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// The routes of this service.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(handshake::connect))
}

/// The work of this service beside its sockets: letting old events go.
pub async fn run(app: App, stop: CancellationToken) {
    retention::run(app, stop).await;
}
