//! The OpenAPI document of the whole product.

use std::collections::BTreeSet;

use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    Components, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, PathItem, RefOr, Schema,
    path::Operation,
};
use utoipa::{PartialSchema, ToSchema};

use super::{headers, refusals};
use crate::auth::Role;
use crate::auth::access::{self, Access};
use crate::error::{FieldError, Problem};
use crate::service::Service;

/// The ways in which a request of the API says whose it is.
const KNOWN: [&str; 4] = ["bearer", "basic", "api_key", "cookie"];

/// Every route of every service but the gateway's own, which are pages.
pub fn document() -> OpenApi {
    let licence = LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build();
    let info = InfoBuilder::new()
        .title("SRE Copilot")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Alerts in, explained incidents out. Errors are problem details (RFC 9457), times RFC 3339 in UTC.",
        ))
        .license(Some(licence));
    let none: [&str; 0] = [];
    let mut whole = OpenApiBuilder::new()
        .info(info)
        .components(Some(components()))
        .security(Some(KNOWN.map(|way| SecurityRequirement::new(way, none))))
        .build();
    for service in Service::ALL.into_iter().filter(|service| *service != Service::Gateway) {
        let (_, part) = service.routes().split_for_parts();
        whole.merge(part);
        whole.merge(service.hooks_document());
    }
    for (path, item) in &mut whole.paths.paths {
        for (method, operation) in operations(item) {
            operation.operation_id = Some(operation_id(method, path));
            let access = access::access(&method.to_uppercase(), path);
            declare(operation, access);
            headers::declare(operation, (method, path), access);
            refusals::declare(operation, (method, path), access);
            headers::describe(operation);
            leave_out(operation);
        }
    }
    whole
}

/// Says in `operation` who may use it; what the table of access leaves out is for nobody.
fn declare(operation: &mut Operation, access: Option<Access>) {
    let none: [&str; 0] = [];
    let cookie = || SecurityRequirement::new("cookie", none);
    let known = || KNOWN.map(|way| SecurityRequirement::new(way, none)).to_vec();
    let (security, role) = match access {
        None => return,
        Some(Access::Webhook) => {
            let ways = ["webhook_token", "webhook_basic", "webhook_secret"];
            (ways.map(|way| SecurityRequirement::new(way, none)).to_vec(), None)
        }
        Some(Access::Public) => (vec![], None),
        Some(Access::Cookie) => (vec![cookie()], None),
        Some(Access::Socket) => (known(), Some(Role::Viewer)),
        Some(Access::Member(role)) => (known(), Some(role)),
        Some(Access::Person(role)) => (vec![cookie()], Some(role)),
    };
    operation.security = Some(security);
    let named = role.map(|role| ("x-least-role", serde_json::Value::from(role.as_str())));
    operation.extensions = named.map(|named| [named].into_iter().collect());
}

/// A body that may be absent is an object all the same when it is there; what stands for it here says that it may be null.
fn leave_out(operation: &mut Operation) {
    let Some(RefOr::T(body)) = &mut operation.request_body else { return };
    for content in body.content.values_mut() {
        let RefOr::T(content) = content else { continue };
        let Some(RefOr::T(Schema::OneOf(choice))) = &mut content.schema else { continue };
        choice.items.retain(|item| matches!(item, RefOr::Ref(_)));
        if let [only] = choice.items.as_slice() {
            content.schema = Some(only.clone());
        }
    }
}

/// The paths that `service` answers.
pub(super) fn paths(service: Service) -> BTreeSet<String> {
    let (_, part) = service.routes().split_for_parts();
    part.paths.paths.into_keys().collect()
}

fn components() -> Components {
    let mut components = Components::new();
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("srec_at")));
    components.add_security_scheme("bearer", bearer);
    components.add_security_scheme("basic", SecurityScheme::Http(Http::new(HttpAuthScheme::Basic)));
    let key = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key")));
    components.add_security_scheme("api_key", key);
    components.add_security_scheme("cookie", cookie);
    let header = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-Webhook-Secret")));
    components.add_security_scheme("webhook_token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    components.add_security_scheme("webhook_basic", SecurityScheme::Http(Http::new(HttpAuthScheme::Basic)));
    components.add_security_scheme("webhook_secret", header);
    for (name, schema) in [(Problem::name(), Problem::schema()), (FieldError::name(), FieldError::schema())] {
        components.schemas.insert(name.into_owned(), schema);
    }
    components
}

/// The operations of a path with their methods.
pub(super) fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let all = [
        ("get", &mut item.get),
        ("post", &mut item.post),
        ("put", &mut item.put),
        ("patch", &mut item.patch),
        ("delete", &mut item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| operation.as_mut().map(|operation| (method, operation)))
}

/// A name that no other operation has, whatever the functions are called: `get_projects_by_project_id`.
fn operation_id(method: &str, path: &str) -> String {
    let words =
        path.trim_start_matches("/api/v1").split('/').filter(|word| !word.is_empty()).map(|word| match word
            .strip_prefix('{')
            .and_then(|word| word.strip_suffix('}'))
        {
            Some(parameter) => format!("by_{parameter}"),
            None => word.replace('-', "_"),
        });
    [method.to_owned()].into_iter().chain(words).collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_may_be_absent_is_never_null() {
        let mut whole = document();
        let operations = whole.paths.paths.values_mut().flat_map(operations);
        let bodies = operations.filter_map(|(_, operation)| operation.request_body.as_ref());
        for body in bodies.map(|body| serde_json::to_value(body).unwrap()) {
            let schema = &body["content"]["application/json"]["schema"];
            assert!(schema.get("oneOf").is_none(), "{body}");
        }
        let asking = &whole.paths.paths["/api/v1/incidents/{incident_id}/hypotheses"];
        let body = serde_json::to_value(&asking.post.as_ref().unwrap().request_body).unwrap();
        assert_eq!(body["content"]["application/json"]["schema"]["$ref"], "#/components/schemas/Ask");
        assert_ne!(body["required"], true);
    }
}
