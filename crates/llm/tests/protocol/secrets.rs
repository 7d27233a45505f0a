//! A key is sent and nothing else happens to it, also when the endpoint echoes it.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use llm::Config;
use tracing_subscriber::fmt::MakeWriter;

use crate::stub::{KEY, Stub, canned, completion, error, good, prompt, provider, soon};

/// Everything that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn an_echoed_key_is_neither_shown_nor_logged() {
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    // For the whole process: one for this thread alone loses events that another thread was the first to reach.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let stub = Stub::start().await;
    let echo = completion(&format!("your key is {KEY}"));
    for (name, answers) in [
        ("error", vec![error(401, KEY)]),
        ("retried", vec![error(503, KEY), error(401, KEY)]),
        ("answer", vec![canned(200, echo).with("x-request-id", KEY)]),
    ] {
        stub.plan(name, answers);
        let azure = Config {
            azure_endpoint: Some(format!("{}/{name}", stub.base)),
            azure_key: Some(KEY.to_owned()),
            azure_deployment: Some("mini".to_owned()),
            model: "gpt-4o-mini".to_owned(),
            ..Config::default()
        };
        let openai = stub.config(name);
        for config in [openai, azure] {
            let outcome = provider(&config).complete(&prompt(), soon()).await;
            assert!(!format!("{outcome:?}").contains(KEY), "{name}: {outcome:?}");
            if let Ok(reply) = outcome {
                assert_eq!(reply.text, "your key is [removed]");
            }
        }
    }
    let logged = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(logged.contains("the model will be asked again"), "nothing was logged: {logged}");
    assert!(!logged.contains(KEY), "{logged}");
}

#[tokio::test]
async fn an_innocent_answer_is_not_touched() {
    let stub = Stub::start().await;
    stub.plan("short", vec![good("a none key")]);
    let config = Config { openai_api_key: Some("none".to_owned()), ..stub.config("short") };
    let reply = provider(&config).complete(&prompt(), soon()).await.unwrap();
    assert_eq!(reply.text, "a none key");
}
