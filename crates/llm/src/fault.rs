//! What an endpoint means by an error status.
//!
//! Servers agree on little: `error` may be an object, a text or absent, and its `code` a text, a number or null.
//! What they write is only matched against known words here and never leaves this file.

use std::time::Duration;

use serde_json::Value;

use crate::failure::Failure;

/// More of a message than this is not searched, in bytes.
const SEARCHED_BYTES: usize = 4_096;

/// What an error body says, reduced to what can be matched.
pub(crate) struct Fault {
    status: u16,
    code: String,
    kind: String,
    param: String,
    message: String,
    is_filtered: bool,
}

/// What follows from an error.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Asking again is useless.
    Final(Failure),
    /// Asking again can help; this is the failure if it does not.
    Again(Failure),
}

impl Fault {
    /// Reads an error body, of which nothing is required.
    pub(crate) fn read(status: u16, body: &[u8]) -> Self {
        let whole: Value = serde_json::from_slice(body).unwrap_or_default();
        let error = whole.get("error").filter(|error| !error.is_null()).unwrap_or(&whole);
        let message = error.get("message").or(Some(error)).and_then(Value::as_str).unwrap_or_default();
        Self {
            status,
            code: word(error.get("code")),
            kind: word(error.get("type")),
            param: word(error.get("param")),
            message: message.get(..SEARCHED_BYTES).unwrap_or(message).to_lowercase(),
            is_filtered: is_filtered(error),
        }
    }

    /// What to do about it; `retry_after` is what the endpoint asked to wait.
    pub(crate) fn verdict(&self, retry_after: Option<Duration>) -> Verdict {
        let unavailable = Failure::Unavailable { status: Some(self.status) };
        match self.status {
            400..=499 if self.is_filtered => Verdict::Final(Failure::ContentFilter { usage: None }),
            402 => Verdict::Final(Failure::Quota),
            400..=499 if self.is_out_of_quota() => Verdict::Final(Failure::Quota),
            408 | 409 | 500..=599 => Verdict::Again(unavailable),
            413 => Verdict::Final(Failure::TooLarge { status: Some(self.status) }),
            400 | 422 if self.is_too_large() => {
                Verdict::Final(Failure::TooLarge { status: Some(self.status) })
            }
            429 => Verdict::Again(Failure::RateLimited { retry_after }),
            status => Verdict::Final(Failure::Config { status }),
        }
    }

    /// Whether the endpoint rejects this parameter of the request, or its value.
    pub(crate) fn rejects_parameter(&self, name: &str) -> bool {
        let by_code = matches!(
            self.code.as_str(),
            "unsupported_parameter" | "unsupported_value" | "unknown_parameter" | "unrecognized_parameter"
        );
        let by_message = ["unsupported", "not supported", "unrecognized", "not permitted"]
            .iter()
            .any(|words| self.message.contains(words));
        let names_it = if self.param.is_empty() { self.message.contains(name) } else { self.param == name };
        matches!(self.status, 400 | 422) && names_it && (by_code || by_message)
    }

    /// Whether the content filter is behind it, also when the status claims success.
    pub(crate) fn is_filtered(&self) -> bool {
        self.is_filtered
    }

    fn is_out_of_quota(&self) -> bool {
        let words = ["insufficient_quota", "billing_hard_limit_reached", "billing_not_active"];
        words.iter().any(|word| self.code == *word || self.kind == *word)
    }

    fn is_too_large(&self) -> bool {
        let words = ["context_length_exceeded", "exceed_context_size_error", "string_above_max_length"];
        words.iter().any(|word| self.code == *word || self.kind == *word)
            || self.message.contains("maximum context length")
    }
}

