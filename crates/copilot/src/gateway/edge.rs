//! What every answer of a port has around it beyond the server loop's: limits for strangers, caching, no CORS.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};

use super::limits;
use crate::app::App;
use crate::error::Error;

/// Puts the edge around `router`.
pub(super) fn around(app: &App, router: Router<App>) -> Router<App> {
    router
        .layer(from_fn_with_state(app.clone(), limits::strangers))
        .layer(from_fn_with_state(app.clone(), pass))
}

async fn pass(State(app): State<App>, request: Request, next: Next) -> Response {
    let api = request.uri().path().starts_with("/api/");
    let preflight = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    // Nobody else's pages may call us, so the answer to whether they may is no.
    let mut response = if preflight { Error::Origin.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    if api {
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
    if app.config.is_https() {
        let year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    response
}
