//! The receivers: read the body, read the alerts, wait for the commit, say what became of each.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, on};
use axum::{Json, routing::MethodFilter};
use outbox::sabotage;
use serde::Serialize;

use super::Kind;
use super::body;
use super::deliveries::health::{self, Refused};
use super::deliveries::{self, DeliveryResult, receipt};
use super::drain;
use super::entry::{Entry, Reading};
use super::hook::{self, Hook};
use super::inbox::Answer;
use super::room::{self, Room};
use super::signature;
use super::soon::soon;
use super::spool::Record;
use super::token::WRONG;
use crate::app::App;
use crate::auth::access::{Access, TABLE};
use crate::error::{Error, Result, seldom};
use crate::ids::{DeliveryId, IntegrationId};
use crate::incident::intake::Outcome;

/// How long the receipt of a refused request may take; its sender waits for nothing else.
const NOTE_TIMEOUT: Duration = Duration::from_millis(500);

/// Bodies from this size are read off the executor, in bytes.
const LARGE: usize = 128 * 1024;

/// What a sender is told.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Accepted {
    /// Always `success`: everything is durably stored.
    status: &'static str,
    /// The receipt.
    delivery_id: DeliveryId,
    /// How many alerts the body held.
    received: usize,
    /// What became of each.
    results: Vec<AlertAnswer>,
}

/// What became of one alert.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AlertAnswer {
    /// The fingerprint of its labels.
    fingerprint: Option<String>,
    /// In one word.
    outcome: Outcome,
    /// The incident it concerns.
    incident_id: Option<crate::ids::IncidentId>,
    /// Why, where the word does not say.
    reason: Option<String>,
}

impl From<DeliveryResult> for AlertAnswer {
    fn from(result: DeliveryResult) -> Self {
        let DeliveryResult { fingerprint, outcome, incident_id, reason, .. } = result;
        Self { fingerprint, outcome, incident_id, reason }
    }
}

/// The routes that the table of access gives to senders. A receiver proves its sender itself.
pub fn routes() -> Router<App> {
    let rows = TABLE.iter().filter(|row| row.access == Access::Webhook);
    rows.fold(Router::new(), |router, row| {
        let kind = row.path.split('/').nth(2).and_then(|kind| kind.parse().ok());
        let method = row.method.parse::<Method>().ok().and_then(|method| method.try_into().ok());
        match (kind, method) {
            (Some(kind), Some(method)) => router.route(row.path, receiver(kind, method)),
            _ => router,
        }
    })
}

fn receiver(kind: Kind, methods: MethodFilter) -> MethodRouter<App> {
    on(methods, move |State(app): State<App>, request: Request| async move {
        admit(&app, kind, request).await.unwrap_or_else(|error| refusal(ours_is_503(error)))
    })
}

/// Finds out who sends a request, and receives it.
async fn admit(app: &App, kind: Kind, request: Request) -> Result<Response> {
    let (mut parts, mut body) = request.into_parts();
    if kind == Kind::Grafana
        && signature::is_alone(&parts.headers)
        && let Ok(Some(id)) = hook::named_integration(&mut parts, app).await
    {
        body = match Box::pin(signed(app, id, &mut parts.headers, body)).await {
            Ok(signed) => {
                parts.extensions.insert(signature::Checked);
                Body::from(signed)
            }
            Err(error) => {
                let (remote, user_agent) = hook::sender(&parts, app);
                Box::pin(deliveries::note_rejection(app, id, &remote, &user_agent, &error)).await;
                return Err(error);
            }
        };
    }
    match Hook::from_request_parts(&mut parts, app).await {
        Ok(hook) => receive(app, kind, hook, Request::from_parts(parts, body)).await,
        // Who is not let in learns that, and not to try again.
        Err(error) => Ok(refusal(error)),
    }
}

/// The answer to a request that is refused, counted by what is answered.
fn refusal(error: Error) -> Response {
    let status = error.status().0.as_u16().to_string();
    metrics::counter!("sre_copilot_webhook_refusals_total", "status" => status).increment(1);
    error.into_response()
}

/// The body of a request that is signed, whose token is among `headers` then.
async fn signed(app: &App, id: IntegrationId, headers: &mut HeaderMap, body: Body) -> Result<Bytes> {
    let _place = app.signers.place()?;
    let signed = body::collect(headers, body, signature::MAX_BODY, &app.inbox.rooms.enter()).await?;
    signature::reveal(app, id, headers, &signed).await?;
    Ok(signed)
}

