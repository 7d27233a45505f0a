//! JSON schemas in the strict subset that OpenAI and Azure enforce.
//!
//! In that subset every property is required, nothing else is allowed, and there are no bounds: lengths and ranges
//! are checked by whoever reads the answer. Limits as documented for Azure.

use serde_json::{Map, Value, json};

/// Properties a schema may have altogether.
const MOST_PROPERTIES: usize = 100;
/// Objects and arrays a schema may nest.
const MOST_LEVELS: usize = 5;
/// Values that all enums of a schema may have together.
const MOST_ENUM_VALUES: usize = 500;
/// Characters that all names and enum values may have together.
const MOST_CHARS: usize = 15_000;
/// What a schema may say; everything else is refused by some endpoint.
const KEYWORDS: [&str; 7] =
    ["type", "description", "properties", "required", "additionalProperties", "items", "enum"];

/// Why an endpoint would refuse a schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The root is not an object.
    #[error("the root of the schema is not an object")]
    Root,
    /// A part of the schema is not an object itself, or lacks what its type needs.
    #[error("a part of the schema is malformed")]
    Malformed,
    /// An object leaves a property optional or allows more than it names.
    #[error("an object of the schema does not require exactly its properties")]
    Open,
    /// A keyword outside the strict subset.
    #[error("the schema uses {0}, which strict endpoints refuse")]
    Keyword(String),
    /// One of the limits is exceeded.
    #[error("the schema has too many {0}")]
    TooMany(&'static str),
}

/// An object with exactly these properties. They are sent in alphabetical order, and models write them in it.
pub fn object(properties: Vec<(&str, Value)>) -> Value {
    let names: Vec<&str> = properties.iter().map(|(name, _)| *name).collect();
    let required = json!(names);
    let properties: Map<String, Value> =
        properties.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// A text, with a sentence that says what it means.
pub fn text(meaning: &str) -> Value {
    json!({"type": "string", "description": meaning})
}

/// A number, with a sentence that says what it means and its range.
pub fn number(meaning: &str) -> Value {
    json!({"type": "number", "description": meaning})
}

/// True or false.
pub fn boolean(meaning: &str) -> Value {
    json!({"type": "boolean", "description": meaning})
}

/// One of the given words, such as the ids of the evidence in this very prompt.
pub fn one_of<Word: AsRef<str>>(words: &[Word]) -> Value {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    json!({"type": "string", "enum": words})
}

/// A list.
pub fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

/// The given schema or `null`: the strict subset's way of making something optional.
pub fn or_null(mut schema: Value) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        if let Some(kind) = schema.get_mut("type") {
            *kind = json!([kind.take(), "null"]);
        }
        if let Some(Value::Array(words)) = schema.get_mut("enum") {
            words.push(Value::Null);
        }
    }
    schema
}

/// Checks that every strict endpoint accepts the schema.
///
/// # Errors
/// The first reason for which one would not.
pub fn check(schema: &Value) -> Result<(), SchemaError> {
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return Err(SchemaError::Root);
    }
    let mut size = Size::default();
    size.add(schema, 1)?;
    for (count, most, what) in [
        (size.properties, MOST_PROPERTIES, "properties"),
        (size.enum_values, MOST_ENUM_VALUES, "enum values"),
        (size.chars, MOST_CHARS, "characters in names and enum values"),
    ] {
        if count > most {
            return Err(SchemaError::TooMany(what));
        }
    }
    Ok(())
}

/// What counts towards the limits.
#[derive(Default)]
struct Size {
    properties: usize,
    enum_values: usize,
    chars: usize,
}

impl Size {
    fn add(&mut self, schema: &Value, level: usize) -> Result<(), SchemaError> {
        let schema = schema.as_object().ok_or(SchemaError::Malformed)?;
        if let Some(keyword) = schema.keys().find(|key| !KEYWORDS.contains(&key.as_str())) {
            return Err(SchemaError::Keyword(keyword.clone()));
        }
        for value in schema.get("enum").and_then(Value::as_array).into_iter().flatten() {
            self.enum_values += 1;
            self.chars += value.as_str().map_or(0, |word| word.chars().count());
        }
        if has_type(schema, "object") {
            self.add_object(schema, level)
        } else if has_type(schema, "array") {
            self.nested(schema.get("items").ok_or(SchemaError::Malformed)?, level)
        } else if schema.contains_key("type") {
            Ok(())
        } else {
            Err(SchemaError::Malformed)
        }
    }

