//! What the API's document says of the receivers, which are routed from the table of access.

use utoipa::openapi::path::{HttpMethod, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{
    Components, ContentBuilder, OpenApi, OpenApiBuilder, Paths, Ref, Required, ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use super::webhook::Accepted;
use crate::auth::access::{Access, TABLE};

/// Every receiver.
pub fn document() -> OpenApi {
    let mut paths = Paths::new();
    for row in TABLE.iter().filter(|row| row.access == Access::Webhook) {
        let methods = vec![if row.method == "PUT" { HttpMethod::Put } else { HttpMethod::Post }];
        let mut operation = OperationBuilder::new()
            .tag("webhooks")
            .summary(Some(words(row.path)))
            .request_body(Some(
                RequestBodyBuilder::new()
                    .required(Some(Required::True))
                    .content("application/json", ContentBuilder::new().schema(Some(body(row.path))).build())
                    .build(),
            ))
            .response("200", accepted());
        if row.path.contains("{integration_id}") {
            operation = operation.parameter(integration());
        }
        paths.add_path_operation(row.path, methods, operation.build());
    }
    let mut components = Components::new();
    let mut schemas = vec![(Accepted::name().into_owned(), Accepted::schema())];
    Accepted::schemas(&mut schemas);
    components.schemas.extend(schemas);
    OpenApiBuilder::new().paths(paths).components(Some(components)).build()
}

/// Which sender posts there.
fn words(path: &str) -> &'static str {
    match path.split('/').nth(2) {
        Some("prometheus") => {
            "Receives alerts from Prometheus itself, as Alertmanager's `/api/v2/alerts` does: an entry of \
             `alerting.alertmanagers` with the path prefix before that"
        }
        Some("grafana") => {
            "Receives alerts from a webhook contact point of Grafana: unified alerting, and the legacy format of \
             Grafana 8 and older"
        }
        _ => "Receives alerts from Alertmanager's webhook, version 4",
    }
}

/// An object that holds alerts, or, of Prometheus, an array of them; what they hold is the sender's to say.
fn body(path: &str) -> Schema {
    let object = ObjectBuilder::new().schema_type(Type::Object).build();
    if path.starts_with("/webhooks/prometheus") {
        Schema::Array(ArrayBuilder::new().items(object).build())
    } else {
        Schema::Object(object)
    }
}

fn accepted() -> utoipa::openapi::Response {
    let schema = Ref::from_schema_name(Accepted::name());
    ResponseBuilder::new()
        .description("Everything in it is durably stored")
        .content("application/json", ContentBuilder::new().schema(Some(schema)).build())
        .build()
}

fn integration() -> Parameter {
    ParameterBuilder::new()
        .name("integration_id")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some("The integration whose token is sent"))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).build()))
        .build()
}
