//! The dashboard's files, compiled in; in debug builds they are read from the folder.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::any;
use rust_embed::{EmbeddedFile, RustEmbed};
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::error::Error;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../frontend/dist"]
struct Files;

/// First parts of paths that are never pages of the dashboard.
const NOT_PAGES: [&str; 8] = ["api", "webhooks", "ws", "assets", "-", "metrics", "docs", "internal"];

const NOT_BUILT: &str = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
    <title>SRE Copilot</title></head><body><h1>The dashboard was not built</h1>\
    <p>The API works; it is described at <a href=\"/docs\">/docs</a>.</p>\
    <p>To build the dashboard, run <code>npm ci</code> and <code>npm run build</code> in the folder \
    <code>frontend</code>, then build the server again.</p></body></html>\n";

/// Everything that no other route answers.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().route("/", any(file)).route("/{*path}", any(file))
}

async fn file(request: Request) -> Response {
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return Error::NotFound.into_response();
    }
    let path = request.uri().path().trim_start_matches('/');
    if let Some(found) = find(path, request.headers()) {
        return found;
    }
    if is_page(request.uri().path()) && wants_html(request.headers()) {
        return find("index.html", request.headers()).unwrap_or_else(|| Html(NOT_BUILT).into_response());
    }
    Error::NotFound.into_response()
}

/// Whether a path may be one of the dashboard's own pages.
fn is_page(path: &str) -> bool {
    let plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_".contains(&byte));
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default().to_ascii_lowercase();
    plain && !path.contains("//") && !NOT_PAGES.contains(&first.as_str())
}

fn wants_html(headers: &HeaderMap) -> bool {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accept.into_iter().any(|accept| accept.contains("text/html"))
}

/// The file at `path` in the best form that the browser takes.
fn find(path: &str, headers: &HeaderMap) -> Option<Response> {
    let hidden = path.split('/').any(|part| part.starts_with('.') || part.is_empty());
    let compressed = [".br", ".gz"].iter().any(|end| path.ends_with(end));
    if hidden || compressed || path.contains(['\\', '%']) {
        return None;
    }
    let plain = Files::get(path)?;
    let kind = plain.metadata.mimetype().to_owned();
    for (ending, encoding) in [("br", "br"), ("gz", "gzip")] {
        if accepts(headers, encoding)
            && let Some(file) = Files::get(&format!("{path}.{ending}"))
        {
            return Some(answer(path, &kind, file, Some(encoding), headers));
        }
    }
    Some(answer(path, &kind, plain, None, headers))
}

/// Whether the browser takes an encoding (RFC 9110, 12.5.3).
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|item| {
        let (name, weight) = item.split_once(';').unwrap_or((item, "q=1"));
        let refused =
            weight.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()).is_some_and(|q| q <= 0.0);
        name.trim().eq_ignore_ascii_case(encoding) && !refused
    })
}

fn answer(
    path: &str,
    kind: &str,
    file: EmbeddedFile,
    encoding: Option<&'static str>,
    headers: &HeaderMap,
) -> Response {
    let digest: String =
        file.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let etag = format!("\"{digest}\"");
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let same =
        known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == etag));
    // Names under assets/ hold a hash of their content, so what they name never changes.
    let caching =
        if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let text = kind.starts_with("text/") && !kind.contains("charset");
    let kind = if text { format!("{kind}; charset=utf-8") } else { kind.to_owned() };
    let mut response = if same {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(match file.data {
            std::borrow::Cow::Borrowed(bytes) => Body::from(bytes),
            std::borrow::Cow::Owned(bytes) => Body::from(bytes),
        })
    };
    let set = response.headers_mut();
    for (name, value) in [(header::ETAG, etag), (header::CONTENT_TYPE, kind)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            set.insert(name, value);
        }
    }
    set.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    set.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        set.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_the_dashboard_fall_back_to_it() {
        for path in ["/", "/incidents", "/incidents/INC-42", "/settings/members", "/link"] {
            assert!(is_page(path), "{path}");
        }
        for path in [
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
            assert_eq!((accepts(&headers, "br"), accepts(&headers, "gzip")), (br, gzip), "{accept}");
        }
    }

    #[test]
    fn files_are_never_hidden_ones() {
        for path in [".gitkeep", "../Cargo.toml", "a/../../Cargo.toml", "index.html.br", ""] {
            assert!(find(path, &HeaderMap::new()).is_none(), "{path}");
        }
    }
}
