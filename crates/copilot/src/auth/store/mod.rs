//! All SQL of this service, a file for each table.
//!
//! The look-ups whose answer is the tenant take none: [`user::by_email`], [`api_key::by_prefix`],
//! [`invitation::by_token`], and the throttle's buckets, which exist before anybody is known.

pub(in crate::auth) mod api_key;
pub(in crate::auth) mod attempt;
pub(in crate::auth) mod audit;
pub(in crate::auth) mod idempotency;
pub(in crate::auth) mod installation;
pub(in crate::auth) mod invitation;
pub(in crate::auth) mod member;
pub(in crate::auth) mod project;
pub(in crate::auth) mod sealed;
pub(in crate::auth) mod session;
pub(in crate::auth) mod user;
