//! What people do to incidents: open, change, move, comment.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State as With;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use garde::Validate;
use outbox::Tx;
use serde::Deserialize;
use serde_json::{Value, json};

use super::read::tag::tags;
use super::record::NewIncident;
use super::work::Desk;
use super::{Incident, Severity, State, explain, read, store, timeline};
use crate::app::App;
use crate::auth::{Engineer, Member, Path};
use crate::error::{Error, Result};
use crate::ids::{IncidentId, UserId};
use crate::valid::{Valid, present, required, storable, visible};

/// The longest name of a label that a person gives, in characters.
const LABEL_NAME_CHARS: usize = 200;

/// The longest value of a label that a person gives, in characters.
const LABEL_VALUE_CHARS: usize = 5_000;

/// An incident that a person opens.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
pub struct Opening {
    /// One line.
    #[garde(length(chars, min = 1, max = 200), custom(visible))]
    #[schema(min_length = 1, max_length = 200)]
    title: String,
    /// What is known.
    #[garde(length(chars, max = 20_000), inner(custom(storable)))]
    #[schema(max_length = 20000)]
    description: Option<String>,
    /// The service it speaks of.
    #[garde(length(chars, max = 200), inner(custom(visible)))]
    #[schema(max_length = 200)]
    service_name: Option<String>,
    /// How bad it is; medium when absent.
    #[garde(skip)]
    severity: Option<Severity>,
    /// What tells it from others.
    #[garde(length(max = 64), inner(custom(labels_fit)))]
    labels: Option<BTreeMap<String, String>>,
}

/// What may be changed of an incident; absent members stay, null clears. Title and severity can't be cleared.
#[derive(Debug, Default, PartialEq, Eq, Deserialize, Validate, utoipa::ToSchema)]
pub struct IncidentChange {
    #[serde(default, deserialize_with = "required")]
    #[garde(skip)]
    #[schema(nullable = false, max_length = 200)]
    title: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[garde(skip)]
    #[schema(value_type = Option<String>, max_length = 20000)]
    description: Option<Option<String>>,
    #[serde(default, deserialize_with = "required")]
    #[garde(skip)]
    #[schema(nullable = false)]
    severity: Option<Severity>,
    #[serde(default, deserialize_with = "present")]
    #[garde(skip)]
    #[schema(value_type = Option<String>, max_length = 200)]
    service_name: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[garde(skip)]
    #[schema(value_type = Option<UserId>)]
    assigned_to: Option<Option<UserId>>,
    #[serde(default, deserialize_with = "present")]
    #[garde(skip)]
    #[schema(value_type = Option<String>, max_length = 20000)]
    root_cause: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[garde(skip)]
    #[schema(value_type = Option<String>, max_length = 20000)]
    resolution_summary: Option<Option<String>>,
    /// Ignored beside other members, so that an incident can be sent back as it was read; another state alone is refused,
    /// `PATCH …/state` moves it.
    #[serde(default, deserialize_with = "required")]
    #[garde(skip)]
    #[schema(nullable = false)]
    state: Option<State>,
}

/// The state an incident is to move to.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// The state; without one it stays in its own.
    #[garde(skip)]
    #[serde(default, deserialize_with = "required")]
    #[schema(nullable = false)]
    state: Option<State>,
    /// Why; recorded with the move.
    #[garde(length(chars, max = 5_000), inner(custom(storable)))]
    #[schema(max_length = 5000)]
    comment: Option<String>,
}

/// What somebody says.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
pub struct Saying {
    #[garde(length(chars, min = 1, max = 5_000), custom(visible))]
    #[schema(min_length = 1, max_length = 5000)]
    body: String,
}

fn labels_fit(labels: &BTreeMap<String, String>, context: &()) -> garde::Result {
    for (name, value) in labels {
        visible(name, context)?;
        storable(value, context)?;
        if name.chars().count() > LABEL_NAME_CHARS || value.chars().count() > LABEL_VALUE_CHARS {
            let why = format!("names have at most {LABEL_NAME_CHARS} characters, values {LABEL_VALUE_CHARS}");
            return Err(garde::Error::new(why));
        }
    }
    Ok(())
}

/// Opens an incident by hand.
#[utoipa::path(post, path = "/api/v1/incidents", tag = "incidents", request_body = Opening,
    responses((status = 201, body = Incident)))]
