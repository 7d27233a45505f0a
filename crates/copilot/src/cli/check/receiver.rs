//! The receivers of an alertmanager.yml that post here, and what is wrong with how they do.

use std::net::IpAddr;

use url::{Host, Url};
use uuid::Uuid;

use super::Finding;
use super::yaml::Node;

/// A webhook that posts here.
pub struct Webhook<'a> {
    node: &'a Node,
    /// The line of its address.
    line: usize,
    url: Url,
}

/// The webhooks of a receiver that post to a path of ours.
pub fn ours(receiver: &Node) -> Vec<Webhook<'_>> {
    let mut found = Vec::new();
    for node in receiver.list_of("webhook_configs") {
        let Some((line, text)) = node.text_of("url") else { continue };
        let Ok(url) = Url::parse(text) else { continue };
        if url.path_segments().is_some_and(|mut parts| parts.any(|part| part == "webhooks")) {
            found.push(Webhook { node, line, url });
        }
    }
    found
}

/// Whether a receiver tells nobody.
pub fn is_empty(receiver: &Node) -> bool {
    receiver.names().all(|name| name == "name" || receiver.list_of(name).is_empty())
}

impl Webhook<'_> {
    /// Everything that is wrong with it; `global` is what it has when it says nothing itself.
    pub fn check(&self, global: Option<&Node>) -> Vec<Finding> {
        let http = self.node.get("http_config").map(|(_, node)| node).or(global);
        let mut found: Vec<Finding> =
            [self.path(), self.resolved(), self.truncated(), self.open(http)].into_iter().flatten().collect();
        found.extend(self.credential(http));
        found
    }

    fn path(&self) -> Option<Finding> {
        let parts: Vec<&str> =
            self.url.path_segments()?.skip_while(|part| *part != "webhooks").skip(1).collect();
        let right = match parts.as_slice() {
            ["alertmanager"] => true,
            ["alertmanager", id] => Uuid::try_parse(id).is_ok(),
            _ => false,
        };
        let what = format!("nothing listens for Alertmanager at {}", self.url.path());
        let why = "every message is refused; Alertmanager logs that and gives up, so no alert arrives";
        (!right).then(|| Finding::error(self.line, what, why, format!("url: {}", self.corrected())))
    }

    /// The address as it should be, without credentials.
    fn corrected(&self) -> Url {
        let mut url = self.url.clone();
        let parts: Vec<&str> = self.url.path_segments().into_iter().flatten().collect();
        let before = parts.iter().take_while(|part| **part != "webhooks").copied();
        let id = parts.iter().find(|part| Uuid::try_parse(part).is_ok()).copied();
        let path: Vec<&str> = before.chain(["webhooks", "alertmanager"]).chain(id).collect();
        url.set_path(&path.join("/"));
        url.set_query(None);
        // An address with a path has a place for neither to be refused.
        let _ = (url.set_username(""), url.set_password(None));
        url
    }

    fn resolved(&self) -> Option<Finding> {
        let (line, text) = self.node.text_of("send_resolved")?;
        let why = "nobody here learns that an alert is over: incidents stay open until a person closes them, and count as hours of outage";
        (text != "true")
            .then(|| Finding::error(line, "the ends of alerts are not sent", why, "send_resolved: true"))
    }

    fn truncated(&self) -> Option<Finding> {
        let (line, text) = self.node.text_of("max_alerts")?;
        let why = "in a storm, when it matters most, the alerts beyond that number of a group never arrive";
        let what = format!("only the first {text} alerts of a group are sent");
        (text != "0").then(|| Finding::error(line, what, why, "max_alerts: 0"))
    }

    fn credential(&self, http: Option<&Node>) -> Vec<Finding> {
        let mut found = Vec::new();
        let sent = http.map_or(Sent::Nothing, Sent::of);
        let instead = "http_config:\n  authorization:\n    credentials: <your webhook token>";
        let in_user = self.url.password().is_some_and(|password| !password.is_empty());
        let in_query = self.url.query().is_some();
        match sent {
            Sent::Token => {}
            Sent::Placeholder(line) => {
                let what = "the token is still the word that stands for it";
                let why = "every message is answered 401, so no alert arrives";
                found.push(Finding::error(
                    line,
                    what,
                    why,
                    "credentials: the token that was shown when the integration was made\nor was rotated",
                ));
            }
            Sent::Scheme(line, scheme) => {
                let what = format!("the token is sent as \"{scheme}\"");
                let why = "only Bearer and Basic are understood: every message is answered 401, so no alert arrives";
                found.push(Finding::error(line, what, why, "type: Bearer"));
            }
            Sent::Nothing if in_user => {}
            Sent::Nothing => {
                let what = if in_query {
                    "the token is in the address, where it is not looked for"
                } else {
                    "no token is sent"
                };
                let why = "every message is answered 401, so no alert arrives";
                found.push(Finding::error(self.line, what, why, instead));
            }
        }
        if in_user || in_query {
            let why = "addresses are written to the logs of Alertmanager and of every proxy; whoever reads them can send alerts as you";
            let instead = format!("url: {}\n{instead}", self.corrected());
            found.push(Finding::warning(self.line, "the address holds a credential", why, instead));
        }
        found
    }

    /// Whether the token crosses a network in the open.
    fn open(&self, http: Option<&Node>) -> Option<Finding> {
        if self.url.scheme() != "http"
            || is_near(self.url.host()?)
            || http.is_some_and(|http| http.get("proxy_url").is_some())
        {
            return None;
        }
        let mut secure = self.corrected();
        let _ = secure.set_scheme("https");
        let why = "the token can be read on the way; and where such an address is answered with a redirect to https, the message \
                   is sent on as a GET without its alerts, and none arrives";
        Some(Finding::warning(
            self.line,
            "the token is sent over http to another network",
            why,
            format!("url: {secure}"),
        ))
    }
}