    fn add_object(&mut self, schema: &Map<String, Value>, level: usize) -> Result<(), SchemaError> {
        let properties = schema.get("properties").and_then(Value::as_object).ok_or(SchemaError::Malformed)?;
        let required = schema.get("required").and_then(Value::as_array).ok_or(SchemaError::Open)?;
        let all_required = properties.keys().all(|name| required.iter().any(|word| word == name));
        let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
        if !(all_required && required.len() == properties.len() && is_closed) {
            return Err(SchemaError::Open);
        }
        for (name, property) in properties {
            self.properties += 1;
            self.chars += name.chars().count();
            self.nested(property, level)?;
        }
        Ok(())
    }

    /// Descends, counting only what can contain something as a level.
    fn nested(&mut self, schema: &Value, level: usize) -> Result<(), SchemaError> {
        let contains = schema.as_object().is_some_and(|it| has_type(it, "object") || has_type(it, "array"));
        let level = level + usize::from(contains);
        if level > MOST_LEVELS { Err(SchemaError::TooMany("levels")) } else { self.add(schema, level) }
    }
}

/// Whether the schema's type is, or includes, `kind`.
fn has_type(schema: &Map<String, Value>, kind: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(word)) => word == kind,
        Some(Value::Array(words)) => words.iter().any(|word| word == kind),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{SchemaError, boolean, check, list, number, object, one_of, or_null, text};

    fn hypotheses() -> Value {
        let hypothesis = object(vec![
            ("claim", text("The cause, in one short sentence")),
            ("confidence", number("From 0 to 1")),
            ("certain", boolean("Whether nothing contradicts it")),
            ("supporting_evidence", list(one_of(&["E1", "E2"]))),
            ("verdict", or_null(one_of(&["likely", "unlikely"]))),
        ]);
        object(vec![("hypotheses", list(hypothesis))])
    }

    #[test]
    fn what_is_built_is_strict() {
        assert_eq!(check(&hypotheses()), Ok(()));
        assert_eq!(
            or_null(one_of(&["likely"])),
            json!({"type": ["string", "null"], "enum": ["likely", null]})
        );
        assert_eq!(
            object(vec![("a", text("A"))]),
            json!({"type": "object", "properties": {"a": {"type": "string", "description": "A"}},
                "required": ["a"], "additionalProperties": false})
        );
    }

    #[test]
    fn what_an_endpoint_refuses_is_named() {
        let many = |count: usize| (0..count).map(|number| format!("E{number}")).collect::<Vec<_>>();
        let wide = |count: usize| {
            let names = many(count);
            object(names.iter().map(|name| (name.as_str(), text("x"))).collect())
        };
        let deep = |levels: usize| object(vec![("a", (1..levels).fold(text("x"), |inner, _| list(inner)))]);
        let open = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]});
        let optional = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": [],
            "additionalProperties": false});
        let bounded = object(vec![("a", json!({"type": "string", "maxLength": 3}))]);
        for (schema, expected) in [
            (wide(100), Ok(())),
            (wide(101), Err(SchemaError::TooMany("properties"))),
            (deep(5), Ok(())),
            (deep(6), Err(SchemaError::TooMany("levels"))),
            (object(vec![("a", one_of(&many(500)))]), Ok(())),
            (object(vec![("a", one_of(&many(501)))]), Err(SchemaError::TooMany("enum values"))),
            (
                object(vec![("a", one_of(&["x".repeat(15_000)]))]),
                Err(SchemaError::TooMany("characters in names and enum values")),
            ),
            (open, Err(SchemaError::Open)),
            (optional, Err(SchemaError::Open)),
            (bounded, Err(SchemaError::Keyword("maxLength".to_owned()))),
            (list(text("x")), Err(SchemaError::Root)),
            (json!({}), Err(SchemaError::Root)),
            (object(vec![("a", json!({}))]), Err(SchemaError::Malformed)),
            (object(vec![("a", json!({"type": "array"}))]), Err(SchemaError::Malformed)),
        ] {
            assert_eq!(check(&schema), expected, "{schema}");
        }
    }
}
