//! What a request can end in, and how it is said: RFC 9457 problem details.

mod outage;

pub use outage::{defects, seldom};

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// The result of a handler.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One field that was not accepted, and why.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// The field's path in the body, such as `settings.group_by`.
    pub field: String,
    /// What is wrong with it, for a person.
    pub message: String,
}

/// The outcomes of a request that are not its success.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody is signed in.
    #[error("sign in first")]
    Unauthenticated,
    /// A credential was sent and is not valid; the slug says more where that helps an honest client.
    #[error("{1}")]
    Credentials(&'static str, &'static str),
    /// Signed in, but not allowed.
    #[error("{0}")]
    Forbidden(String),
    /// A cookie was sent by a page that is not ours.
    #[error("this request did not come from the dashboard")]
    Csrf,
    /// The request's Origin is not ours.
    #[error("this origin is not allowed")]
    Origin,
    /// Absent, or somebody else's.
    #[error("there is no such thing here")]
    NotFound,
    /// The method is not offered on this path.
    #[error("this method is not offered here")]
    MethodNotAllowed,
    /// It contradicts what is stored.
    #[error("{0}")]
    Conflict(String),
    /// A state that can't be reached from the current one.
    #[error("{}", illegal_move(from, to))]
    IllegalMove {
        /// The current state.
        from: String,
        /// The one asked for.
        to: String,
        /// The states that can be reached.
        legal: Vec<String>,
    },
    /// A move of an incident that was merged, from which no state can be reached.
    #[error("it was merged into another incident; work on that one")]
    Merged,
    /// The work is under way; ask again after so many seconds.
    #[error("it is still under way")]
    Busy(u64),
    /// `If-Match` named another version.
    #[error("it has changed since you read it")]
    PreconditionFailed,
    /// The body is too large.
    #[error("{0}")]
    TooLarge(String),
    /// The body is not JSON by its content type, or its encoding is unknown.
    #[error("{1}")]
    Unsupported(&'static str, &'static str),
    /// The request can't be read.
    #[error("{1}")]
    Malformed(&'static str, String),
    /// The request can be read, but some of it can't be accepted.
    #[error("some fields were not accepted")]
    Invalid(Vec<FieldError>),
    /// As [`Error::Invalid`] with a slug of its own.
    #[error("{1}")]
    Refused(&'static str, String),
    /// A password, in this field, that is guessed first.
    #[error("this password is made of words that are guessed first; add some of your own")]
    WeakPassword(&'static str),
    /// The URI is longer than so many bytes.
    #[error("an address here has at most {0} bytes")]
    UriTooLong(usize),
    /// The headers are larger than so many KiB together, or more than so many.
    #[error("the headers of a request have at most {0} KiB, and are at most {1}")]
    HeadersTooLarge(usize, usize),
    /// The headers were not there within so many seconds.
    #[error("the request did not arrive within {0} seconds")]
    TooSlow(u64),
    /// Too many requests; try again after so many seconds.
    #[error("too many requests")]
    RateLimited(&'static str, u64),
    /// Ours, and it passes.
    #[error("{1}")]
    Unavailable(&'static str, &'static str),
    /// Ours, and a defect.
    #[error("something went wrong on our side")]
    Internal(#[source] anyhow::Error),
}

impl Error {
    /// A single field that was not accepted.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { field: field.into(), message: message.into() }])
    }

    /// A parser's refusal with the path of the field that it names, or `otherwise` where it names none.
    pub fn of_field(text: &str, otherwise: &str) -> Self {
        let text = plain(text);
        let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
        let is_path =
            |path: &str| !path.is_empty() && !path.contains(|c: char| c.is_whitespace() || c == '`');
        let (path, message) = text.split_once(": ").filter(|(path, _)| is_path(path)).unwrap_or(("", text));
        let named = ["missing field `", "duplicate field `", "unknown field `"]
            .iter()
            .find_map(|start| message.strip_prefix(start)?.split_once('`').map(|(name, _)| name));
        let field = match (path, named) {
            ("", Some(name)) => name.to_owned(),
            // The parser's path ends at the field that it has just read.
            (path, Some(name)) if path.rsplit('.').next() != Some(name) => format!("{path}.{name}"),
            ("", None) => otherwise.to_owned(),
            (path, _) => path.to_owned(),
        };
        Self::field(field, in_words(message))
    }

    /// What happened, for the log: of a defect of ours all that led to it, which its answer does not say.
    pub fn cause(&self) -> String {
        if let Self::Internal(cause) = self { format!("{cause:#}") } else { self.to_string() }
    }

    /// The field that a refusal with a slug of its own is about.
    fn refused_field(slug: &str) -> Option<&'static str> {
        Some(match slug {
            "url-not-allowed" => "url",
            "invalid-cursor" => "cursor",
            "query-too-complex" => "q",
            "idempotency-conflict" => "Idempotency-Key",
            _ => return None,
        })
    }

    /// The fields that were not accepted.
    fn errors(&self) -> Vec<FieldError> {
        match self {
            Self::Invalid(errors) => errors.clone(),
            Self::Refused(slug, why) => {
                let field = Self::refused_field(slug).map(str::to_owned);
                field.into_iter().map(|field| FieldError { field, message: why.clone() }).collect()
            }
            Self::WeakPassword(field) => {
                vec![FieldError { field: (*field).to_owned(), message: self.to_string() }]
            }
            _ => Vec::new(),
        }
    }

    /// The status and the last part of the problem's type.
    pub fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Unauthenticated => (StatusCode::UNAUTHORIZED, "unauthenticated"),
            Self::Credentials(slug, _) => (StatusCode::UNAUTHORIZED, slug),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden"),
            Self::Csrf => (StatusCode::FORBIDDEN, "csrf-failed"),
            Self::Origin => (StatusCode::FORBIDDEN, "origin-not-allowed"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed"),
            Self::Conflict(_) | Self::IllegalMove { .. } | Self::Merged | Self::Busy(_) => {
                (StatusCode::CONFLICT, "conflict")
            }
            Self::PreconditionFailed => (StatusCode::PRECONDITION_FAILED, "precondition-failed"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "payload-too-large"),
            Self::Unsupported(slug, _) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, slug),
            Self::Malformed(slug, _) => (StatusCode::BAD_REQUEST, slug),
            Self::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "validation-failed"),
            Self::Refused(slug, _) => (StatusCode::UNPROCESSABLE_ENTITY, slug),
            Self::WeakPassword(_) => (StatusCode::UNPROCESSABLE_ENTITY, "weak-password"),
            Self::UriTooLong(_) => (StatusCode::URI_TOO_LONG, "uri-too-long"),
            Self::HeadersTooLarge(..) => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers-too-large"),
            Self::TooSlow(_) => (StatusCode::REQUEST_TIMEOUT, "request-timeout"),
            Self::RateLimited(slug, _) => (StatusCode::TOO_MANY_REQUESTS, slug),
            Self::Unavailable(slug, _) => (StatusCode::SERVICE_UNAVAILABLE, slug),
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }

    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Busy(seconds) | Self::RateLimited(_, seconds) => Some(*seconds),
            Self::Unavailable(..) => Some(1),
            _ => None,
        }
    }

    /// The body of the answer.
    pub fn problem(&self) -> Problem {
        let (status, slug) = self.status();
        Problem {
            kind: format!("/problems/{slug}"),
            title: title(slug),
            status: status.as_u16(),
            detail: self.to_string(),
            request_id: crate::http::request_id(),
            errors: self.errors(),
            legal: match self {
                Self::IllegalMove { legal, .. } => Some(legal.clone()),
                Self::Merged => Some(Vec::new()),
                _ => None,
            },
        }
    }
}

