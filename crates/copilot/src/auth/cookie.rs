//! The two cookies of a browser session, and the mark of the browser.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::config::Config;
use crate::error::{Error, Result};

/// One of the cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cookie {
    /// The access token.
    Access,
    /// The refresh token.
    Refresh,
    /// The mark of a browser in which somebody has signed in.
    Device,
}

impl Cookie {
    /// The cookie's name; with https the browser itself refuses one that another host or path has set.
    fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Access, false) => "srec_at",
            (Self::Refresh, false) => "srec_rt",
            (Self::Device, false) => "srec_device",
            (Self::Access, true) => "__Host-srec_at",
            (Self::Refresh, true) => "__Host-srec_rt",
            (Self::Device, true) => "__Host-srec_device",
        }
    }

    /// The header that stores `value` for `seconds`; 0 removes it.
    pub fn set(self, config: &Config, value: &str, seconds: i64) -> Result<HeaderValue> {
        let secure = config.is_https();
        let flag = if secure { "; Secure" } else { "" };
        let name = self.name(secure);
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{flag}")
            .try_into()
            .map_err(|error| Error::Internal(anyhow::Error::new(error).context("writing a cookie")))
    }

    /// The header that removes it.
    pub fn clear(self, config: &Config) -> Result<HeaderValue> {
        self.set(config, "", 0)
    }

    /// The cookie's value in a request; two of the same name are a sign of another site's hand.
    pub fn read(self, config: &Config, headers: &HeaderMap) -> Result<Option<String>> {
        let name = self.name(config.is_https());
        let mut values = headers
            .get_all(header::COOKIE)
            .iter()
            .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
            .filter_map(|pair| std::str::from_utf8(pair).ok()?.trim().split_once('='))
            .filter(|(found, _)| *found == name)
            .map(|(_, value)| value.to_owned());
        let first = values.next();
        if values.next().is_some() {
            return Err(Error::Credentials("invalid-credentials", "two cookies of the same name were sent"));
        }
        Ok(first.filter(|value| !value.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(public_url: &str) -> Config {
        let (mut config, _) = crate::config::load(None, |_| None).unwrap();
        config.public_url = public_url.to_owned();
        config
    }

    #[test]
    fn cookies_carry_their_flags() {
        let plain = Cookie::Access.set(&config(""), "x", 900).unwrap();
        assert_eq!(plain, "srec_at=x; Path=/; HttpOnly; SameSite=Strict; Max-Age=900");
        let secure = Cookie::Refresh.set(&config("https://sre.example"), "x", 60).unwrap();
        assert_eq!(secure, "__Host-srec_rt=x; Path=/; HttpOnly; SameSite=Strict; Max-Age=60; Secure");
    }

    #[test]
    fn a_cookie_is_read_by_its_whole_name() {
        let config = config("");
        let read = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::COOKIE, HeaderValue::from_static(line));
            }
            Cookie::Access.read(&config, &headers)
        };
        assert_eq!(read(&["a=b; srec_at=x; srec_rt=y"]).unwrap().as_deref(), Some("x"));
        assert_eq!(read(&["xsrec_at=x; srec_at2=y", "srec_at="]).unwrap(), None);
        assert!(read(&["srec_at=x; srec_at=x"]).is_err());
        assert!(read(&["srec_at=x", "srec_at=y"]).is_err());
    }
}
