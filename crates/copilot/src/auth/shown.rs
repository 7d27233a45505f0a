//! The secret that a program shows: as Bearer, as the password of Basic, or in a header of its own. Never in the address,
//! which ends up in logs.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::{Error, Result};

/// The headers beside `Authorization` that an API key may be in.
pub const KEY_HEADERS: [&str; 1] = ["x-api-key"];

/// Whether a request shows a secret, of whatever worth, in `Authorization` or in one of `own`.
pub fn is_shown(headers: &HeaderMap, own: &[&str]) -> bool {
    headers.contains_key(header::AUTHORIZATION) || own.iter().any(|name| headers.contains_key(*name))
}

/// Whether the secret is one that a browser remembers, and sends with what any page asks for, as it does with a cookie.
pub fn is_ambient(headers: &HeaderMap) -> bool {
    let scheme = headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().get(..5));
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic"))
}

/// The one secret that a request shows, in `Authorization` or in one of `own`.
///
/// # Errors
/// 400 when there are two that differ, or the password of Basic can't be read.
pub fn secret(headers: &HeaderMap, own: &[&str]) -> Result<Option<String>> {
    let text = |value: &axum::http::HeaderValue| value.to_str().ok().map(str::to_owned);
    let mut found: Vec<String> = Vec::new();
    if let Some(value) = headers.get(header::AUTHORIZATION).and_then(text) {
        let Some(secret) = authorization(&value)? else { return Ok(None) };
        found.push(secret);
    }
    found.extend(own.iter().flat_map(|name| headers.get_all(*name)).filter_map(text));
    found.dedup();
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.clone()).filter(|one| !one.is_empty())),
        _ => Err(malformed("two credentials that disagree")),
    }
}

/// The secret in the value of `Authorization`; none in a scheme that is not ours.
fn authorization(value: &str) -> Result<Option<String>> {
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(Some(rest.trim().to_owned()));
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = STANDARD.decode(rest.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let password = decoded.and_then(|pair| pair.split_once(':').map(|(_, password)| password.to_owned()));
        return password.map(Some).ok_or_else(|| malformed("the Basic credential is not user:password"));
    }
    Ok(None)
}

fn malformed(why: &str) -> Error {
    Error::Malformed("malformed-request", why.to_owned())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            (header::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        });
        pairs.collect()
    }

    fn of(pairs: &[(&'static str, &str)]) -> Result<Option<String>> {
        secret(&headers(pairs), &KEY_HEADERS)
    }

    #[test]
    fn every_way_to_show_a_secret_is_read() {
        let abc = Some("abc".to_owned());
        assert_eq!(of(&[("authorization", "Bearer abc")]).unwrap(), abc);
        assert_eq!(of(&[("authorization", "basic dXNlcjphYmM=")]).unwrap(), abc);
        assert_eq!(of(&[("x-api-key", "abc")]).unwrap(), abc);
        assert_eq!(of(&[("authorization", "Bearer abc"), ("x-api-key", "abc")]).unwrap(), abc);
        let own = secret(&headers(&[("x-webhook-secret", "abc")]), &["x-webhook-secret"]);
        assert_eq!(own.unwrap(), abc);
    }

    #[test]
    fn what_is_no_secret_is_none_or_refused() {
        for none in [&[][..], &[("authorization", "Bearer ")], &[("authorization", "Negotiate abc")]] {
            assert_eq!(of(none).unwrap(), None, "{none:?}");
        }
        assert_eq!(of(&[("x-webhook-secret", "abc")]).unwrap(), None);
        let slug = |pairs: &[_]| of(pairs).unwrap_err().status().1;
        assert_eq!(slug(&[("authorization", "Bearer abc"), ("x-api-key", "xyz")]), "malformed-request");
        assert_eq!(slug(&[("authorization", "Basic !!!")]), "malformed-request");
    }

    #[test]
    fn only_basic_is_sent_by_a_browser_on_its_own() {
        assert!(is_ambient(&headers(&[("authorization", "basic dXNlcjphYmM=")])));
        assert!(!is_ambient(&headers(&[("authorization", "Bearer abc")])));
        assert!(!is_ambient(&headers(&[("x-api-key", "abc")])));
    }
}
