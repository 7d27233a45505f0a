//! Reading the body of an answer with a success status.

use serde_json::{Map, Value};

use crate::{
    failure::{BadOutput, Failure},
    fault::Fault,
    reply::Finish,
    usage::Counted,
};

/// A name an endpoint sends is cut to this many characters.
const NAME_CHARS: usize = 128;

/// An answer that ended by itself and has text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Completion {
    pub(crate) text: String,
    pub(crate) finish: Finish,
    pub(crate) counted: Counted,
    pub(crate) model: Option<String>,
}

/// Reads an answer, or says why it is useless and what it used nevertheless.
pub(crate) fn read(status: u16, body: &[u8]) -> Result<Completion, Failure> {
    let Ok(Value::Object(whole)) = serde_json::from_slice::<Value>(body) else {
        return Err(Failure::bad_output(BadOutput::NotACompletion, None));
    };
    let counted = Counted::read(whole.get("usage"));
    let usage = counted.usage();
    let bad = |reason| Failure::bad_output(reason, usage);
    if whole.get("error").is_some_and(|error| !error.is_null()) {
        let is_filtered = Fault::read(status, body).is_filtered();
        return Err(if is_filtered {
            Failure::ContentFilter { usage }
        } else {
            bad(BadOutput::NotACompletion)
        });
    }
    let choices = whole.get("choices").and_then(Value::as_array);
    let Some([Value::Object(choice)]) = choices.map(Vec::as_slice) else {
        return Err(bad(BadOutput::Choices));
    };
    let finish = choice.get("finish_reason").and_then(Value::as_str);
    let message = choice.get("message");
    let part = |name: &str| message.and_then(|message| message.get(name));
    if finish == Some("content_filter") {
        return Err(Failure::ContentFilter { usage });
    }
    if part("refusal").and_then(Value::as_str).is_some_and(|refusal| !refusal.is_empty()) {
        return Err(Failure::Refused { usage });
    }
    if finish == Some("length") {
        return Err(Failure::Truncated { usage });
    }
    if matches!(finish, Some("tool_calls" | "function_call")) {
        return Err(bad(BadOutput::ToolCalls));
    }
    match part("content").and_then(Value::as_str) {
        Some(text) if !text.trim().is_empty() => Ok(Completion {
            text: text.to_owned(),
            finish: finish_of(finish),
            counted,
            model: model_of(&whole),
        }),
        _ => Err(bad(BadOutput::NoText)),
    }
}

/// A name without control characters and of bounded length.
pub(crate) fn name(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(NAME_CHARS).collect()
}

fn finish_of(word: Option<&str>) -> Finish {
    match word {
        Some("stop") => Finish::Stop,
        None | Some("") => Finish::Unstated,
        Some(word) => Finish::Other(name(word)),
    }
}

fn model_of(whole: &Map<String, Value>) -> Option<String> {
    whole.get("model").and_then(Value::as_str).map(name).filter(|model| !model.is_empty())
}
