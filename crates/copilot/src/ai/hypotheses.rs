//! Reading an incident's hypotheses and evidence, and asking for new ones.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use garde::Validate;
use outbox::Db;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use super::analysis::{Analysis, AnalysisStatus, Evidence, Hypothesis};
use super::evidence::store as found;
use super::store;
use crate::app::App;
use crate::auth::{Engineer, Member, Path, Query, Viewer};
use crate::error::{Error, Result};
use crate::ids::{IncidentId, ProjectId, TenantId};
use crate::incident::{explain, read as incidents};
use crate::page::{Page, PageQuery};
use crate::valid::Valid;

/// Seconds a request may wait for an analysis.
const MOST_WAIT_S: u64 = 60;

/// Seconds after which a client that waited in vain should ask again.
const RETRY_S: u64 = 5;

/// How often the analysis is looked at while somebody waits; a commit in this process is noticed at once.
const LOOK: Duration = Duration::from_secs(1);

/// An incident's newest analysis and its hypotheses, best first.
#[derive(Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Hypotheses {
    /// The newest analysis; null when none was ever asked for.
    pub analysis: Option<Analysis>,
    /// Its hypotheses; while it has none yet, those of the version before.
    pub items: Vec<Hypothesis>,
    /// Whether the answer was there already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached: Option<bool>,
}

/// How an analysis is asked for.
#[derive(Debug, Default, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ask {
    /// Makes a new version although there is one; null is false.
    #[garde(skip)]
    #[schema(value_type = Option<bool>)]
    pub refresh: Option<bool>,
}

/// How long to wait for it.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wait {
    /// Seconds to wait for the end of the analysis, at most 60.
    pub wait: Option<u64>,
}

/// Reads the newest analysis and its hypotheses.
#[utoipa::path(get, path = "/api/v1/incidents/{incident_id}/hypotheses", tag = "hypotheses",
    params(("incident_id" = String, Path)),
    responses((status = 200, body = Hypotheses)))]
pub async fn list(
    State(app): State<App>,
    member: Viewer,
    Path(name): Path<String>,
) -> Result<Json<Hypotheses>> {
    let incident = named(&app.db, &member, &name).await?;
    read(&app.db, member.tenant, member.project, incident).await.map(Json)
}

/// Starts an analysis, joins the one that runs, or answers with the stored one.
///
/// Without a body it is as with `{}`.
#[utoipa::path(post, path = "/api/v1/incidents/{incident_id}/hypotheses", tag = "hypotheses",
    params(("incident_id" = String, Path), Wait), request_body = Option<Ask>,
    responses((status = 200, body = Hypotheses), (status = 202, body = Hypotheses)))]
pub async fn start(
    State(app): State<App>,
    member: Engineer,
    Path(name): Path<String>,
    Query(wait): Query<Wait>,
    ask: Option<Valid<Ask>>,
) -> Result<Response> {
    let refresh = ask.is_some_and(|Valid(ask)| ask.refresh == Some(true));
    let incident = named(&app.db, &member, &name).await?;
    let wait = wait.wait.map(|seconds| Duration::from_secs(seconds.min(MOST_WAIT_S)));
    let stored = read(&app.db, member.tenant, member.project, incident).await?;
    if stored.analysis.is_none_or(|newest| newest.status.is_over() && (refresh || !usable(&newest))) {
        app.limits.analysis(member.tenant).await?;
    }
    let answer = ask_for(&app.db, (member.tenant, member.project, incident), refresh, wait).await?;
    let over = answer.analysis.as_ref().is_some_and(|analysis| analysis.status.is_over());
    Ok((if over { StatusCode::OK } else { StatusCode::ACCEPTED }, Json(answer)).into_response())
}

/// Reads the evidence of the newest analysis.
#[utoipa::path(get, path = "/api/v1/incidents/{incident_id}/evidence", tag = "hypotheses",
    params(("incident_id" = String, Path), PageQuery),
    responses((status = 200, body = Page<Evidence>)))]
