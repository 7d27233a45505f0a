//! What becomes of calls of the model, as metrics and in the log: never a word of a prompt, an answer or a key.

use llm::{Failure, Reply};

use super::Spent;
use crate::error::seldom;

/// Counts a call that was made, and says so in the log when it failed.
pub fn called(outcome: &Result<Reply, Failure>, spent: Spent) {
    let word = outcome.as_ref().map_or_else(Failure::slug, |_| "completed");
    metrics::counter!("sre_copilot_model_calls_total", "outcome" => word).increment(1);
    let whole = |count: Option<i64>| count.and_then(|count| u64::try_from(count).ok()).unwrap_or_default();
    for (direction, tokens) in [("prompt", spent.prompt), ("completion", spent.completion)] {
        metrics::counter!("sre_copilot_model_tokens_total", "direction" => direction)
            .increment(whole(tokens));
    }
    let cost = whole(spent.cost_micros.or(spent.counted_micros));
    metrics::counter!("sre_copilot_model_cost_micro_usd_total").increment(cost);
    let Err(failure) = outcome else { return };
    let hint = match failure {
        Failure::Config { .. } => {
            metrics::counter!("sre_copilot_model_misconfigured_total").increment(1);
            "look at its address, key and model"
        }
        _ => "analyses go on without it",
    };
    if let Some(times) = seldom("a call of the model failed", word) {
        tracing::warn!(outcome = word, error = %failure, times, hint, "a call of the model failed");
    }
}

/// Counts an answer over the same evidence that was used again.
pub fn cached() {
    metrics::counter!("sre_copilot_model_calls_total", "outcome" => "cached").increment(1);
}

/// Counts a call that was not made.
pub fn not_asked(reason: &'static str) {
    metrics::counter!("sre_copilot_model_not_asked_total", "reason" => reason).increment(1);
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn calls_are_counted_and_a_failing_model_is_told_of_once_in_a_while() {
        let (recorder, log) = (PrometheusBuilder::new().build_recorder(), Log::default());
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone());
        let spent = Spent {
            prompt: Some(100),
            completion: Some(20),
            counted_micros: Some(1_500),
            ..Spent::default()
        };
        metrics::with_local_recorder(&recorder, || {
            tracing::subscriber::with_default(subscriber.finish(), || {
                called(&Ok(Reply::of("a secret of the answer".to_owned(), None)), spent);
                for _ in 0..3 {
                    called(&Err(Failure::TooLarge { status: None }), Spent::default());
                }
                called(&Err(Failure::Config { status: 401 }), Spent::default());
                cached();
                not_asked("budget");
            });
        });
        let text = recorder.handle().render();
        for line in [
            "sre_copilot_model_calls_total{outcome=\"completed\"} 1",
            "sre_copilot_model_calls_total{outcome=\"too-large\"} 3",
            "sre_copilot_model_calls_total{outcome=\"config\"} 1",
            "sre_copilot_model_calls_total{outcome=\"cached\"} 1",
            "sre_copilot_model_misconfigured_total 1",
            "sre_copilot_model_not_asked_total{reason=\"budget\"} 1",
            "sre_copilot_model_tokens_total{direction=\"prompt\"} 100",
            "sre_copilot_model_tokens_total{direction=\"completion\"} 20",
            "sre_copilot_model_cost_micro_usd_total 1500",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert_eq!(log.matches("WARN").count(), 2, "one for each kind: {log}");
        assert!(log.contains("too-large") && log.contains("HTTP 401") && !log.contains("secret"), "{log}");
    }
}
