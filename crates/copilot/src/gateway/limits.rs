//! Request limits: per person or key and per tenant once they are known, per network before. Webhooks never pass here.
//!
//! With Redis there is one count for all processes. Without an answer from it each process counts for itself, up to
//! half of the limit, so that two of them together allow what one count would.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::cells::{Cells, Checked};
use crate::address::{self, Proxies};
use crate::app::App;
use crate::auth::Source;
use crate::auth::access::{self, Access};
use crate::auth::shown::{self, KEY_HEADERS};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::redis::Redis;
use crate::redis::limit::{Cell, Counted, Left};

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// Requests of a person or an API key.
    User,
    /// Requests of everybody in a tenant.
    Tenant,
    /// Requests without a credential, or with a bad one, from one network.
    Source,
    /// Full-text searches of a person or an API key.
    Search,
    /// Analyses that a tenant starts by hand.
    Analysis,
}

impl Rule {
    const ALL: [Self; 5] = [Self::User, Self::Tenant, Self::Source, Self::Search, Self::Analysis];

    /// The name in headers, metrics and keys.
    fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Tenant => "tenant",
            Self::Source => "source",
            Self::Search => "search",
            Self::Analysis => "analysis",
        }
    }

    /// Requests a minute; 0 is no limit.
    fn per_minute(self, config: &Config) -> u32 {
        match self {
            Self::User => config.api_requests_per_minute,
            Self::Tenant => config.tenant_requests_per_minute,
            // Who says nothing about themselves may not do more than who does; 0 stays no limit.
            Self::Source => config.anonymous_requests_per_minute.min(config.api_requests_per_minute),
            Self::Search => config.searches_per_minute,
            Self::Analysis => config.analyses_per_minute,
        }
    }
}

/// Where a stranger is counted; each door counts for itself, because a request may pass two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Door {
    /// Before a service that listens under this name.
    Of(&'static str),
    /// After a credential was found to be bad.
    Credential,
}

/// Who is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Client {
    /// A person, an API key or a tenant.
    Known(Uuid),
    /// Whoever has not signed in, by network.
    Stranger(Door, IpAddr),
}

/// Request limits, and whose word is taken for a client's address.
pub struct Limits {
    /// The proxies in front of this process.
    pub proxies: Proxies,
    redis: Redis,
    tables: Vec<Table>,
}

/// The cells of one rule.
struct Table {
    rule: Rule,
    per_minute: u32,
    /// This process's own count, which decides when there is no other.
    own: Cells,
    /// What bounds the keys that strangers make in Redis; it allows twice the limit and so never decides.
    gate: Option<Cells>,
}

impl Limits {
    /// The limits that the settings ask for; none at all when `api_requests_per_minute` is 0.
    ///
    /// # Errors
    /// When `trusted_proxies` can't be read.
    pub fn new(config: &Config, redis: Redis) -> anyhow::Result<Self> {
        let proxies = Proxies::parse(&config.trusted_proxies)?;
        let limited = Rule::ALL.into_iter().filter(|_| config.api_requests_per_minute > 0);
        let shared = redis.is_configured();
        let tables = limited.filter_map(|rule| {
            let per_minute = rule.per_minute(config);
            let own = Cells::new(if shared { per_minute.div_ceil(2) } else { per_minute })?;
            let gate = (shared && rule == Rule::Source).then(|| Cells::new(per_minute.saturating_mul(2)));
            Some(Table { rule, per_minute, own, gate: gate.flatten() })
        });
        Ok(Self { proxies, tables: tables.collect(), redis })
    }

    /// Counts a request of a person or an API key of `tenant`.
    ///
    /// # Errors
    /// When there were too many of it, or of its tenant, or too many searches.
    pub async fn member(&self, parts: &Parts, tenant: TenantId, id: Uuid) -> Result<()> {
        let mut charges = vec![(Rule::User, Client::Known(id)), (Rule::Tenant, Client::Known(tenant.0))];
        if is_search(parts) {
            charges.push((Rule::Search, Client::Known(id)));
        }
        self.count(parts.extensions.get::<Meter>(), &charges).await
    }

    /// Counts a credential that is not valid.
    ///
    /// # Errors
    /// When there were too many from that network.
    pub async fn stranger(&self, address: IpAddr) -> Result<()> {
        let client = Client::Stranger(Door::Credential, address::prefix(address));
        self.count(None, &[(Rule::Source, client)]).await
    }

