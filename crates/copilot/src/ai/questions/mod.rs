//! Questions about an incident, answered by the model from its evidence and from read-only queries it asks for.
//!
//! A question is stored and worked on like an analysis: by lease, behind a fence, each call in the ledger. Who asks
//! follows the answer as server-sent events of the very request: the socket only says what to look at again, and a
//! program without one can follow as well. Hanging up loses nothing; the answer is stored.

pub mod prompt;
pub mod store;
pub(super) mod work;

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::sse::{self, Sse};
use futures_util::stream::Stream;
use garde::Validate;
use outbox::{NewJob, Ts, lease};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::Instant;

use super::analysis::{Evidence, Tokens};
use super::model::store as ledger;
use crate::app::App;
use crate::auth::{Engineer, Path, Viewer};
use crate::error::{Error, Result};
use crate::ids::{EvidenceId, IncidentId, QuestionId, TenantId};
use crate::incident::read::resolve_id;
use crate::valid::{Valid, visible};

/// The queue of questions; a job's key is the incident's id, so that one incident has one at a time.
pub const QUEUE: &str = "question";

/// How long a request follows an answer beyond what its worker may take.
const FOLLOW: Duration = Duration::from_secs(60);

/// How often it looks whether there is more.
const LOOK: Duration = Duration::from_millis(400);

/// Said where no model is configured.
const NO_MODEL: &str = "Questions need a language model, and none is configured. Set OPENAI_API_KEY or the AZURE_OPENAI_ variables.";

/// Said where an organisation does not want the model to be asked.
const TURNED_OFF: &str = "The language model is turned off for this organisation.";

/// Said before the incident has any evidence.
const NO_EVIDENCE: &str = "This incident has not been analysed yet, so there is no evidence to answer from.";

crate::words! {
    /// How far a question has come.
    pub enum QuestionStatus {
        /// It waits for a worker.
        Queued = "queued",
        /// The model is on it.
        Running = "running",
        /// It is answered.
        Answered = "answered",
        /// The evidence does not answer it.
        Unanswered = "unanswered",
        /// There is no answer, and `reason` says why.
        Failed = "failed",
    }
}

impl QuestionStatus {
    /// Whether nothing more will come.
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// A question about an incident, and its answer as far as it has come.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Question {
    /// Names it.
    pub id: QuestionId,
    /// The incident.
    pub incident_id: IncidentId,
    /// What was asked.
    pub question: String,
    /// How far it has come.
    pub status: QuestionStatus,
    /// What was done so far, in words.
    pub progress: Vec<String>,
    /// The answer, plain text.
    pub answer: Option<String>,
    /// Why there is none.
    pub reason: Option<String>,
    /// The evidence that the answer cites.
    pub cited: Vec<EvidenceId>,
    /// The cited evidence, and all that was looked up for this question.
    pub evidence: Vec<Evidence>,
    /// The model that was asked.
    pub model: String,
    /// Tokens of its calls.
    pub tokens: Tokens,
    /// What they cost; null when the price is unknown.
    pub cost_usd: Option<f64>,
    /// Who asked.
    pub asked_by: String,
    /// When.
    pub created_at: Ts,
    /// When it came to its end.
    pub completed_at: Option<Ts>,
}

/// An incident's questions, newest first.
#[derive(Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Questions {
    /// Why nothing can be asked, in words; null when it can.
    pub off: Option<String>,
    /// The newest 20.
    pub items: Vec<Question>,
}

/// A new question.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewQuestion {
    /// What is asked, in any language.
    #[garde(length(chars, max = 1000), custom(visible))]
    pub question: String,
}

/// Lists an incident's questions and their answers.
#[utoipa::path(get, path = "/api/v1/incidents/{incident_id}/questions", tag = "hypotheses",
    params(("incident_id" = String, Path)),
    responses((status = 200, body = Questions)))]
