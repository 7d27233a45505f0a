//! A client of Prometheus' HTTP API, bounded in queries, points and time.
//!
//! Protocol: <https://prometheus.io/docs/prometheus/latest/querying/api/>. Values are JSON strings, so that `NaN`
//! and `+Inf` can be written.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;
use tracing::field::Empty;

use crate::outbound::{Answer, Failure, Target};
use crate::traces::{self, span};

/// The most that is read of one answer, in bytes.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// How long Prometheus itself may work on one query, in seconds.
const QUERY_TIMEOUT_S: u32 = 4;

/// The labels of a series.
pub type Labels = BTreeMap<String, String>;

/// Samples of one series; values that are not finite are kept as they came.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its labels.
    pub labels: Labels,
    /// (Unix seconds, value), in order of time.
    pub points: Vec<(f64, f64)>,
}

/// What Prometheus knows of a metric.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Metadata {
    /// `counter`, `gauge`, `histogram`, `summary` or `unknown`.
    #[serde(rename = "type")]
    pub kind: String,
    /// One line of help.
    #[serde(default)]
    pub help: String,
}

/// Why a query brought nothing, in words that can be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The address may not be asked or does not answer.
    #[error("{0}")]
    Door(#[from] Failure),
    /// Prometheus refused the query; the word is its own error type.
    #[error("it refused the query ({0})")]
    Query(String),
    /// It wants other credentials.
    #[error("it refused the credentials (HTTP {0})")]
    Credentials(u16),
    /// The answer is not Prometheus' own.
    #[error("it did not answer as a Prometheus does (HTTP {0})")]
    NotPrometheus(u16),
    /// What one analysis may ask for, in queries and bytes, is used up.
    #[error("what one analysis may ask for was used up")]
    Budget,
}

impl QueryError {
    /// The kind in a word, in traces and as metrics count it.
    fn slug(&self) -> &'static str {
        match self {
            Self::Door(Failure::Refused(_)) => "not-allowed",
            Self::Door(Failure::Timeout) => "timeout",
            Self::Door(Failure::TooLarge) => "too-large",
            Self::Door(_) => "unreachable",
            Self::Query(_) => "query",
            Self::Credentials(_) => "credentials",
            Self::NotPrometheus(_) => "not-prometheus",
            Self::Budget => "budget",
        }
    }
}

/// What one analysis may take.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Queries altogether.
    pub queries: usize,
    /// How long all of them may take together, opening the address included.
    pub time: Duration,
    /// Series kept of one query.
    pub lines: usize,
    /// Bytes read of all answers together.
    pub bytes: usize,
}

/// A Prometheus and what is left of the budget.
#[derive(Debug)]
pub struct Prometheus {
    target: Target,
    left: AtomicUsize,
    bytes_left: AtomicUsize,
    budget: Budget,
    deadline: Instant,
    notes: Mutex<Vec<String>>,
}

#[derive(Deserialize)]
struct Envelope<T> {
    status: String,
    data: Option<T>,
    #[serde(rename = "errorType")]
    error_type: Option<String>,
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "resultType")]
    kind: String,
    result: Vec<Value>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    metric: Labels,
    value: Option<(f64, String)>,
    #[serde(default)]
    values: Vec<(f64, String)>,
}

impl Prometheus {
    /// A Prometheus at `target` that may be asked within `budget` until `deadline`.
    pub fn new(target: Target, budget: Budget, deadline: Instant) -> Self {
        Self {
            target,
            left: AtomicUsize::new(budget.queries),
            bytes_left: AtomicUsize::new(budget.bytes),
            budget,
            deadline,
            notes: Mutex::default(),
        }
    }

    /// The address, with `/` at its end.
    pub fn base(&self) -> &str {
        self.target.base().as_str()
    }

    /// How many queries were sent.
    pub fn queries(&self) -> usize {
        self.budget.queries - self.left.load(Ordering::Relaxed)
    }

    /// What Prometheus warned of and what was cut, each once.
    pub fn notes(&self) -> Vec<String> {
        self.notes.lock().map(|notes| notes.clone()).unwrap_or_default()
    }

    /// The values of `query` at `at` (Unix seconds).
    ///
    /// # Errors
    /// When there is no usable answer.
    pub async fn query(&self, query: &str, at: f64) -> Result<Vec<Line>, QueryError> {
        let form = [("query", query.to_owned()), ("time", format!("{at:.3}")), timeout()];
        self.lines(self.post("api/v1/query", &form).await?)
    }

    /// The values of `query` from `from` to `to` (Unix seconds), one every `step` seconds.
    ///
    /// # Errors
    /// When there is no usable answer.
    pub async fn range(&self, query: &str, from: f64, to: f64, step: f64) -> Result<Vec<Line>, QueryError> {
        let form = [
            ("query", query.to_owned()),
            ("start", format!("{from:.3}")),
            ("end", format!("{to:.3}")),
            ("step", format!("{step:.3}")),
            timeout(),
        ];
        self.lines(self.post("api/v1/query_range", &form).await?)
    }

    /// The names of all metrics that have samples between `from` and `to`.
    ///
    /// # Errors
    /// When there is no usable answer.
    pub async fn names(&self, from: f64, to: f64) -> Result<Vec<String>, QueryError> {
        let query = [("start", format!("{from:.3}")), ("end", format!("{to:.3}"))];
        self.get("api/v1/label/__name__/values", &query).await
    }

