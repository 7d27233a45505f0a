//! Which parameters the endpoint understands, learnt from what it rejects.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Map, Value, json};

use crate::{fault::Fault, request::Request};

/// The parameter that limits the answer. Never both: servers differ in which one wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputLimit {
    /// `max_completion_tokens`: OpenAI and Azure; the only one their reasoning models take.
    MaxCompletionTokens,
    /// `max_tokens`: understood by every imitating server; Ollama ignores the other one silently.
    MaxTokens,
}

/// What this endpoint was found to understand.
#[derive(Debug)]
pub(crate) struct Dialect {
    uses_max_tokens: AtomicBool,
    rejects_temperature: AtomicBool,
}

/// The choices one request was sent with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wording {
    limit: OutputLimit,
    temperature: Option<f32>,
}

impl OutputLimit {
    fn field(self) -> &'static str {
        match self {
            Self::MaxCompletionTokens => "max_completion_tokens",
            Self::MaxTokens => "max_tokens",
        }
    }
}

impl Dialect {
    pub(crate) fn new(limit: OutputLimit) -> Self {
        Self {
            uses_max_tokens: AtomicBool::new(limit == OutputLimit::MaxTokens),
            rejects_temperature: AtomicBool::new(false),
        }
    }

    /// How to put the request now.
    pub(crate) fn wording(&self, request: &Request) -> Wording {
        let uses_max_tokens = self.uses_max_tokens.load(Ordering::Relaxed);
        let rejects_temperature = self.rejects_temperature.load(Ordering::Relaxed);
        Wording {
            limit: if uses_max_tokens { OutputLimit::MaxTokens } else { OutputLimit::MaxCompletionTokens },
            temperature: request.temperature.filter(|_| !rejects_temperature),
        }
    }

    /// Learns from a rejection; whether there is now another way to put the request.
    pub(crate) fn learn(&self, sent: Wording, fault: &Fault) -> bool {
        if fault.rejects_parameter(sent.limit.field()) {
            self.uses_max_tokens.store(sent.limit == OutputLimit::MaxCompletionTokens, Ordering::Relaxed);
            true
        } else if sent.temperature.is_some() && fault.rejects_parameter("temperature") {
            self.rejects_temperature.store(true, Ordering::Relaxed);
            true
        } else {
            false
        }
    }
}

impl Wording {
    /// The body of the request.
    pub(crate) fn body(self, request: &Request, model: Option<&str>) -> Vec<u8> {
        let mut body = Map::new();
        body.insert("messages".to_owned(), request.messages());
        body.insert(self.limit.field().to_owned(), json!(request.max_output_tokens));
        if let Some(model) = model {
            body.insert("model".to_owned(), json!(model));
        }
        if let Some(temperature) = self.temperature.filter(|value| value.is_finite()) {
            // Through its decimal form, so that 0.2 is not sent as 0.20000000298.
            let exact: Option<f64> = temperature.to_string().parse().ok();
            body.insert("temperature".to_owned(), json!(exact));
        }
        if let Some(format) = request.response_format() {
            body.insert("response_format".to_owned(), format);
        }
        Value::Object(body).to_string().into_bytes()
    }
}
