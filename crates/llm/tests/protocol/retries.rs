//! What is asked again, how often, and after what wait.

use std::time::Duration;

use futures_util::future::join_all;
use llm::{Billing, Config, Failure};
use tokio::{io::AsyncReadExt, net::TcpListener, time::Instant};

use crate::stub::{Canned, Content, Stub, canned, error, good, prompt, provider, soon};

/// A date two seconds before that of the next row, as every answer carries it.
const NOW: &str = "Tue, 10 Nov 2026 08:00:00 GMT";
const LATER: &str = "Tue, 10 Nov 2026 08:00:02 GMT";
const EARLIER: &str = "Tue, 10 Nov 2026 07:00:00 GMT";

/// The plan, its answers, the slug of the failure if it ends in one, the requests, and the least wait in ms
/// between the first two of them.
type Row = (&'static str, Vec<Canned>, Option<&'static str>, usize, u128);

fn rows() -> Vec<Row> {
    let limited = |name: &'static str, value: &'static str| error(429, "429").with(name, value);
    let then_good = |first: Canned| vec![first, good("{}")];
    vec![
        ("429-seconds", then_good(limited("retry-after", "1")), None, 2, 1_000),
        ("429-fraction", then_good(limited("retry-after", "0.6")), None, 2, 600),
        ("429-ms", then_good(limited("retry-after-ms", "700")), None, 2, 700),
        ("429-date", then_good(limited("retry-after", LATER).with("date", NOW)), None, 2, 2_000),
        ("429-past", then_good(limited("retry-after", EARLIER).with("date", NOW)), None, 2, 375),
        ("429-soon", then_good(limited("retry-after", "soon")), None, 2, 375),
        ("429-zero", then_good(limited("retry-after", "0")), None, 2, 375),
        ("429-negative", then_good(limited("retry-after", "-1")), None, 2, 375),
        ("429-silent", then_good(error(429, "RateLimitReached")), None, 2, 375),
        ("429-year", vec![limited("retry-after", "99999999")], Some("rate-limited"), 1, 0),
        ("429-always", vec![error(429, 429)], Some("rate-limited"), 3, 375),
        ("408", then_good(canned(408, "")), None, 2, 375),
        ("409", then_good(error(409, "conflict")), None, 2, 375),
        ("500", then_good(error(500, 500)), None, 2, 375),
        ("503-loading", then_good(error(503, 503).with("retry-after", "1")), None, 2, 1_000),
        ("502-html", vec![canned(502, "<html>")], Some("unavailable"), 3, 375),
        ("500-twice", vec![canned(500, ""), canned(503, ""), good("{}")], None, 3, 375),
        ("500-then-401", vec![canned(500, ""), error(401, "401")], Some("config"), 2, 375),
        ("400", vec![error(400, "x"), good("{}")], Some("config"), 1, 0),
    ]
}

#[tokio::test]
async fn only_passing_troubles_are_tried_again_and_at_most_twice() {
    let stub = Stub::start().await;
    let check = async |(name, answers, slug, requests, least_ms): Row| {
        stub.plan(name, answers);
        let outcome = provider(&stub.config(name)).complete(&prompt(), soon()).await;
        let asked = stub.asked(name);
        assert_eq!(asked.len(), requests, "{name}");
        assert_eq!(outcome.as_ref().err().map(Failure::slug), slug, "{name}: {outcome:?}");
        if let Ok(reply) = outcome {
            assert_eq!(usize::try_from(reply.attempts).unwrap(), requests, "{name}");
        }
        if let [first, second, ..] = &asked[..] {
            let waited = (second.at - first.at).as_millis();
            assert!(waited >= least_ms, "{name}: waited {waited} ms");
        }
    };
    join_all(rows().into_iter().map(check)).await;
}

#[tokio::test]
async fn the_wished_wait_is_told_when_it_is_too_long() {
    let stub = Stub::start().await;
    stub.plan("year", vec![error(429, "429").with("retry-after", "99999999")]);
    let begun = Instant::now();
    let failure = provider(&stub.config("year")).complete(&prompt(), soon()).await.unwrap_err();
    assert_eq!(failure, Failure::RateLimited { retry_after: Some(Duration::from_secs(86_400)) });
    assert!(failure.retryable());
    assert!(begun.elapsed() < Duration::from_secs(20), "it waited");
}

#[tokio::test]
async fn an_unreachable_endpoint_is_tried_three_times() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let config = Config { openai_base_url: Some(base), model: "local".to_owned(), ..Config::default() };
    let begun = Instant::now();
    let failure = provider(&config).complete(&prompt(), soon()).await.unwrap_err();
    assert_eq!(failure, Failure::Unavailable { status: None });
    assert_eq!((failure.billing(), failure.retryable()), (Billing::Nothing, true));
    assert!(begun.elapsed() >= Duration::from_millis(375 + 750), "it did not try three times");
}

/// The request may have been processed, so a second one could overlap with it and be billed as well.
#[tokio::test]
async fn a_connection_that_breaks_after_the_request_is_not_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    let config = Config { openai_base_url: Some(base), model: "local".to_owned(), ..Config::default() };
    let accepted = async {
        let mut count = 0;
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            count += 1;
            stream.read_exact(&mut [0; 16]).await.unwrap();
            assert_eq!(count, 1, "it was tried again");
        }
    };
    let model = provider(&config);
    let request = prompt();
    let failure = tokio::select! {
        outcome = model.complete(&request, soon()) => outcome.unwrap_err(),
        () = accepted => unreachable!(),
    };
    assert_eq!(failure, Failure::Lost);
    assert_eq!(
        (failure.slug(), failure.billing(), failure.retryable()),
        ("unavailable", Billing::Unknown, true)
    );
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_not_tried_again() {
    let stub = Stub::start().await;
    let broken = Canned { status: 200, headers: vec![], body: Content::Broken("{\"choices\":[".to_owned()) };
    stub.plan("broken", vec![broken]);
    let failure = provider(&stub.config("broken")).complete(&prompt(), soon()).await.unwrap_err();
    assert_eq!((failure, stub.asked("broken").len()), (Failure::Lost, 1));
}
