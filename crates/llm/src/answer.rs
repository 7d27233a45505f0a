//! From the text of a reply to the one JSON object in it.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::failure::BadOutput;

/// What some models write around their reasoning.
const THINK: (&str, &str) = ("<think>", "</think>");

/// What Markdown writes around code.
const FENCE: &str = "```";

/// The only JSON object in `text`.
///
/// Servers that do not enforce the schema get three liberties: reasoning in `<think>` before the answer, a sentence
/// before the object, and a Markdown fence around it. Nothing may follow the object.
///
/// # Errors
/// [`BadOutput::NoText`], [`BadOutput::NoObject`] or [`BadOutput::Trailing`].
pub fn object(text: &str) -> Result<Map<String, Value>, BadOutput> {
    let text = without_reasoning(text.trim_start_matches('\u{feff}').trim())?;
    if text.is_empty() {
        return Err(BadOutput::NoText);
    }
    let start = text.find('{').ok_or(BadOutput::NoObject)?;
    let (preface, rest) = text.split_at_checked(start).ok_or(BadOutput::NoObject)?;
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
    let Some(Ok(Value::Object(object))) = values.next() else { return Err(BadOutput::NoObject) };
    let after = rest.get(values.byte_offset()..).unwrap_or_default().trim();
    let is_closed = after.is_empty() || (after == FENCE && preface.contains(FENCE));
    if is_closed { Ok(object) } else { Err(BadOutput::Trailing) }
}

/// The only JSON object in `text`, as the type that was asked for.
///
/// # Errors
/// As [`object`], and [`BadOutput::Shape`] when fields are missing or wrong.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, BadOutput> {
    serde_json::from_value(Value::Object(object(text)?)).map_err(|_| BadOutput::Shape)
}

/// The text after the reasoning, if it begins with some.
fn without_reasoning(text: &str) -> Result<&str, BadOutput> {
    let Some(thoughts) = text.strip_prefix(THINK.0) else { return Ok(text) };
    let (_, answer) = thoughts.split_once(THINK.1).ok_or(BadOutput::NoObject)?;
    Ok(answer.trim())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::{object, parse};
    use crate::failure::BadOutput;

    #[test]
    fn exactly_one_object_is_accepted() {
        for text in [
            r#"{"a":1}"#,
            " \n {\"a\":1}\n ",
            "\u{feff}{\"a\":1}",
            "```json\n{\"a\":1}\n```",
            "```\n{\"a\":1}```\n",
            "Here is the analysis:\n```json\n{\"a\":1}\n```",
            "Here it is: {\"a\":1}",
            "<think>maybe {\"a\":2}</think>{\"a\":1}",
            "<think>\nhm\n</think>\n```json\n{\"a\":1}\n```",
        ] {
            assert_eq!(object(text).map(serde_json::Value::Object), Ok(json!({"a": 1})), "{text}");
        }
        assert_eq!(object("{\"a\":\"``` }{\"}").unwrap().get("a"), Some(&json!("``` }{")));
    }

    #[test]
    fn anything_else_says_what_is_wrong() {
        let deep = "{\"a\":".repeat(10_000);
        for (text, reason) in [
            ("", BadOutput::NoText),
            (" \n\t", BadOutput::NoText),
            ("<think>hm</think> ", BadOutput::NoText),
            ("null", BadOutput::NoObject),
            ("[1,2]", BadOutput::NoObject),
            ("I cannot tell.", BadOutput::NoObject),
            ("{\n  \"cla", BadOutput::NoObject),
            ("{a:1}", BadOutput::NoObject),
            ("{\"a\":NaN}", BadOutput::NoObject),
            ("{\"a\":1e999}", BadOutput::NoObject),
            ("use {x}: {\"a\":1}", BadOutput::NoObject),
            ("<think>{\"a\":1}", BadOutput::NoObject),
            (deep.as_str(), BadOutput::NoObject),
            ("{\"a\":1}{\"a\":1}", BadOutput::Trailing),
            ("{\"a\":1}\n{\"a\":1}", BadOutput::Trailing),
            ("[{\"a\":1}]", BadOutput::Trailing),
            ("{\"a\":1} I hope this helps.", BadOutput::Trailing),
            ("{\"a\":1}```", BadOutput::Trailing),
            ("```json\n{\"a\":1}\n```\nI hope this helps.", BadOutput::Trailing),
            ("```json\n{\"a\":1}\n```\n```json\n{\"a\":1}\n```", BadOutput::Trailing),
        ] {
            assert_eq!(object(text), Err(reason), "{}", text.get(..60.min(text.len())).unwrap());
        }
    }

    #[test]
    fn a_typed_answer_needs_its_fields() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Causes {
            causes: Vec<String>,
        }
        assert_eq!(parse("{\"causes\":[]}"), Ok(Causes { causes: vec![] }));
        assert_eq!(parse("{\"causes\":[\"x\"],\"more\":1}"), Ok(Causes { causes: vec!["x".to_owned()] }));
        for text in ["{}", "{\"causes\":null}", "{\"causes\":{}}", "{\"causes\":[1]}"] {
            assert_eq!(parse::<Causes>(text), Err(BadOutput::Shape), "{text}");
        }
    }
}
