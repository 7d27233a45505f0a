//! Forwarding to a service that runs elsewhere. It checks every credential itself; nothing we add is trusted.
//!
//! Where several addresses answer for a service, one that can't be reached is passed over. A request that may have
//! been begun is only sent again when doing it twice is doing it once: reading, and webhooks, whose repeats refresh.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http_body_util::BodyExt as _;
use hyper_util::rt::TokioIo;
use tokio::time::Instant;
use tracing::Instrument as _;
use url::Url;

use super::replicas::Replicas;
use super::{document, elsewhere};
use crate::app::App;
use crate::auth::Source;
use crate::error::{Error, Result};
use crate::http::{ANY_WEBHOOK, REQUEST_ID_HEADER};
use crate::seldom::Seldom;
use crate::service::Service;
use crate::traces;

/// How long it may take to begin its answer; an analysis may be waited for.
const ANSWER: Duration = Duration::from_secs(65);

/// How long an address may take before the next one is asked, where asking twice does no harm. A sender of webhooks
/// must have its answer within 5 s.
const PATIENCE: Duration = Duration::from_millis(2_400);

/// Bodies up to this size are read before they are sent on, so that they can be sent to another address; in bytes.
const REPLAYABLE: u64 = 256 * 1024;

/// How long such a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Headers that speak of one connection (RFC 9110, 7.6.1).
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers with which a client could pretend to be somebody, or somewhere.
const PRETENDED: [&str; 12] = [
    "x-tenant-id",
    "x-project-id",
    "x-user-id",
    "x-internal-service-key",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "x-original-url",
    REQUEST_ID_HEADER,
    "forwarded",
    "host",
];

/// A service elsewhere.
#[derive(Clone)]
struct Remote {
    app: App,
    service: Service,
    client: reqwest::Client,
    replicas: Arc<Replicas>,
    silence: Arc<Seldom>,
}

/// The routes of `service`, each forwarded to one of `replicas`.
pub(super) fn routes(app: &App, service: Service, replicas: Replicas) -> anyhow::Result<Router<App>> {
    let remote = Remote {
        app: app.clone(),
        service,
        client: elsewhere::client()?,
        replicas: Arc::new(replicas),
        silence: Arc::default(),
    };
    let mut paths = document::paths(service);
    match service {
        // Their routes are for programs that do not read the document.
        Service::Integration => {
            paths.insert(ANY_WEBHOOK.to_owned());
        }
        Service::Websocket => {
            paths.insert("/ws".to_owned());
        }
        Service::Gateway | Service::Auth | Service::Incident | Service::Ai => {}
    }
    let router = paths.into_iter().fold(Router::new(), |router, path| router.route(&path, any(forward)));
    Ok(router.with_state(remote))
}

async fn forward(State(remote): State<Remote>, request: Request) -> Result<Response> {
    let (mut parts, body) = request.into_parts();
    let source = Source::of(&remote.app, &parts.extensions, &parts.headers);
    let upgrade = upgrade_of(&parts.headers);
    let waiting = upgrade.is_some().then(|| parts.extensions.remove::<hyper::upgrade::OnUpgrade>()).flatten();
    let mut headers = end_to_end(&parts.headers);
    PRETENDED.iter().for_each(|name| drop(headers.remove(*name)));
    insert(&mut headers, "x-forwarded-for", &source.address.to_string());
    insert(&mut headers, REQUEST_ID_HEADER, &crate::http::request_id());
    if let Some(protocol) = &upgrade {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, protocol.clone());
    }
    let outgoing =
        Outgoing { method: parts.method, uri: parts.uri, headers, body: Sendable::of(body).await? };
    let answer = outgoing.send(&remote).await?;
    let (status, mut headers) = (answer.status(), end_to_end(answer.headers()));
    if let (StatusCode::SWITCHING_PROTOCOLS, Some(protocol), Some(waiting)) = (status, upgrade, waiting) {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, protocol);
        remote.app.spawn(join(remote.app.clone(), waiting, answer));
        return Ok((status, headers).into_response());
    }
    Ok((status, headers, Body::from_stream(answer.bytes_stream())).into_response())
}

/// A request as it is sent on.
struct Outgoing {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Sendable,
}

/// A body that can be sent again, or one that can be sent once.
enum Sendable {
    Again(Bytes),
    Once(Option<Body>),
}

impl Sendable {
    async fn of(body: Body) -> Result<Self> {
        if body.is_end_stream() {
            return Ok(Self::Again(Bytes::new()));
        }
        if body.size_hint().upper().is_none_or(|length| length > REPLAYABLE) {
            return Ok(Self::Once(Some(body)));
        }
        match tokio::time::timeout(BODY_TIMEOUT, body.collect()).await {
            Ok(Ok(read)) => Ok(Self::Again(read.to_bytes())),
            Ok(Err(_)) => Err(Error::Malformed("malformed-request", "the body could not be read".to_owned())),
            Err(_) => Err(Error::Unavailable("unavailable", "the body took too long to arrive")),
        }
    }

    /// The body for the next address; `None` when it is gone.
    fn next(&mut self) -> Option<reqwest::Body> {
        match self {
            Self::Again(bytes) => Some(reqwest::Body::from(bytes.clone())),
            Self::Once(body) => body.take().map(|body| reqwest::Body::wrap_stream(body.into_data_stream())),
        }
    }
}

