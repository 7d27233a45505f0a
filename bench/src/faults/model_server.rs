//! A language model that says what it is told to, and keeps a journal of every call on the disk.
//!
//! It speaks as much of OpenAI's chat completions as the product needs. Like a real one it goes on with a call whose
//! caller has died, so that what overlaps in its journal overlapped indeed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::ledger::{Ledger, Pen};

/// The largest body it reads, in bytes.
const MOST: usize = 4 * 1024 * 1024;

/// What it reports as the tokens of an answer; those of the prompt are the number of the call and this.
const TOKENS: u64 = 1000;

/// A call, as the journal has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its number, from 1.
    pub number: u64,
    /// The service that the prompt spoke of.
    pub service: String,
    /// Whether another call about the service was under way when it began.
    pub overlaps: bool,
    /// Whether it was answered in full, listened to or not.
    pub ended: bool,
}

impl Call {
    /// The tokens that its answer says its prompt had: no two calls have the same.
    pub fn prompt_tokens(&self) -> u64 {
        TOKENS + self.number
    }
}

#[derive(Debug, Default)]
struct Journal {
    calls: Vec<Call>,
    under_way: BTreeMap<String, usize>,
}

#[derive(Debug)]
struct Inner {
    journal: Mutex<Journal>,
    pen: Pen,
    next: AtomicU64,
    delay_ms: AtomicU64,
    silent_about_usage: AtomicBool,
}

/// A running model; dropping it ends it.
#[derive(Debug)]
pub struct ModelServer {
    inner: Arc<Inner>,
    address: String,
    _ledger: Ledger,
    _serving: JoinSet<()>,
}

impl ModelServer {
    /// Begins to answer; the journal is the file `journal` in `folder`.
    ///
    /// # Errors
    /// When it can't listen or write.
    pub async fn start(folder: &Path) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let ledger = Ledger::create(&folder.join("journal"))?;
        let inner = Arc::new(Inner {
            journal: Mutex::default(),
            pen: ledger.pen(),
            next: AtomicU64::new(1),
            delay_ms: AtomicU64::new(200),
            silent_about_usage: AtomicBool::new(false),
        });
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, inner.clone()));
        Ok(Self { inner, address, _ledger: ledger, _serving: serving })
    }

    /// What the product is given as the model's address.
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// How long every later answer takes.
    pub fn answer_after(&self, delay: Duration) {
        self.inner.delay_ms.store(delay.as_millis() as u64, Ordering::SeqCst);
    }

    /// Says nothing more about tokens, so that a call costs what was reserved for it.
    pub fn keep_usage_to_itself(&self) {
        self.inner.silent_about_usage.store(true, Ordering::SeqCst);
    }

    /// The calls so far, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.inner.journal().calls.clone()
    }

    /// How many calls are under way.
    pub fn under_way(&self) -> usize {
        self.inner.journal().under_way.values().sum()
    }
}

impl Inner {
    fn journal(&self) -> std::sync::MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, service: &str) -> u64 {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        let mut journal = self.journal();
        let running = journal.under_way.entry(service.to_owned()).or_default();
        *running += 1;
        let overlaps = *running > 1;
        journal.calls.push(Call { number, service: service.to_owned(), overlaps, ended: false });
        self.pen.invoke(&format!("{number}:{service}"));
        number
    }

    fn end(&self, number: u64, service: &str) {
        let mut journal = self.journal();
        if let Some(running) = journal.under_way.get_mut(service) {
            *running -= 1;
        }
        if let Some(call) = journal.calls.iter_mut().find(|call| call.number == number) {
            call.ended = true;
        }
        self.pen.ok(&format!("{number}:{service}"), "-");
    }
}

async fn serve(listener: TcpListener, inner: Arc<Inner>) {
    // The connections end with the set.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let inner = inner.clone();
        connections.spawn(async move {
            // A caller that dies in the middle of a request has made no call.
            let _ = answer(stream, &inner).await;
        });
    }
}

/// Answers the one request of a connection.
async fn answer(stream: TcpStream, inner: &Inner) -> anyhow::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        if line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse::<usize>()?.min(MOST);
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let service = service_in(&String::from_utf8_lossy(&body)).context("a service in the prompt")?;
    let number = inner.begin(&service);
    tokio::time::sleep(Duration::from_millis(inner.delay_ms.load(Ordering::SeqCst))).await;
    inner.end(number, &service);
    let text = reply(number, inner.silent_about_usage.load(Ordering::SeqCst)).to_string();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: ";
    stream.write_all(format!("{head}{}\r\n\r\n{text}", text.len()).as_bytes()).await?;
    Ok(stream.shutdown().await?)
}

/// The service that a prompt speaks of: the drivers' are `r`, seven digits, `-` and a digit.
fn service_in(prompt: &str) -> Option<String> {
    let bytes = prompt.as_bytes();
    let matches = |window: &[u8]| {
        let digits = |part: Option<&[u8]>| part.is_some_and(|part| part.iter().all(u8::is_ascii_digit));
        window.first() == Some(&b'r')
            && digits(window.get(1..8))
            && window.get(8) == Some(&b'-')
            && digits(window.get(9..))
    };
    bytes.windows(10).find(|window| matches(window)).map(|found| String::from_utf8_lossy(found).into_owned())
}

fn reply(number: u64, silent: bool) -> Value {
    let said = json!({
        "insufficient_evidence": false,
        "hypotheses": [{
            "claim": format!("call {number} says that the change broke it"), "description": "It came just before.",
            "confidence": 0.6, "suspected_service": null, "supporting_evidence": ["E1", "E2"],
            "contradicting_evidence": [], "next_checks": ["Roll it back"],
        }],
    });
    let mut reply = json!({
        "id": format!("call-{number}"), "object": "chat.completion", "model": "gpt-4o-mini",
        "choices": [{
            "index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said.to_string()},
        }],
    });
    if !silent {
        let prompt = TOKENS + number;
        let usage =
            json!({"prompt_tokens": prompt, "completion_tokens": TOKENS, "total_tokens": prompt + TOKENS});
        if let Some(reply) = reply.as_object_mut() {
            reply.insert("usage".to_owned(), usage);
        }
    }
    reply
}
