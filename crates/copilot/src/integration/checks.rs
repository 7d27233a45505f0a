//! What an integration's credential and settings must be like.

use super::{Kind, Settings};
use crate::error::{Error, Result};
use crate::outbound::Credentials;

/// Bytes of a part of a credential at most.
const MOST_CREDENTIAL: usize = 4096;

/// Refuses a credential that could not be sent in a header.
///
/// # Errors
/// 422 with the field.
pub(super) fn check_auth(auth: Option<&Credentials>) -> Result<()> {
    let fits = |text: &str| text.len() <= MOST_CREDENTIAL && !text.chars().any(char::is_control);
    match auth {
        Some(Credentials::Bearer { token })
            if !fits(token) || token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) =>
        {
            Err(Error::field("auth.token", "must have 1 to 4,096 visible ASCII characters and no blank"))
        }
        Some(Credentials::Basic { username, .. }) if !fits(username) || username.contains(':') => Err(
            Error::field("auth.username", "must have at most 4,096 bytes, no colon and no control character"),
        ),
        Some(Credentials::Basic { password, .. }) if !fits(password) => {
            Err(Error::field("auth.password", "must have at most 4,096 bytes and no control character"))
        }
        _ => Ok(()),
    }
}

/// Names and words of settings that are kept and compared.
fn check_words(field: &str, words: impl IntoIterator<Item = impl AsRef<str>>) -> Result<()> {
    for word in words {
        let word = word.as_ref();
        if !(1..=200).contains(&word.len()) || word.contains('\0') {
            return Err(Error::field(field, "each must have 1 to 200 bytes and no NUL character"));
        }
    }
    Ok(())
}

/// Refuses settings that can't be kept or compared.
///
/// # Errors
/// 422 with the field.
pub(super) fn check_settings(kind: Kind, settings: &Settings) -> Result<()> {
    if settings.require_signature == Some(true) && kind != Kind::Grafana {
        return Err(Error::field("settings.require_signature", "only Grafana signs what it sends"));
    }
    check_words("settings.source", &settings.source)?;
    check_words("settings.group_by", settings.group_by.iter().flatten())?;
    check_words("settings.service_labels", settings.service_labels.iter().flatten())?;
    check_words("settings.severity_map", settings.severity_map.iter().flat_map(|map| map.keys()))?;
    check_words("settings.topology", settings.topology.iter().flatten().flat_map(|call| [&call.0, &call.1]))?;
    if settings.severity_map.as_ref().is_some_and(|map| map.len() > 200) {
        return Err(Error::field("settings.severity_map", "at most 200 words"));
    }
    if settings.service_labels.as_ref().is_some_and(|labels| labels.len() > 20) {
        return Err(Error::field("settings.service_labels", "at most 20 labels"));
    }
    if settings.group_by.as_ref().is_some_and(|labels| labels.is_empty() || labels.len() > 20) {
        return Err(Error::field("settings.group_by", "name 1 to 20 labels"));
    }
    if settings.topology.as_ref().is_some_and(|calls| calls.len() > 1000) {
        return Err(Error::field("settings.topology", "at most 1,000 calls"));
    }
    if settings.requests_per_minute == Some(0) {
        return Err(Error::field("settings.requests_per_minute", "at least 1; null for no limit"));
    }
    let seconds = [settings.repeat_interval_s, settings.group_interval_s, settings.heartbeat_timeout_s];
    if seconds.into_iter().flatten().any(|seconds| !(1..=30 * 86_400).contains(&seconds)) {
        return Err(Error::field("settings", "an interval must be between a second and 30 days"));
    }
    Ok(())
}
