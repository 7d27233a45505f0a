//! A collector that keeps what it is sent by OTLP over HTTP.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use copilot::http::Front;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How long a test waits for a span.
const PATIENCE: Duration = Duration::from_secs(20);

/// What was sent.
#[derive(Default)]
struct Kept {
    bodies: Mutex<Vec<Bytes>>,
    headers: Mutex<Vec<HeaderMap>>,
    came: Notify,
}

/// A running collector, ended with this value.
pub struct Collector {
    kept: Arc<Kept>,
    pub url: String,
    stop: CancellationToken,
}

impl Collector {
    pub async fn start() -> Self {
        let (kept, stop) = (Arc::new(Kept::default()), CancellationToken::new());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/traces", post(take)).with_state(kept.clone());
        let router = copilot::http::wrap(router, Front::default());
        tokio_util::task::TaskTracker::new().spawn(copilot::http::serve(listener, router, stop.clone()));
        Self { kept, url, stop }
    }

    /// Every span so far, with the name of the service that sent it.
    pub fn spans(&self) -> Vec<(String, Span)> {
        let bodies = self.kept.bodies.lock().unwrap();
        let sent = bodies.iter().map(|body| ExportTraceServiceRequest::decode(body.clone()).unwrap());
        let mut spans = Vec::new();
        for part in sent.flat_map(|request| request.resource_spans) {
            let service = told(&part.resource.unwrap().attributes, "service.name").unwrap();
            let own = part.scope_spans.into_iter().flat_map(|scope| scope.spans);
            spans.extend(own.map(|span| (service.clone(), span)));
        }
        spans
    }

    /// Waits for a span that is `wanted`.
    pub async fn span(&self, wanted: impl Fn(&str, &Span) -> bool) -> Span {
        let found = async {
            loop {
                let came = self.kept.came.notified();
                if let Some((_, span)) =
                    self.spans().into_iter().find(|(service, span)| wanted(service, span))
                {
                    return span;
                }
                came.await;
            }
        };
        let names = || self.spans().into_iter().map(|(service, span)| format!("{service}: {}", span.name));
        let found = tokio::time::timeout(PATIENCE, found).await;
        found.unwrap_or_else(|_| panic!("it did not come, among {:?}", names().collect::<Vec<_>>()))
    }

    /// Whether a text is anywhere in what was sent.
    pub fn was_told(&self, text: &str) -> bool {
        let bodies = self.kept.bodies.lock().unwrap();
        bodies.iter().any(|body| body.windows(text.len()).any(|part| part == text.as_bytes()))
    }

    /// The headers of the requests.
    pub fn headers(&self) -> Vec<HeaderMap> {
        self.kept.headers.lock().unwrap().clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn take(State(kept): State<Arc<Kept>>, headers: HeaderMap, body: Bytes) {
    kept.headers.lock().unwrap().push(headers);
    kept.bodies.lock().unwrap().push(body);
    kept.came.notify_waiters();
}

/// An attribute as text.
pub fn told(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    Some(match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    })
}
