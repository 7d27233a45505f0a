//! What every answer of every service has in common.

mod opening;
mod serve;
mod wire;

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use axum::Router;
use axum::extract::{ConnectInfo, MatchedPath, Request};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument as _;
use uuid::Uuid;

use crate::address::Proxies;
use crate::auth::access;
use crate::error::Error;
use crate::traces;

pub use serve::serve;

/// How many of the requests that wait for the same are named in a line of the log.
const NAMED: usize = 16;

/// The longest URI that is answered, in bytes.
const MAX_URI: usize = 8 * 1024;

/// Names a request, on every hop that it takes.
pub const REQUEST_ID_HEADER: &str = "x-request-id";

/// The route of webhooks at a gateway whose integration service runs elsewhere.
pub const ANY_WEBHOOK: &str = "/webhooks/{*path}";

tokio::task_local! {
    static REQUEST_ID: String;
}

/// The id of the request that this task answers; empty outside of one.
pub fn request_id() -> String {
    REQUEST_ID.try_with(Clone::clone).unwrap_or_default()
}

/// Lets `work` go on in a task of its own as part of the request that this task answers.
pub fn in_request<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    REQUEST_ID.scope(request_id(), work.in_current_span())
}

/// As [`request_id`], for a line of the log: one that no request caused has no such field.
pub fn followed_id() -> Option<String> {
    REQUEST_ID.try_with(Clone::clone).ok()
}

/// Does for requests what they wait for together; a line of the log about it names the first of them.
pub async fn on_behalf_of<T>(mut ids: Vec<String>, work: impl Future<Output = T>) -> T {
    let more = ids.len().saturating_sub(NAMED);
    ids.truncate(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    REQUEST_ID.scope(ids.join(" ") + &more, work).await
}

/// What a service knows of those who stand between it and its callers.
#[derive(Clone, Debug, Default)]
pub struct Front {
    /// Whether people reach us by https, and so may be told to keep doing so.
    pub https: bool,
    /// Whose word is taken for a request's id: where the gateway of a service apart is.
    pub gateways: Proxies,
}

/// What the person reading a page's source would want: nothing loaded from elsewhere, nothing framed.
static HEADERS: LazyLock<HeaderMap> = LazyLock::new(|| {
    let headers = [
        (
            "content-security-policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
             connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; \
             require-trusted-types-for 'script'",
        ),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
        ("x-frame-options", "DENY"),
    ];
    let parsed = |(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
    headers.into_iter().map(parsed).collect()
});

/// Puts around `router` what every service's answers have: an id, limits, headers, a log line, a count.
pub fn wrap(router: Router, front: Front) -> Router {
    let front = Arc::new(front);
    router
        .method_not_allowed_fallback(|| async { Error::MethodNotAllowed })
        .layer(tower_http::catch_panic::CatchPanicLayer::custom(panicked))
        .layer(axum::middleware::from_fn(move |request, next| observe(request, next, front.clone())))
}

/// The answer to a request whose handler panicked; the panic itself was logged by the hook.
#[expect(clippy::needless_pass_by_value, reason = "the layer's signature")]
fn panicked(cause: Box<dyn std::any::Any + Send>) -> Response {
    let text = cause.downcast_ref::<String>().map(String::as_str).or(cause.downcast_ref::<&str>().copied());
    metrics::counter!("sre_copilot_panics_total").increment(1);
    Error::Internal(anyhow::anyhow!("panic: {}", text.unwrap_or("of an unknown kind"))).into_response()
}

async fn observe(request: Request, next: Next, front: Arc<Front>) -> Response {
    let id = given_id(&request, &front.gateways).unwrap_or_else(|| Uuid::now_v7().simple().to_string());
    let api = request.uri().path().starts_with("/api/");
    let mut response = REQUEST_ID.scope(id.clone(), answer(request, next, id)).await;
    let headers = response.headers_mut();
    if api {
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
    if front.https {
        let year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(year);
    }
    response
}

/// The id that the gateway gave the request. A stranger may not choose one: the log and the audit log would take two
/// requests for the same.
fn given_id(request: &Request, gateways: &Proxies) -> Option<String> {
    let ConnectInfo(peer) = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
    let mut given = request.headers().get_all(REQUEST_ID_HEADER).iter();
    let (Some(id), None) = (given.next(), given.next()) else { return None };
    let id = id.to_str().ok().filter(|id| [32, 36].contains(&id.len()) && Uuid::try_parse(id).is_ok())?;
    gateways.trusts(peer.ip()).then(|| id.to_owned())
}

async fn answer(request: Request, next: Next, id: String) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    // The pattern, never the path: a path may hold what should not be in a label or a log.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("(none)".to_owned(), |path| path.as_str().to_owned());
    let webhook = request.uri().path().starts_with("/webhooks/");
    let span = traces::incoming(&method, &route, &id, request.headers());
    let mut response = match refuse(&request) {
        Some(error) => error.into_response(),
        None => next.run(request).instrument(span.clone()).await,
    };
    if webhook && response.status() == StatusCode::INTERNAL_SERVER_ERROR {
        // A sender is told to try again after every fault of ours; what panicked once may well work then.
        response = Error::Unavailable("unavailable", "it could not be stored; send it again").into_response();
    }
    if response.status() == StatusCode::METHOD_NOT_ALLOWED && !response.headers().contains_key(header::ALLOW)
    {
        // The gateway knows a webhook of a service elsewhere by its beginning alone.
        let offered = if route == ANY_WEBHOOK { "POST, PUT".to_owned() } else { access::offered(&route) };
        response.headers_mut().extend(HeaderValue::from_str(&offered).map(|value| (header::ALLOW, value)));
    }
    for (name, value) in HEADERS.iter() {
        response.headers_mut().entry(name).or_insert_with(|| value.clone());
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HeaderName::from_static(REQUEST_ID_HEADER), value);
    }
    let elapsed = started.elapsed().as_secs_f64();
    let status = response.status().as_u16();
    traces::answered(&span, status, 499);
    metrics::histogram!("sre_copilot_http_request_duration_seconds",
        "method" => named(&method), "route" => route.clone(), "status" => status.to_string())
    .record(elapsed);
    tracing::debug!(request_id = id, %method, route, status, elapsed_ms = elapsed * 1e3, "request answered");
    response
}

/// The methods that some route may have.
const METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];

