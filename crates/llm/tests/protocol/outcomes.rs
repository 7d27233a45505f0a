//! Every kind of answer, and what it is taken for.

use futures_util::future::join_all;
use llm::{BadOutput, Billing, Failure, Finish, Usage};
use serde_json::{Value, json};

use crate::stub::{Canned, KEY, REMOTE_WORDS, Stub, canned, completion, error, good, prompt, provider, soon};

const USED: Usage =
    Usage { prompt_tokens: 100, cached_tokens: 0, completion_tokens: 20, reasoning_tokens: 0 };

/// A healthy completion with one thing changed.
fn altered(pointer: &str, value: Value) -> Canned {
    let mut body = completion("{}");
    *body.pointer_mut(pointer).unwrap() = value;
    canned(200, body)
}

/// A healthy completion whose choice is another one.
fn choice(finish: Value, message: Value) -> Canned {
    altered("/choices", json!([{"index": 0, "finish_reason": finish, "message": message}]))
}

fn failures() -> Vec<(&'static str, Canned, &'static str, Billing)> {
    let known = Billing::Known(USED);
    let said = |content: Value| json!({"role": "assistant", "content": content});
    let refusal = json!({"role": "assistant", "content": null, "refusal": REMOTE_WORDS});
    let call = json!({"role": "assistant", "content": null, "tool_calls": [{"id": "1", "function": {"name": "rm"}}]});
    let many: Vec<Value> = (0..50).map(|_| completion("{}")["choices"][0].clone()).collect();
    let filter = json!({"error": {"message": REMOTE_WORDS, "code": null, "status": 400,
        "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {"hate": {"filtered": true}}}}});
    let filter_as_specified = json!({"error": {"message": REMOTE_WORDS, "code": "BadRequest",
        "inner_error": {"code": "x", "content_filter_results": {"hate": {"filtered": true}}}}});
    let late_filter = json!({"error": {"message": REMOTE_WORDS, "code": "content_filter"}});
    let mut unmetered = completion("{");
    unmetered["choices"][0]["finish_reason"] = json!("length");
    unmetered["usage"] = Value::Null;
    vec![
        ("empty-body", canned(200, ""), "bad-output", Billing::Unknown),
        ("no-content", canned(204, ""), "bad-output", Billing::Unknown),
        ("html", canned(200, "<html>Log in</html>"), "bad-output", Billing::Unknown),
        ("null", canned(200, "null"), "bad-output", Billing::Unknown),
        ("list", canned(200, "[]"), "bad-output", Billing::Unknown),
        ("cut-json", canned(200, "{\"choices\":[{"), "bad-output", Billing::Unknown),
        ("deep-json", canned(200, "[".repeat(100_000)), "bad-output", Billing::Unknown),
        ("error-in-200", error(200, "oops"), "bad-output", Billing::Unknown),
        ("filter-in-200", canned(200, late_filter), "content-filter", Billing::Unknown),
        ("no-choices", canned(200, "{}"), "bad-output", Billing::Unknown),
        ("choices-null", altered("/choices", Value::Null), "bad-output", known),
        ("choices-empty", altered("/choices", json!([])), "bad-output", known),
        ("choices-odd", altered("/choices", json!([3])), "bad-output", known),
        ("choices-50", altered("/choices", json!(many)), "bad-output", known),
        ("message-missing", altered("/choices", json!([{"finish_reason": "stop"}])), "bad-output", known),
        ("content-null", choice(json!("stop"), said(Value::Null)), "bad-output", known),
        ("content-empty", choice(json!("stop"), said(json!(""))), "bad-output", known),
        ("content-blank", choice(json!("stop"), said(json!(" \n\t "))), "bad-output", known),
        ("content-odd", choice(json!("stop"), said(json!(["x"]))), "bad-output", known),
        ("tool-calls", choice(json!("tool_calls"), call.clone()), "bad-output", known),
        ("tool-calls-stop", choice(json!("stop"), call), "bad-output", known),
        ("function-call", choice(json!("function_call"), said(json!("x"))), "bad-output", known),
        ("length", choice(json!("length"), said(json!("{\n    \"cla"))), "truncated", known),
        ("length-reasoning", choice(json!("length"), said(json!(""))), "truncated", known),
        ("length-unmetered", canned(200, unmetered), "truncated", Billing::Unknown),
        ("filter", choice(json!("content_filter"), said(json!("{"))), "content-filter", known),
        ("filter-null", choice(json!("content_filter"), said(Value::Null)), "content-filter", known),
        ("refusal", choice(json!("stop"), refusal), "refused", known),
        ("prompt-filter", error(400, "content_filter"), "content-filter", Billing::Unknown),
        ("prompt-filter-wire", canned(400, filter), "content-filter", Billing::Unknown),
        ("prompt-filter-spec", canned(400, filter_as_specified), "content-filter", Billing::Unknown),
        ("key-400", error(400, "invalid_api_key"), "config", Billing::Nothing),
        ("key-401", error(401, "401"), "config", Billing::Nothing),
        ("key-401-number", error(401, 401), "config", Billing::Nothing),
        ("forbidden", error(403, Value::Null), "config", Billing::Nothing),
        ("deployment", error(404, "DeploymentNotFound"), "config", Billing::Nothing),
        ("method", canned(405, ""), "config", Billing::Nothing),
        ("schema", error(400, 400), "config", Billing::Nothing),
        ("prompt-size", error(400, "context_length_exceeded"), "too-large", Billing::Unknown),
        ("payment", error(402, Value::Null), "quota", Billing::Nothing),
        ("quota", error(429, "insufficient_quota"), "quota", Billing::Nothing),
        (
            "redirect",
            canned(307, "").with("location", "/trap/v1/chat/completions"),
            "config",
            Billing::Nothing,
        ),
    ]
}

#[tokio::test]
async fn a_useless_answer_is_a_failure_after_one_request() {
    let stub = Stub::start().await;
    let check = async |(name, answer, slug, billing): (&'static str, Canned, &'static str, Billing)| {
        stub.plan(name, vec![answer]);
        let failure = provider(&stub.config(name)).complete(&prompt(), soon()).await.unwrap_err();
        assert_eq!((failure.slug(), failure.billing()), (slug, billing), "{name}: {failure:?}");
        let usage = if let Billing::Known(usage) = billing { Some(usage) } else { None };
        assert_eq!(failure.usage(), usage, "{name}");
        assert!(!failure.retryable(), "{name}");
        let shown = format!("{failure} {failure:?}");
        assert!(!shown.contains(KEY) && !shown.contains(REMOTE_WORDS), "{name}: {shown}");
        assert_eq!(stub.asked(name).len(), 1, "{name}");
    };
    join_all(failures().into_iter().map(check)).await;
    assert!(stub.asked("trap").is_empty(), "a redirect was followed");
}

#[tokio::test]
async fn the_reason_of_a_bad_answer_is_told() {
    let stub = Stub::start().await;
    for (name, answer, reason) in [
        ("html", canned(200, "<html>"), BadOutput::NotACompletion),
        ("choices", altered("/choices", json!([])), BadOutput::Choices),
        ("tools", choice(json!("tool_calls"), json!({"content": null})), BadOutput::ToolCalls),
        ("empty", choice(json!("stop"), json!({"content": ""})), BadOutput::NoText),
    ] {
        stub.plan(name, vec![answer]);
        let failure = provider(&stub.config(name)).complete(&prompt(), soon()).await.unwrap_err();
        let Failure::BadOutput { reason: told, .. } = failure else { panic!("{name}: {failure:?}") };
        assert_eq!(told, reason, "{name}");
    }
}

#[tokio::test]
async fn an_answer_is_a_reply_with_what_is_odd_about_it() {
    let without = |name: &str| {
        let mut body = completion("{}");
        body.as_object_mut().unwrap().remove(name);
        canned(200, body)
    };
    let said =
        |finish: Value| choice(finish, json!({"content": "{}", "refusal": null, "reasoning_content": "hm"}));
    let stub = Stub::start().await;
    let rows = [
        ("healthy", good("{}"), Some(USED), Finish::Stop, (false, false, false)),
        ("no-usage", without("usage"), None, Finish::Stop, (true, false, false)),
        ("usage-null", altered("/usage", Value::Null), None, Finish::Stop, (true, false, false)),
        (
            "usage-negative",
            altered("/usage/prompt_tokens", json!(-1)),
            None,
            Finish::Stop,
            (false, true, false),
        ),
        ("usage-text", altered("/usage/prompt_tokens", json!("9")), None, Finish::Stop, (false, true, false)),
        (
            "usage-huge",
            altered("/usage/prompt_tokens", json!(1_u64 << 63)),
            None,
            Finish::Stop,
            (false, true, false),
        ),
        ("no-model", without("model"), Some(USED), Finish::Stop, (false, false, false)),
        ("other-model", altered("/model", json!("gpt-4o")), Some(USED), Finish::Stop, (false, false, true)),
        ("no-finish", said(Value::Null), Some(USED), Finish::Unstated, (false, false, false)),
        (
            "odd-finish",
            said(json!("eos")),
            Some(USED),
            Finish::Other("eos".to_owned()),
            (false, false, false),
        ),
    ];
    for (name, answer, usage, finish, (usage_missing, usage_invalid, other_model)) in rows {
        stub.plan(name, vec![answer.with("x-request-id", "req-7")]);
        let reply = provider(&stub.config(name)).complete(&prompt(), soon()).await.unwrap();
        assert_eq!((reply.text.as_str(), reply.attempts), ("{}", 1), "{name}");
        assert_eq!(reply.request_id.as_deref(), Some("req-7"), "{name}");
        assert_eq!((reply.usage, reply.finish), (usage, finish), "{name}");
        let flags = llm::Flags { usage_missing, usage_invalid, other_model };
        assert_eq!(reply.flags, flags, "{name}");
        let model = match name {
            "no-model" => "gpt-4o-mini",
            "other-model" => "gpt-4o",
            _ => "gpt-4o-mini-2024-07-18",
        };
        assert_eq!(reply.model, model, "{name}");
    }
}
