//! All SQL that reads what is known about an incident besides its metrics.

use std::collections::BTreeMap;

use outbox::{Ts, Tx, on_tx};
use sqlx::types::Json;

use crate::ids::{AlertId, AnalysisId, IncidentId, IntegrationId, ProjectId, TenantId};

/// Changes, and other alerts, of which one analysis is told at most.
const MOST: usize = 50;

/// Of these, alerts that fired before the time that is looked at.
const BEFORE: usize = 15;

/// The incident, as far as an analysis needs it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct IncidentFacts {
    /// Its project.
    pub project_id: ProjectId,
    /// Its number in the project.
    pub number: i64,
    /// Its title.
    pub title: String,
    /// What was said about it.
    pub description: String,
    /// Its labels.
    pub labels: Json<BTreeMap<String, String>>,
    /// The service it speaks of.
    pub service_name: Option<String>,
    /// How bad it is.
    pub severity: String,
    /// When it was opened.
    pub detected_at: Ts,
    /// Says which alerts join it.
    pub incident_key: Option<Vec<u8>>,
}

/// An alert of the incident, with its newest stretch of firing.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AlertFacts {
    /// The alert.
    pub id: AlertId,
    /// The rule's name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Its description.
    pub description: String,
    /// The service it speaks of.
    pub service_name: Option<String>,
    /// Its labels.
    pub labels: Json<BTreeMap<String, String>>,
    /// Where its sender shows it.
    pub generator_url: Option<String>,
    /// Who sent it.
    pub integration_id: IntegrationId,
    /// When it began to fire, by the sender's clock.
    pub starts_at: Ts,
    /// When we learnt of it.
    pub opened_at: Ts,
    /// When it closed.
    pub closed_at: Option<Ts>,
}

/// An alert of another incident, or of none.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct NearbyAlert {
    /// The rule's name.
    pub name: String,
    /// The service it speaks of.
    pub service_name: Option<String>,
    /// When it began to fire, by the sender's clock.
    pub starts_at: Ts,
    /// When it closed.
    pub closed_at: Option<Ts>,
}

/// A change that people or programs reported.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ChangeFacts {
    /// What was changed.
    pub service_name: String,
    /// One line for a person.
    pub summary: String,
    /// `deploy`, `config`, `flag` or another word.
    pub kind: String,
    /// The new version.
    pub version: Option<String>,
    /// Where more is said.
    pub url: Option<String>,
    /// When.
    pub at: Ts,
}

/// An incident before this one that resembles it.
#[derive(Clone, Debug)]
pub struct Similar {
    /// Its number in the project.
    pub number: i64,
    /// Its title.
    pub title: String,
    /// When it began.
    pub started_at: Ts,
    /// What people wrote down as its cause.
    pub root_cause: Option<String>,
    /// What people said of its hypotheses.
    pub verdicts: Vec<Said>,
    /// The services and metrics that its analyses suspected.
    pub suspects: Vec<(String, Option<String>)>,
    /// How alike it is by its words, from 0 to 1.
    pub alike: f64,
}

/// What somebody said of a hypothesis.
#[derive(Clone, Debug)]
pub struct Said {
    /// The service it suspects.
    pub service: Option<String>,
    /// `accepted`, `rejected` or `uncertain`.
    pub verdict: String,
    /// The hypothesis.
    pub claim: String,
}

/// A Prometheus of the project.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Source {
    /// The integration.
    pub id: IntegrationId,
    /// Its name.
    pub name: String,
    /// Where it answers.
    pub url: String,
    /// How to sign in, encrypted.
    pub auth: Option<Vec<u8>>,
}

