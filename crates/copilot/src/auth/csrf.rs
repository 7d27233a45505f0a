//! Whether a request came from our own pages.

use axum::http::HeaderMap;
use url::Url;

use crate::config::Config;
use crate::error::{Error, Result};

/// What the headers of a request say about the page that sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    /// A page of ours.
    Ours,
    /// Another site's page.
    Elsewhere,
    /// Not a page: neither header is there.
    Program,
}

/// Reads `Sec-Fetch-Site` and `Origin`; one that speaks for us is enough.
pub(super) fn from(headers: &HeaderMap, config: &Config) -> From {
    let twice = |name: &str| headers.get_all(name).iter().count() > 1;
    if twice("sec-fetch-site") || twice("origin") {
        return From::Elsewhere;
    }
    let site = headers.get("sec-fetch-site");
    let origin = headers.get("origin");
    if site.is_some_and(|site| site == "same-origin") {
        return From::Ours;
    }
    let ours =
        origin.and_then(|origin| origin.to_str().ok()).is_some_and(|origin| origin == public_origin(config));
    match (ours, site.is_some() || origin.is_some()) {
        (true, _) => From::Ours,
        (false, true) => From::Elsewhere,
        (false, false) => From::Program,
    }
}

/// Refuses a request to sign in, register or the like that another site's page has sent.
pub(super) fn refuse_elsewhere(headers: &HeaderMap, config: &Config) -> Result<()> {
    match from(headers, config) {
        From::Ours | From::Program => Ok(()),
        From::Elsewhere => Err(Error::Origin),
    }
}

/// The Origin of our own pages.
pub fn public_origin(config: &Config) -> String {
    Url::parse(&config.public_url()).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_header_that_speaks_for_us_is_enough() {
        let (mut config, _) = crate::config::load(None, |_| None).unwrap();
        config.public_url = "https://app.example/".to_owned();
        let cases: [(Option<&str>, Option<&str>, From); 14] = [
            (None, None, From::Program),
            (Some("same-origin"), None, From::Ours),
            (None, Some("https://app.example"), From::Ours),
            (Some("cross-site"), Some("https://app.example"), From::Ours),
            (Some("same-site"), None, From::Elsewhere),
            (Some("cross-site"), None, From::Elsewhere),
            (Some("none"), None, From::Elsewhere),
            (None, Some("https://app.example.evil.test"), From::Elsewhere),
            (None, Some("https://app-example"), From::Elsewhere),
            (None, Some("http://app.example"), From::Elsewhere),
            (None, Some("https://app.example:8443"), From::Elsewhere),
            (None, Some("https://app.example/"), From::Elsewhere),
            (None, Some("null"), From::Elsewhere),
            (None, Some(""), From::Elsewhere),
        ];
        for (site, origin, expected) in cases {
            let mut headers = HeaderMap::new();
            if let Some(site) = site {
                headers.insert("sec-fetch-site", site.parse().unwrap());
            }
            if let Some(origin) = origin {
                headers.insert("origin", origin.parse().unwrap());
            }
            assert_eq!(from(&headers, &config), expected, "{site:?} {origin:?}");
        }
    }

    #[test]
    fn without_a_public_url_the_gateway_is_it() {
        let (config, _) = crate::config::load(None, |_| None).unwrap();
        assert_eq!(public_origin(&config), "http://127.0.0.1:8500");
    }
}