/// The method as a label: one that a stranger made up would be a series of its own, for good.
fn named(method: &Method) -> String {
    if METHODS.contains(method) { method.to_string() } else { "other".to_owned() }
}

/// Which host it is decides nothing here, but who stands in front of us may have read another one.
fn names_one_host(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    host.is_empty() || Authority::try_from(host.as_bytes()).is_ok_and(|host| !host.as_str().contains('@'))
}

/// What no service answers, whatever the route.
fn refuse(request: &Request) -> Option<Error> {
    if let Some(fault) = request.extensions().get::<opening::Fault>() {
        return Some((*fault).into());
    }
    let uri = request.uri();
    if uri.path().len() + uri.query().map_or(0, str::len) > MAX_URI {
        return Some(Error::UriTooLong(MAX_URI));
    }
    if request.version() == Version::HTTP_11 && !names_one_host(request.headers()) {
        return Some(Error::Malformed(
            "malformed-request",
            "a request has one Host header, HOST[:PORT]".to_owned(),
        ));
    }
    // Where there is no route, that is what is said.
    if !METHODS.contains(request.method()) && request.extensions().get::<MatchedPath>().is_some() {
        return Some(Error::MethodNotAllowed);
    }
    if request.headers().get_all(header::AUTHORIZATION).iter().count() > 1 {
        return Some(Error::Malformed("malformed-request", "two Authorization headers".to_owned()));
    }
    // A browser asks whether another site's page may call us; none may.
    if request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    {
        return Some(Error::Origin);
    }
    None
}