pub async fn create(With(app): With<App>, member: Engineer, Valid(new): Valid<Opening>) -> Result<Response> {
    let mut tx = app.db.begin(member.tenant.0).await?;
    let now = tx.now();
    let mut desk = Desk::new(member.tenant, member.project, now);
    let labels = new.labels.unwrap_or_default();
    let opening = NewIncident {
        id: IncidentId::new(),
        project: member.project,
        number: 0,
        title: new.title.trim(),
        description: new.description.as_deref().unwrap_or_default(),
        service_name: new.service_name.as_deref(),
        severity: new.severity.unwrap_or(Severity::Medium),
        severity_note: None,
        source: "manual",
        labels: &labels,
        incident_key: None,
        previous: None,
        stale_after_s: None,
        now,
    };
    let (id, _) = desk.open(&mut tx, opening).await?;
    desk.take(&mut tx, id).await?.severity_by_person = new.severity.is_some();
    desk.step(id, "incident_created", json!({"source": "manual"}), Some(member.actor.name()));
    explain::request(&mut tx, member.tenant, id).await?;
    let mut response = finish(tx, desk, &app, &member, id, StatusCode::CREATED).await?;
    let place = HeaderValue::try_from(format!("/api/v1/incidents/{id}")).map_err(anyhow::Error::from)?;
    response.headers_mut().insert(header::LOCATION, place);
    Ok(response)
}

/// Writes the desk, commits, and answers with the incident as it is now.
///
/// # Errors
/// [`Error::Conflict`] when it would be the second open one of its key.
pub(super) async fn finish(
    mut tx: Tx,
    desk: Desk,
    app: &App,
    member: &Member,
    id: IncidentId,
    status: StatusCode,
) -> Result<Response> {
    desk.clear(&mut tx).await.map_err(second_of_its_key)?;
    tx.commit().await?;
    let mut tx = app.db.read(member.tenant.0).await?;
    let incident =
        read::store::find(&mut tx, member.tenant, member.project, id).await?.ok_or(Error::NotFound)?;
    read::tagged(status, &incident)
}

/// Reopening is refused while another incident of the same key is open.
fn second_of_its_key(error: Error) -> Error {
    match error {
        Error::Internal(cause) => match cause.downcast::<sqlx::Error>() {
            Ok(sqlx::Error::Database(cause)) if cause.is_unique_violation() => {
                Error::Conflict("another incident of the same alerts is open; work on that one".to_owned())
            }
            Ok(cause) => cause.into(),
            Err(cause) => Error::Internal(cause),
        },
        other => other,
    }
}

/// Changes an incident; `If-Match` guards against overwriting somebody else's change.
#[utoipa::path(patch, path = "/api/v1/incidents/{incident_id}", tag = "incidents",
    params(("incident_id" = String, Path)), request_body = IncidentChange,
    responses((status = 200, body = Incident)))]
pub async fn change(
    With(app): With<App>,
    member: Engineer,
    Path(name): Path<String>,
    headers: HeaderMap,
    Valid(change): Valid<IncidentChange>,
) -> Result<Response> {
    let mut tx = app.db.begin(member.tenant.0).await?;
    let id = read::resolve_id(&mut tx, member.tenant, member.project, &name).await?;
    let mut desk = Desk::new(member.tenant, member.project, tx.now());
    expected(&headers, desk.take(&mut tx, id).await?.incident.version)?;
    apply(&mut tx, &mut desk, &member, id, change).await?;
    finish(tx, desk, &app, &member, id, StatusCode::OK).await
}

/// Whether `If-Match`, when it was sent, names the current version.
///
/// # Errors
/// 412 when it names another.
pub fn expected(headers: &HeaderMap, current: i64) -> Result<()> {
    match tags(headers, &header::IF_MATCH) {
        Some(tags) if !tags.strongly(current) => Err(Error::PreconditionFailed),
        _ => Ok(()),
    }
}

