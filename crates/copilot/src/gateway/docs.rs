//! The API's documentation: the document itself, and a page to read it on.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::header;
use axum::response::Html;
use axum::routing::get;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use super::document::{document, operations};
use crate::app::App;

const STYLE: &str = "
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; text-transform: capitalize; }
dt { margin-top: 1rem; }
code { font-family: ui-monospace, monospace; }
dt code:first-child { display: inline-block; min-width: 5rem; font-weight: bold; text-transform: uppercase; }
";

/// The document. It takes some MiB to make, which a process that nobody asks for it does without.
static JSON: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(document().to_json().unwrap_or_default()));

/// The page.
static PAGE: LazyLock<String> = LazyLock::new(|| page(document()));

/// `/api/v1/openapi.json`, `/docs` and the page's style.
pub(super) fn routes() -> OpenApiRouter<App> {
    let json = get(|| async { ([(header::CONTENT_TYPE, "application/json")], JSON.clone()) });
    let style = get(|| async { ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE) });
    OpenApiRouter::new()
        .route("/api/v1/openapi.json", json)
        .route("/docs", get(|| async { Html(PAGE.as_str()) }))
        .route("/docs/style.css", style)
}

/// The document as a page without scripts.
fn page(mut document: OpenApi) -> String {
    let mut sections: std::collections::BTreeMap<String, String> = std::collections::BTreeMap::new();
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            let tag = operation.tags.iter().flatten().next().cloned().unwrap_or_default();
            let summary = operation.summary.as_deref().unwrap_or_default();
            let section = sections.entry(tag).or_default();
            // Writing to a string can't fail.
            let _ = writeln!(
                section,
                "<dt><code>{method}</code> <code>{}</code></dt><dd>{}</dd>",
                escape(path),
                escape(summary)
            );
        }
    }
    let mut body = String::new();
    for (tag, list) in sections {
        let _ = writeln!(body, "<h2>{}</h2>\n<dl>\n{list}</dl>", escape(&tag));
    }
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>SRE Copilot API</title>\n\
         <link rel=\"stylesheet\" href=\"/docs/style.css\"></head><body>\n<h1>SRE Copilot API</h1>\n\
         <p>Programs send <code>Authorization: Bearer</code> with an API key. Shapes, parameters and answers are in \
         <a href=\"/api/v1/openapi.json\">openapi.json</a>, for any OpenAPI 3.1 reader.</p>\n{body}</body></html>\n"
    )
}

/// Text as HTML shows it.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
