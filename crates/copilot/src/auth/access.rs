//! Who may do what: every route, and from which role up. What is not in this table is not served.
//!
//! The [`layer`] around every service decides by it, before a handler or its parameters see the request. The role
//! types of [`permission`](super::permission) are the proof that it did: a handler that takes an
//! [`Engineer`](super::Engineer) answers only on a route whose row says `Engineer`.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use outbox::sabotage;

use super::audit;
use super::identity;
use super::permission::{Granted, Member, Role, session_of};
use super::source::Source;
use crate::app::App;
use crate::error::{Error, Result};

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// A browser with one of the session's cookies, which the handler reads itself: either may have expired.
    Cookie,
    /// A sender with the token of an integration, which the handler reads itself.
    Webhook,
    /// A member who may read the project that the socket asks for, which the handshake finds out itself.
    Socket,
    /// People and API keys with at least this role in the project.
    Member(Role),
    /// People with at least this role; an API key has no session of its own, and can't own anything.
    Person(Role),
}

/// A route, a method, and who may use it.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The method; GET is HEAD as well.
    pub method: &'static str,
    /// The path as the router knows it.
    pub path: &'static str,
    /// Who may.
    pub access: Access,
}

const VIEWER: Access = Access::Member(Role::Viewer);
const ENGINEER: Access = Access::Member(Role::Engineer);
const ADMIN: Access = Access::Member(Role::Admin);
const OWNER: Access = Access::Member(Role::Owner);

const fn row(method: &'static str, path: &'static str, access: Access) -> Row {
    Row { method, path, access }
}

