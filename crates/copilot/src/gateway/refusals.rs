//! Which statuses an operation refuses with: they follow from who may use it and from what it takes.

use std::collections::BTreeSet;

use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};

use crate::auth::access::Access;

/// Declares them.
pub(super) fn declare(operation: &mut Operation, (method, path): (&str, &str), access: Option<Access>) {
    for status in statuses(operation, (method, path), access) {
        let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let response = ResponseBuilder::new()
            .description(words(status))
            .content("application/problem+json", problem)
            .build();
        operation.responses.responses.entry(status.to_owned()).or_insert(RefOr::T(response));
    }
}

fn statuses(
    operation: &Operation,
    (method, path): (&str, &str),
    access: Option<Access>,
) -> BTreeSet<&'static str> {
    let mut statuses = BTreeSet::from(["503"]);
    let webhook = access == Some(Access::Webhook);
    if !webhook {
        statuses.insert("429");
    }
    // Whoever signs in proves who it is by the body, and registration may be closed.
    if access != Some(Access::Public) || method == "post" {
        statuses.extend(["401", "403"]);
    }
    if path.contains('{') {
        statuses.insert("404");
    }
    if operation.request_body.is_some() {
        statuses.extend(["400", "413", "415"]);
        statuses.extend((!webhook).then_some("422"));
    }
    let takes = |place: &ParameterIn, name: Option<&str>| {
        let all = operation.parameters.iter().flatten();
        let all = all.filter_map(|one| if let RefOr::T(one) = one { Some(one) } else { None });
        all.filter(|one| name.is_none_or(|name| one.name == name)).any(|one| one.parameter_in == *place)
    };
    if takes(&ParameterIn::Query, None) {
        statuses.insert("422");
    }
    if takes(&ParameterIn::Header, Some("If-Match")) {
        statuses.insert("412");
    }
    if method != "get" && !webhook {
        statuses.insert("409");
    }
    statuses
}

fn words(status: &str) -> &'static str {
    match status {
        "400" => "Malformed: it is not what the media type says",
        "401" => "Not signed in, or with nothing that is valid",
        "403" => "Not allowed",
        "404" => "Absent, or not yours",
        "409" => "A conflict with what is there, or an illegal transition",
        "412" => "It has another version by now",
        "413" => "Too large",
        "415" => "Another media type than application/json",
        "422" => "Well-formed and invalid: `errors` names the fields",
        "429" => "Too many requests; `Retry-After` says when to go on",
        _ => "Try again later",
    }
}
