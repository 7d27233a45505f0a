//! Who asks: people, sessions, projects, members and keys.
//!
//! A request passes [`access`] (the table of who may do what), which asks [`identity`](self) (its credential,
//! looked up now) and hands the handler its [`permission`](self) (a role, as a parameter type); the other files
//! are a noun each.

mod acceptance;
pub mod access;
mod account;
mod api_key;
pub mod audit;
pub mod chain;
mod change_password;
mod cookie;
mod csrf;
mod device;
mod email;
pub mod extract;
mod housekeeping;
pub mod idempotency;
mod identity;
pub mod installation;
mod invitation;
mod key_file;
mod keys;
mod link;
mod login;
mod master;
mod member;
mod name;
pub mod operator;
mod password;
mod permission;
mod project;
mod refresh;
pub mod rotation;
mod seal;
pub mod secret_token;
mod session;
pub mod shown;
pub mod source;
mod store;
mod tenant;
mod tenant_settings;
mod throttle;
mod token;
mod trim;
mod weak;

pub use audit::{Entry, record};
pub use csrf::public_origin;
pub use extract::{Path, Query};
pub use identity::{Standing, authenticate, authenticate_in, is_live_key, still_valid};
pub use keys::Keys;
pub use link::issue_link;
pub use permission::{Actor, Admin, Engineer, Member, Owner, Role, Viewer};
pub use seal::{Cell, Place};
pub use secret_token::SecretToken;
pub use source::Source;

use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// The routes of this service.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(account::setup))
        .routes(routes!(account::register))
        .routes(routes!(account::me))
        .routes(routes!(account::switch_project))
        .routes(routes!(change_password::change))
        .routes(routes!(login::login))
        .routes(routes!(login::link))
        .routes(routes!(login::refresh))
        .routes(routes!(login::logout))
        .routes(routes!(session::list, session::end_others))
        .routes(routes!(tenant_settings::show, tenant_settings::change))
        .routes(routes!(session::show, session::end))
        .routes(routes!(invitation::list, invitation::create))
        .routes(routes!(invitation::withdraw))
        .routes(routes!(acceptance::accept))
        .routes(routes!(project::list, project::create))
        .routes(routes!(project::show, project::rename, project::delete))
        .routes(routes!(member::list, member::add))
        .routes(routes!(member::change_role, member::remove))
        .routes(routes!(api_key::list, api_key::create))
        .routes(routes!(api_key::revoke))
        .routes(routes!(audit::list))
}

/// The work of this service.
pub async fn run(app: App, stop: CancellationToken) {
    housekeeping::run(app, stop).await;
}
