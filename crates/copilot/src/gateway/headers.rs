//! What the document says of headers and of answers that are no success: the same wherever they are read and given.

use axum::http::StatusCode;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{KnownFormat, SchemaFormat};
use utoipa::openapi::{ContentBuilder, ObjectBuilder, Ref, RefOr, Required, Response, ResponseBuilder, Type};

use crate::auth::access::Access;

/// Paths whose answers have an ETag, and whose changes may be made to depend on it.
const TAGGED: [&str; 2] = ["/api/v1/incidents/{incident_id}", "/api/v1/incidents/{incident_id}/state"];

/// Declares the headers that an operation reads and gives.
pub(super) fn declare(operation: &mut Operation, (method, path): (&str, &str), access: Option<Access>) {
    let mut parameters = Vec::new();
    let mut given = Vec::new();
    // Whoever has not signed in has nobody's answers kept.
    if method == "post" && matches!(access, Some(Access::Member(_) | Access::Person(_))) {
        let what = "Sent again with the same key, the request is answered again and done once; 1 to 255 visible ASCII \
                    characters";
        parameters.push(parameter("Idempotency-Key", what));
        given.push(("Idempotency-Replayed", "`true` on an answer that is given again"));
    }
    if TAGGED.contains(&path) {
        given.push(("ETag", "The incident's version and what its newest analysis says"));
        parameters.push(match method {
            "get" => parameter("If-None-Match", "An ETag: 304 when nothing has changed since"),
            _ => parameter("If-Match", "An ETag: 412 when the incident has another version by now"),
        });
    }
    operation.parameters.get_or_insert_default().extend(parameters.into_iter().map(RefOr::T));
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        if status.starts_with('2') {
            response.headers.extend(given.iter().map(|(name, what)| ((*name).to_owned(), text(what))));
        }
        if status == "201" && path == "/api/v1/incidents" {
            response.headers.insert("Location".to_owned(), text("Where it is"));
        }
    }
}

/// Says in words what has none, and that everything else is problem details.
pub(super) fn describe(operation: &mut Operation) {
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let number = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .build();
    let wait = HeaderBuilder::new()
        .schema(Some(number))
        .description(Some("Seconds until it may be tried again"))
        .build();
    let refused: Response = ResponseBuilder::new()
        .description("Anything else: problem details")
        .content("application/problem+json", problem)
        .header("Retry-After", wait)
        .build();
    operation.responses.responses.insert("default".to_owned(), RefOr::T(refused));
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        if response.description.is_empty() {
            let known = status.parse::<StatusCode>().ok().and_then(|status| status.canonical_reason());
            response.description = known.unwrap_or("An answer").to_owned();
        }
    }
}

fn parameter(name: &str, what: &str) -> Parameter {
    let text = ObjectBuilder::new().schema_type(Type::String);
    let text = if name == "Idempotency-Key" {
        text.min_length(Some(1)).max_length(Some(255)).pattern(Some("^[!-~]+$"))
    } else {
        text
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(what))
        .schema(Some(text.build()))
        .build()
}

fn text(what: &str) -> RefOr<Header> {
    let schema = ObjectBuilder::new().schema_type(Type::String).build();
    RefOr::T(HeaderBuilder::new().schema(Some(schema)).description(Some(what)).build())
}