/// How a webhook says whose it is.
enum Sent {
    Token,
    /// The word that a snippet has where the token goes; with its line.
    Placeholder(usize),
    /// A scheme that is not understood; with its line.
    Scheme(usize, String),
    Nothing,
}

impl Sent {
    fn of(http: &Node) -> Self {
        let authorization = http.get("authorization").map(|(_, node)| node);
        let basic = http.get("basic_auth").map(|(_, node)| node);
        if let Some((line, scheme)) = authorization.and_then(|node| node.text_of("type"))
            && !scheme.trim().eq_ignore_ascii_case("bearer")
        {
            return Self::Scheme(line, scheme.to_owned());
        }
        let places = [(authorization, "credentials"), (basic, "password"), (Some(http), "bearer_token")];
        for (node, name) in places {
            match node.and_then(|node| node.text_of(name)) {
                Some((line, text)) if text.starts_with('<') && text != "<secret>" => {
                    return Self::Placeholder(line);
                }
                Some((_, text)) if !text.is_empty() => return Self::Token,
                _ => {}
            }
        }
        let files = [
            (authorization, "credentials_file"),
            (basic, "password_file"),
            (Some(http), "bearer_token_file"),
        ];
        let headers = http.get("http_headers").map(|(_, node)| node);
        let named = headers
            .is_some_and(|headers| headers.names().any(|name| name.eq_ignore_ascii_case("x-webhook-secret")));
        let filed = files.iter().any(|(node, name)| node.is_some_and(|node| node.text_of(name).is_some()));
        if filed || named { Self::Token } else { Self::Nothing }
    }
}

/// Whether a host is this machine, this cluster or this network.
fn is_near(host: Host<&str>) -> bool {
    match host {
        Host::Ipv4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        Host::Ipv6(ip) => {
            ip.is_loopback()
                || ip.is_unique_local()
                || matches!(ip.to_canonical(), IpAddr::V4(ip) if ip.is_private())
        }
        Host::Domain(name) => {
            let ends =
                [".svc", ".svc.cluster.local", ".local", ".internal", ".localhost", ".lan", ".home.arpa"];
            !name.contains('.') || ends.iter().any(|end| name.ends_with(end))
        }
    }
}
