//! Size and time are bounded, whatever the endpoint does.

use std::time::Duration;

use llm::{BadOutput, Billing, Config, Failure};
use tokio::time::Instant;

use crate::stub::{Canned, Content, Stub, completion, prompt, provider, soon};

/// Long enough that an answer can begin, short enough to be waited for.
const SHORT: Duration = Duration::from_millis(400);

/// No machine is so busy that the end of a wait of [`SHORT`] comes later than this.
const LATE: Duration = Duration::from_secs(20);

fn body(body: Content) -> Vec<Canned> {
    vec![Canned { status: 200, headers: vec![], body }]
}

#[tokio::test]
async fn a_body_is_read_up_to_two_mebibytes() {
    let stub = Stub::start().await;
    let padded = |bytes: usize| {
        let text = completion("{}").to_string();
        Content::Text(format!("{}{text}", " ".repeat(bytes - text.len())))
    };
    let limit = 2 * 1024 * 1024;
    stub.plan("at-limit", body(padded(limit)));
    assert!(provider(&stub.config("at-limit")).complete(&prompt(), soon()).await.is_ok());
    for (name, content) in [
        ("above-limit", padded(limit + 1)),
        ("ten-megabytes", Content::Spaces(10_000_000)),
        ("endless", Content::Endless),
    ] {
        stub.plan(name, body(content));
        let failure = provider(&stub.config(name)).complete(&prompt(), soon()).await.unwrap_err();
        assert_eq!(failure, Failure::BadOutput { reason: BadOutput::TooLong, usage: None }, "{name}");
        assert_eq!((failure.billing(), stub.asked(name).len()), (Billing::Unknown, 1), "{name}");
    }
}

#[tokio::test]
async fn a_call_ends_at_its_deadline() {
    let stub = Stub::start().await;
    let drip = Content::Drip(completion("{}").to_string(), Duration::from_millis(50));
    for (name, content) in [("drip", drip), ("never", Content::Never)] {
        stub.plan(name, body(content));
        for (timeout, left) in [(Some(SHORT), LATE), (None, SHORT)] {
            let config = Config { timeout, ..stub.config(name) };
            let model = provider(&config);
            let begun = Instant::now();
            let failure = model.complete(&prompt(), begun + left).await.unwrap_err();
            assert_eq!(failure, Failure::Timeout, "{name}");
            assert_eq!((failure.billing(), failure.retryable()), (Billing::Unknown, true), "{name}");
            assert!(begun.elapsed() < LATE, "{name}: {:?}", begun.elapsed());
        }
        assert_eq!(stub.asked(name).len(), 2, "{name} was tried again");
    }
}

#[tokio::test]
async fn an_endless_error_body_does_not_hide_the_status() {
    let stub = Stub::start().await;
    stub.plan("endless", vec![Canned { status: 401, headers: vec![], body: Content::Endless }]);
    let failure = provider(&stub.config("endless")).complete(&prompt(), soon()).await.unwrap_err();
    assert_eq!(failure, Failure::Config { status: 401 });
}

#[tokio::test]
async fn a_prompt_that_does_not_fit_is_not_sent() {
    let stub = Stub::start().await;
    stub.plan("small", body(Content::Text(completion("{}").to_string())));
    let needed = prompt().estimated_prompt_tokens() + prompt().max_output_tokens;
    let ask = async |context_tokens: u32| {
        let config = Config { context_tokens: Some(context_tokens), ..stub.config("small") };
        provider(&config).complete(&prompt(), soon()).await
    };
    let failure = ask(needed - 1).await.unwrap_err();
    assert_eq!(failure, Failure::TooLarge { status: None });
    assert_eq!((failure.billing(), stub.asked("small").len()), (Billing::Nothing, 0));
    assert!(ask(needed).await.is_ok());
}
