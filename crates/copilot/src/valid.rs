//! Bodies that were read and checked before a handler sees them, and the rules that several of them share.

use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, OptionalFromRequest, Request};
use garde::Validate;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::error::{Error, FieldError};
use crate::visible::clean;

/// How deep a body may be nested; ours are three deep.
const DEPTH: usize = 64;

/// How long a body may take to arrive.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// What a client is told whose body took longer.
pub const TOO_SLOW: Error =
    Error::Unavailable("request-timeout", "the body took too long to arrive; send it again");

/// A JSON object that fits its type and its rules; anything else is 400, 413, 415 or 422.
#[derive(Clone, Debug)]
pub struct Valid<T>(pub T);

impl<S, T> FromRequest<S> for Valid<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Validate,
    T::Context: Default,
{
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let value: T = read(request, state).await?;
        value.validate().map_err(|report| {
            let errors = report.iter().map(|(path, error)| FieldError {
                field: path.to_string(),
                message: error.message().to_owned(),
            });
            Error::Invalid(errors.collect())
        })?;
        Ok(Self(value))
    }
}

/// Absent without a body.
impl<S, T> OptionalFromRequest<S> for Valid<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Validate,
    T::Context: Default,
{
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Error> {
        if request.body().is_end_stream() {
            return Ok(None);
        }
        <Self as FromRequest<S>>::from_request(request, state).await.map(Some)
    }
}

async fn read<S: Send + Sync, T: DeserializeOwned>(request: Request, state: &S) -> Result<T, Error> {
    let (parts, body) = request.into_parts();
    let arriving = Bytes::from_request(Request::from_parts(parts.clone(), body), state);
    let bytes = tokio::time::timeout(BODY_TIMEOUT, arriving)
        .await
        .map_err(|_| TOO_SLOW)?
        .map_err(|rejection| Error::from(JsonRejection::from(rejection)))?;
    if depth(&bytes) > DEPTH {
        let why = format!("the body is nested deeper than {DEPTH}");
        return Err(Error::Malformed("malformed-json", why));
    }
    let again = Request::from_parts(parts, Body::from(bytes.clone()));
    let read = <Json<T> as FromRequest<S>>::from_request(again, state).await;
    // What is only skipped is not looked at: bad UTF-8, half a surrogate pair, a number beyond all range.
    let is_json = || serde_json::from_slice::<serde_json::Value>(&bytes).is_ok();
    match read {
        Err(error @ JsonRejection::MissingJsonContentType(_)) => Err(error.into()),
        // The parser would take an array for an object whose members come in order.
        _ if bytes.trim_ascii_start().first() != Some(&b'{') && is_json() => {
            Err(Error::field("", "the body must be a JSON object"))
        }
        // It calls a value of the wrong type a wrong syntax where it expects a word.
        Err(JsonRejection::JsonSyntaxError(error)) if is_json() => {
            Err(Error::of_field(&error.body_text(), ""))
        }
        read => Ok(read.map(|Json(value)| value)?),
    }
}

/// How deep arrays and objects are nested.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut most, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                most = most.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// Tells a member that is null from one that is absent, for bodies in which null clears.
///
/// # Errors
/// When the value does not have the member's type.
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A member that may be absent but, if it is there, not null.
///
/// # Errors
/// When the value does not have the member's type.
pub fn required<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A text that shows something and can be stored.
///
/// # Errors
/// When it is blank, or as [`storable`].
pub fn visible(text: &str, context: &()) -> garde::Result {
    if clean(text).trim().is_empty() {
        Err(garde::Error::new("must not be blank"))
    } else {
        storable(text, context)
    }
}

/// A text that both databases keep: PostgreSQL has no place for a NUL character.
///
/// # Errors
/// When it holds one.
pub fn storable(text: &str, (): &()) -> garde::Result {
    if text.contains('\0') { Err(garde::Error::new("must not contain a NUL character")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use axum::http::header::CONTENT_TYPE;

    use super::*;

    #[derive(Debug, Deserialize, Validate)]
    struct Sample {
        #[garde(skip)]
        name: String,
        #[garde(skip)]
        kind: Option<Kind>,
        #[garde(skip)]
        #[expect(dead_code, reason = "only whether it can be read matters")]
        settings: Option<Settings>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Settings {
        #[expect(dead_code, reason = "only whether it is there matters")]
        source: String,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Plain,
    }

    async fn sent(body: &str) -> Result<Sample, (u16, String)> {
        let request = Request::post("/").header(CONTENT_TYPE, "application/json");
        let request = request.body(Body::from(body.to_owned())).unwrap();
        match <Valid<Sample> as FromRequest<()>>::from_request(request, &()).await {
            Ok(Valid(sample)) => Ok(sample),
            Err(error) => {
                let fields = error.problem().errors.into_iter().map(|error| error.field).collect::<Vec<_>>();
                Err((error.status().0.as_u16(), fields.join(",")))
            }
        }
    }

    #[test]
    fn a_text_must_show_something() {
        for blank in ["", " ", "\u{200b}", "\u{feff} \u{2060}"] {
            assert!(visible(blank, &()).is_err(), "{blank:?}");
        }
        assert!(visible("a\u{200b}", &()).is_ok());
    }

    #[tokio::test]
    async fn only_an_object_of_the_right_form_is_read() {
        let sample = sent("{\"name\": \"[{\\\"\", \"kind\": \"plain\", \"more\": [[1]]}").await.unwrap();
        assert!(sample.name == "[{\"" && matches!(sample.kind, Some(Kind::Plain)));
        let deep = format!("{{\"name\": \"x\", \"more\": {}1{}}}", "[".repeat(64), "]".repeat(64));
        for (body, status, field) in [
            ("[\"x\", \"plain\"]", 422, ""),
            ("null", 422, ""),
            ("[]", 422, ""),
            ("{}", 422, "name"),
            ("{\"name\": null}", 422, "name"),
            ("{\"name\": \"x\", \"kind\": \"odd\"}", 422, "kind"),
            ("{\"name\": \"x\", \"kind\": {}}", 422, "kind"),
            ("{\"name\": \"x\", \"name\": \"y\"}", 422, "name"),
            ("{\"name\": \"x\", \"settings\": {\"nope\": 1}}", 422, "settings.nope"),
            ("{\"name\": \"x\", \"settings\": {}}", 422, "settings.source"),
            ("{\"name\": ", 400, ""),
            ("{\"name\": \"\\ud800\"}", 400, ""),
            ("{\"name\": \"x\", \"kind\": 1e999}", 400, ""),
            ("", 400, ""),
            (deep.as_str(), 400, ""),
        ] {
            assert_eq!(sent(body).await.unwrap_err(), (status, field.to_owned()), "{body}");
        }
    }
}
