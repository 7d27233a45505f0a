//! Request bodies made from the OpenAPI document, so that a field that is added is filled or makes a test fail.

use serde_json::{Map, Value, json};

/// The product's own document.
pub fn document() -> Value {
    serde_json::to_value(copilot::gateway::document()).unwrap()
}

/// A body for a route, or `None` if it takes none.
///
/// `fill` is asked for every text, uuid and date by its dotted path in the body, such as `settings.source`, and
/// told the longest text allowed; a path that ends in `*` is the name or value of a free-form map.
pub fn body(
    document: &Value,
    method: &str,
    path: &str,
    fill: &mut dyn FnMut(&str, usize) -> Value,
) -> Option<Value> {
    let operation = &document["paths"][path][method.to_lowercase()];
    let schema = operation.pointer("/requestBody/content/application~1json/schema")?;
    Some(Maker { document, fill }.value(schema, ""))
}

struct Maker<'a> {
    document: &'a Value,
    fill: &'a mut dyn FnMut(&str, usize) -> Value,
}

impl Maker<'_> {
    fn value(&mut self, schema: &Value, path: &str) -> Value {
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.rsplit('/').next().unwrap();
            let named = self.document["components"]["schemas"][name].clone();
            return self.value(&named, path);
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            let chosen = choices.iter().find(|choice| choice["type"] != "null").unwrap().clone();
            return self.value(&chosen, path);
        }
        if let Some(words) = schema["enum"].as_array() {
            return words[0].clone();
        }
        match kind(schema) {
            "object" => self.object(schema, path),
            // A tuple: every place has a schema of its own.
            "array" if schema["prefixItems"].is_array() => {
                let places = schema["prefixItems"].as_array().unwrap();
                places.iter().map(|place| self.value(place, &format!("{path}.*"))).collect()
            }
            "array" => json!([self.value(&schema["items"], &format!("{path}.*"))]),
            "integer" => schema["minimum"].as_i64().map_or(json!(60), |least| json!(least.max(60))),
            "number" => json!(0.5),
            // Most senders never sign, and what one sends must get in.
            "boolean" => json!(!path.ends_with(".require_signature")),
            "string" => {
                let longest = schema["maxLength"].as_u64().unwrap_or(200);
                (self.fill)(path, usize::try_from(longest).unwrap())
            }
            other => panic!("{path}: no value for a schema of type {other}: {schema}"),
        }
    }

    fn object(&mut self, schema: &Value, path: &str) -> Value {
        let mut made = Map::new();
        let inner = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            made.insert(name.clone(), self.value(property, &inner(name)));
        }
        if schema["additionalProperties"].is_object() {
            let name = (self.fill)(&inner("*"), 100).as_str().unwrap().to_owned();
            made.insert(name, self.value(&schema["additionalProperties"], &inner("*")));
        }
        if made.is_empty() { (self.fill)(path, 0) } else { Value::Object(made) }
    }
}

/// The one type of a schema that is not null.
fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::String(kind) => kind,
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap(),
        other => panic!("no type: {other} in {schema}"),
    }
}