fn illegal_move(from: &str, to: &str) -> String {
    if from == to {
        format!("it is {to} already")
    } else {
        format!("an incident that is {from} can't become {to}")
    }
}

/// The title of a problem: its slug in words.
fn title(slug: &str) -> String {
    let words = slug.replace('-', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Problem details (RFC 9457).
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// Names the kind of problem: `/problems/` and a slug.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// Finds this request in the logs.
    pub request_id: String,
    /// The fields that were not accepted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// The states an incident can move to, when the one asked for is not among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legal: Option<Vec<String>>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let kind = HeaderValue::from_static("application/problem+json");
        (status, [(header::CONTENT_TYPE, kind)], body).into_response()
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if let Self::Internal(_) = &self {
            tracing::error!(request_id = crate::http::request_id(), error = self.cause(), "request failed");
            outage::count_defect();
        }
        let retry_after = self.retry_after();
        let mut response = self.problem().into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if response.status() == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl Error {
    /// What it means that a row that was there is not: it was deleted meanwhile.
    pub fn gone(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::RowNotFound => Self::NotFound,
            other => other.into(),
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        outbox::unsynced::check_database(&error);
        match &error {
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Io(_)
            // A connection that ended in the middle of a message, and one that was refused for a careless setting.
            | sqlx::Error::Protocol(_)
            | sqlx::Error::Configuration(_)
            | sqlx::Error::WorkerCrashed => {
                outage::log(&error);
                Self::Unavailable("unavailable", "the database does not answer; try again")
            }
            // Fields have rules of their own; this is for a filter or a path that has none.
            sqlx::Error::Database(refused) if outbox::unstorable(refused.as_ref()) => {
                Self::field("", "must not contain a NUL character")
            }
            sqlx::Error::Database(refused) if outbox::passes(refused.as_ref()) => {
                outage::log_refusal(&error);
                Self::Unavailable("unavailable", "the database could not do it now; try again")
            }
            _ => Self::Internal(error.into()),
        }
    }
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<sqlx::Error>() {
            Ok(error) => error.into(),
            Err(error) => Self::Internal(error),
        }
    }
}

impl From<JsonRejection> for Error {
    fn from(rejection: JsonRejection) -> Self {
        match rejection {
            JsonRejection::MissingJsonContentType(_) => {
                Self::Unsupported("unsupported-media-type", "send application/json")
            }
            JsonRejection::JsonDataError(error) => Self::of_field(&error.body_text(), ""),
            JsonRejection::JsonSyntaxError(error) => {
                Self::Malformed("malformed-json", plain(&error.body_text()))
            }
            other if other.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Self::TooLarge("the body is too large".to_owned())
            }
            other => Self::Malformed("malformed-request", plain(&other.body_text())),
        }
    }
}

