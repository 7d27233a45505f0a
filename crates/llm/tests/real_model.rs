//! A real model behind the protocol, when there is one.
//!
//! `SRE_COPILOT_TEST_LLM_URL` is the address before `/chat/completions`. Only protocol, shape and usage are
//! asserted: what a small model says is worth nothing.

use std::time::Duration;

use llm::{Config, Failure, Provider, Request, answer, schema};
use tokio::time::Instant;

#[tokio::test]
async fn a_real_model_answers_within_the_schema() {
    let Ok(base) = std::env::var("SRE_COPILOT_TEST_LLM_URL") else {
        println!("skipped: SRE_COPILOT_TEST_LLM_URL is not set");
        return;
    };
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let config = Config {
        openai_base_url: Some(base),
        model: "local".to_owned(),
        timeout: Some(Duration::from_secs(300)),
        ..Config::default()
    };
    let provider = Provider::from_config(&config).unwrap().unwrap();
    let request = Request {
        system: "You answer with one short JSON object.".to_owned(),
        user: "Evidence: E1: the disk is full. E2: writes fail. Name the evidence for a full disk."
            .to_owned(),
        schema: Some(schema::object(vec![("evidence", schema::one_of(&["E1", "E2"]))])),
        schema_name: "evidence".to_owned(),
        max_output_tokens: 60,
        temperature: Some(0.2),
    };
    let deadline = Instant::now() + Duration::from_secs(300);
    let reply = provider.complete(&request, deadline).await.unwrap();
    let object = answer::object(&reply.text).unwrap();
    assert!(matches!(object["evidence"].as_str(), Some("E1" | "E2")), "{object:?}");
    let usage = reply.usage.unwrap();
    println!("estimated {} prompt tokens; {usage:?}", request.estimated_prompt_tokens());
    assert!(usage.prompt_tokens <= u64::from(request.estimated_prompt_tokens()));

    let short = Request { max_output_tokens: 2, ..request };
    let failure = provider.complete(&short, deadline).await.unwrap_err();
    assert!(matches!(failure, Failure::Truncated { usage: Some(_) }), "{failure:?}");
}
