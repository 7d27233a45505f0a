//! The API's own description: OpenAPI 3.1, and a plain page of it.

use std::fmt::Write as _;

use axum::Json;
use axum::response::Html;
use utoipa::OpenApi as _;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, OpenApi};
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::service::Service;

#[derive(utoipa::OpenApi)]
#[openapi(info(
    title = "SRE Copilot",
    description = "Alerts in, explained incidents out. Errors are RFC 9457 problem details.",
    license(name = "Apache-2.0", identifier = "Apache-2.0")
))]
struct Described;

/// The whole API, whichever services run here.
pub fn document() -> OpenApi {
    let services = Service::ALL.into_iter().filter(|service| *service != Service::Gateway);
    let all = services.fold(OpenApiRouter::<App>::with_openapi(Described::openapi()), |all, service| {
        all.merge(service.routes())
    });
    let mut document = all.into_openapi();
    let components = document.components.get_or_insert_with(Components::default);
    components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("srec_at")));
    components.add_security_scheme("cookie", cookie);
    document
}

/// Answers with the document.
pub async fn json() -> Json<OpenApi> {
    Json(document())
}

/// A list of the routes for a person.
pub async fn page() -> Html<String> {
    let value = serde_json::to_value(document()).unwrap_or_default();
    let mut rows = String::new();
    for (path, methods) in value["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let summary = operation["summary"].as_str().unwrap_or_default();
            // Writing to a string can't fail.
            let _ = write!(
                rows,
                "<tr><td>{}<td><code>{}</code><td>{}",
                method.to_uppercase(),
                escape(path),
                escape(summary)
            );
        }
    }
    Html(format!(
        "<!doctype html><meta charset=utf-8><title>SRE Copilot API</title><h1>SRE Copilot API</h1>\
         <p>The whole description: <a href=\"/api/v1/openapi.json\">openapi.json</a> (OpenAPI 3.1). Programs send \
         <code>Authorization: Bearer &lt;API key&gt;</code>.<table>{rows}</table>"
    ))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