    /// Counts an analysis that somebody of `tenant` starts.
    ///
    /// # Errors
    /// When there were too many.
    pub async fn analysis(&self, tenant: TenantId) -> Result<()> {
        self.count(None, &[(Rule::Analysis, Client::Known(tenant.0))]).await
    }

    async fn count(&self, meter: Option<&Meter>, charges: &[(Rule, Client)]) -> Result<()> {
        let mut counted: Vec<(&Table, Client)> = Vec::with_capacity(charges.len());
        for (rule, client) in charges {
            let Some(table) = self.tables.iter().find(|table| table.rule == *rule) else { continue };
            match table.gate.as_ref().map(|gate| gate.check(*client)) {
                // Too many networks at once: they share one cell here and make no keys in Redis.
                Some(Checked::Crowd(Ok(_))) => {}
                Some(Checked::Crowd(Err(wait)) | Checked::Own(Err(wait))) => {
                    return Err(refused(meter, table, wait, "process"));
                }
                Some(Checked::Own(Ok(_))) | None => counted.push((table, *client)),
            }
        }
        if counted.is_empty() {
            return Ok(());
        }
        match self.redis.count(&counted.iter().map(cell).collect::<Vec<_>>()).await {
            Ok(Counted::Within(left)) => note(meter, counted.iter().map(|(table, _)| *table).zip(left)),
            Ok(Counted::Over(place, wait)) => {
                let table = counted.get(place).map(|(table, _)| *table);
                return Err(table.map_or(Error::RateLimited("rate-limited", 1), |table| {
                    refused(meter, table, wait, "redis")
                }));
            }
            Err(_) => {
                let mut left = Vec::with_capacity(counted.len());
                for (table, client) in &counted {
                    let (Checked::Own(checked) | Checked::Crowd(checked)) = table.own.check(*client);
                    left.push((*table, checked.map_err(|wait| refused(meter, table, wait, "process"))?));
                }
                note(meter, left.into_iter());
            }
        }
        Ok(())
    }
}

/// The cell that all processes share.
fn cell((table, client): &(&Table, Client)) -> Cell {
    let client = match client {
        Client::Known(id) => id.to_string(),
        Client::Stranger(Door::Of(door), network) => format!("{door}:{network}"),
        Client::Stranger(Door::Credential, network) => format!("credential:{network}"),
    };
    Cell { key: format!("sre-copilot:limit:{}:{client}", table.rule.name()), per_minute: table.per_minute }
}

/// Whether a request looks through the text of incidents.
fn is_search(parts: &Parts) -> bool {
    let searches = |query: &str| {
        url::form_urlencoded::parse(query.as_bytes()).any(|(name, text)| name == "q" && !text.is_empty())
    };
    parts.method == Method::GET
        && parts.uri.path() == "/api/v1/incidents"
        && parts.uri.query().is_some_and(searches)
}

/// What the limits said about a request, for the headers of its answer.
#[derive(Clone, Default)]
struct Meter(Arc<Mutex<Option<(&'static str, Left)>>>);

/// Keeps, of what is left, the limit that will be reached first.
fn note<'a>(meter: Option<&Meter>, left: impl Iterator<Item = (&'a Table, Left)>) {
    let tightest = left.min_by_key(|(_, left)| left.remaining);
    if let (Some(meter), Some((table, left))) = (meter, tightest) {
        *meter.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((table.rule.name(), left));
    }
}

fn refused(meter: Option<&Meter>, table: &Table, wait: Duration, by: &'static str) -> Error {
    metrics::counter!("sre_copilot_rate_limited_total", "rule" => table.rule.name(), "by" => by).increment(1);
    let left = Left { per_minute: table.per_minute, remaining: 0, full_in: wait };
    note(meter, std::iter::once((table, left)));
    Error::RateLimited("rate-limited", seconds(wait))
}

