//! One request over the wire and its answer, bounded in size.

use std::time::Duration;

use reqwest::{
    Client, Response,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use url::Url;

use crate::{
    completion,
    config::ConfigError,
    failure::{BadOutput, Failure},
};

/// The most that is read of an answer, in bytes.
const MOST_BYTES: usize = 2 * 1024 * 1024;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where OpenAI, Azure's gateway and Azure's service put their name for a request.
const REQUEST_IDS: [&str; 3] = ["x-request-id", "apim-request-id", "x-ms-request-id"];

/// An answer as it came.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The body, or what is wrong with it.
    pub(crate) body: Result<Vec<u8>, Failure>,
}

/// Why there is no answer at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// There was no connection, so nothing was sent.
    NotSent,
    /// The connection broke after the request was sent.
    Broken,
}

/// A client that follows no redirect, uses no proxy and opens a connection per call.
///
/// A kept connection can be closed by the other side just as it is used again, and then nobody knows whether the
/// call was made. Calls to models are rare and slow, so a new connection costs little.
///
/// A client for plain HTTP needs no root certificates, so it can be made on a system that has none.
pub(crate) fn client(scheme: &str) -> Result<Client, ConfigError> {
    let builder = Client::builder();
    let builder = if scheme == "http" { builder.tls_certs_only([]) } else { builder };
    builder
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_max_idle_per_host(0)
        .build()
        .map_err(|_| ConfigError::Client)
}

/// Sends one request. The caller bounds the time.
pub(crate) async fn send(
    client: &Client,
    url: &Url,
    key: Option<&(HeaderName, HeaderValue)>,
    body: Vec<u8>,
) -> Result<Answer, NoAnswer> {
    let mut request = client
        .post(url.clone())
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, "application/json")
        .body(body);
    if let Some((name, value)) = key {
        request = request.header(name, value);
    }
    let response = request.send().await.map_err(|error| {
        if error.is_connect() || error.is_builder() { NoAnswer::NotSent } else { NoAnswer::Broken }
    })?;
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    Ok(Answer { status, headers, body: read(response).await })
}

/// The endpoint's name for the request.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    let named = |name: &&str| headers.get(*name).and_then(|value| value.to_str().ok());
    REQUEST_IDS.iter().find_map(named).map(completion::name).filter(|id| !id.is_empty())
}

/// Reads the body up to its limit.
async fn read(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| Failure::Lost)? {
        if body.len().saturating_add(chunk.len()) > MOST_BYTES {
            return Err(Failure::bad_output(BadOutput::TooLong, None));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
