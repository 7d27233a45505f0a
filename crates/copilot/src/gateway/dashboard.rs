//! The dashboard: built files, compiled in, compressed beforehand.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::error::Error;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../frontend/dist"]
struct Files;

/// What is said when the binary was built without the dashboard.
const NOT_BUILT: &str = "<!doctype html><title>SRE Copilot</title><p>The API is running, but this binary was built \
                         without the dashboard. Run <code>make build</code> in the source folder.";

/// Paths that belong to programs: an unknown one is a 404, never the dashboard.
const PROGRAMS: [&str; 6] = ["/api", "/webhooks", "/ws", "/-/", "/metrics", "/docs"];

/// Answers a path that no route has: a built file, or the dashboard's only page, or 404.
pub async fn serve(request: Request) -> Response {
    let path = request.uri().path();
    let reads = request.method() == Method::GET || request.method() == Method::HEAD;
    if !reads || PROGRAMS.iter().any(|prefix| path.starts_with(prefix)) {
        return Error::NotFound.into_response();
    }
    let name = path.trim_start_matches('/');
    if let Some(response) = file(name, request.headers()) {
        return response;
    }
    // A missing file is missing; anything without an ending is a page of the dashboard.
    if name.starts_with("assets/") || name.rsplit('/').next().is_some_and(|last| last.contains('.')) {
        return Error::NotFound.into_response();
    }
    file("index.html", request.headers()).unwrap_or_else(|| Html(NOT_BUILT).into_response())
}

/// A built file in the best encoding the browser takes.
fn file(name: &str, headers: &HeaderMap) -> Option<Response> {
    let plain = Files::get(name).filter(|_| !name.is_empty())?;
    let accepted =
        headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let encodings = [("br", ".br"), ("gzip", ".gz")];
    let compressed = encodings.into_iter().find_map(|(encoding, ending)| {
        let takes = accepted
            .split(',')
            .any(|part| part.split(';').next().is_some_and(|word| word.trim() == encoding));
        Some((encoding, Files::get(&format!("{name}{ending}")).filter(|_| takes)?))
    });
    let etag = format!("\"{}\"", hex(&plain.metadata.sha256_hash()));
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return Some(StatusCode::NOT_MODIFIED.into_response());
    }
    let kind = plain.metadata.mimetype().to_owned();
    let kind = if kind.starts_with("text/") { format!("{kind}; charset=utf-8") } else { kind };
    let (encoding, file) = compressed.map_or((None, plain), |(encoding, file)| (Some(encoding), file));
    let mut response = body(file).into_response();
    let headers = response.headers_mut();
    let cache = if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(&kind).ok()?);
    headers.insert(header::ETAG, HeaderValue::from_str(&etag).ok()?);
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Some(response)
}

/// The bytes of a file; those compiled in are not copied.
fn body(file: EmbeddedFile) -> Body {
    match file.data {
        std::borrow::Cow::Borrowed(bytes) => Body::from(bytes),
        std::borrow::Cow::Owned(bytes) => Body::from(bytes),
    }
}

fn hex(hash: &[u8]) -> String {
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
