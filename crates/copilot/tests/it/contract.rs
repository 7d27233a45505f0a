//! The contract's document, and that it is the one the code gives.

use copilot::gateway::document;

#[test]
fn the_committed_document_is_the_one_the_code_gives() {
    let committed = include_str!("../../../../openapi.json");
    let current = document().to_pretty_json().unwrap();
    assert!(committed.trim_end() == current.trim_end(), "openapi.json is stale: run `make openapi`");
}
