//! What a model answered.

use crate::usage::{Counted, Usage};

/// An answer that ended by itself and has text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// What the model wrote. It is data from outside: never markup, never a command.
    pub text: String,
    /// How the answer ended.
    pub finish: Finish,
    /// The tokens it used; none when the endpoint did not say or cannot be believed, which is not the same as 0.
    pub usage: Option<Usage>,
    /// The model the endpoint says it served, or the configured one when it says nothing.
    pub model: String,
    /// How many requests were sent, this answer's own included.
    pub attempts: u32,
    /// The endpoint's name for the request, for a support case.
    pub request_id: Option<String>,
    /// What is odd about the answer.
    pub flags: Flags,
}

/// How an answer ended; the ways that make it useless are failures instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finish {
    /// The model finished.
    Stop,
    /// The endpoint did not say.
    Unstated,
    /// A word this crate does not know.
    Other(String),
}

/// What is odd about an answer, each of which the reader of a bill wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags {
    /// The endpoint did not say how many tokens were used.
    pub usage_missing: bool,
    /// The endpoint gave token counts that cannot be true.
    pub usage_invalid: bool,
    /// The endpoint served another model than the configured one, so the configured price may be wrong.
    pub other_model: bool,
}

impl Reply {
    /// A plain answer, as a test or a script writes it.
    pub fn of(text: impl Into<String>, usage: Option<Usage>) -> Self {
        Self {
            text: text.into(),
            finish: Finish::Stop,
            usage,
            model: "scripted".to_owned(),
            attempts: 1,
            request_id: None,
            flags: Flags { usage_missing: usage.is_none(), ..Flags::default() },
        }
    }
}

impl Flags {
    /// The flags that follow from what was said about usage and model.
    pub(crate) fn of(counted: Counted, configured: &str, served: Option<&str>) -> Self {
        Self {
            usage_missing: counted == Counted::Missing,
            usage_invalid: counted == Counted::Invalid,
            other_model: served.is_some_and(|served| !is_same_model(configured, served)),
        }
    }
}

/// Whether the served name is the configured one or a dated snapshot of it (`gpt-4o-mini-2024-07-18`).
fn is_same_model(configured: &str, served: &str) -> bool {
    let is_date = |suffix: &str| {
        suffix.starts_with('-') && suffix.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit())
    };
    served.strip_prefix(configured).is_some_and(|suffix| suffix.is_empty() || is_date(suffix))
}

#[cfg(test)]
mod tests {
    use super::is_same_model;

    #[test]
    fn a_snapshot_is_the_same_model_and_a_sibling_is_not() {
        for (configured, served, same) in [
            ("gpt-4o-mini", "gpt-4o-mini", true),
            ("gpt-4o-mini", "gpt-4o-mini-2024-07-18", true),
            ("gpt-4o", "gpt-4o-mini", false),
            ("gpt-5", "gpt-5.4-nano", false),
            ("gpt-4o-mini", "qwen2.5-coder-0.5b", false),
        ] {
            assert_eq!(is_same_model(configured, served), same, "{configured} / {served}");
        }
    }
}
