//! Bodies that were read and checked before a handler sees them, and the rules that several of them share.

use axum::Json;
use axum::extract::{FromRequest, Request};
use garde::Validate;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::error::{Error, FieldError};

/// A JSON body that fits its type and its rules; anything else is 400, 415 or 422.
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
        let Json(value) = Json::<T>::from_request(request, state).await?;
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

/// Tells a member that is null from one that is absent, for bodies in which null clears.
///
/// # Errors
/// When the value does not have the member's type.
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A text that shows something and can be stored.
///
/// # Errors
/// When it is blank, or as [`storable`].
pub fn visible(text: &str, context: &()) -> garde::Result {
    if text.trim().is_empty() { Err(garde::Error::new("must not be blank")) } else { storable(text, context) }
}

/// A text that both databases keep: PostgreSQL has no place for a NUL character.
///
/// # Errors
/// When it holds one.
pub fn storable(text: &str, (): &()) -> garde::Result {
    if text.contains('\0') { Err(garde::Error::new("must not contain a NUL character")) } else { Ok(()) }
}