/// The table.
pub const TABLE: &[Row] = &[
    row("POST", "/webhooks/alertmanager", Access::Webhook),
    row("POST", "/webhooks/alertmanager/{integration_id}", Access::Webhook),
    row("POST", "/webhooks/prometheus/api/v2/alerts", Access::Webhook),
    row("POST", "/webhooks/prometheus/{integration_id}", Access::Webhook),
    row("POST", "/webhooks/prometheus/{integration_id}/api/v2/alerts", Access::Webhook),
    row("POST", "/webhooks/grafana", Access::Webhook),
    row("PUT", "/webhooks/grafana", Access::Webhook),
    row("POST", "/webhooks/grafana/{integration_id}", Access::Webhook),
    row("PUT", "/webhooks/grafana/{integration_id}", Access::Webhook),
    row("GET", "/ws", Access::Socket),
    row("GET", "/-/healthy", Access::Public),
    row("GET", "/-/ready", Access::Public),
    row("GET", "/metrics", Access::Public),
    row("GET", "/docs", Access::Public),
    row("GET", "/docs/style.css", Access::Public),
    row("GET", "/api/v1/openapi.json", Access::Public),
    row("GET", "/api/v1/auth/setup", Access::Public),
    row("POST", "/api/v1/auth/register", Access::Public),
    row("POST", "/api/v1/auth/login", Access::Public),
    row("POST", "/api/v1/auth/link", Access::Public),
    row("POST", "/api/v1/auth/invitations/accept", Access::Public),
    row("POST", "/api/v1/auth/refresh", Access::Cookie),
    row("POST", "/api/v1/auth/logout", Access::Cookie),
    row("GET", "/api/v1/auth/me", VIEWER),
    row("POST", "/api/v1/auth/password", Access::Person(Role::Viewer)),
    row("POST", "/api/v1/auth/switch-project", Access::Person(Role::Viewer)),
    row("GET", "/api/v1/auth/sessions", Access::Person(Role::Viewer)),
    row("DELETE", "/api/v1/auth/sessions", Access::Person(Role::Viewer)),
    row("GET", "/api/v1/auth/sessions/{session_id}", Access::Person(Role::Viewer)),
    row("DELETE", "/api/v1/auth/sessions/{session_id}", Access::Person(Role::Viewer)),
    row("GET", "/api/v1/auth/invitations", ADMIN),
    row("POST", "/api/v1/auth/invitations", ADMIN),
    row("DELETE", "/api/v1/auth/invitations/{invitation_id}", ADMIN),
    row("GET", "/api/v1/tenant", VIEWER),
    row("PATCH", "/api/v1/tenant", OWNER),
    row("GET", "/api/v1/audit", ADMIN),
    row("GET", "/api/v1/projects", VIEWER),
    row("POST", "/api/v1/projects", Access::Person(Role::Admin)),
    row("GET", "/api/v1/projects/{project_id}", VIEWER),
    row("PATCH", "/api/v1/projects/{project_id}", ADMIN),
    row("DELETE", "/api/v1/projects/{project_id}", OWNER),
    row("GET", "/api/v1/projects/{project_id}/members", VIEWER),
    row("POST", "/api/v1/projects/{project_id}/members", ADMIN),
    row("PATCH", "/api/v1/projects/{project_id}/members/{user_id}", ADMIN),
    row("DELETE", "/api/v1/projects/{project_id}/members/{user_id}", ADMIN),
    row("GET", "/api/v1/projects/{project_id}/api-keys", ADMIN),
    row("POST", "/api/v1/projects/{project_id}/api-keys", ADMIN),
    row("DELETE", "/api/v1/projects/{project_id}/api-keys/{key_id}", ADMIN),
    row("GET", "/api/v1/projects/{project_id}/integrations", VIEWER),
    row("POST", "/api/v1/projects/{project_id}/integrations", ADMIN),
    row("GET", "/api/v1/projects/{project_id}/integrations/{integration_id}", VIEWER),
    row("PATCH", "/api/v1/projects/{project_id}/integrations/{integration_id}", ADMIN),
    row("DELETE", "/api/v1/projects/{project_id}/integrations/{integration_id}", ADMIN),
    row("POST", "/api/v1/projects/{project_id}/integrations/{integration_id}/test", ADMIN),
    row("POST", "/api/v1/projects/{project_id}/integrations/{integration_id}/rotate-token", ADMIN),
    row("GET", "/api/v1/projects/{project_id}/notification-channels", VIEWER),
    row("POST", "/api/v1/projects/{project_id}/notification-channels", ADMIN),
    row("GET", "/api/v1/projects/{project_id}/notification-channels/{channel_id}", VIEWER),
    row("PATCH", "/api/v1/projects/{project_id}/notification-channels/{channel_id}", ADMIN),
    row("DELETE", "/api/v1/projects/{project_id}/notification-channels/{channel_id}", ADMIN),
    row("POST", "/api/v1/projects/{project_id}/notification-channels/{channel_id}/test", ADMIN),
    row("POST", "/api/v1/projects/{project_id}/notification-channels/{channel_id}/rotate-secret", ADMIN),
    row("GET", "/api/v1/projects/{project_id}/notification-channels/{channel_id}/notifications", VIEWER),
    row("GET", "/api/v1/projects/{project_id}/deliveries", VIEWER),
    row("GET", "/api/v1/projects/{project_id}/deliveries/{delivery_id}", VIEWER),
    row("POST", "/api/v1/projects/{project_id}/deliveries/{delivery_id}/replay", ENGINEER),
    row("GET", "/api/v1/incidents", VIEWER),
    row("POST", "/api/v1/incidents", ENGINEER),
    row("GET", "/api/v1/incidents/summary", VIEWER),
    row("GET", "/api/v1/incidents/{incident_id}", VIEWER),
    row("PATCH", "/api/v1/incidents/{incident_id}", ENGINEER),
    row("PATCH", "/api/v1/incidents/{incident_id}/state", ENGINEER),
    row("GET", "/api/v1/incidents/{incident_id}/alerts", VIEWER),
    row("GET", "/api/v1/incidents/{incident_id}/steps", VIEWER),
    row("GET", "/api/v1/incidents/{incident_id}/comments", VIEWER),
    row("POST", "/api/v1/incidents/{incident_id}/comments", ENGINEER),
    row("POST", "/api/v1/incidents/{incident_id}/merge", ENGINEER),
    row("POST", "/api/v1/incidents/{incident_id}/snooze", ENGINEER),
    row("DELETE", "/api/v1/incidents/{incident_id}/snooze", ENGINEER),
    row("GET", "/api/v1/incidents/{incident_id}/notifications", VIEWER),
    row("GET", "/api/v1/incidents/{incident_id}/evidence", VIEWER),
    row("POST", "/api/v1/incidents/{incident_id}/evidence/{evidence_id}/run", VIEWER),
    row("GET", "/api/v1/incidents/{incident_id}/questions", VIEWER),
    row("POST", "/api/v1/incidents/{incident_id}/questions", ENGINEER),
    row("GET", "/api/v1/incidents/{incident_id}/hypotheses", VIEWER),
    row("POST", "/api/v1/incidents/{incident_id}/hypotheses", ENGINEER),
    row("POST", "/api/v1/incidents/{incident_id}/hypotheses/{hypothesis_id}/feedback", ENGINEER),
    row("GET", "/api/v1/changes", VIEWER),
    row("POST", "/api/v1/changes", ENGINEER),
    row("GET", "/api/v1/analytics/incidents", VIEWER),
    row("GET", "/api/v1/analytics/ai", VIEWER),
];

