//! How many tokens a call used, as the endpoint counted them.

use serde_json::Value;

/// Counts above this are not believed: no model reads or writes as much in one call.
const MOST_TOKENS: u64 = 100_000_000;

/// The tokens of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Tokens of the prompt, cached ones included.
    pub prompt_tokens: u64,
    /// Tokens of the prompt that were billed at the cached price.
    pub cached_tokens: u64,
    /// Tokens of the answer, hidden reasoning included.
    pub completion_tokens: u64,
    /// Tokens of the answer that were hidden reasoning.
    pub reasoning_tokens: u64,
}

/// What an answer said about its usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    /// Numbers that can be true.
    Known(Usage),
    /// Nothing was said.
    Missing,
    /// Something was said that cannot be true: negative, huge, not a number, or a part above its whole.
    Invalid,
}

impl Counted {
    /// The usage, when it is known.
    pub(crate) fn usage(self) -> Option<Usage> {
        match self {
            Self::Known(usage) => Some(usage),
            Self::Missing | Self::Invalid => None,
        }
    }

    /// Reads the `usage` member of an answer. A prompt is never empty, so a count of 0 is not believed.
    pub(crate) fn read(usage: Option<&Value>) -> Self {
        let Some(usage) = usage.filter(|value| !value.is_null()) else { return Self::Missing };
        let part = |of: &str, name: &str| count(usage.get(of).and_then(|details| details.get(name)));
        let whole =
            |name: &str| usage.get(name).filter(|value| !value.is_null()).and_then(|v| count(Some(v)));
        let read = || {
            Some(Usage {
                prompt_tokens: whole("prompt_tokens")?,
                cached_tokens: part("prompt_tokens_details", "cached_tokens")?,
                completion_tokens: whole("completion_tokens")?,
                reasoning_tokens: part("completion_tokens_details", "reasoning_tokens")?,
            })
        };
        match read() {
            Some(usage) if usage.prompt_tokens > 0 && usage.parts_fit() => Self::Known(usage),
            Some(_) | None => Self::Invalid,
        }
    }
}

impl Usage {
    /// Whether each part is within its whole.
    fn parts_fit(&self) -> bool {
        self.cached_tokens <= self.prompt_tokens && self.reasoning_tokens <= self.completion_tokens
    }
}

/// A believable count; what is absent counts as 0, and none means that it cannot be believed.
fn count(value: Option<&Value>) -> Option<u64> {
    match value {
        None | Some(Value::Null) => Some(0),
        Some(value) => value.as_u64().filter(|count| *count <= MOST_TOKENS),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Counted, Usage};

    #[test]
    fn usage_is_read_or_disbelieved() {
        let known = |prompt_tokens, cached_tokens, completion_tokens, reasoning_tokens| {
            Counted::Known(Usage { prompt_tokens, cached_tokens, completion_tokens, reasoning_tokens })
        };
        let details = |cached: Value, reasoning: Value| {
            json!({"prompt_tokens": 9, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": cached},
                "completion_tokens_details": {"reasoning_tokens": reasoning}})
        };
        for (given, expected) in [
            (json!({"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}), known(9, 0, 5, 0)),
            (details(json!(4), json!(3)), known(9, 4, 5, 3)),
            (details(Value::Null, Value::Null), known(9, 0, 5, 0)),
            (details(json!(10), json!(3)), Counted::Invalid),
            (details(json!(4), json!(6)), Counted::Invalid),
            (details(json!("4"), json!(3)), Counted::Invalid),
            (
                json!({"prompt_tokens": 9, "completion_tokens": 5, "prompt_tokens_details": null}),
                known(9, 0, 5, 0),
            ),
            (json!({"prompt_tokens": 0, "completion_tokens": 5}), Counted::Invalid),
            (json!({"prompt_tokens": -9, "completion_tokens": 5}), Counted::Invalid),
            (json!({"prompt_tokens": "9", "completion_tokens": 5}), Counted::Invalid),
            (json!({"prompt_tokens": 9.5, "completion_tokens": 5}), Counted::Invalid),
            (json!({"prompt_tokens": 9, "completion_tokens": 1_u64 << 40}), Counted::Invalid),
            (
                json!({"prompt_tokens": 9, "completion_tokens": 9_223_372_036_854_775_808_u64}),
                Counted::Invalid,
            ),
            (json!({"prompt_tokens": 9}), Counted::Invalid),
            (json!({}), Counted::Invalid),
            (json!([]), Counted::Invalid),
            (json!("none"), Counted::Invalid),
            (Value::Null, Counted::Missing),
        ] {
            assert_eq!(Counted::read(Some(&given)), expected, "{given}");
        }
        assert_eq!(Counted::read(None), Counted::Missing);
    }
}
