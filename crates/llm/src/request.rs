//! What is asked of a model.

use serde_json::{Value, json};

use crate::tokens::estimate_tokens;

/// The longest name the protocol allows for a schema, in characters.
const NAME_CHARS: usize = 64;

/// Tokens the protocol itself adds around two messages and a schema, rounded up.
const FRAME_TOKENS: u32 = 16;

/// One question: a stable system text, the text that differs, and the shape of the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The instructions. Kept first and unchanged between calls, so that the endpoint can cache them.
    pub system: String,
    /// The data and the question.
    pub user: String,
    /// The JSON schema the answer has to follow, or none for free text.
    pub schema: Option<Value>,
    /// A name for the schema; characters outside `[A-Za-z0-9_-]` are replaced.
    pub schema_name: String,
    /// The most tokens the answer may have, hidden reasoning included.
    pub max_output_tokens: u32,
    /// How freely the model samples, or none for the endpoint's own default.
    pub temperature: Option<f32>,
}

impl Request {
    /// How many tokens the prompt and its schema have, estimated on the high side.
    pub fn estimated_prompt_tokens(&self) -> u32 {
        let schema = self.schema.as_ref().map_or(0, |schema| estimate_tokens(&schema.to_string()));
        estimate_tokens(&self.system)
            .saturating_add(estimate_tokens(&self.user))
            .saturating_add(schema)
            .saturating_add(FRAME_TOKENS)
    }

    /// The messages in the order that caches best.
    pub(crate) fn messages(&self) -> Value {
        json!([{"role": "system", "content": self.system}, {"role": "user", "content": self.user}])
    }

    /// The `response_format` that makes the endpoint enforce the schema.
    pub(crate) fn response_format(&self) -> Option<Value> {
        let schema = self.schema.as_ref()?;
        let named = json!({"name": wire_name(&self.schema_name), "strict": true, "schema": schema});
        Some(json!({"type": "json_schema", "json_schema": named}))
    }
}

/// Turns any text into a name of `[A-Za-z0-9_-]{1,64}`.
fn wire_name(name: &str) -> String {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    let kept: String =
        name.chars().take(NAME_CHARS).map(|letter| if allowed(letter) { letter } else { '_' }).collect();
    if kept.is_empty() { "answer".to_owned() } else { kept }
}

#[cfg(test)]
mod tests {
    use super::wire_name;

    #[test]
    fn schema_names_are_always_acceptable() {
        let long = "a".repeat(80);
        for (given, expected) in
            [("causes_v1", "causes_v1"), ("", "answer"), ("a b/ü", "a_b__"), (long.as_str(), &long[..64])]
        {
            assert_eq!(wire_name(given), expected);
        }
    }
}