/// Whole seconds after which so much time is over.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// Counts requests by where they come from, unless they will be counted by whose they are, and says in the answer what
/// is left.
pub(super) async fn count(
    door: &'static str,
    State(app): State<App>,
    source: Source,
    mut request: Request,
    next: Next,
) -> Response {
    if !request.uri().path().starts_with("/api/") {
        return next.run(request).await;
    }
    let meter = Meter::default();
    let client = Client::Stranger(Door::Of(door), address::prefix(source.address));
    let counted = if is_anonymous(&request) {
        app.limits.count(Some(&meter), &[(Rule::Source, client)]).await
    } else {
        Ok(())
    };
    request.extensions_mut().insert(meter.clone());
    let mut response = match counted {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    let said = *meter.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((name, left)) = said {
        say(response.headers_mut(), name, left);
    }
    response
}

/// Whether nobody will look up whose request this is: it carries no credential, or its route asks for none.
fn is_anonymous(request: &Request) -> bool {
    let headers = request.headers();
    let bare = !shown::is_shown(headers, &KEY_HEADERS) && !headers.contains_key(header::COOKIE);
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let access = access::access(request.method().as_str(), path);
    bare || matches!(access, Some(Access::Public | Access::Cookie))
}

/// Writes the fields of draft-ietf-httpapi-ratelimit-headers-10, and those of draft 03, which clients still read.
fn say(headers: &mut HeaderMap, name: &str, left: Left) {
    let reset = seconds(left.full_in);
    for (field, value) in [
        ("ratelimit-policy", format!("\"{name}\";q={};w=60", left.per_minute)),
        ("ratelimit", format!("\"{name}\";r={};t={reset}", left.remaining)),
        ("ratelimit-limit", left.per_minute.to_string()),
        ("ratelimit-remaining", left.remaining.to_string()),
        ("ratelimit-reset", reset.to_string()),
    ] {
        // A service elsewhere has said it already, and knows better.
        let field = headers.entry(HeaderName::from_static(field));
        if let Ok(value) = HeaderValue::from_str(&value) {
            field.or_insert(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(per_minute: u32) -> Limits {
        let (mut config, _) = crate::config::load(None, |_| None).unwrap();
        config.api_requests_per_minute = per_minute;
        config.anonymous_requests_per_minute = per_minute;
        Limits::new(&config, Redis::default()).unwrap()
    }

    async fn accepted(limits: &Limits, clients: impl Iterator<Item = (Rule, Client)>) -> usize {
        let mut accepted = 0;
        for client in clients {
            accepted += usize::from(limits.count(None, &[client]).await.is_ok());
        }
        accepted
    }

    #[tokio::test]
    async fn each_client_has_its_own_cell() {
        let limits = limits(5);
        let known = |id| (Rule::User, Client::Known(id));
        let (one, other) = (known(Uuid::now_v7()), known(Uuid::now_v7()));
        assert_eq!(accepted(&limits, std::iter::repeat_n(one, 20)).await, 5);
        let Err(Error::RateLimited("rate-limited", wait)) = limits.count(None, &[one]).await else {
            panic!("not limited")
        };
        assert!((1..=12).contains(&wait), "{wait}");
        assert_eq!(accepted(&limits, std::iter::once(other)).await, 1);
        let v6 = |last: u16| {
            let network = address::prefix(IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]));
            (Rule::Source, Client::Stranger(Door::Credential, network))
        };
        assert_eq!(accepted(&limits, (0..20).map(v6)).await, 5, "a /64 is one client");
    }

    #[tokio::test]
    async fn a_tenant_is_limited_as_a_whole() {
        let (mut config, _) = crate::config::load(None, |_| None).unwrap();
        config.tenant_requests_per_minute = 7;
        let limits = Limits::new(&config, Redis::default()).unwrap();
        let (mut parts, ()) = axum::http::Request::new(()).into_parts();
        parts.extensions.insert(Meter::default());
        let tenant = TenantId(Uuid::now_v7());
        let mut accepted = 0;
        for _ in 0..20 {
            accepted += usize::from(limits.member(&parts, tenant, Uuid::now_v7()).await.is_ok());
        }
        assert_eq!(accepted, 7);
        let said = parts.extensions.get::<Meter>().and_then(|meter| *meter.0.lock().unwrap());
        assert_eq!(said.map(|(rule, left)| (rule, left.remaining)), Some(("tenant", 0)));
    }

    #[tokio::test]
    async fn zero_is_no_limit() {
        let limits = limits(0);
        let anybody = (Rule::User, Client::Known(Uuid::nil()));
        assert_eq!(accepted(&limits, std::iter::repeat_n(anybody, 10_000)).await, 10_000);
    }

    #[test]
    fn only_a_text_makes_a_search() {
        let search = |uri: &str| is_search(&axum::http::Request::get(uri).body(()).unwrap().into_parts().0);
        assert!(search("/api/v1/incidents?limit=1&q=checkout"));
        assert!(!search("/api/v1/incidents?q=&limit=1") && !search("/api/v1/incidents?limit=1"));
        assert!(!search("/api/v1/changes?q=checkout"));
    }
}
