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

/// First parts of paths that belong to programs: an unknown one is a 404, never the dashboard.
const PROGRAMS: [&str; 11] =
    ["api", "webhooks", "ws", "-", "metrics", "docs", "internal", "debug", "healthz", "livez", "readyz"];

/// Answers a path that no route has: a built file, or the dashboard's only page, or 404.
pub async fn serve(request: Request) -> Response {
    let path = request.uri().path();
    let reads = request.method() == Method::GET || request.method() == Method::HEAD;
    let found = if reads { file(path.trim_start_matches('/'), request.headers()) } else { None };
    if let Some(response) = found {
        return response;
    }
    if !reads && (path == "/" || Files::get(path.trim_start_matches('/')).is_some()) {
        let allow = [(header::ALLOW, HeaderValue::from_static("GET,HEAD"))];
        return (allow, Error::MethodNotAllowed).into_response();
    }
    if !reads || !is_page(path) {
        return Error::NotFound.into_response();
    }
    file("index.html", request.headers()).unwrap_or_else(|| Html(NOT_BUILT).into_response())
}

/// Whether a path may be a page of the dashboard: what has an ending is a file, and a missing one is missing.
fn is_page(path: &str) -> bool {
    let plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_".contains(&byte));
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default().to_ascii_lowercase();
    plain && !path.contains("//") && first != "assets" && !PROGRAMS.contains(&first.as_str())
}

/// A built file in the best encoding the browser takes.
fn file(name: &str, headers: &HeaderMap) -> Option<Response> {
    let hidden = name.split('/').any(|part| part.is_empty() || part.starts_with('.'));
    if hidden || [".br", ".gz"].iter().any(|ending| name.ends_with(ending)) {
        return None;
    }
    let plain = Files::get(name)?;
    let encodings = [("br", ".br"), ("gzip", ".gz")];
    let compressed = encodings.into_iter().find_map(|(encoding, ending)| {
        let takes = takes(headers, encoding);
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

/// Whether the browser takes an encoding (RFC 9110, 12.5.3).
fn takes(headers: &HeaderMap, encoding: &str) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|item| {
        let (name, weight) = item.split_once(';').unwrap_or((item, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case(encoding) && weight.is_none_or(|weight| weight > 0.0)
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_page_is_read_and_nothing_else() {
        for (method, path, status) in [
            (Method::POST, "/", 405),
            (Method::DELETE, "/", 405),
            (Method::POST, "/incidents", 404),
            (Method::GET, "/incidents", 200),
            (Method::GET, "/debug", 404),
            (Method::GET, "/healthz", 404),
        ] {
            let request = Request::builder().method(&method).uri(path).body(Body::empty()).unwrap();
            let answer = serve(request).await;
            assert_eq!(answer.status(), status, "{method} {path}");
            assert_eq!(answer.headers().contains_key(header::ALLOW), status == 405, "{method} {path}");
        }
    }

    #[test]
    fn only_pages_of_the_dashboard_fall_back_to_it() {
        for path in ["/", "/incidents", "/incidents/INC-42", "/settings/members", "/link"] {
            assert!(is_page(path), "{path}");
        }
        for path in [
            "/api",
            "/api/v1/x",
            "/API/v1/x",
            "/webhooks/x",
            "/ws",
            "/assets/gone",
            "/-/x",
            "/metrics",
            "/docs/x",
            "/.git/config",
            "/.env",
            "//api/v1/me",
            "/incidents.",
            "/x;y=1",
            "/a%2fb",
            "/openapi.json",
            "/internal/x",
        ] {
            assert!(!is_page(path), "{path}");
        }
    }

    #[test]
    fn encodings_are_negotiated() {
        for (accept, br, gzip) in [
            ("", false, false),
            ("gzip, br", true, true),
            ("br;q=0, gzip;q=0.5", false, true),
            ("GZIP", false, true),
            ("identity", false, false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, accept.parse().unwrap());
            assert_eq!((takes(&headers, "br"), takes(&headers, "gzip")), (br, gzip), "{accept}");
        }
    }

    #[test]
    fn files_are_never_hidden_ones() {
        for path in [".gitkeep", "../Cargo.toml", "a/../../Cargo.toml", "index.html.br", ""] {
            assert!(file(path, &HeaderMap::new()).is_none(), "{path}");
        }
    }
}
