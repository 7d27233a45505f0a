//! The few requests to our own children on this machine.

use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::Empty;
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;

/// Time for one request.
const LIMIT: Duration = Duration::from_secs(5);

/// A `host:port` of the loopback interface that is free at this moment.
///
/// # Errors
/// When the system has none.
pub async fn free_address() -> anyhow::Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no free port")?;
    Ok(listener.local_addr()?.to_string())
}

/// The status that `url` answers with.
///
/// # Errors
/// When it does not answer.
pub async fn get(url: &str) -> anyhow::Result<StatusCode> {
    send(Method::GET, url).await
}

/// The same for an empty POST.
///
/// # Errors
/// When it does not answer.
pub async fn post(url: &str) -> anyhow::Result<StatusCode> {
    send(Method::POST, url).await
}

async fn send(method: Method, url: &str) -> anyhow::Result<StatusCode> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let request = Request::builder().method(method).uri(url).body(Empty::new())?;
    let answer = tokio::time::timeout(LIMIT, client.request(request))
        .await
        .with_context(|| format!("{url} did not answer within {} s", LIMIT.as_secs()))?
        .with_context(|| format!("{url} does not answer"))?;
    Ok(answer.status())
}
