//! Every way a call can fail, told without a word of what the endpoint wrote.

use std::time::Duration;

use crate::usage::Usage;

/// Why there is no answer. Neither `Display` nor `Debug` can show a key or the endpoint's own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The endpoint, its key, the deployment or the request is wrong; asking again changes nothing.
    #[error("the model endpoint rejected the request as configured (HTTP {status})")]
    Config {
        /// The HTTP status.
        status: u16,
    },
    /// The account has nothing left to spend.
    #[error("the account of the model endpoint has no quota left")]
    Quota,
    /// Too many requests, also after waiting as long as the deadline allowed.
    #[error("the model endpoint is limiting the rate of requests")]
    RateLimited {
        /// How long the endpoint asked to wait, at most a day.
        retry_after: Option<Duration>,
    },
    /// The endpoint's content filter blocked the prompt or cut the answer.
    #[error("the content filter of the model endpoint blocked the prompt or the answer")]
    ContentFilter {
        /// The tokens used, when known.
        usage: Option<Usage>,
    },
    /// The model declined to answer.
    #[error("the model declined to answer")]
    Refused {
        /// The tokens used, when known.
        usage: Option<Usage>,
    },
    /// The answer reached its token limit and is incomplete.
    #[error("the answer reached the token limit and is incomplete")]
    Truncated {
        /// The tokens used, when known.
        usage: Option<Usage>,
    },
    /// The endpoint answered, but not with something usable.
    #[error("the answer is not usable: {reason}")]
    BadOutput {
        /// What is wrong with it.
        reason: BadOutput,
        /// The tokens used, when known.
        usage: Option<Usage>,
    },
    /// The prompt does not fit into the model.
    #[error("the prompt is too large for the model")]
    TooLarge {
        /// The HTTP status, or none when nothing was sent.
        status: Option<u16>,
    },
    /// No complete answer before the deadline.
    #[error("the model endpoint gave no complete answer in time")]
    Timeout,
    /// The connection broke after the request was sent, so nobody knows whether it was answered.
    #[error("the connection to the model endpoint broke before the answer was complete")]
    Lost,
    /// The endpoint cannot be reached or failed, also after retries.
    #[error("the model endpoint is not available{}", in_brackets(*status))]
    Unavailable {
        /// The HTTP status, or none when there was no connection.
        status: Option<u16>,
    },
}

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadOutput {
    /// The HTTP body is not the JSON of a completion, or is an error in spite of status 200.
    #[error("the endpoint did not send a completion")]
    NotACompletion,
    /// The HTTP body is above 2 MiB.
    #[error("the answer is too long to be read")]
    TooLong,
    /// There is no choice, or there are several.
    #[error("the answer does not have exactly one choice")]
    Choices,
    /// The model asked for a tool instead of answering.
    #[error("the model asked for a tool, and none was offered")]
    ToolCalls,
    /// The answer has no text.
    #[error("the answer has no text")]
    NoText,
    /// The text has no JSON object, or a broken one.
    #[error("the text is not one JSON object")]
    NoObject,
    /// Something follows the JSON object.
    #[error("something follows the JSON object")]
    Trailing,
    /// The JSON object lacks a field or has a wrong one.
    #[error("the JSON object does not have the shape that was asked for")]
    Shape,
}

/// What is to be booked for a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Billing {
    /// Nothing was used.
    Nothing,
    /// These tokens were used.
    Known(Usage),
    /// Something may have been used and nobody says how much: keep what was reserved.
    Unknown,
}

impl Failure {
    /// A useless answer whose usage is known or not.
    pub fn bad_output(reason: BadOutput, usage: Option<Usage>) -> Self {
        Self::BadOutput { reason, usage }
    }

    /// A stable word for the failure, for storage, metrics and the interface.
    pub fn slug(&self) -> &'static str {
        match self {
            Self::Config { .. } => "config",
            Self::Quota => "quota",
            Self::RateLimited { .. } => "rate-limited",
            Self::ContentFilter { .. } => "content-filter",
            Self::Refused { .. } => "refused",
            Self::Truncated { .. } => "truncated",
            Self::BadOutput { .. } => "bad-output",
            Self::TooLarge { .. } => "too-large",
            Self::Timeout => "timeout",
            Self::Lost | Self::Unavailable { .. } => "unavailable",
        }
    }

    /// Whether the endpoint failed, and not the question or the answer: the next call would fail as well.
    pub fn is_of_endpoint(&self) -> bool {
        self.retryable() || matches!(self, Self::Config { .. } | Self::Quota)
    }

    /// Whether asking again later, unchanged, can help.
    pub fn retryable(&self) -> bool {
        matches!(self, Self::RateLimited { .. } | Self::Timeout | Self::Lost | Self::Unavailable { .. })
    }

    /// The tokens used, when the endpoint said so.
    pub fn usage(&self) -> Option<Usage> {
        match self {
            Self::ContentFilter { usage }
            | Self::Refused { usage }
            | Self::Truncated { usage }
            | Self::BadOutput { usage, .. } => *usage,
            _ => None,
        }
    }

    /// What is to be booked. Azure bills processed prompts also when it answers 400 or 408.
    pub fn billing(&self) -> Billing {
        match self {
            Self::ContentFilter { usage }
            | Self::Refused { usage }
            | Self::Truncated { usage }
            | Self::BadOutput { usage, .. } => usage.map_or(Billing::Unknown, Billing::Known),
            Self::Timeout
            | Self::Lost
            | Self::TooLarge { status: Some(_) }
            | Self::Unavailable { status: Some(408 | 504) } => Billing::Unknown,
            Self::Config { .. }
            | Self::Quota
            | Self::RateLimited { .. }
            | Self::TooLarge { status: None }
            | Self::Unavailable { .. } => Billing::Nothing,
        }
    }
}

/// ` (HTTP 503)`, or nothing.
fn in_brackets(status: Option<u16>) -> String {
    status.map(|status| format!(" (HTTP {status})")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Billing, Failure};

    #[test]
    fn what_may_have_been_processed_is_not_booked_as_free() {
        let unavailable = |status| Failure::Unavailable { status };
        for (failure, billing) in [
            (Failure::Timeout, Billing::Unknown),
            (Failure::Lost, Billing::Unknown),
            (Failure::Refused { usage: None }, Billing::Unknown),
            (Failure::TooLarge { status: Some(400) }, Billing::Unknown),
            (Failure::TooLarge { status: None }, Billing::Nothing),
            (unavailable(Some(408)), Billing::Unknown),
            (unavailable(Some(504)), Billing::Unknown),
            (unavailable(Some(503)), Billing::Nothing),
            (unavailable(None), Billing::Nothing),
            (Failure::Config { status: 401 }, Billing::Nothing),
            (Failure::RateLimited { retry_after: None }, Billing::Nothing),
        ] {
            assert_eq!(failure.billing(), billing, "{failure}");
        }
    }
}
