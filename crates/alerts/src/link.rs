//! Addresses in alerts: which are safe to show as a link, and what Prometheus hides in its own.

/// The longest address shown as a link, in bytes; expressions of hundreds of lines still fit.
const MAX_LINK_BYTES: usize = 16 * 1024;

/// Whether an address may be shown as a link.
///
/// It must be absolute, http or https, with a host, without user name or password, without blanks,
/// backslashes, quotes, angle brackets, U+FFFD or control characters, and at most 16 KiB long.
#[must_use]
pub fn is_link(address: &str) -> bool {
    let refused = |letter: char| {
        letter.is_control()
            || letter.is_whitespace()
            || matches!(letter, '\\' | '<' | '>' | '"' | char::REPLACEMENT_CHARACTER)
    };
    address.len() <= MAX_LINK_BYTES
        && !address.contains(refused)
        && authority(address)
            .is_some_and(|host| !host.is_empty() && !host.starts_with(':') && !host.contains('@'))
}

/// The PromQL expression in a Prometheus generator address: the decoded query parameter `g0.expr`.
#[must_use]
pub fn expression(generator_url: &str) -> Option<String> {
    let (address, _) = generator_url.split_once('#').unwrap_or((generator_url, ""));
    let (_, query) = address.split_once('?')?;
    let value = query.split('&').find_map(|pair| pair.strip_prefix("g0.expr="))?;
    decode(value).filter(|expression| !expression.trim().is_empty())
}

/// The address Prometheus is reached at, from its generator address: what comes before `/graph` or `/query`.
#[must_use]
pub fn prometheus_base(generator_url: &str) -> Option<String> {
    let (path, query) = generator_url.split_once('?')?;
    let ours = is_link(generator_url) && query.split('&').any(|pair| pair.starts_with("g0.expr="));
    let base = path.strip_suffix("/graph").or_else(|| path.strip_suffix("/query"))?;
    (ours && is_link(base)).then(|| base.to_owned())
}

/// The address with its user name and password replaced, for texts that are shown but are no link.
pub(crate) fn masked(address: &str) -> Option<String> {
    let authority = authority(address)?;
    let (_, host) = authority.rsplit_once('@')?;
    let scheme = address.split_once("//").map(|(scheme, _)| scheme)?;
    let rest = address.get(scheme.len() + 2 + authority.len()..)?;
    Some(format!("{scheme}//***@{host}{rest}"))
}

/// What stands between `http://` or `https://` and the path.
fn authority(address: &str) -> Option<&str> {
    let (scheme, rest) = address.split_once("://")?;
    let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    web.then(|| rest.split(['/', '?', '#']).next()).flatten()
}

/// Undoes the encoding of a query parameter: `+` is a blank, `%41` is `A`.
fn decode(value: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_web_addresses_are_links() {
        let links = [
            "http://prometheus:9090/graph?g0.expr=up%3E0",
            "HTTPS://e.com",
            "https://e.com/ñ?q=a@b#x@y",
            "http://[::1]:9090/",
        ];
        let others = [
            "",
            "javascript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "//evil",
            "\\\\evil",
            "https:\\\\evil",
            "http://",
            "http:///path",
            "http://:80/",
            "http://user:pass@e.com/",
            "http://user@e.com",
            " http://e.com",
            "http://e.com/a b",
            "http://e.com/\0",
            "http://e.com/\n",
            "ftp://e.com",
            "http:/e.com",
            "http://e.com/<script>",
            "http://e.com\\@evil.com",
            "http://\u{2028}e.com",
        ];
        for address in links {
            assert!(is_link(address), "{address}");
        }
        for address in others {
            assert!(!is_link(address), "{address}");
        }
        assert!(!is_link(&format!("http://e.com/{}", "a".repeat(100_000))));
    }

    #[test]
    fn the_expression_and_base_of_prometheus_are_found() {
        let address = "http://prometheus:9090/graph?g0.expr=sum+by+%28service%29+%28rate%28x%7Bs%3D~%225..%22%7D%5B10s%5D%29%29+%3E+0.05&g0.tab=1";
        assert_eq!(
            expression(address).as_deref(),
            Some("sum by (service) (rate(x{s=~\"5..\"}[10s])) > 0.05")
        );
        assert_eq!(prometheus_base(address).as_deref(), Some("http://prometheus:9090"));
        assert_eq!(
            prometheus_base("https://e.com/prom/query?g0.tab=1&g0.expr=up").as_deref(),
            Some("https://e.com/prom")
        );
        assert_eq!(expression("http://e/graph?g0.expr=%C3%A9#x").as_deref(), Some("é"));
        for none in [
            "",
            "http://e/graph",
            "http://e/?g0.expr=",
            "http://e/?g0.expr=%",
            "http://e/?g0.expr=%zz",
            "http://e/?g0.expr=%FF",
        ] {
            assert_eq!(expression(none), None, "{none}");
        }
        for none in [
            "",
            "javascript:/graph?g0.expr=up",
            "http://u:p@e/graph?g0.expr=up",
            "http://e/x?g0.expr=up",
            "http://e/graph?x=1",
            "http:///graph?g0.expr=up",
        ] {
            assert_eq!(prometheus_base(none), None, "{none}");
        }
    }

    #[test]
    fn credentials_in_addresses_are_masked() {
        assert_eq!(masked("https://user:p@ss@e.com/x?y").as_deref(), Some("https://***@e.com/x?y"));
        assert_eq!(masked("https://e.com/a@b"), None);
        assert_eq!(masked("mailto:a@b"), None);
    }
}