/// Who may use `method` on the router's `path`; nobody may use what is not in the table.
pub fn access(method: &str, path: &str) -> Option<Access> {
    let method = if method == "HEAD" { "GET" } else { method };
    if sabotage::broken("no-row-for-changes") && path == "/api/v1/changes" {
        return None;
    }
    TABLE.iter().find(|row| row.path == path && row.method == method).map(|row| row.access)
}

/// Around every route of every service: lets pass whom the table names.
pub async fn layer(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().cloned();
    let path = path.as_ref().map_or("", MatchedPath::as_str);
    let Some(access) = access(request.method().as_str(), path) else { return not_offered(path) };
    // Boxed, as what few requests need: else it is moved about with every one of them.
    match Box::pin(admit(&app, access, request, path)).await {
        Ok(admitted) => request = admitted,
        Err(error) => return error.into_response(),
    }
    let attempt = Attempt::of(&app, &request, path);
    let response = next.run(request).await;
    if let Some(attempt) = attempt
        && response.status() == StatusCode::FORBIDDEN
        && let Err(error) =
            Box::pin(audit::refuse(&app, &attempt.member, &attempt.source, attempt.what)).await
    {
        return error.into_response();
    }
    response
}

/// A change that somebody asks for and that its handler may still refuse, such as giving a role above one's own.
struct Attempt {
    member: Member,
    source: Source,
    what: String,
}

impl Attempt {
    fn of(app: &App, request: &Request, path: &str) -> Option<Self> {
        let granted = request.extensions().get::<Granted>()?;
        let changes = ![Method::GET, Method::HEAD].contains(request.method());
        changes.then(|| Self {
            member: granted.member.clone(),
            source: Source::of(app, request.extensions(), request.headers()),
            what: format!("{} {path}", request.method()),
        })
    }
}

/// The request with what it was granted, or why it is refused.
async fn admit(app: &App, access: Access, request: Request, path: &str) -> Result<Request> {
    let (role, people) = match access {
        Access::Public | Access::Cookie | Access::Webhook | Access::Socket => return Ok(request),
        Access::Member(role) => (role, false),
        Access::Person(role) => (role, true),
    };
    let (mut parts, body) = request.into_parts();
    let member = match identity::of_request(&mut parts, app).await {
        Err(Error::Unauthenticated)
            if sabotage::broken("optional-sign-in") && path.starts_with("/api/v1/analytics/") =>
        {
            return Ok(Request::from_parts(parts, body));
        }
        found => found?,
    };
    let unchecked = sabotage::broken("no-role-check") && path == "/api/v1/incidents/{incident_id}/comments";
    let refused = if member.role < role && !unchecked {
        Some(Error::Forbidden(format!(
            "this needs the role {role} in this project; yours is {}",
            member.role
        )))
    } else if people {
        session_of(&member).err()
    } else {
        None
    };
    if let Some(error) = refused {
        if ![Method::GET, Method::HEAD].contains(&parts.method) {
            let source = Source::of(app, &parts.extensions, &parts.headers);
            audit::refuse(app, &member, &source, format!("{} {path}", parts.method)).await?;
        }
        return Err(error);
    }
    parts.extensions.insert(Granted { member, least: role });
    Ok(Request::from_parts(parts, body))
}

/// The answer where the table has no row; with the methods it has (RFC 9110, 15.5.6).
fn not_offered(path: &str) -> Response {
    let offered = offered(path);
    if offered.is_empty() {
        return Error::NotFound.into_response();
    }
    let mut response = Error::MethodNotAllowed.into_response();
    if let Ok(allow) = HeaderValue::from_str(&offered) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

/// The methods of the router's `path`, as `Allow` lists them.
pub fn offered(path: &str) -> String {
    let methods = TABLE.iter().filter(|row| row.path == path).map(|row| row.method);
    let methods: Vec<&str> =
        methods.map(|method| if method == "GET" { "GET, HEAD" } else { method }).collect();
    methods.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_has_one_row() {
        for (at, row) in TABLE.iter().enumerate() {
            let same = |other: &Row| other.path == row.path && other.method == row.method;
            assert_eq!(TABLE.iter().position(same), Some(at), "{} {}", row.method, row.path);
        }
        assert_eq!(access("HEAD", "/api/v1/audit"), Some(ADMIN));
        assert_eq!(access("PUT", "/api/v1/audit"), None);
        assert_eq!(access("GET", "/api/v1/audit/"), None);
    }
}