    /// What is known of the metrics that are scraped now.
    ///
    /// # Errors
    /// When there is no usable answer.
    pub async fn metadata(&self) -> Result<BTreeMap<String, Vec<Metadata>>, QueryError> {
        self.get("api/v1/metadata", &[("limit_per_metric", "1".to_owned())]).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> Result<T, QueryError> {
        let most = self.take()?;
        counted(self.traced(path, timeout_at(self.deadline, self.target.get(path, query, most))).await)
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, form: &[(&str, String)]) -> Result<T, QueryError> {
        let most = self.take()?;
        counted(self.traced(path, timeout_at(self.deadline, self.target.post_form(path, form, most))).await)
    }

    /// Reads the answer to a query, which is a span of its own.
    async fn traced<T: DeserializeOwned>(
        &self,
        path: &str,
        asked: impl Future<Output = Result<Result<Answer, Failure>, Elapsed>>,
    ) -> Result<T, QueryError> {
        let span = span!(
            "prometheus query",
            otel.kind = "client",
            otel.status_code = Empty,
            url.path = path,
            http.response.status_code = Empty,
            http.response.body.size = Empty,
            error.type = Empty
        );
        let opened = match asked.instrument(span.clone()).await.unwrap_or(Err(Failure::Timeout)) {
            Ok(answer) => {
                span.record("http.response.status_code", i64::from(answer.status));
                span.record("http.response.body.size", answer.body.len().cast_signed() as i64);
                self.open(answer)
            }
            Err(failure) => Err(failure.into()),
        };
        if let Err(error) = &opened {
            traces::failed(&span, error.slug());
        }
        opened
    }

    /// Takes one query off the budget, and says how many bytes its answer may have.
    fn take(&self) -> Result<usize, QueryError> {
        let taken = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        taken.map_err(|_| QueryError::Budget)?;
        let left = self.bytes_left.load(Ordering::Relaxed);
        if left == 0 { Err(QueryError::Budget) } else { Ok(left.min(MOST_BYTES)) }
    }

    fn open<T: DeserializeOwned>(&self, answer: Answer) -> Result<T, QueryError> {
        let read = answer.body.len();
        let less = |left: usize| Some(left.saturating_sub(read));
        let _ = self.bytes_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        if matches!(answer.status, 401 | 403) {
            return Err(QueryError::Credentials(answer.status));
        }
        let Ok(envelope) = serde_json::from_slice::<Envelope<T>>(&answer.body) else {
            return Err(QueryError::NotPrometheus(answer.status));
        };
        for warning in envelope.warnings {
            self.note(&format!("Prometheus warned: {}", crate::ai::text::short(&warning, 200)));
        }
        match (envelope.status.as_str(), envelope.data) {
            ("success", Some(data)) => Ok(data),
            _ => {
                let word: String = envelope.error_type.unwrap_or_default();
                Err(QueryError::Query(word.chars().filter(char::is_ascii_alphanumeric).take(40).collect()))
            }
        }
    }

    fn lines(&self, data: Data) -> Result<Vec<Line>, QueryError> {
        if !matches!(data.kind.as_str(), "vector" | "matrix") {
            return Ok(Vec::new());
        }
        let found = data.result.len();
        if found > self.budget.lines {
            self.note(&format!("{found} series answered one query, {} of them were read", self.budget.lines));
        }
        let read = |row: Value| {
            let row: Row = serde_json::from_value(row).map_err(|_| QueryError::NotPrometheus(200))?;
            let number = |(at, text): (f64, String)| (at, number(&text));
            let points = row.value.into_iter().chain(row.values).map(number).collect();
            Ok(Line { labels: row.metric, points })
        };
        data.result.into_iter().take(self.budget.lines).map(read).collect()
    }

    fn note(&self, text: &str) {
        if let Ok(mut notes) = self.notes.lock()
            && notes.len() < 10
            && !notes.iter().any(|note| note == text)
        {
            notes.push(text.to_owned());
        }
    }
}

/// The outcome of a query, or of looking for where to ask, counted.
pub fn counted<T>(outcome: Result<T, QueryError>) -> Result<T, QueryError> {
    let word = match &outcome {
        Ok(_) => "answered",
        // It was not sent.
        Err(QueryError::Budget) => return outcome,
        Err(error) => error.slug(),
    };
    metrics::counter!("sre_copilot_evidence_queries_total", "outcome" => word).increment(1);
    outcome
}

fn timeout() -> (&'static str, String) {
    ("timeout", format!("{QUERY_TIMEOUT_S}s"))
}

/// A sample as Prometheus writes it; what can't be read is no sample.
fn number(text: &str) -> f64 {
    match text {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        _ => text.parse().unwrap_or(f64::NAN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::TABLE;

    #[test]
    fn every_outcome_of_a_query_is_counted_by_a_word_of_the_table() {
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
        let refused = crate::outbound::Refused("it has no port");
        let outcomes = [
            Ok(()),
            Err(Failure::Refused(refused).into()),
            Err(Failure::Unreachable.into()),
            Err(Failure::Timeout.into()),
            Err(Failure::TooLarge.into()),
            Err(QueryError::Query("bad_data".to_owned())),
            Err(QueryError::Credentials(401)),
            Err(QueryError::NotPrometheus(200)),
            Err(QueryError::Budget),
        ];
        let told = metrics::with_local_recorder(&recorder, || outcomes.map(counted));
        assert_eq!(
            told.iter().filter(|outcome| outcome.is_ok()).count(),
            1,
            "what is counted stays what it is"
        );
        let text = recorder.handle().render();
        let metric = TABLE.iter().find(|metric| metric.name == "sre_copilot_evidence_queries_total").unwrap();
        for word in metric.labels[0].1 {
            let line = format!("sre_copilot_evidence_queries_total{{outcome=\"{word}\"}} 1");
            assert!(text.contains(&line), "{line}\n{text}");
        }
        assert_eq!(text.matches("{outcome=").count(), metric.labels[0].1.len());
    }
}
