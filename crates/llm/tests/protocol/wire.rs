//! What is sent, and how it changes after a parameter was rejected.

use llm::{Config, OutputLimit, Request, schema};
use serde_json::{Value, json};

use crate::stub::{Canned, Stub, canned, good, prompt, provider, soon};

fn rejected(code: &str, param: &str) -> Canned {
    let message = format!("Unsupported: '{param}' is not supported with this model.");
    canned(
        400,
        json!({"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}),
    )
}

/// The limit and the temperature of a body.
fn wording(body: &Value) -> (Option<&str>, Option<f64>) {
    let limits = ["max_tokens", "max_completion_tokens"];
    let mut sent = limits.into_iter().filter(|name| body.get(*name) == Some(&json!(700)));
    let limit = sent.next();
    assert_eq!(sent.next(), None, "both limits were sent");
    (limit, body.get("temperature").map(|value| value.as_f64().unwrap()))
}

#[tokio::test]
async fn the_body_is_what_the_protocol_says() {
    let stub = Stub::start().await;
    stub.plan("body", vec![good("{}")]);
    let answer = schema::object(vec![("evidence", schema::list(schema::one_of(&["E1", "E2"])))]);
    let request = Request { schema: Some(answer), ..prompt() };
    provider(&stub.config("body")).complete(&request, soon()).await.unwrap();
    let expected = json!({
        "model": "gpt-4o-mini",
        "messages": [{"role": "system", "content": "Answer with JSON."}, {"role": "user", "content": "Why?"}],
        "max_tokens": 700,
        "temperature": 0.2,
        "response_format": {"type": "json_schema", "json_schema": {"name": "causes", "strict": true, "schema": {
            "type": "object", "additionalProperties": false, "required": ["evidence"],
            "properties": {"evidence": {"type": "array", "items": {"type": "string", "enum": ["E1", "E2"]}}},
        }}},
    });
    let asked = stub.asked("body").remove(0);
    assert_eq!(asked.body, expected);
    assert_eq!(asked.headers.get("content-type").unwrap(), "application/json");
}

#[tokio::test]
async fn a_rejected_parameter_is_replaced_at_once_and_for_good() {
    let stub = Stub::start().await;
    let limit = "max_completion_tokens";
    let swap =
        ("swap", vec![rejected("unsupported_parameter", "max_tokens"), good("{}")], (Some(limit), Some(0.2)));
    let drop =
        ("drop", vec![rejected("unsupported_value", "temperature"), good("{}")], (Some("max_tokens"), None));
    let both = vec![
        rejected("unsupported_parameter", "max_tokens"),
        rejected("unsupported_value", "temperature"),
        good("{}"),
    ];
    for (name, answers, learnt) in [swap, drop, ("both", both, (Some(limit), None))] {
        let rejections = answers.len() - 1;
        stub.plan(name, answers);
        let provider = provider(&stub.config(name));
        let reply = provider.complete(&prompt(), soon()).await.unwrap();
        assert_eq!(usize::try_from(reply.attempts).unwrap(), rejections + 1, "{name}");
        provider.complete(&prompt(), soon()).await.unwrap();
        let asked = stub.asked(name);
        assert_eq!(asked.len(), rejections + 2, "{name}: it was not remembered");
        assert_eq!(wording(&asked[0].body), (Some("max_tokens"), Some(0.2)), "{name}");
        for asked in &asked[rejections..] {
            assert_eq!(wording(&asked.body), learnt, "{name}");
        }
    }
}

#[tokio::test]
async fn an_endpoint_that_rejects_everything_is_not_asked_for_ever() {
    let stub = Stub::start().await;
    let reject_both = json!({"error": {"message": "max_tokens and max_completion_tokens: not supported"}});
    stub.plan("stubborn", vec![canned(400, reject_both)]);
    let failure = provider(&stub.config("stubborn")).complete(&prompt(), soon()).await.unwrap_err();
    assert_eq!((failure.slug(), stub.asked("stubborn").len()), ("config", 3));
}

#[tokio::test]
async fn the_limit_parameter_can_be_configured_and_temperature_left_out() {
    let stub = Stub::start().await;
    for (name, output_limit, sent) in [
        ("new", OutputLimit::MaxCompletionTokens, "max_completion_tokens"),
        ("old", OutputLimit::MaxTokens, "max_tokens"),
    ] {
        stub.plan(name, vec![good("{}")]);
        let config = Config { output_limit: Some(output_limit), ..stub.config(name) };
        let request = Request { temperature: None, ..prompt() };
        provider(&config).complete(&request, soon()).await.unwrap();
        assert_eq!(wording(&stub.asked(name)[0].body), (Some(sent), None));
    }
}
