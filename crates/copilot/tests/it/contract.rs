//! The contract's document, and that it is the one the code gives.

use std::collections::BTreeSet;

use copilot::auth::access::TABLE;
use copilot::gateway::document;

#[test]
fn the_committed_document_is_the_one_the_code_gives() {
    let committed = include_str!("../../../../openapi.json");
    let current = document().to_pretty_json().unwrap();
    assert!(committed.trim_end() == current.trim_end(), "openapi.json is stale: run `make openapi`");
}

/// The words of the document are those that bodies carry, not the names of our variants.
#[test]
fn the_document_speaks_in_the_words_of_the_bodies() {
    let document = serde_json::to_value(document()).unwrap();
    let severities = &document["components"]["schemas"]["Severity"]["enum"];
    assert_eq!(*severities, serde_json::json!(["critical", "high", "medium", "low", "info"]));
}

/// What clients made from the document need of every answer: words, and the media type that is sent.
#[test]
fn every_answer_is_described_as_it_comes() {
    let document = serde_json::to_value(document()).unwrap();
    let operations =
        document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap());
    for (_, operation) in operations {
        let id = operation["operationId"].as_str().unwrap();
        for (status, answer) in operation["responses"].as_object().unwrap() {
            assert!(answer["description"].as_str().is_some_and(|words| !words.is_empty()), "{id} {status}");
            let refuses = !status.starts_with(['1', '2', '3']);
            let problem = &answer["content"]["application/problem+json"];
            assert!(!refuses || problem.is_object(), "{id} {status}: {answer}");
        }
    }
    let create = &document["paths"]["/api/v1/incidents"]["post"];
    assert_eq!(create["parameters"][0]["name"], "Idempotency-Key");
    let login = &document["paths"]["/api/v1/auth/login"]["post"];
    assert!(!login["parameters"].to_string().contains("Idempotency-Key"), "it has no effect there: {login}");
    assert!(create["responses"]["201"]["headers"]["Location"].is_object(), "{create}");
    let hook = document["paths"]["/webhooks/alertmanager"]["post"]["responses"].as_object().unwrap();
    let statuses: Vec<_> = hook.keys().map(String::as_str).collect();
    assert_eq!(statuses, ["200", "400", "401", "403", "413", "415", "503", "default"]);
}

/// A route that nobody wrote a row for is served to nobody; this says so before a user does.
#[test]
fn every_route_is_in_the_table_of_access() {
    let document = serde_json::to_value(document()).unwrap();
    let mut routes = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        routes.extend(item.as_object().unwrap().keys().map(|method| (path.clone(), method.to_uppercase())));
    }
    let rows: BTreeSet<_> = TABLE.iter().map(|row| (row.path.to_owned(), row.method.to_owned())).collect();
    assert_eq!(routes.difference(&rows).collect::<Vec<_>>(), Vec::<&(String, String)>::new(), "no row");
    // What a supervisor asks is for programs that do not read the document.
    let described = |path: &str| {
        path.starts_with("/webhooks/") || path.starts_with("/api/v1/") && path != "/api/v1/openapi.json"
    };
    let gone: Vec<_> = rows.difference(&routes).filter(|(path, _)| described(path)).collect();
    assert_eq!(gone, Vec::<&(String, String)>::new(), "no route");
}