/// The incident.
pub async fn incident(tx: &mut Tx, tenant: TenantId, id: IncidentId) -> sqlx::Result<Option<IncidentFacts>> {
    on_tx!(tx, c => sqlx::query_as(
        "select project_id, number, title, description, labels, service_name, severity, detected_at, incident_key
         from incidents where tenant_id = $1 and id = $2")
        .bind(tenant).bind(id).fetch_optional(c).await)
}

/// The alerts that ever belonged to the incident, each with its newest episode, first firing first, and 50 of them at most.
/// The episodes of the incident are read once: in a storm they are tens of thousands.
pub async fn alerts(tx: &mut Tx, tenant: TenantId, id: IncidentId) -> sqlx::Result<Vec<AlertFacts>> {
    on_tx!(tx, c => sqlx::query_as(
        "select a.id, a.name, a.title, a.description, a.service_name, a.labels, a.generator_url, a.integration_id,
                e.starts_at, e.opened_at, e.closed_at
         from (select tenant_id, alert_id, starts_at, opened_at, closed_at from (
                 select tenant_id, alert_id, starts_at, opened_at, closed_at, row_number() over (
                     partition by alert_id order by opened_at desc, id desc) as age
                 from episodes where tenant_id = $1 and incident_id = $2) every
             where age = 1 order by starts_at, alert_id limit 50) e
         join alerts a on a.tenant_id = e.tenant_id and a.id = e.alert_id
         order by e.starts_at, a.id")
        .bind(tenant).bind(id).fetch_all(c).await)
}

/// Alerts outside of the incident that fired between `from` and `to`, in the order in which they began. Of a storm these are the
/// first 250 from `from` on, and the last 250 of the day before it that had not ended: what fires for longer tells nothing of
/// what is new, and the project's whole past is not read. Of these the last 15 from before and the first ones since are told,
/// and whether there are more.
pub async fn nearby(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    incident: IncidentId,
    (from, to): (Ts, Ts),
) -> sqlx::Result<(Vec<NearbyAlert>, bool)> {
    let mut found: Vec<NearbyAlert> = on_tx!(tx, c => sqlx::query_as(
        "select a.name, a.service_name, e.starts_at, e.closed_at
         from (select * from (select tenant_id, alert_id, starts_at, closed_at from episodes
                 where tenant_id = $1 and project_id = $2 and opened_at >= $4 and opened_at <= $5
                   and (incident_id is null or incident_id <> $3)
                 order by opened_at limit 250) since
             union all select * from (select tenant_id, alert_id, starts_at, closed_at from episodes
                 where tenant_id = $1 and project_id = $2 and opened_at >= $6 and opened_at < $4
                   and (incident_id is null or incident_id <> $3) and (closed_at is null or closed_at >= $4)
                 order by opened_at desc limit 250) before) e
         join alerts a on a.tenant_id = e.tenant_id and a.id = e.alert_id
         where not a.heartbeat
         order by e.starts_at, a.id")
        .bind(tenant).bind(project).bind(incident).bind(from).bind(to).bind(from.plus_seconds(-86_400))
        .fetch_all(c).await)?;
    let all = found.len();
    let mut since = found.split_off(found.partition_point(|alert| alert.starts_at < from));
    let mut told = found.split_off(found.len().saturating_sub(BEFORE));
    since.truncate(MOST - told.len());
    told.append(&mut since);
    let more = told.len() < all;
    Ok((told, more))
}

/// Changes of the project between `from` and `to`, in order, and whether there are more than these: those of `service` first
/// of all, those before the alarm, which alone may be causes, and the newest, are kept then.
pub async fn changes(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    service: Option<&str>,
    (from, to): (Ts, Ts),
    alarm: Ts,
) -> sqlx::Result<(Vec<ChangeFacts>, bool)> {
    let mut found: Vec<ChangeFacts> = on_tx!(tx, c => sqlx::query_as(
        "select service_name, summary, kind, version, url, at from changes
         where tenant_id = $1 and project_id = $2 and at >= $3 and at <= $4
         order by case when service_name = $5 then 0 else 1 end, case when at <= $7 then 0 else 1 end, at desc, id desc
         limit $6")
        .bind(tenant).bind(project).bind(from).bind(to).bind(service).bind(MOST as i64 + 1)
        .bind(alarm).fetch_all(c).await)?;
    let more = found.len() > MOST;
    found.truncate(MOST);
    found.reverse();
    found.sort_by_key(|change| change.at);
    Ok((found, more))
}

/// An earlier incident of the project.
#[derive(Debug, sqlx::FromRow)]
pub struct Earlier {
    /// The incident.
    pub id: IncidentId,
    /// Its number in the project.
    pub number: i64,
    /// Its title.
    pub title: String,
    /// The service it speaks of.
    pub service_name: Option<String>,
    /// Its labels.
    pub labels: Json<BTreeMap<String, String>>,
    /// When it began: the earliest start of its alerts, or when it was opened.
    pub started_at: Ts,
    /// What people wrote down as its cause.
    pub root_cause: Option<String>,
    /// Whether it was opened by the same key.
    pub same_key: bool,
}

/// The newest incidents of the project before this one that were not merged into another.
pub async fn earlier(
    tx: &mut Tx,
    tenant: TenantId,
    id: IncidentId,
    incident: &IncidentFacts,
) -> sqlx::Result<Vec<Earlier>> {
    on_tx!(tx, c => sqlx::query_as(
        "select id, number, title, service_name, labels, coalesce(started_at, detected_at) as started_at, root_cause,
                coalesce(incident_key = $4, false) as same_key
         from incidents where tenant_id = $1 and project_id = $2 and id <> $3 and detected_at <= $5
             and merged_into is null
         order by detected_at desc, id limit 200")
        .bind(tenant).bind(incident.project_id).bind(id).bind(incident.incident_key.clone()).bind(incident.detected_at)
        .fetch_all(c).await)
}

/// A hypothesis of an earlier incident, as far as it says something about later ones.
#[derive(Debug, sqlx::FromRow)]
pub struct Suspected {
    /// The service it suspects.
    pub suspected_service: Option<String>,
    /// The metric that showed it.
    pub suspected_metric: Option<String>,
    /// What was said of it.
    pub verdict: Option<String>,
    /// The hypothesis.
    pub claim: String,
}

/// The first and the judged hypotheses of an incident, best first.
pub async fn suspected(tx: &mut Tx, tenant: TenantId, incident: IncidentId) -> sqlx::Result<Vec<Suspected>> {
    on_tx!(tx, c => sqlx::query_as(
        "select suspected_service, suspected_metric, verdict, claim from hypotheses
         where tenant_id = $1 and incident_id = $2 and (verdict is not null or rank <= 2)
         order by rank, id limit 20")
        .bind(tenant).bind(incident).fetch_all(c).await)
}

/// The project's Prometheus servers whose address is known, oldest first.
pub async fn sources(tx: &mut Tx, tenant: TenantId, project: ProjectId) -> sqlx::Result<Vec<Source>> {
    on_tx!(tx, c => sqlx::query_as(
        "select id, name, url, auth from integrations
         where tenant_id = $1 and project_id = $2 and kind = 'prometheus' and url is not null and deleted_at is null
         order by created_at, id limit 10")
        .bind(tenant).bind(project).fetch_all(c).await)
}

/// One Prometheus of the project, while it is there.
pub async fn source(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    id: IntegrationId,
) -> sqlx::Result<Option<Source>> {
    on_tx!(tx, c => sqlx::query_as(
        "select id, name, url, auth from integrations
         where tenant_id = $1 and project_id = $2 and id = $3 and url is not null and deleted_at is null")
        .bind(tenant).bind(project).bind(id).fetch_optional(c).await)
}

/// What people told the project's integrations of their systems.
#[derive(Debug, Default)]
pub struct Told {
    /// Labels that name services, in order.
    pub service_labels: Vec<String>,
    /// Calls between services, as (caller, callee).
    pub topology: Vec<(String, String)>,
}

/// What the project's integrations were told, oldest first.
pub async fn told(tx: &mut Tx, tenant: TenantId, project: ProjectId) -> sqlx::Result<Told> {
    #[derive(serde::Deserialize)]
    struct Settings {
        #[serde(default)]
        service_labels: Option<Vec<String>>,
        #[serde(default)]
        topology: Option<Vec<(String, String)>>,
    }
    let rows: Vec<Json<Settings>> = on_tx!(tx, c => sqlx::query_scalar(
        "select settings from integrations where tenant_id = $1 and project_id = $2 and deleted_at is null
         order by created_at limit 20")
        .bind(tenant).bind(project).fetch_all(c).await)?;
    let mut told = Told::default();
    for Json(row) in rows {
        told.service_labels.extend(row.service_labels.unwrap_or_default());
        told.topology.extend(row.topology.unwrap_or_default());
    }
    Ok(told)
}

/// Whether the analysis has found anything yet.
pub async fn has_evidence(tx: &mut Tx, tenant: TenantId, analysis: AnalysisId) -> sqlx::Result<bool> {
    on_tx!(tx, c => sqlx::query_scalar(
        "select exists (select 1 from evidence where tenant_id = $1 and analysis_id = $2)")
        .bind(tenant).bind(analysis).fetch_one(c).await)
}