pub async fn list(
    State(app): State<App>,
    member: Viewer,
    Path(name): Path<String>,
) -> Result<Json<Questions>> {
    let mut tx = app.db.read(member.tenant.0).await?;
    let incident = resolve_id(&mut tx, member.tenant, member.project, &name).await?;
    if !super::store::has_incident(&mut tx, member.tenant, member.project, incident).await? {
        return Err(Error::NotFound);
    }
    let items = store::newest(&mut tx, member.tenant, incident).await?;
    let off = if app.model.name().is_none() {
        Some(app.model.off().unwrap_or(NO_MODEL))
    } else if !ledger::is_wanted(&mut tx, member.tenant).await? {
        Some(TURNED_OFF)
    } else {
        store::analysed(&mut tx, member.tenant, incident).await?.is_none().then_some(NO_EVIDENCE)
    };
    Ok(Json(Questions { off: off.map(str::to_owned), items }))
}

/// Asks a question and follows its answer: each event `question` holds all of it so far, the last one its end.
#[utoipa::path(post, path = "/api/v1/incidents/{incident_id}/questions", tag = "hypotheses",
    params(("incident_id" = String, Path)), request_body = NewQuestion,
    responses((status = 200, content_type = "text/event-stream", body = Question)))]
pub async fn ask(
    State(app): State<App>,
    member: Engineer,
    Path(name): Path<String>,
    Valid(new): Valid<NewQuestion>,
) -> Result<Sse<impl Stream<Item = std::result::Result<sse::Event, Infallible>>>> {
    let tenant = member.tenant;
    let mut tx = app.db.begin(tenant.0).await?;
    let incident = resolve_id(&mut tx, tenant, member.project, &name).await?;
    if !super::store::has_incident(&mut tx, tenant, member.project, incident).await? {
        return Err(Error::NotFound);
    }
    let Some(model) = app.model.name() else {
        return Err(Error::Refused("no-model", app.model.off().unwrap_or(NO_MODEL).to_owned()));
    };
    if !ledger::is_wanted(&mut tx, tenant).await? {
        return Err(Error::Refused("no-model", TURNED_OFF.to_owned()));
    }
    // Two requests at once must not both find that none is open.
    super::store::lock_incident(&mut tx, tenant, incident).await?;
    if store::is_open(&mut tx, tenant, incident).await? {
        return Err(Error::Busy(5));
    }
    let Some(analysis) = store::analysed(&mut tx, tenant, incident).await? else {
        return Err(Error::Refused("no-evidence", NO_EVIDENCE.to_owned()));
    };
    let question = store::New {
        id: QuestionId::new(),
        project: member.project,
        incident,
        analysis,
        question: new.question.trim(),
        model,
        asked_by: member.actor.name(),
    };
    store::enter(&mut tx, tenant, &question).await?;
    let payload = json!({ "question_id": question.id });
    let run_at = tx.now();
    let job = NewJob { owner: tenant.0, queue: QUEUE, key: incident.to_string(), payload, run_at };
    lease::enqueue(&mut tx, job).await?;
    let id = question.id;
    tx.commit().await?;
    Ok(Sse::new(follow(app, tenant, id)).keep_alive(sse::KeepAlive::default()))
}

/// Where a request that follows an answer stands.
struct Following {
    app: App,
    tenant: TenantId,
    id: QuestionId,
    seen: Option<Question>,
    until: Instant,
}

/// The question each time it changed, until it is over.
fn follow(
    app: App,
    tenant: TenantId,
    id: QuestionId,
) -> impl Stream<Item = std::result::Result<sse::Event, Infallible>> {
    let follow = work::Times::of(&app.model).lease + FOLLOW;
    let state = Following { app, tenant, id, seen: None, until: Instant::now() + follow };
    futures_util::stream::unfold(state, |mut at| async move {
        loop {
            let over = at.seen.as_ref().is_some_and(|seen| seen.status.is_over());
            if over || Instant::now() >= at.until || at.app.stop.is_cancelled() {
                return None;
            }
            let now = current(&at).await?;
            if at.seen.as_ref() != Some(&now) {
                let event = sse::Event::default().event("question").json_data(&now).ok()?;
                at.seen = Some(now);
                return Some((Ok(event), at));
            }
            tokio::time::sleep(LOOK).await;
        }
    })
}

/// The question as it is stored; nothing when the database refused, which ends the stream and no work.
async fn current(at: &Following) -> Option<Question> {
    let mut tx = at.app.db.read(at.tenant.0).await.ok()?;
    store::find(&mut tx, at.tenant, at.id).await.ok()?
}