async fn apply(
    tx: &mut Tx,
    desk: &mut Desk,
    member: &Member,
    id: IncidentId,
    change: IncidentChange,
) -> Result<()> {
    let mut steps: Vec<(&'static str, Value)> = Vec::new();
    let current = desk.take(tx, id).await?.incident.assigned_to;
    let assigned = change.assigned_to.filter(|user| *user != current);
    if let Some(user) = assigned {
        let name = assignee(tx, member, user).await?;
        steps.push(("assigned", json!({"user_id": user, "name": name})));
    }
    let record = desk.take(tx, id).await?;
    let state = change.state.filter(|state| *state != record.incident.state);
    if state.is_some() && change == (IncidentChange { state, ..IncidentChange::default() }) {
        return Err(Error::field(
            "state",
            "is not changed here; PATCH /api/v1/incidents/{id}/state moves it",
        ));
    }
    if let Some(severity) = change.severity.filter(|severity| *severity != record.incident.severity) {
        steps.push(("severity_changed", json!({"from": record.incident.severity, "to": severity})));
        if severity.rank() < record.incident.severity.rank() {
            record.wake("severity");
        }
        record.incident.severity = severity;
        record.incident.severity_note = None;
        record.severity_by_person = true;
    }
    let incident = &mut record.incident;
    incident.assigned_to = assigned.unwrap_or(current);
    let texts = [
        ("title", change.title.map(|title| Some(title.trim().to_owned())), Some(&mut incident.title), None),
        (
            "description",
            change.description.map(|text| Some(text.unwrap_or_default())),
            Some(&mut incident.description),
            None,
        ),
        ("service_name", change.service_name, None, Some(&mut incident.service_name)),
        ("root_cause", change.root_cause, None, Some(&mut incident.root_cause)),
        ("resolution_summary", change.resolution_summary, None, Some(&mut incident.resolution_summary)),
    ];
    for (field, new, required, optional) in texts {
        let Some(new) = new else { continue };
        let old = required.as_deref().cloned().or_else(|| optional.as_deref().cloned().flatten());
        if old == new {
            continue;
        }
        fits(field, new.as_deref().unwrap_or_default(), new.is_some())?;
        steps.push(("field_changed", json!({"field": field, "from": old, "to": new})));
        match (required, optional) {
            (Some(slot), _) => *slot = new.unwrap_or_default(),
            (None, Some(slot)) => *slot = new,
            (None, None) => {}
        }
    }
    if !steps.is_empty() {
        desk.changed(id);
    }
    for (step, detail) in steps {
        desk.step(id, step, detail, Some(member.actor.name()));
    }
    Ok(())
}

/// Whether people may write such a text there. What a sender wrote may be longer, and stays as it is.
fn fits(field: &'static str, text: &str, is_there: bool) -> Result<()> {
    let short = matches!(field, "title" | "service_name");
    let most = if short { 200 } else { 20_000 };
    if text.chars().count() > most {
        return Err(Error::field(field, format!("length is greater than {most}")));
    }
    let rule = if short && is_there { visible } else { storable };
    rule(text, &()).map_err(|why| Error::field(field, why.message()))
}

/// The name of somebody who is to be assigned; nobody has none.
async fn assignee(tx: &mut Tx, member: &Member, user: Option<UserId>) -> Result<Option<String>> {
    let Some(user) = user else { return Ok(None) };
    let name = store::assignee(tx, member.tenant, member.project, user).await?;
    name.map(Some).ok_or_else(|| Error::field("assigned_to", "is not a member of this project"))
}

/// Moves an incident to another state; an illegal move is a conflict that names the legal ones.
#[utoipa::path(patch, path = "/api/v1/incidents/{incident_id}/state", tag = "incidents",
    params(("incident_id" = String, Path)), request_body = Move, responses((status = 200, body = Incident)))]
pub async fn set_state(
    With(app): With<App>,
    member: Engineer,
    Path(name): Path<String>,
    headers: HeaderMap,
    Valid(to): Valid<Move>,
) -> Result<Response> {
    let mut tx = app.db.begin(member.tenant.0).await?;
    let id = read::resolve_id(&mut tx, member.tenant, member.project, &name).await?;
    let now = tx.now();
    let mut desk = Desk::new(member.tenant, member.project, now);
    let record = desk.take(&mut tx, id).await?;
    expected(&headers, record.incident.version)?;
    let from = record.incident.state;
    let Some(state) = to.state else {
        return match to.comment {
            Some(_) => Err(Error::field("state", "is needed, as the comment is about the move")),
            None => finish(tx, desk, &app, &member, id, StatusCode::OK).await,
        };
    };
    if record.incident.merged_into.is_some() {
        return Err(Error::Merged);
    }
    record.move_to(state, member.actor.name(), now)?;
    desk.changed(id);
    let detail = json!({"from": from, "to": state, "comment": to.comment});
    desk.step(id, "state_changed", detail, Some(member.actor.name()));
    if !from.is_open() && state == State::Investigating {
        explain::request_anew(&mut tx, member.tenant, id).await?;
    }
    finish(tx, desk, &app, &member, id, StatusCode::OK).await
}

/// Says something about an incident.
#[utoipa::path(post, path = "/api/v1/incidents/{incident_id}/comments", tag = "incidents",
    params(("incident_id" = String, Path)), request_body = Saying,
    responses((status = 201, body = timeline::Comment)))]
pub async fn comment(
    With(app): With<App>,
    member: Engineer,
    Path(name): Path<String>,
    Valid(said): Valid<Saying>,
) -> Result<Response> {
    let mut tx = app.db.begin(member.tenant.0).await?;
    let id = read::resolve_id(&mut tx, member.tenant, member.project, &name).await?;
    let mut desk = Desk::new(member.tenant, member.project, tx.now());
    desk.take(&mut tx, id).await?;
    let author = (member.actor.user(), member.actor.name());
    let comment = timeline::store::comment(&mut tx, member.tenant, id, author, &said.body).await?;
    let detail = json!({"comment_id": comment.id, "body": comment.body});
    desk.step(id, "comment_added", detail, Some(member.actor.name()));
    desk.changed(id);
    desk.clear(&mut tx).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(comment)).into_response())
}