/// A parser's message without the names of our types.
fn in_words(message: &str) -> String {
    let types = [
        ("expected i64", "expected a whole number"),
        ("expected u64", "expected a whole number of at least 0"),
        ("expected u32", "expected a whole number of at least 0"),
        ("expected u16", "expected a whole number of at least 0"),
        ("expected f64", "expected a number"),
        ("expected a tuple of size 2", "expected two values"),
    ];
    types.into_iter().fold(message.to_owned(), |text, (ours, words)| text.replace(ours, words))
}

/// The part of a parser's message that speaks of the input, not of our types.
fn plain(message: &str) -> String {
    message.split_once(": ").map_or(message, |(_, rest)| rest).to_owned()
}

impl From<PathRejection> for Error {
    fn from(_: PathRejection) -> Self {
        Self::NotFound
    }
}

impl From<QueryRejection> for Error {
    fn from(rejection: QueryRejection) -> Self {
        Self::of_field(&rejection.body_text(), "query")
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn the_log_is_told_what_the_answer_does_not_say() {
        let error = Error::Internal(anyhow!("no such column").context("the sweep"));
        assert_eq!(error.cause(), "the sweep: no such column");
        assert_eq!(error.problem().detail, "something went wrong on our side");
        assert_eq!(Error::NotFound.cause(), Error::NotFound.to_string());
    }
}
