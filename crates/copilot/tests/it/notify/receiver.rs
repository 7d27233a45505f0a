//! A real HTTP server that is told things: it writes down every request, and answers as the test wants.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio_util::task::AbortOnDropHandle;

/// How long a test waits for what must arrive.
const PATIENCE: Duration = Duration::from_secs(40);

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Got {
    pub path: String,
    pub headers: axum::http::HeaderMap,
    pub text: String,
    /// How it was answered.
    pub status: u16,
}

impl Got {
    pub fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub fn header(&self, name: &str) -> String {
        self.headers[name].to_str().unwrap().to_owned()
    }

    /// The line that it says.
    pub fn title(&self) -> String {
        let body = self.body();
        let said = [&body["data"]["title"], &body["text"], &body["payload"]["summary"]];
        said.into_iter().find_map(Value::as_str).unwrap_or_default().to_owned()
    }
}

/// How requests are answered.
#[derive(Clone, Debug)]
struct Manner {
    status: u16,
    body: &'static str,
    retry_after: Option<u64>,
}

#[derive(Clone)]
struct Book {
    got: Arc<Mutex<Vec<Got>>>,
    manner: Arc<Mutex<Manner>>,
}

/// A running receiver.
pub struct Receiver {
    pub url: String,
    book: Book,
    _task: AbortOnDropHandle<()>,
}

impl Receiver {
    #[expect(clippy::disallowed_methods, reason = "the task ends with the value that holds it")]
    pub async fn start() -> Self {
        let manner = Manner { status: 200, body: "ok", retry_after: None };
        let book = Book { got: Arc::default(), manner: Arc::new(Mutex::new(manner)) };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url =
            format!("http://{}/services/T0/B0/a-secret-of-this-channel", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(book.clone());
        let serving = async move { axum::serve(listener, router).await.unwrap() };
        Self { url, book, _task: AbortOnDropHandle::new(tokio::spawn(serving)) }
    }

    /// From now on answers so.
    pub fn answers(&self, status: u16, body: &'static str, retry_after: Option<u64>) {
        *self.book.manner.lock().unwrap() = Manner { status, body, retry_after };
    }

    pub fn got(&self) -> Vec<Got> {
        self.book.got.lock().unwrap().clone()
    }

    /// What was taken, each message once, in the order of its first arrival.
    pub fn taken(&self) -> Vec<Got> {
        let mut seen = std::collections::BTreeSet::new();
        let taken = self.got().into_iter().filter(|got| got.status < 300);
        taken.filter(|got| seen.insert(got.header("webhook-id"))).collect()
    }

    /// Waits until so many requests have come.
    pub async fn hears(&self, count: usize) -> Vec<Got> {
        self.until(|got| got.len() >= count).await
    }

    /// Waits until what came is as it should be.
    pub async fn until(&self, enough: impl Fn(&[Got]) -> bool) -> Vec<Got> {
        let heard = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(10));
            loop {
                ticks.tick().await;
                let got = self.got();
                if enough(&got) {
                    return got;
                }
            }
        };
        let heard = tokio::time::timeout(PATIENCE, heard).await;
        heard.unwrap_or_else(|_| panic!("it was told only {:#?}", self.got()))
    }
}

async fn answer(State(book): State<Book>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 22).await.unwrap();
    let Manner { status, body: said, retry_after } = book.manner.lock().unwrap().clone();
    book.got.lock().unwrap().push(Got {
        path: parts.uri.to_string(),
        headers: parts.headers,
        text: String::from_utf8_lossy(&body).into_owned(),
        status,
    });
    let mut response = (StatusCode::from_u16(status).unwrap(), said).into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert("retry-after", seconds.into());
    }
    if (300..400).contains(&status) {
        response.headers_mut().insert("location", "http://169.254.169.254/".parse().unwrap());
    }
    response
}
