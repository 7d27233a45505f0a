//! Telling people what happens: Slack channels, PagerDuty services, webhooks of theirs.
//!
//! A channel follows its project's stream of events, so that nothing is added to what commits a webhook.
//!
//! * [`decide`]: what is told of an incident. Pure.
//! * [`group`]: what of it is told together. Pure.
//! * [`facts`]: what one message says, and its title.
//! * [`slack`], [`pagerduty`], [`webhook`]: facts to a request. Pure.
//! * [`verdict`]: what an answer means, and when it is tried again. Pure.
//! * [`target`]: where a channel leads, sealed, and how it is shown.
//! * [`worker`]: looks for channels with something to tell; [`pass`] reads and decides, [`send`] sends.
//! * [`faults`]: what is told from memory when the database is away.
//! * [`manage`], [`trial`], [`list`]: the routes.

mod decide;
mod facts;
mod faults;
mod group;
mod list;
mod manage;
mod pagerduty;
mod pass;
mod retention;
mod send;
mod slack;
mod store;
mod target;
#[cfg(test)]
mod tests;
mod trial;
mod verdict;
mod webhook;
mod worker;

use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

pub use worker::once;

crate::words! {
    /// What a channel leads to.
    pub enum ChannelKind {
        /// An incoming webhook of Slack, or of what takes the same messages.
        Slack = "slack",
        /// The Events API of PagerDuty, version 2.
        Pagerduty = "pagerduty",
        /// Any server; requests are signed as Standard Webhooks has it.
        Webhook = "webhook",
    }
}

crate::words! {
    /// What of an incident a channel is told.
    pub enum Tell {
        /// That it was opened.
        Opened = "opened",
        /// Its likely cause.
        Cause = "cause",
        /// That it is worse than it was.
        Escalated = "escalated",
        /// That somebody has seen it.
        Acknowledged = "acknowledged",
        /// That it is back.
        Reopened = "reopened",
        /// That it is over.
        Resolved = "resolved",
    }
}

crate::words! {
    /// What a notification is about.
    pub enum What {
        /// An incident was opened.
        Opened = "opened",
        /// An incident's likely cause.
        Cause = "cause",
        /// An incident is worse than it was.
        Escalated = "escalated",
        /// Somebody has seen an incident.
        Acknowledged = "acknowledged",
        /// An incident is back.
        Reopened = "reopened",
        /// An incident is over.
        Resolved = "resolved",
        /// Many things at once.
        Digest = "digest",
        /// Nothing: somebody tries the channel.
        Test = "test",
        /// The server itself is in trouble, or no longer.
        Fault = "fault",
    }
}

crate::words! {
    /// What became of a notification.
    pub enum NotificationStatus {
        /// It is to be sent, for the first time or again.
        Waiting = "waiting",
        /// It was taken.
        Sent = "sent",
        /// It was refused, or could not be delivered in time.
        Failed = "failed",
        /// It was not worth sending any more: a digest says it, or the channel was turned off.
        Dropped = "dropped",
    }
}

crate::words! {
    /// Whether messages arrive.
    pub enum ChannelState {
        /// Nothing was sent yet.
        Untried = "untried",
        /// The last message was taken.
        Ok = "ok",
        /// The last message was not.
        Failing = "failing",
        /// It is turned off.
        Off = "off",
    }
}

impl From<Tell> for What {
    fn from(tell: Tell) -> Self {
        match tell {
            Tell::Opened => Self::Opened,
            Tell::Cause => Self::Cause,
            Tell::Escalated => Self::Escalated,
            Tell::Acknowledged => Self::Acknowledged,
            Tell::Reopened => Self::Reopened,
            Tell::Resolved => Self::Resolved,
        }
    }
}

/// The routes of this part.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(manage::list, manage::add))
        .routes(routes!(manage::show, manage::change, manage::remove))
        .routes(routes!(trial::test))
        .routes(routes!(manage::rotate_secret))
        .routes(routes!(list::of_channel))
        .routes(routes!(list::of_incident))
}

/// The work of this part: telling, until `stop`.
pub async fn run(app: App, stop: CancellationToken) {
    let faults = faults::run(app.clone(), stop.clone());
    let retention = retention::run(app.clone(), stop.clone());
    tokio::join!(worker::run(app, stop), faults, retention);
}