/// The request, once its signature is found right; one that its integration may do without need not be there.
async fn vouched(app: &App, hook: &Hook, request: Request, room: &Room) -> Result<Request> {
    let integration = &hook.proof.integration;
    if request.extensions().get::<signature::Checked>().is_some() {
        return Ok(request);
    }
    if !signature::is_signed(request.headers()) {
        let required = integration.settings.0.require_signature == Some(true);
        return if required { Err(signature::MISSING) } else { Ok(request) };
    }
    let (parts, body) = request.into_parts();
    let checked = async {
        let body = body::collect(&parts.headers, body, body::MAX_BODY, room).await?;
        signature::check(app, integration.id, &parts.headers, &body).await.map(|()| body)
    };
    let body = Box::pin(checked).await?;
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// A sender tries again after 503 and after nothing else, so every fault of ours is one (Alertmanager's
/// `notify/util.go` retries 5xx only; 429 and 408 lose the alert).
fn ours_is_503(error: Error) -> Error {
    if sabotage::broken("database-error-is-400") && error.status().0.is_server_error() {
        return Error::Malformed("malformed-request", error.to_string());
    }
    match error {
        Error::Internal(cause) => {
            tracing::error!(error = format!("{cause:#}"), "a webhook could not be stored");
            metrics::counter!("sre_copilot_internal_errors_total").increment(1);
            Error::Unavailable("unavailable", "it could not be stored; send it again")
        }
        // Something that the body speaks of was deleted meanwhile; the next attempt sees that.
        Error::NotFound => Error::Unavailable("unavailable", "it could not be stored; send it again"),
        other => other,
    }
}

async fn receive(app: &App, kind: Kind, hook: Hook, request: Request) -> Result<Response> {
    sabotage::point("webhook.authenticated").await?;
    app.rates.count(app, &hook.proof).await?;
    let room = app.inbox.rooms.enter();
    let (reading, entry) = match understand(app, kind, &hook, request, &room).await {
        Ok(understood) => understood,
        Err(refused) => return Err(Box::pin(note(app, kind, &hook, refused)).await),
    };
    sabotage::point("webhook.parsed").await?;
    let stored = store(app, &hook, reading, entry).await;
    if let Err(Error::Credentials(..)) = &stored {
        app.tokens.forget();
    }
    let (delivery_id, results) = stored?;
    hear(app);
    let received = results.len();
    let results = results.into_iter().map(AlertAnswer::from).collect();
    Ok(Json(Accepted { status: "success", delivery_id, received, results }).into_response())
}

/// Notes that a webhook is accepted now, or could be from now on.
pub fn hear(app: &App) {
    let now = app.clock().now().micros() as f64 / 1e6;
    metrics::gauge!("sre_copilot_webhook_last_accepted_timestamp_seconds").set(now);
}

/// The request, read, and the alerts in it.
async fn understand(
    app: &App,
    kind: Kind,
    hook: &Hook,
    request: Request,
    room: &Arc<Room>,
) -> Result<(Reading, Entry), Refused> {
    let received_at = app.clock().now();
    expect_json(request.headers())?;
    let request = vouched(app, hook, request, room).await?;
    let body = body::read(request, room).await?;
    room.hold(room::weight(&body))?;
    sabotage::point("webhook.read").await.map_err(Error::from)?;
    let reading = Reading { kind, body, received_at };
    match open(app, hook, reading.clone(), room).await {
        Ok(mut entry) => {
            entry.room = Some(room.clone());
            if sabotage::broken("drop-beyond-20") {
                entry.prepared.truncate(20);
            }
            Ok((reading, entry))
        }
        Err(error) => Err(Refused { error: why(kind, &error), body: Some(reading.body) }),
    }
}

/// What the sender of a body that can't be read is told.
fn why(kind: Kind, error: &alerts::ParseError) -> Error {
    match error {
        alerts::ParseError::TooManyAlerts { count, limit } => {
            Error::TooLarge(format!("it holds {count} alerts, more than {limit}"))
        }
        alerts::ParseError::MalformedJson(why) => Error::Malformed("malformed-json", why.to_string()),
        alerts::ParseError::NotThisFormat(why) => {
            Error::Malformed("malformed-request", format!("not a body of {kind}: {why}"))
        }
    }
}

/// Keeps the receipt of a request that can never be stored; its sender is told either way.
async fn note(app: &App, kind: Kind, hook: &Hook, refused: Refused) -> Error {
    if refused.error.status().0.is_client_error() {
        let noted = tokio::time::timeout(NOTE_TIMEOUT, health::refused(app, hook, kind, &refused)).await;
        let failed = noted.map_or_else(
            |_| Some("it took too long".to_owned()),
            |noted| noted.err().map(|error| error.to_string()),
        );
        if let Some(error) = failed
            && let Some(times) = seldom("a refused webhook could not be noted", "")
        {
            tracing::warn!(error, times, "a refused webhook could not be noted");
        }
    }
    refused.error
}

/// Stores a request, or keeps it in the spool: while anything waits there, or when it can't be stored or too much waits for
/// that already.
async fn store(app: &App, hook: &Hook, reading: Reading, entry: Entry) -> Answer {
    if !app.spool.is_on() {
        return app.inbox.submit(app, entry).await;
    }
    if app.spool.is_behind() {
        let record = Record::of(hook, &reading);
        if app.spool.keep(app, &record, false).await? {
            return waits(hook, reading, &record);
        }
    }
    let entry = if hook.proof.sure { Ok(entry) } else { Box::pin(prove_again(app, hook, &reading)).await };
    let answer = match entry {
        Ok(entry) => app.inbox.submit(app, entry).await,
        Err(error) => Err(error),
    };
    match answer {
        Err(Error::Unavailable("unavailable" | "ingest-overloaded", _)) => {
            let record = Record::of(hook, &reading);
            app.spool.keep(app, &record, true).await?;
            waits(hook, reading, &record)
        }
        answer => answer,
    }
}

/// The request by what its token proves now: the database was away when that was asked, and nothing waits any more.
/// If the request went into the spool, the next one would go behind it, and under load the spool would never be empty.
async fn prove_again(app: &App, hook: &Hook, reading: &Reading) -> Result<Entry> {
    let record = Record::of(hook, reading);
    let asked = soon(|| drain::prove(app, &record)).await;
    let proof = asked.unwrap_or(Err(Error::Unavailable("unavailable", "the database does not answer")))?;
    let proof = proof.filter(|proof| proof.held_at(app.clock().now())).ok_or(WRONG)?;
    let hook = Hook { proof, ..hook.clone() };
    Entry::read(&hook, reading.clone(), None).map_err(|error| why(reading.kind, &error))
}

/// The answer to a request that waits in the spool.
fn waits(hook: &Hook, reading: Reading, record: &Record) -> Answer {
    let entry = Entry::read(hook, reading, None);
    // It could be read before.
    let results = entry.map(|entry| entry.waits()).unwrap_or_default();
    Ok((receipt::id_at(record.id, 0), results))
}

fn expect_json(headers: &HeaderMap) -> Result<()> {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let kind =
        kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind == "application/json" || kind.ends_with("+json") {
        return Ok(());
    }
    Err(Error::Unsupported("unsupported-media-type", "send application/json"))
}

/// The request with its alerts; a large one is read where it can't hold up other requests.
async fn open(
    app: &App,
    hook: &Hook,
    reading: Reading,
    room: &Arc<Room>,
) -> Result<Entry, alerts::ParseError> {
    let known = app.inbox.known.of(hook.proof.integration.project_id);
    if reading.body.len() < LARGE {
        return Entry::read(hook, reading, Some(&known));
    }
    let (sender, large, room) = (hook.clone(), reading.clone(), room.clone());
    let read = tokio::task::spawn_blocking(move || {
        let _room = room;
        Entry::read(&sender, large, Some(&known))
    });
    match read.await {
        Ok(entry) => entry,
        // The parser does not panic; if it did, the body would have to be read here.
        Err(_) => Entry::read(hook, reading, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of what a function of three arguments returns, without calling it.
    fn returned<A, B, C, R>(_: impl FnOnce(A, B, C) -> R) -> usize {
        size_of::<R>()
    }

    #[test]
    fn branches_that_are_seldom_taken_do_not_make_every_request_large() {
        let size = returned(admit);
        assert!(size < 4096, "each layer moves the future of a request, which takes {size} bytes");
    }
}
