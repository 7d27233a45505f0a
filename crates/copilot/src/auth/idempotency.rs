//! `Idempotency-Key`: a POST that is sent again is answered again, and done once.
//!
//! The key is taken in a transaction before the request is handled, and its answer stored after. Only answers
//! of success are kept; after any other the key is free again. An answer is sealed, because some hold a secret
//! that is nowhere else. A client that hangs up changes none of this.
//!
//! A process that dies in between leaves the key taken for a minute, and what it had committed is done again by a later
//! request of the key. That is not closed: the answer is made after the handler's commit, and a mark made in it could
//! only say that an answer is lost, some of which hold a secret that nobody would ever have then.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outbox::sabotage;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::identity;
use super::permission::Member;
use super::seal::{Cell, Place};
use super::store::idempotency::{self, Earlier};
use crate::app::App;
use crate::error::{Error, Result};
use crate::http;
use crate::valid::{BODY_TIMEOUT, MAX_BODY, TOO_SLOW};

/// After so many seconds a request without an answer is taken for dead.
const ABANDONED_S: i64 = 60;

/// How often, and how many times, a request looks for the answer that another is making.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const LOOKS: u32 = 100;

/// Around every route of the API: handles POST requests with an `Idempotency-Key` once.
pub async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    let keyed = request.method() == Method::POST && request.headers().contains_key("idempotency-key");
    if !keyed || !request.uri().path().starts_with("/api/") {
        return next.run(request).await;
    }
    // In a box of its own: what few requests need would be moved about with every other one.
    Box::pin(once(&app, request, next)).await.unwrap_or_else(IntoResponse::into_response)
}

/// Headers that are given again with an answer; the others are the same for all or belong to one request.
const HEADERS: [HeaderName; 2] = [header::LOCATION, header::ETAG];

/// An answer of success as it is kept.
struct Kept {
    status: StatusCode,
    /// Values of [`HEADERS`] by name.
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Kept {
    fn of(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let shown = HEADERS.iter().filter_map(|name| Some((name, headers.get(name)?.to_str().ok()?)));
        let headers = shown.map(|(name, value)| (name.to_string(), value.to_owned())).collect();
        Self { status, headers, body: body.to_vec() }
    }
}

/// The key under which one request is known.
struct Key {
    member: Member,
    text: String,
    request_hash: Vec<u8>,
}

async fn once(app: &App, request: Request, next: Next) -> Result<Response> {
    let text = key(request.headers())?;
    let (mut parts, body) = request.into_parts();
    let Ok(member) = identity::of_request(&mut parts, app).await else {
        // Routes for everybody know no principal to keep an answer for; all others say what is missing.
        return Ok(next.run(Request::from_parts(parts, body)).await);
    };
    let body = tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, MAX_BODY)).await.map_err(|_| TOO_SLOW)?;
    let body = body.map_err(|_| Error::TooLarge("the body is too large".to_owned()))?;
    let mut hash = Sha256::new();
    // The same person may have moved on to another project, which the address does not tell.
    hash.update(member.project.0);
    hash.update(parts.uri.to_string());
    hash.update([0]);
    hash.update(&body);
    let key = Key { member, text, request_hash: hash.finalize().to_vec() };
    let request = Request::from_parts(parts, Body::from(body));
    // In a task of its own: a client that hangs up must not part what is done from the answer that says so.
    let (app, tasks) = (app.clone(), app.tasks.clone());
    let done = tasks.spawn(http::in_request(async move {
        match key.take(&app).await? {
            Some(answer) => Ok(answer),
            None => key.keep(&app, next.run(request).await).await,
        }
    }));
    done.await.unwrap_or_else(|ended| match ended.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(ended) => Err(Error::Internal(ended.into())),
    })
}

/// The header's one value: 1 to 255 visible ASCII characters.
fn key(headers: &HeaderMap) -> Result<String> {
    let refused =
        || Error::field("Idempotency-Key", "must be one value of 1 to 255 visible ASCII characters");
    let mut values = headers.get_all("idempotency-key").iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(refused()) };
    let text = std::str::from_utf8(value.as_bytes()).map_err(|_| refused())?;
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    if !visible || !(1..=255).contains(&text.len()) {
        return Err(refused());
    }
    Ok(text.to_owned())
}

