//! A server on a loopback address that writes down every byte it is sent, and answers as a model or a Prometheus.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::response::IntoResponse;
use serde_json::json;
use tokio_util::task::AbortOnDropHandle;

/// A request as it came.
#[derive(Clone)]
pub struct Sent {
    /// Its line and its headers.
    pub head: String,
    pub body: String,
}

impl Sent {
    pub fn contains(&self, text: &str) -> bool {
        self.head.contains(text) || self.body.contains(text)
    }
}

/// A running stub.
pub struct Stub {
    pub url: String,
    heard: Arc<Mutex<Vec<Sent>>>,
    _task: AbortOnDropHandle<()>,
}

impl Stub {
    pub async fn start() -> Self {
        let heard = Arc::<Mutex<Vec<Sent>>>::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&heard));
        let serving = async move { axum::serve(listener, router).await.unwrap() };
        Self { url, heard, _task: AbortOnDropHandle::new(tokio::spawn(serving)) }
    }

    /// Every request so far.
    pub fn heard(&self) -> Vec<Sent> {
        self.heard.lock().unwrap().clone()
    }
}

async fn answer(State(heard): State<Arc<Mutex<Vec<Sent>>>>, request: Request) -> impl IntoResponse {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 22).await.unwrap();
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| format!("\n{name}: {}", String::from_utf8_lossy(value.as_bytes())));
    let head = format!("{} {}{}", parts.method, parts.uri, headers.collect::<String>());
    heard.lock().unwrap().push(Sent { head, body: String::from_utf8_lossy(&body).into_owned() });
    let said = if parts.uri.path().ends_with("/chat/completions") {
        let content = json!({"answer": "Nothing of it is known.", "cites": [], "hypotheses": []}).to_string();
        json!({
            "id": "1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini",
            "choices": [{"index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": content}}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        })
    } else {
        json!({"status": "success", "data": {"resultType": "matrix", "result": []}})
    };
    axum::Json(said)
}
