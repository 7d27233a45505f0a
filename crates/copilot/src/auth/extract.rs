//! Paths and queries whose mistakes are answered like all others.

use axum::extract::FromRequestParts;

use crate::error::Error;

/// The parameters of the path; ones that are not ids are of things that do not exist.
#[derive(Clone, Copy, Debug, FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Error))]
pub struct Path<T>(pub T);

/// The parameters of the query.
#[derive(Clone, Debug, FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Error))]
pub struct Query<T>(pub T);
