//! The scripted provider does what tests of its users rely on.

use std::time::Duration;

use futures_util::future::join;
use llm::{Failure, Provider, Reply, Request, Scripted, Usage};
use tokio::time::Instant;

use crate::stub::prompt;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn outcomes_come_in_order_and_prompts_are_kept() {
    let script = Scripted::new("gpt-4o-mini");
    let provider = Provider::Scripted(script.clone());
    let usage = Usage { prompt_tokens: 1, cached_tokens: 0, completion_tokens: 2, reasoning_tokens: 0 };
    script.then(Ok(Reply::of("first", Some(usage))));
    script.then(Err(Failure::Quota));
    let ask = async |user: &str| {
        let request = Request { user: user.to_owned(), ..prompt() };
        provider.complete(&request, Instant::now() + MINUTE).await
    };
    assert_eq!(ask("a").await, Ok(Reply::of("first", Some(usage))));
    assert_eq!(ask("b").await, Err(Failure::Quota));
    assert_eq!(ask("c").await, Err(Failure::Unavailable { status: None }));
    script.otherwise(|request| Ok(Reply::of(request.user.to_uppercase(), None)));
    assert_eq!(ask("d").await.unwrap().text, "D");
    let asked: Vec<String> = script.journal().into_iter().map(|request| request.user).collect();
    assert_eq!(asked, ["a", "b", "c", "d"]);
    assert_eq!((provider.model(), script.most_in_flight()), ("gpt-4o-mini", 1));
}

#[tokio::test(start_paused = true)]
async fn a_slow_outcome_meets_the_deadline_or_not() {
    let script = Scripted::new("m");
    let provider = Provider::Scripted(script.clone());
    for (seconds, outcome) in [(59, Ok(Reply::of("x", None))), (61, Err(Failure::Timeout))] {
        script.then_after(Duration::from_secs(seconds), Ok(Reply::of("x", None)));
        let begun = Instant::now();
        assert_eq!(provider.complete(&prompt(), begun + MINUTE).await, outcome);
        assert_eq!(begun.elapsed().as_secs(), seconds.min(60));
    }
}

#[tokio::test(start_paused = true)]
async fn a_held_outcome_waits_for_its_release_and_overlaps_are_counted() {
    let script = Scripted::new("m");
    let provider = Provider::Scripted(script.clone());
    for _ in 0..3 {
        script.then_when_released(Ok(Reply::of("x", None)));
    }
    let request = prompt();
    let call = || provider.complete(&request, Instant::now() + MINUTE);
    assert_eq!(call().await, Err(Failure::Timeout));
    let release = async {
        script.release();
        script.release();
    };
    let ((first, second), ()) = join(join(call(), call()), release).await;
    assert_eq!((first.is_ok(), second.is_ok(), script.most_in_flight()), (true, true, 2));
}