pub async fn evidence(
    State(app): State<App>,
    member: Viewer,
    Path(name): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Evidence>>> {
    let (tenant, incident) = (member.tenant, named(&app.db, &member, &name).await?);
    let mut tx = app.db.read(tenant.0).await?;
    if !store::has_incident(&mut tx, tenant, member.project, incident).await? {
        return Err(Error::NotFound);
    }
    let versions = store::newest(&mut tx, tenant, incident).await?;
    let mut shown = None;
    for version in versions {
        shown = Some(version.id);
        if version.status.is_over() || found::has_evidence(&mut tx, tenant, version.id).await? {
            break;
        }
    }
    let items = match shown {
        Some(shown) => store::evidence(&mut tx, tenant, incident, shown).await?,
        None => Vec::new(),
    };
    Ok(Json(Page::part(&page, items, |row| row.id.0)?))
}

/// The incident that the path names: its id, INC-42 or 42.
async fn named(db: &Db, member: &Member, name: &str) -> Result<IncidentId> {
    let mut tx = db.read(member.tenant.0).await?;
    incidents::resolve_id(&mut tx, member.tenant, member.project, name).await
}

/// The newest analysis and its hypotheses, of an incident of this project.
///
/// # Errors
/// When the project has no such incident or the database refused.
pub async fn read(db: &Db, tenant: TenantId, project: ProjectId, incident: IncidentId) -> Result<Hypotheses> {
    let mut tx = db.read(tenant.0).await?;
    if !store::has_incident(&mut tx, tenant, project, incident).await? {
        return Err(Error::NotFound);
    }
    let mut versions = store::newest(&mut tx, tenant, incident).await?.into_iter();
    let Some(newest) = versions.next() else {
        return Ok(Hypotheses { analysis: None, items: Vec::new(), cached: None });
    };
    let mut items = store::hypotheses(&mut tx, tenant, newest.id).await?;
    if items.is_empty()
        && !newest.status.is_over()
        && let Some(before) = versions.next()
    {
        items = store::hypotheses(&mut tx, tenant, before.id).await?;
    }
    Ok(Hypotheses { analysis: Some(newest), items, cached: None })
}

/// The stored analysis, or a new one, waited for as long as asked.
///
/// # Errors
/// [`Error::Busy`] when the wait ran out; as [`read`] otherwise.
pub async fn ask_for(
    db: &Db,
    (tenant, project, incident): (TenantId, ProjectId, IncidentId),
    refresh: bool,
    wait: Option<Duration>,
) -> Result<Hypotheses> {
    let stored = read(db, tenant, project, incident).await?;
    if !refresh && stored.analysis.as_ref().is_some_and(usable) {
        return Ok(Hypotheses { cached: Some(true), ..stored });
    }
    let mut tx = db.begin(tenant.0).await?;
    // Two requests at once must not both find that there is none.
    store::lock_incident(&mut tx, tenant, incident).await?;
    let newest = store::newest(&mut tx, tenant, incident).await?.into_iter().next();
    if !refresh && newest.as_ref().is_some_and(usable) {
        // It came to its end since it was read.
        drop(tx);
        return Ok(Hypotheses { cached: Some(true), ..read(db, tenant, project, incident).await? });
    }
    explain::request(&mut tx, tenant, incident).await?;
    tx.commit().await?;
    match wait {
        Some(wait) => wait_for(db, (tenant, project, incident), Instant::now() + wait).await,
        None => Ok(Hypotheses { cached: Some(false), ..read(db, tenant, project, incident).await? }),
    }
}

/// Whether an analysis answers those who do not ask for a new one.
fn usable(analysis: &Analysis) -> bool {
    analysis.status.is_over() && analysis.status != AnalysisStatus::Failed
}

async fn wait_for(
    db: &Db,
    (tenant, project, incident): (TenantId, ProjectId, IncidentId),
    until: Instant,
) -> Result<Hypotheses> {
    let mut streams = db.wake().streams();
    loop {
        let answer = read(db, tenant, project, incident).await?;
        // Somebody may have asked for a newer version meanwhile: that is the one to wait for.
        if answer.analysis.as_ref().is_some_and(|newest| newest.status.is_over()) {
            return Ok(Hypotheses { cached: Some(false), ..answer });
        }
        if Instant::now() >= until {
            return Err(Error::Busy(RETRY_S));
        }
        // A hint about any stream is a reason to look; without one, look again after a while.
        let _ = timeout_at(until.min(Instant::now() + LOOK), streams.recv()).await;
    }
}