/// A code as text, whether it came as text or as a number.
fn word(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(word)) => word.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// Azure's specification spells the inner error with an underscore and a plural, its servers do not.
fn is_filtered(error: &Value) -> bool {
    let code = word(error.get("code"));
    let inner = ["innererror", "inner_error"].iter().find_map(|name| error.get(*name));
    let inner_code = word(inner.and_then(|inner| inner.get("code")));
    let results = ["content_filter_result", "content_filter_results"]
        .iter()
        .find_map(|name| inner.and_then(|inner| inner.get(*name)))
        .and_then(Value::as_object);
    let is_hit = |result: &Value| result.get("filtered") == Some(&Value::Bool(true));
    matches!(code.as_str(), "content_filter" | "content_policy_violation")
        || inner_code == "ResponsibleAIPolicyViolation"
        || results.is_some_and(|results| results.values().any(is_hit))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Fault, Verdict};
    use crate::failure::Failure;

    fn config(status: u16) -> Verdict {
        Verdict::Final(Failure::Config { status })
    }

    fn unavailable(status: u16) -> Verdict {
        Verdict::Again(Failure::Unavailable { status: Some(status) })
    }

    #[test]
    fn every_error_has_a_verdict() {
        let filtered = || Verdict::Final(Failure::ContentFilter { usage: None });
        let too_large = |status| Verdict::Final(Failure::TooLarge { status: Some(status) });
        let limited = || Verdict::Again(Failure::RateLimited { retry_after: None });
        let hit = json!({"violence": {"filtered": true, "severity": "medium"}});
        let miss = json!({"violence": {"filtered": false, "severity": "safe"}});
        for (status, error, expected) in [
            (400, json!({"code": "content_filter", "param": "prompt", "message": "..."}), filtered()),
            (400, json!({"code": null, "innererror": {"code": "ResponsibleAIPolicyViolation"}}), filtered()),
            (400, json!({"code": null, "innererror": {"content_filter_result": hit.clone()}}), filtered()),
            (400, json!({"code": null, "inner_error": {"content_filter_results": hit}}), filtered()),
            (400, json!({"code": null, "innererror": {"content_filter_result": miss}}), config(400)),
            (400, json!({"code": "context_length_exceeded"}), too_large(400)),
            (400, json!({"code": 400, "type": "exceed_context_size_error", "n_ctx": 8192}), too_large(400)),
            (
                400,
                json!({"code": 400, "message": "This model's maximum context length is 8192"}),
                too_large(400),
            ),
            (413, Value::Null, too_large(413)),
            (
                400,
                json!({"code": 400, "type": "invalid_request_error", "message": "bad schema"}),
                config(400),
            ),
            (
                401,
                json!({"code": "401", "message": "Access denied due to invalid subscription key"}),
                config(401),
            ),
            (401, json!({"code": 401, "type": "authentication_error"}), config(401)),
            (403, json!("forbidden"), config(403)),
            (404, json!({"code": "DeploymentNotFound"}), config(404)),
            (404, json!({"code": null, "type": "not_found_error"}), config(404)),
            (405, json!(["odd"]), config(405)),
            (307, Value::Null, config(307)),
            (402, Value::Null, Verdict::Final(Failure::Quota)),
            (429, json!({"code": "insufficient_quota"}), Verdict::Final(Failure::Quota)),
            (429, json!({"code": null, "type": "insufficient_quota"}), Verdict::Final(Failure::Quota)),
            (429, json!({"code": "429", "message": "Please retry after 6 seconds"}), limited()),
            (429, json!({"code": "RateLimitReached"}), limited()),
            (429, json!("slow down"), limited()),
            (408, Value::Null, unavailable(408)),
            (409, Value::Null, unavailable(409)),
            (500, json!({"code": 500, "type": "server_error"}), unavailable(500)),
            (
                503,
                json!({"code": 503, "type": "unavailable_error", "message": "Loading model"}),
                unavailable(503),
            ),
            (599, Value::Null, unavailable(599)),
        ] {
            let body = json!({"error": error}).to_string();
            assert_eq!(Fault::read(status, body.as_bytes()).verdict(None), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_body_that_is_no_error_object_is_judged_by_its_status() {
        for body in ["", "<html>", "null", "3", "[]", "{\"message\":\"x\",\"code\":400}", "{\"detail\":[]}"] {
            assert_eq!(Fault::read(400, body.as_bytes()).verdict(None), config(400), "{body}");
            assert_eq!(Fault::read(502, body.as_bytes()).verdict(None), unavailable(502), "{body}");
        }
    }

    #[test]
    fn only_the_rejected_parameter_is_recognised() {
        let said = |message: &str| json!({"message": message, "type": "invalid_request_error"});
        let use_instead = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
        for (status, error, name, expected) in [
            (400, json!({"code": "unsupported_parameter", "param": "max_tokens"}), "max_tokens", true),
            (400, json!({"code": "unsupported_parameter", "param": "max_tokens"}), "temperature", false),
            (400, json!({"code": "unsupported_value", "param": "temperature"}), "temperature", true),
            (400, json!({"code": null, "param": "max_tokens", "message": use_instead}), "max_tokens", true),
            (400, said(use_instead), "max_tokens", true),
            (
                400,
                said("Unrecognized request argument supplied: max_completion_tokens"),
                "max_completion_tokens",
                true,
            ),
            (400, said("max_tokens is too large: 99999"), "max_tokens", false),
            (400, json!({"code": "invalid_value", "param": "max_tokens"}), "max_tokens", false),
            (500, json!({"code": "unsupported_parameter", "param": "max_tokens"}), "max_tokens", false),
        ] {
            let body = json!({"error": error}).to_string();
            assert_eq!(
                Fault::read(status, body.as_bytes()).rejects_parameter(name),
                expected,
                "{body} {name}"
            );
        }
    }
}
