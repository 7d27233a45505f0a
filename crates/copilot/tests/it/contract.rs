//! The contract's document, and that it is the one the code gives.

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