impl Outgoing {
    /// Asks one address after the other until one answers.
    async fn send(mut self, remote: &Remote) -> Result<reqwest::Response> {
        let harmless_twice =
            [Method::GET, Method::HEAD].contains(&self.method) || self.uri.path().starts_with("/webhooks/");
        let order = remote.replicas.order(Instant::now());
        let mut cause = "its body can be sent once".to_owned();
        let mut last = "";
        for (asked, index) in order.iter().enumerate() {
            let Some(body) = self.body.next() else { break };
            let target = target(remote.replicas.base(*index), &self.uri)?;
            last = remote.replicas.place(*index);
            let mut headers = self.headers.clone();
            let span = traces::outgoing(&self.method, remote.service.name(), last, &mut headers);
            let mut request = remote.client.request(self.method.clone(), target).headers(headers);
            if !matches!(&self.body, Sendable::Again(bytes) if bytes.is_empty()) {
                request = request.body(body);
            }
            let patience = if harmless_twice && asked + 1 < order.len() { PATIENCE } else { ANSWER };
            let asking = tokio::time::timeout(patience, request.send()).instrument(span.clone());
            let begun = match asking.await {
                Ok(Ok(answer)) => {
                    traces::answered(&span, answer.status().as_u16(), 399);
                    return Ok(answer);
                }
                Ok(Err(error)) => {
                    let unreached = error.is_connect();
                    traces::failed(&span, if unreached { "connect" } else { "broken" });
                    cause = error.without_url().to_string();
                    !unreached
                }
                Err(_) => {
                    traces::failed(&span, "timeout");
                    "it took too long".clone_into(&mut cause);
                    true
                }
            };
            remote.replicas.rest(*index, Instant::now());
            if begun && !harmless_twice {
                break;
            }
        }
        metrics::counter!("sre_copilot_gateway_failures_total", "service" => remote.service.name())
            .increment(1);
        Err(remote.unavailable(last, &cause))
    }
}

/// The same path and query at the service; one that would mean another path there is not here.
fn target(base: &str, uri: &Uri) -> Result<Url> {
    let asked = uri.path_and_query().map_or("/", |asked| asked.as_str());
    let url = Url::parse(&format!("{base}{asked}")).map_err(|_| Error::NotFound)?;
    if !url.path().ends_with(uri.path()) || uri.path().contains('\\') {
        return Err(Error::NotFound);
    }
    Ok(url)
}

/// The protocol that the client wants to change to: WebSocket, if any.
fn upgrade_of(headers: &HeaderMap) -> Option<HeaderValue> {
    let protocol = headers.get(header::UPGRADE)?;
    protocol.as_bytes().eq_ignore_ascii_case(b"websocket").then(|| protocol.clone())
}

/// The headers that are meant for the other end.
fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let named = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<HeaderName> =
        named.flat_map(|value| value.split(',')).filter_map(|name| name.trim().parse().ok()).collect();
    let mut kept = headers.clone();
    HOP_BY_HOP.iter().for_each(|name| drop(kept.remove(*name)));
    named.iter().for_each(|name| drop(kept.remove(name)));
    kept
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

impl Remote {
    /// What is answered when no address did; `address` is the last that was asked.
    fn unavailable(&self, address: &str, cause: &str) -> Error {
        if let Some(times) = self.silence.notice(std::time::Instant::now()) {
            let (service, request_id) = (self.service.name(), crate::http::followed_id());
            tracing::warn!(service, address, request_id, cause, times, "a service does not answer");
        }
        Error::Unavailable("unavailable", "a part of the product does not answer; try again")
    }
}

/// Carries bytes between the two ends of a changed connection until one closes.
async fn join(app: App, client: hyper::upgrade::OnUpgrade, service: reqwest::Response) {
    let carried = async {
        let mut service = service.upgrade().await?;
        let mut client = TokioIo::new(client.await?);
        tokio::io::copy_bidirectional(&mut client, &mut service).await?;
        anyhow::Ok(())
    };
    tokio::select! {
        result = carried => if let Err(error) = result {
            tracing::debug!(error = error.to_string(), "a socket ended early");
        },
        () = app.stop.cancelled() => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_the_connection_stay_on_it() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, X-Secret"),
            ("x-secret", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("accept", "text/html"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        let kept: Vec<String> = end_to_end(&headers).keys().map(ToString::to_string).collect();
        assert_eq!(kept, ["accept"]);
        assert_eq!(upgrade_of(&headers), None);
        headers.insert("upgrade", "WebSocket".parse().unwrap());
        assert!(upgrade_of(&headers).is_some());
    }

    #[test]
    fn a_path_means_the_same_at_the_service() {
        let target =
            |path: &str| target("http://127.0.0.1:8501", &path.parse().unwrap()).map(String::from).ok();
        for path in ["/api/v1/incidents?q=a%20b&limit=5", "/api/v1/incidents/INC-42", "/api/v1/x/a%2fb"] {
            assert_eq!(target(path), Some(format!("http://127.0.0.1:8501{path}")));
        }
        for path in ["/api/v1/projects/..", "/api/v1/projects/%2e%2E/x", "/api/v1/./x"] {
            assert_eq!(target(path), None, "{path}");
        }
    }
}
