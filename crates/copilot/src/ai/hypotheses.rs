//! Reading an incident's hypotheses and evidence, and asking for new ones.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use garde::Validate;
use outbox::{Db, Tx};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use super::analysis::{Analysis, AnalysisStatus, Evidence, Hypothesis, Version};
use super::evidence::store as found;
use super::{feedback, store};
use crate::app::App;
use crate::auth::{Engineer, Member, Path, Query, Viewer};
use crate::error::{Error, Result};
use crate::ids::{AnalysisId, IncidentId, ProjectId, TenantId};
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
    /// The newest versions that there are, 50 at most, newest first.
    pub versions: Vec<Version>,
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

/// Which version is read.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// The version; the newest when absent.
    pub version: Option<i64>,
}

/// Reads the newest analysis, or an earlier one, and its hypotheses.
#[utoipa::path(get, path = "/api/v1/incidents/{incident_id}/hypotheses", tag = "hypotheses",
    params(("incident_id" = String, Path), Which),
    responses((status = 200, body = Hypotheses)))]
pub async fn list(
    State(app): State<App>,
    member: Viewer,
    Path(name): Path<String>,
    Query(which): Query<Which>,
) -> Result<Json<Hypotheses>> {
    let incident = named(&app.db, &member, &name).await?;
    let scope = (member.tenant, member.project, incident);
    match which.version {
        Some(version) => read_version(&app.db, scope, version).await.map(Json),
        None => read(&app.db, member.tenant, member.project, incident).await.map(Json),
    }
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

/// Reads the evidence of the newest analysis, or of an earlier one.
#[utoipa::path(get, path = "/api/v1/incidents/{incident_id}/evidence", tag = "hypotheses",
    params(("incident_id" = String, Path), Which, PageQuery),
    responses((status = 200, body = Page<Evidence>)))]
pub async fn evidence(
    State(app): State<App>,
    member: Viewer,
    Path(name): Path<String>,
    Query(which): Query<Which>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Evidence>>> {
    let (tenant, incident) = (member.tenant, named(&app.db, &member, &name).await?);
    let mut tx = app.db.read(tenant.0).await?;
    if !store::has_incident(&mut tx, tenant, member.project, incident).await? {
        return Err(Error::NotFound);
    }
    let shown = match which.version {
        Some(version) => {
            Some(store::version(&mut tx, tenant, incident, version).await?.ok_or(Error::NotFound)?.id)
        }
        None => newest_found(&mut tx, tenant, incident).await?,
    };
    let items = match shown {
        Some(shown) => store::evidence(&mut tx, tenant, incident, shown).await?,
        None => Vec::new(),
    };
    Ok(Json(Page::part(&page, items, |row| row.id.0)?))
}

/// The newest analysis, or the one before while that has found nothing yet.
async fn newest_found(tx: &mut Tx, tenant: TenantId, incident: IncidentId) -> Result<Option<AnalysisId>> {
    let mut shown = None;
    for version in store::newest(tx, tenant, incident).await? {
        shown = Some(version.id);
        if version.status.is_over() || found::has_evidence(tx, tenant, version.id).await? {
            break;
        }
    }
    Ok(shown)
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
        return Ok(Hypotheses { analysis: None, items: Vec::new(), versions: Vec::new(), cached: None });
    };
    let mut items = store::hypotheses(&mut tx, tenant, newest.id).await?;
    let mut shown = newest.version;
    if items.is_empty()
        && !newest.status.is_over()
        && let Some(before) = versions.next()
    {
        items = store::hypotheses(&mut tx, tenant, before.id).await?;
        shown = before.version;
    }
    feedback::carry(&mut tx, tenant, incident, shown, &mut items).await?;
    let versions = store::versions(&mut tx, tenant, incident).await?;
    Ok(Hypotheses { analysis: Some(newest), items, versions, cached: None })
}

/// One version and its hypotheses, of an incident of this project.
///
/// # Errors
/// When the project has no such incident, that has no such version, or the database refused.
pub async fn read_version(
    db: &Db,
    (tenant, project, incident): (TenantId, ProjectId, IncidentId),
    version: i64,
) -> Result<Hypotheses> {
    let mut tx = db.read(tenant.0).await?;
    if !store::has_incident(&mut tx, tenant, project, incident).await? {
        return Err(Error::NotFound);
    }
    let analysis = store::version(&mut tx, tenant, incident, version).await?.ok_or(Error::NotFound)?;
    let mut items = store::hypotheses(&mut tx, tenant, analysis.id).await?;
    feedback::carry(&mut tx, tenant, incident, version, &mut items).await?;
    let versions = store::versions(&mut tx, tenant, incident).await?;
    Ok(Hypotheses { analysis: Some(analysis), items, versions, cached: None })
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
