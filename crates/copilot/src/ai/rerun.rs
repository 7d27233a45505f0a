//! Running the query of one fact again, to see what it says now. It reads, and changes nothing.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use outbox::Ts;
use serde::Serialize;

use super::analysis::{ChartSeries, Evidence};
use super::diagnose::rows::chart;
use super::evidence::store::Source;
use super::evidence::{self, Facts};
use super::prometheus::{Budget, Line};
use super::store;
use super::worker::credentials;
use crate::app::App;
use crate::auth::{Path, Viewer};
use crate::error::{Error, Result};
use crate::ids::{EvidenceId, IncidentId};
use crate::incident::read::resolve_id;

/// What one run may take.
const BUDGET: Budget =
    Budget { queries: 2, time: Duration::from_secs(5), lines: 200, bytes: 8 * 1024 * 1024 };

/// The longest window that is drawn again, in seconds.
const MOST_S: f64 = 6.0 * 3600.0;

/// What a query says at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Reading {
    /// Its value; null when there was none.
    pub value: Option<f64>,
    /// When.
    pub at: Option<Ts>,
}

/// What a fact's query said when the fact was made, and what it says now.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Rerun {
    /// The fact.
    pub evidence_id: EvidenceId,
    /// The query that was run, exactly as it is stored.
    pub query: String,
    /// What it said then.
    pub was: Reading,
    /// What it says now.
    pub now: Reading,
    /// The same stretch of time, ending now.
    pub series: Vec<ChartSeries>,
    /// The unit of the values.
    pub unit: Option<String>,
    /// Why there is no value now, in words.
    pub reason: Option<String>,
}

/// Runs a fact's query again and compares then with now.
#[utoipa::path(post, path = "/api/v1/incidents/{incident_id}/evidence/{evidence_id}/run", tag = "hypotheses",
    params(("incident_id" = String, Path), ("evidence_id" = String, Path)),
    responses((status = 200, body = Rerun)))]
pub async fn run(
    State(app): State<App>,
    member: Viewer,
    Path((name, id)): Path<(String, EvidenceId)>,
) -> Result<Json<Rerun>> {
    let mut tx = app.db.read(member.tenant.0).await?;
    let incident = resolve_id(&mut tx, member.tenant, member.project, &name).await?;
    if !store::has_incident(&mut tx, member.tenant, member.project, incident).await? {
        return Err(Error::NotFound);
    }
    let fact = store::fact(&mut tx, member.tenant, incident, id).await?.ok_or(Error::NotFound)?;
    let Some(query) = fact.query.clone() else {
        return Err(Error::Conflict(
            "this fact comes from no query, so there is none to run again".to_owned(),
        ));
    };
    let source = match fact.integration {
        Some(id) => evidence::store::source(&mut tx, member.tenant, member.project, id).await?,
        None => None,
    };
    let now = tx.now();
    drop(tx);
    let source = match source {
        Some(source) => Some(source),
        None => known_source(&app, &member, incident).await?,
    };
    let was = Reading { value: fact.value, at: fact.end };
    let unit = fact.unit.clone();
    let mut rerun = Rerun {
        evidence_id: id,
        query,
        was,
        now: Reading { value: None, at: Some(now) },
        series: Vec::new(),
        unit,
        reason: None,
    };
    match source {
        None => rerun.reason = Some("this project has no Prometheus with an address any more".to_owned()),
        Some(source) => look(&app, &member, &source, &fact, now, &mut rerun).await,
    }
    Ok(Json(rerun))
}

/// The Prometheus that an analysis would ask today.
async fn known_source(app: &App, member: &Viewer, incident: IncidentId) -> Result<Option<Source>> {
    let facts = Facts::read(&app.db, member.tenant, incident).await?;
    Ok(facts.by_fit().first().copied().cloned())
}

async fn look(app: &App, member: &Viewer, source: &Source, fact: &Evidence, now: Ts, rerun: &mut Rerun) {
    let sealed = credentials(&app.keys, member.tenant, source);
    let prometheus = match evidence::open(&app.outbound, source, sealed, BUDGET).await {
        Ok(prometheus) => prometheus,
        Err(why) => {
            rerun.reason = Some(format!("{} could not be asked: {why}", source.name));
            return;
        }
    };
    let span = fact.start.zip(fact.end).map_or(3600.0, |(start, end)| end.seconds_since(start));
    let span = span.clamp(60.0, MOST_S);
    let to = now.unix_seconds();
    match prometheus.range(&rerun.query, to - span, to, (span / 240.0).ceil().max(5.0)).await {
        Err(error) => rerun.reason = Some(format!("{} could not be asked: {error}", source.name)),
        Ok(lines) => {
            let own: Vec<&Line> = lines.iter().filter(|line| is_of(line, fact)).collect();
            let newest = own.first().and_then(|line| line.points.last());
            match newest {
                Some((at, value)) if value.is_finite() && to - at <= 300.0 => {
                    let at = Ts::from_micros((at * 1e6) as i64);
                    rerun.now = Reading { value: Some(*value), at: Some(at) };
                }
                _ => rerun.reason = Some("the query has no sample now".to_owned()),
            }
            rerun.series =
                own.into_iter().take(5).map(|line| chart(line.labels.clone(), &line.points)).collect();
        }
    }
}

/// Whether a series is one of those that the fact shows: whose it is stands in the values of its labels.
fn is_of(line: &Line, fact: &Evidence) -> bool {
    let Some(shown) = fact.series.as_ref().filter(|shown| !shown.is_empty()) else { return true };
    shown.iter().any(|one| one.labels.values().all(|value| line.labels.values().any(|own| own == value)))
}
