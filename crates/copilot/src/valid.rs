//! Bodies that were read and checked before a handler sees them, and the rules that several of them share.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, OptionalFromRequest, Request};
use axum::http::{HeaderValue, header};
use garde::Validate;
use serde::de::{DeserializeOwned, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::error::{Error, FieldError};
use crate::visible::clean;

/// How deep a body may be nested; ours are three deep.
const DEPTH: usize = 64;

/// The largest body that is read, in bytes.
pub const MAX_BODY: usize = 2 << 20;

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
    let plain = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if !parts.headers.get_all(header::CONTENT_ENCODING).iter().all(plain) {
        return Err(Error::Unsupported("unsupported-encoding", "send the body plain"));
    }
    if body.size_hint().lower() > MAX_BODY as u64 {
        return Err(Error::TooLarge("the body is too large".to_owned()));
    }
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
    if let Err(error @ JsonRejection::MissingJsonContentType(_)) = read {
        return Err(error.into());
    }
    // The parser skips what nobody asks for, and lets the last of two members of a map win.
    match serde_json::from_slice(&bytes) {
        Err(error) if error.is_data() => return Err(Error::of_field(&error.to_string(), "")),
        Err(error) => return Err(Error::Malformed("malformed-json", error.to_string())),
        Ok(Sound) => {}
    }
    match read {
        // The parser would take an array for an object whose members come in order.
        _ if bytes.trim_ascii_start().first() != Some(&b'{') => {
            Err(Error::field("", "the body must be a JSON object"))
        }
        // It calls a value of the wrong type a wrong syntax where it expects a word.
        Err(JsonRejection::JsonSyntaxError(error)) => Err(Error::of_field(&error.body_text(), "")),
        read => Ok(read.map(|Json(value)| value)?),
    }
}

/// JSON that is sound throughout: no member stands twice in an object.
struct Sound;

impl<'de> Deserialize<'de> for Sound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Sound {
    type Value = Self;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self, A::Error> {
        while let Some(Self) = elements.next_element()? {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = members.next_key::<String>()? {
            let Self = members.next_value()?;
            if let Some(twice) = names.replace(name) {
                return Err(serde::de::Error::custom(format!("duplicate field `{twice}`")));
            }
        }
        Ok(self)
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

/// A value that is written as an object: its parser alone would take an array of its members for it.
#[derive(Debug)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(Members(deserializer)).map(Self)
    }
}

/// Reads a map, whatever is asked for.
struct Members<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Members<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// An object that may be absent or null.
///
/// # Errors
/// When the value is no object, or does not have the member's type.
pub fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(Option::<Object<T>>::deserialize(deserializer)?.map(|Object(value)| value))
}

/// As [`object`], and tells null from absence.
///
/// # Errors
/// When the value is no object, or does not have the member's type.
pub fn present_object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    object(deserializer).map(Some)
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
        #[serde(default, deserialize_with = "object")]
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

    #[tokio::test]
    async fn a_body_that_is_packed_or_too_large_is_not_read() {
        for (name, value, status) in [
            ("content-encoding", "gzip", 415),
            ("content-encoding", "identity", 200),
            ("x-nothing", "x", 200),
        ] {
            let request = Request::post("/").header(CONTENT_TYPE, "application/json").header(name, value);
            let request = request.body(Body::from("{\"name\": \"x\"}")).unwrap();
            let read = <Valid<Sample> as FromRequest<()>>::from_request(request, &()).await;
            assert_eq!(read.map_or_else(|error| error.status().0.as_u16(), |_| 200), status, "{value}");
        }
        let large = Request::post("/").header(CONTENT_TYPE, "application/json");
        let large = large.body(Body::from(vec![b' '; (2 << 20) + 1])).unwrap();
        let read = <Valid<Sample> as FromRequest<()>>::from_request(large, &()).await;
        assert_eq!(read.unwrap_err().status().0.as_u16(), 413);
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
            ("{\"name\": \"x\", \"settings\": [\"x\"]}", 422, "settings"),
            ("{\"name\": \"x\", \"more\": {\"a\": 1, \"a\": 2}}", 422, "a"),
            ("{\"name\": \"x\", \"more\": \"\\ud800\"}", 400, ""),
            ("{\"name\": \"x\"} 1", 400, ""),
            ("1 x", 400, ""),
            ("[1", 400, ""),
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
