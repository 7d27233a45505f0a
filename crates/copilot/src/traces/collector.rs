//! The requests to the collector: made on a thread of their own, one at a time.

use std::fmt::Display;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::runtime::Runtime;

use crate::seldom::Seldom;

/// The most that is read of an answer, in bytes.
const MOST_BYTES: usize = 64 * 1024;

/// A collector, as the exporter's thread sees it.
#[derive(Debug)]
pub(super) struct Collector {
    client: reqwest::Client,
    /// `HOST:PORT`.
    address: String,
    /// The exporter waits for an answer on a thread without a runtime, and may outlive the one of the process.
    runtime: OnceLock<Runtime>,
    failures: Seldom,
}

impl Collector {
    /// The collector at `endpoint`, each of whose answers may take so long.
    ///
    /// # Errors
    /// When there can be no client.
    pub(super) fn new(endpoint: &str, timeout: Duration) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            // Between two batches nobody watches a connection.
            .pool_max_idle_per_host(0)
            .build()
            .context("the client for traces")?;
        let url = url::Url::parse(endpoint).context("the address of the collector")?;
        let host = url.host_str().unwrap_or_default();
        let address = url.port_or_known_default().map_or(host.to_owned(), |port| format!("{host}:{port}"));
        Ok(Self { client, address, runtime: OnceLock::new(), failures: Seldom::new() })
    }

    fn runtime(&self) -> std::io::Result<&Runtime> {
        if self.runtime.get().is_none() {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            // There is one thread here, so that nobody was faster.
            let _ = self.runtime.set(runtime);
        }
        self.runtime.get().ok_or_else(|| std::io::Error::other("no runtime"))
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let mut answer =
            self.client.execute(request.try_into()?).await.map_err(reqwest::Error::without_url)?;
        let mut response = Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            headers.clone_from(answer.headers());
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
            body.extend_from_slice(&chunk);
            if body.len() > MOST_BYTES {
                return Err("its answer is too long".into());
            }
        }
        Ok(response.body(body.into())?)
    }

    /// Tells of a failure once in a while: one that lasts is met with every batch.
    fn note(&self, error: &dyn Display) {
        if let Some(times) = self.failures.notice(Instant::now()) {
            let (collector, error) = (self.address.as_str(), error.to_string());
            tracing::warn!(collector, error, times, "traces could not be delivered");
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answered = self.runtime()?.block_on(self.send(request));
        match &answered {
            Ok(answer) if answer.status().is_success() => {}
            Ok(answer) => self.note(&format!("it answered {}", answer.status())),
            Err(error) => self.note(&cause(error.as_ref())),
        }
        answered
    }
}

/// The end of a chain of causes, which says most: that nobody listens, or that it took too long.
fn cause(error: &(dyn std::error::Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    chain.last().map(ToString::to_string).unwrap_or_default()
}