impl Key {
    /// Takes the key, or returns the answer that was given to it before.
    async fn take(&self, app: &App) -> Result<Option<Response>> {
        let (tenant, principal) = (self.member.tenant, self.member.actor.principal());
        for _ in 0..LOOKS {
            let mut tx = app.db.read(tenant.0).await?;
            let abandoned = tx.now().plus_seconds(-ABANDONED_S);
            let earlier = idempotency::find(&mut tx, tenant, &principal, &self.text).await?;
            drop(tx);
            match earlier {
                Some(earlier) if earlier.status.is_some() || earlier.created_at > abandoned => {
                    if let Some(answer) = self.answer_again(app, &earlier)? {
                        return Ok(Some(answer));
                    }
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                _ => {
                    let mut tx = app.db.begin(tenant.0).await?;
                    idempotency::release(&mut tx, tenant, &principal, &self.text, abandoned).await?;
                    let hash = &self.request_hash;
                    let taken = idempotency::take(&mut tx, tenant, &principal, &self.text, hash).await?;
                    tx.commit().await?;
                    if taken {
                        return Ok(None);
                    }
                }
            }
        }
        Err(Error::Busy(1))
    }

    /// The earlier answer, if it is there by now.
    fn answer_again(&self, app: &App, earlier: &Earlier) -> Result<Option<Response>> {
        if earlier.request_hash != self.request_hash {
            let detail = "this Idempotency-Key was used for another request";
            return Err(Error::Refused("idempotency-conflict", detail.to_owned()));
        }
        let (Some(status), Some(body)) = (earlier.status, &earlier.body) else { return Ok(None) };
        let sealed = STANDARD.decode(body).map_err(|error| Error::Internal(error.into()))?;
        let body = app.keys.open(&sealed, self.cell()).map_err(Error::Internal)?;
        let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok());
        let mut answer = (status.unwrap_or(StatusCode::OK), body).into_response();
        let headers = answer.headers_mut();
        for name in HEADERS {
            let value = earlier.headers.as_ref().and_then(|kept| kept.get(name.as_str())?.parse().ok());
            value.map(|value| headers.insert(name, value));
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
        Ok(Some(answer))
    }

    /// Keeps an answer of success; after any other the key is free again.
    async fn keep(&self, app: &App, answer: Response) -> Result<Response> {
        let streams = answer.headers().get(header::CONTENT_TYPE);
        if streams.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream")) {
            // It is told while it comes, and not a second time.
            self.store(app, None).await?;
            return Ok(answer);
        }
        let keeps = answer.status().is_success() && !answer.headers().contains_key(header::SET_COOKIE);
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, MAX_BODY).await.map_err(|error| Error::Internal(error.into()))?;
        let kept = keeps.then(|| Kept::of(parts.status, &parts.headers, &body));
        self.store(app, kept.as_ref()).await?;
        Ok(Response::from_parts(parts, Body::from(body)))
    }

    async fn store(&self, app: &App, answer: Option<&Kept>) -> Result<()> {
        let (tenant, principal) = (self.member.tenant, self.member.actor.principal());
        let mut tx = app.db.begin(tenant.0).await?;
        match answer {
            Some(Kept { status, headers, body }) => {
                let mut sealed = STANDARD.encode(app.keys.seal(body, self.cell()).map_err(Error::Internal)?);
                if sabotage::broken("answers-kept-in-clear") {
                    sealed = String::from_utf8_lossy(body).into_owned();
                }
                let status = i64::from(status.as_u16());
                let answer = (status, headers, sealed.as_str());
                idempotency::store(&mut tx, tenant, &principal, &self.text, answer).await?;
            }
            None => {
                let now = tx.now();
                idempotency::release(&mut tx, tenant, &principal, &self.text, now).await?;
            }
        }
        Ok(tx.commit().await?)
    }

    /// The cell that the answer is sealed for.
    fn cell(&self) -> Cell {
        let row = row(&format!("{}|{}", self.member.actor.principal(), self.text));
        Cell { tenant: self.member.tenant, place: Place::Answer, row }
    }
}

/// Names the row of an answer, by `name`: principal, `|` and key.
pub(super) fn row(name: &str) -> Uuid {
    let digest = Sha256::digest(name);
    digest.first_chunk::<16>().map_or(Uuid::nil(), |bytes| Uuid::from_bytes(*bytes))
}
