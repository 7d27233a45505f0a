//! Who may open a socket, and from which page.

use std::collections::HashMap;
use std::net::SocketAddr;

use axum::extract::{FromRequestParts as _, Query, State, WebSocketUpgrade};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::hub::Hub;
use super::message::MAX_FRAME;
use super::request::Place;
use super::session::Session;
use super::socket;
use crate::app::App;
use crate::auth;
use crate::auth::shown::{self, KEY_HEADERS};
use crate::config::Config;
use crate::error::{Error, Problem, Result};
use crate::ids::ProjectId;

/// The only subprotocol; a client need not ask for it.
const SUBPROTOCOL: &str = "srec.v1";

/// What the URL may say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wish {
    /// A project other than the session's or the key's.
    project: Option<ProjectId>,
    /// The last event that the client knows.
    place: Option<Place>,
}

/// Live events of one project.
#[utoipa::path(
    get,
    path = "/ws",
    tag = "live",
    params(
        ("project_id" = Option<String>, Query, description = "Another project the caller may read"),
        ("epoch" = Option<String>, Query, description = "Resume: the epoch of the last event known"),
        ("seq" = Option<i64>, Query, description = "Resume: the number of the last event known"),
    ),
    responses(
        (status = 101, description = "Events follow as text messages"),
        (status = 400, description = "Not a WebSocket handshake", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Nobody is signed in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The page is not ours", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such project, or not yours", body = Problem, content_type = "application/problem+json"),
        (status = 426, description = "WebSocket version 13 is needed", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn connect(State(app): State<App>, mut parts: Parts) -> Result<Response> {
    let wish = wish(&parts)?;
    let session = Session::authenticate(&parts.headers, &app, wish.project).await?;
    check_origin(&parts.headers, &origins(&app.config))?;
    open(&app.hub, session, wish, &mut parts).await
}

/// Turns the request into a socket of `session`.
pub(super) async fn open(hub: &Hub, session: Session, wish: Wish, parts: &mut Parts) -> Result<Response> {
    let keys: Vec<&HeaderValue> = parts.headers.get_all(header::SEC_WEBSOCKET_KEY).iter().collect();
    if parts.headers.get(header::UPGRADE).is_none() || !is_version_13(&parts.headers) {
        return Ok(upgrade_required());
    }
    if !matches!(keys.as_slice(), [key] if STANDARD.decode(key).is_ok_and(|nonce| nonce.len() == 16)) {
        let detail = "Sec-WebSocket-Key must be there once, with 16 bytes in base64";
        return Err(Error::Malformed("malformed-request", detail.to_owned()));
    }
    let upgrade = WebSocketUpgrade::from_request_parts(parts, &())
        .await
        .map_err(|rejection| Error::Malformed("malformed-request", rejection.body_text()))?;
    let hub = hub.clone();
    // Counted from here on, so that a shutdown waits for the socket.
    let counted = hub.tasks().token();
    Ok(upgrade
        .protocols([SUBPROTOCOL])
        .max_frame_size(MAX_FRAME)
        .max_message_size(MAX_FRAME)
        .read_buffer_size(4 * 1024)
        .write_buffer_size(16 * 1024)
        .on_upgrade(|socket| async move {
            socket::run(&hub, &std::sync::Arc::new(session), wish.place, socket).await;
            drop(counted);
        }))
}

/// What the URL of `parts` asks for; empty values are as good as none.
pub(super) fn wish(parts: &Parts) -> Result<Wish> {
    let Query(mut query) = Query::<HashMap<String, String>>::try_from_uri(&parts.uri)?;
    query.retain(|_, value| !value.is_empty());
    let project = query.get("project_id").map(|id| id.parse().map_err(|_| Error::NotFound)).transpose()?;
    let seq = query.get("seq").map(|seq| {
        seq.parse::<u64>().map_err(|_| Error::field("seq", "must be a whole number, the last event's seq"))
    });
    let place = seq.transpose()?.map(|seq| Place {
        // Without an epoch nobody can tell whether the number still means the same event.
        epoch: query.remove("epoch").unwrap_or_default(),
        seq: i64::try_from(seq).unwrap_or(i64::MAX),
    });
    Ok(Wish { project, place })
}

/// The pages that may open a socket with a cookie.
fn origins(config: &Config) -> Vec<String> {
    let mut origins = vec![auth::public_origin(config)];
    // Who listens everywhere and names no public URL has no address to hold pages against but the machine's own.
    if config.public_url.is_empty()
        && let Ok(listen) = config.gateway_listen.parse::<SocketAddr>()
        && listen.ip().is_unspecified()
    {
        origins.extend(["127.0.0.1", "localhost"].map(|host| format!("http://{host}:{}", listen.port())));
    }
    origins
}

/// Refuses a request with a cookie or a remembered password from a page that is not in `allowed`.
///
/// A program names its credential itself; a browser adds those to whatever page asks, so there the
/// page decides (RFC 6455, 10.2).
fn check_origin(headers: &HeaderMap, allowed: &[String]) -> Result<()> {
    let program = shown::is_shown(headers, &KEY_HEADERS);
    if program && !shown::is_ambient(headers) {
        return Ok(());
    }
    let named: Vec<&HeaderValue> = headers.get_all(header::ORIGIN).iter().collect();
    let ours = match named.as_slice() {
        [] => program,
        [origin] => allowed.iter().any(|one| one.as_bytes() == origin.as_bytes()),
        _ => false,
    };
    if ours { Ok(()) } else { Err(Error::Origin) }
}

fn is_version_13(headers: &HeaderMap) -> bool {
    headers.get(header::SEC_WEBSOCKET_VERSION).is_some_and(|version| version.as_bytes() == b"13")
}

fn upgrade_required() -> Response {
    let problem = Problem {
        kind: "/problems/upgrade-required".to_owned(),
        title: "Upgrade required".to_owned(),
        status: StatusCode::UPGRADE_REQUIRED.as_u16(),
        detail: "this address speaks WebSocket, version 13".to_owned(),
        request_id: crate::http::request_id(),
        errors: Vec::new(),
        legal: None,
    };
    let mut response = problem.into_response();
    for (name, value) in [
        (header::UPGRADE, "websocket"),
        (header::CONNECTION, "Upgrade"),
        (header::SEC_WEBSOCKET_VERSION, "13"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(public_url: &str) -> Vec<String> {
        let mut config = Config::defaults().unwrap();
        config.public_url = public_url.to_owned();
        origins(&config)
    }

    fn check(origins: &[&str], allowed: &[String], expected: bool) {
        let mut headers = HeaderMap::new();
        for origin in origins {
            headers.append(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        assert_eq!(check_origin(&headers, allowed).is_ok(), expected, "{origins:?}");
    }

    #[test]
    fn only_our_own_page_may_use_a_cookie() {
        let ours = allowed("https://sre.example.com/");
        check(&["https://sre.example.com"], &ours, true);
        for other in [
            "null",
            "",
            "https://evil.com",
            "https://evil.sre.example.com",
            "https://sre.example.com.evil.com",
            "http://sre.example.com",
            "https://sre.example.com:8443",
            "https://SRE.example.com",
            "https://sre.example.com/",
            "http://localhost:8500",
        ] {
            check(&[other], &ours, false);
        }
        check(&[], &ours, false);
        check(&["https://sre.example.com", "https://evil.com"], &ours, false);
    }

    #[test]
    fn only_who_listens_everywhere_may_be_spelled_in_two_ways() {
        let ours = allowed("");
        check(&["http://127.0.0.1:8500"], &ours, true);
        check(&["http://localhost:8500"], &ours, false);
        let mut config = Config::defaults().unwrap();
        config.gateway_listen = "0.0.0.0:8500".to_owned();
        let ours = origins(&config);
        check(&["http://127.0.0.1:8500"], &ours, true);
        check(&["http://localhost:8500"], &ours, true);
        check(&["http://localhost:8501"], &ours, false);
        check(&["https://localhost:8500"], &ours, false);
    }

    #[test]
    fn a_program_needs_no_origin() {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer x"));
        assert!(check_origin(&headers, &[]).is_ok());
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Basic eDp4"));
        assert!(check_origin(&headers, &[]).is_ok());
        headers.insert(header::ORIGIN, HeaderValue::from_static("https://evil.com"));
        assert!(check_origin(&headers, &[]).is_err(), "a browser adds a password that it remembers");
    }
}
