//! A model endpoint that says what it is told and remembers what it was asked.

use std::{
    collections::HashMap,
    convert::Infallible,
    io,
    sync::{Arc, Mutex, Once},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, Request, Response, StatusCode},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, future, stream};
use llm::{Config, Provider, Request as Prompt};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet, time::Instant};

/// The key every test configures.
pub const KEY: &str = "sk-test-0123456789abcdef";

/// What error bodies of the stub say and nobody may repeat.
pub const REMOTE_WORDS: &str = "words of the remote side";

/// One answer of the stub.
#[derive(Clone)]
pub struct Canned {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Content,
}

/// The body of an answer.
#[derive(Clone)]
pub enum Content {
    Text(String),
    /// So many bytes, as fast as they go.
    Spaces(usize),
    /// Bytes without end, as fast as they go.
    Endless,
    /// One byte of this text every so often.
    Drip(String, Duration),
    /// The beginning of a body whose connection then breaks.
    Broken(String),
    /// Not even headers.
    Never,
}

/// One request the stub received.
#[derive(Clone)]
pub struct Asked {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Value,
    pub at: Instant,
}

/// A running stub. The first segment of a path names the plan that answers it.
pub struct Stub {
    pub base: String,
    world: Arc<World>,
    _server: JoinSet<()>,
}

#[derive(Default)]
struct World {
    plans: Mutex<HashMap<String, Vec<Canned>>>,
    journal: Mutex<Vec<Asked>>,
}

impl Stub {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let world = Arc::new(World::default());
        let router = Router::new().fallback(answer).with_state(world.clone());
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, world, _server: server }
    }

    /// Sets the answers of a plan; the last one is repeated.
    pub fn plan(&self, name: &str, answers: Vec<Canned>) {
        self.world.plans.lock().unwrap().insert(name.to_owned(), answers);
    }

    /// The requests of a plan so far.
    pub fn asked(&self, name: &str) -> Vec<Asked> {
        let prefix = format!("/{name}/");
        let journal = self.world.journal.lock().unwrap();
        journal.iter().filter(|asked| asked.path.starts_with(&prefix)).cloned().collect()
    }

    /// A configuration of the OpenAI kind that is answered by this plan.
    pub fn config(&self, name: &str) -> Config {
        Config {
            openai_api_key: Some(KEY.to_owned()),
            openai_base_url: Some(format!("{}/{name}/v1", self.base)),
            model: "gpt-4o-mini".to_owned(),
            ..Config::default()
        }
    }
}

/// The provider of a configuration that has to be right.
pub fn provider(config: &Config) -> Provider {
    install_crypto();
    Provider::from_config(config).unwrap().unwrap()
}

pub fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| rustls::crypto::ring::default_provider().install_default().unwrap());
}

pub fn prompt() -> Prompt {
    Prompt {
        system: "Answer with JSON.".to_owned(),
        user: "Why?".to_owned(),
        schema: None,
        schema_name: "causes".to_owned(),
        max_output_tokens: 700,
        temperature: Some(0.2),
    }
}

/// Far enough for everything that ends by itself.
pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

pub fn canned(status: u16, body: impl ToString) -> Canned {
    Canned { status, headers: vec![], body: Content::Text(body.to_string()) }
}

/// A healthy answer with these words.
pub fn good(content: &str) -> Canned {
    canned(200, completion(content))
}

/// The body of a healthy answer.
pub fn completion(content: &str) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    })
}

pub fn error(status: u16, code: impl Into<Value>) -> Canned {
    canned(status, json!({"error": {"message": format!("{REMOTE_WORDS} {KEY}"), "code": code.into()}}))
}

impl Canned {
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

async fn answer(State(world): State<Arc<World>>, request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let path = head.uri.to_string();
    let plan = path.split('/').nth(1).unwrap_or_default().to_owned();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let canned = {
        let mut journal = world.journal.lock().unwrap();
        journal.push(Asked { path, headers: head.headers, body, at: Instant::now() });
        let mut plans = world.plans.lock().unwrap();
        let answers = plans.get_mut(&plan).unwrap_or_else(|| panic!("no plan {plan}"));
        if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() }
    };
    let mut response = Response::builder().status(StatusCode::from_u16(canned.status).unwrap());
    for (name, value) in canned.headers {
        response = response.header(name, value);
    }
    let body = match canned.body {
        Content::Text(text) => Body::from(text),
        Content::Spaces(count) => Body::from(" ".repeat(count)),
        Content::Endless => Body::from_stream(stream::repeat_with(|| piece(" ".repeat(65_536)))),
        Content::Drip(text, every) => Body::from_stream(drip(text, every)),
        Content::Broken(text) => Body::from_stream(broken(text)),
        Content::Never => future::pending().await,
    };
    response.body(body).unwrap()
}

fn drip(text: String, every: Duration) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let ticks = tokio::time::interval(every);
    let letters = stream::iter(text.chars().collect::<Vec<_>>());
    letters
        .zip(stream::unfold(ticks, async |mut ticks| Some((ticks.tick().await, ticks))))
        .map(|(letter, _)| piece(letter))
}

/// Breaks off only after the beginning was sent, so that the client has seen the status.
fn broken(text: String) -> impl Stream<Item = io::Result<Bytes>> {
    let pause = drip("..".to_owned(), Duration::from_millis(100)).skip(1);
    let end = pause.map(|_| Err(io::Error::other("the stub breaks off")));
    stream::iter([Ok(Bytes::from(text))]).chain(end)
}

fn piece(text: impl ToString) -> Result<Bytes, Infallible> {
    Ok(Bytes::from(text.to_string()))
}
