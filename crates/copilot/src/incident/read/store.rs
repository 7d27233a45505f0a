//! All SQL of incidents as they are read.

use std::collections::BTreeMap;

use outbox::{Ts, Tx, on_tx};
use sqlx::types::Json;

use super::list::store::ids;
use super::list::{Filter, Position};
use crate::ids::{AlertId, IncidentId, IntegrationId, ProjectId, TenantId, UserId};
use crate::incident::{AnalysisHeadline, Incident, Severity, State};

/// Rows of incidents with what is shown beside them. The hypothesis is the one that the incident's page shows
/// first: of the newest analysis, or of the one before while the newest has not ended.
macro_rules! select {
    () => {
        "select incidents.id, number, incidents.project_id, title, incidents.description, service_name, severity,
             severity_note, state, open, source, labels, alert_count, open_alert_count, stale, flapping, snoozed_until,
             assigned_to,
             users.full_name as assigned_to_name, coalesce(incidents.started_at, detected_at) as started_at, detected_at, acknowledged_at, acknowledged_by,
             investigating_at, mitigated_at, resolved_at, learned_at, root_cause, resolution_summary, merged_into, previous_incident_id,
             incidents.created_at, updated_at, incidents.version, analyses.status as analysis_status,
             hypotheses.claim as analysis_claim, hypotheses.confidence_score as analysis_confidence,
             hypotheses.suspected_service as analysis_service
         from incidents
         left join users on users.tenant_id = incidents.tenant_id and users.id = incidents.assigned_to
         left join analyses on analyses.tenant_id = incidents.tenant_id and analyses.incident_id = incidents.id
             and analyses.version = (select max(newest.version) from analyses newest
                 where newest.tenant_id = incidents.tenant_id and newest.incident_id = incidents.id)
         left join hypotheses on hypotheses.tenant_id = incidents.tenant_id and hypotheses.id = (
             select first.id from analyses shown
             join hypotheses first on first.tenant_id = shown.tenant_id and first.analysis_id = shown.id
             where shown.tenant_id = incidents.tenant_id and shown.incident_id = incidents.id
             and (shown.version = analyses.version or (shown.version = analyses.version - 1
                 and analyses.status in ('queued', 'running')))
             order by shown.version desc, first.rank, first.confidence_score desc, first.id limit 1)"
    };
}

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    incident: Incident,
    analysis_status: Option<String>,
    analysis_claim: Option<String>,
    analysis_confidence: Option<f64>,
    analysis_service: Option<String>,
}

impl From<Row> for Incident {
    fn from(row: Row) -> Self {
        let analysis = row.analysis_status.map(|status| AnalysisHeadline {
            status,
            claim: row.analysis_claim,
            confidence_score: row.analysis_confidence,
            suspected_service: row.analysis_service,
        });
        Self { analysis, ..row.incident }
    }
}

/// One incident of a project.
///
/// # Errors
/// When the database refused.
pub async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    id: IncidentId,
) -> sqlx::Result<Option<Incident>> {
    let row: Option<Row> = on_tx!(tx, c => sqlx::query_as(concat!(select!(),
        " where incidents.tenant_id = $1 and incidents.project_id = $2 and incidents.id = $3"))
        .bind(tenant).bind(project).bind(id).fetch_optional(c).await)?;
    Ok(row.map(Incident::from))
}

/// Who of the tenant signs in with this address.
///
/// # Errors
/// When the database refused.
pub async fn person(tx: &mut Tx, tenant: TenantId, email: &str) -> sqlx::Result<Option<UserId>> {
    on_tx!(tx, c => sqlx::query_scalar("select id from users where tenant_id = $1 and email = $2")
        .bind(tenant).bind(email).fetch_optional(c).await)
}

/// The id of the incident with this number.
///
/// # Errors
/// When the database refused.
pub async fn by_number(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    number: i64,
) -> sqlx::Result<Option<IncidentId>> {
    on_tx!(tx, c => sqlx::query_scalar(
        "select id from incidents where tenant_id = $1 and project_id = $2 and number = $3")
        .bind(tenant).bind(project).bind(number).fetch_optional(c).await)
}

/// At most `limit` incidents that pass the filter, in its order, after `position`.
///
/// # Errors
/// When the database refused.
pub async fn list(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    filter: &Filter,
    position: Option<&Position>,
    limit: i64,
) -> sqlx::Result<Vec<Incident>> {
    // The page is cut out first, so that only its rows are joined.
    let ids = ids(tx, tenant, project, filter, position, limit).await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Row> = on_tx!(tx, c => {
        let mut query = sqlx::QueryBuilder::new(concat!(select!(), " where incidents.tenant_id = "));
        query.push_bind(tenant).push(" and incidents.id in (");
        let mut list = query.separated(", ");
        for id in &ids {
            list.push_bind(*id);
        }
        query.push(")").build_query_as().fetch_all(c).await
    })?;
    let mut incidents: BTreeMap<_, _> =
        rows.into_iter().map(|row| (row.incident.id, Incident::from(row))).collect();
    Ok(ids.iter().filter_map(|id| incidents.remove(id)).collect())
}

/// Open incidents by state and severity.
///
/// The open states are named rather than the column `open`: SQLite then counts within the index that begins with the
/// state, instead of looking every incident up that ever was.
///
/// # Errors
/// When the database refused.
pub async fn open_counts(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
) -> sqlx::Result<Vec<(String, String, i64)>> {
    on_tx!(tx, c => {
        let before = "select state, severity, count(*) from incidents where tenant_id = ";
        let mut query = sqlx::QueryBuilder::new(before);
        query.push_bind(tenant).push(" and project_id = ").push_bind(project).push(" and state in (");
        let mut open = query.separated(", ");
        for state in State::ALL.iter().filter(|state| state.is_open()) {
            open.push_bind(state.as_str());
        }
        query.push(") group by state, severity").build_query_as().fetch_all(c).await
    })
}

/// What the numbers are made of: one row an incident.
#[derive(Debug, sqlx::FromRow)]
pub struct Measured {
    /// Its state.
    #[sqlx(try_from = "String")]
    pub state: State,
    /// How bad it is.
    #[sqlx(try_from = "String")]
    pub severity: Severity,
    /// The service it speaks of.
    pub service_name: Option<String>,
    /// When it was detected.
    pub detected_at: Ts,
    /// When somebody first acknowledged it.
    pub acknowledged_at: Option<Ts>,
    /// When it was resolved.
    pub resolved_at: Option<Ts>,
    /// Distinct alerts.
    pub alert_count: i64,
}

/// At most `limit` incidents detected in a range, newest first; merged ones are part of their target.
///
/// # Errors
/// When the database refused.
pub async fn measured(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    (from, to): (Ts, Ts),
    limit: i64,
) -> sqlx::Result<Vec<Measured>> {
    on_tx!(tx, c => sqlx::query_as(
        "select state, severity, service_name, detected_at, acknowledged_at, resolved_at, alert_count from incidents
         where tenant_id = $1 and project_id = $2 and detected_at >= $3 and detected_at < $4 and merged_into is null
         order by detected_at desc limit $5")
        .bind(tenant).bind(project).bind(from).bind(to).bind(limit).fetch_all(c).await)
}

/// When at most `limit` incidents that were acknowledged in a range were detected and acknowledged, the newest
/// acknowledgement first; merged ones are part of their target.
///
/// # Errors
/// When the database refused.
pub async fn waits(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    (from, to): (Ts, Ts),
    limit: i64,
) -> sqlx::Result<Vec<(Ts, Ts)>> {
    on_tx!(tx, c => sqlx::query_as(
        "select detected_at, acknowledged_at from incidents
         where tenant_id = $1 and project_id = $2 and acknowledged_at >= $3 and acknowledged_at < $4
         and merged_into is null order by acknowledged_at desc limit $5")
        .bind(tenant).bind(project).bind(from).bind(to).bind(limit).fetch_all(c).await)
}

/// How many incidents somebody resolved while an alert of them fires.
///
/// # Errors
/// When the database refused.
pub async fn count_still_firing(tx: &mut Tx, tenant: TenantId, project: ProjectId) -> sqlx::Result<i64> {
    on_tx!(tx, c => sqlx::query_scalar(
        "select count(*) from incidents where tenant_id = $1 and project_id = $2 and still_firing")
        .bind(tenant).bind(project).fetch_one(c).await)
}

/// When at most `limit` incidents were resolved in a range, newest first; merged ones were not.
///
/// # Errors
/// When the database refused.
pub async fn resolved(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    (from, to): (Ts, Ts),
    limit: i64,
) -> sqlx::Result<Vec<Ts>> {
    on_tx!(tx, c => sqlx::query_scalar(
        "select resolved_at from incidents
         where tenant_id = $1 and project_id = $2 and resolved_at >= $3 and resolved_at < $4 and merged_into is null
         order by resolved_at desc limit $5")
        .bind(tenant).bind(project).bind(from).bind(to).bind(limit).fetch_all(c).await)
}

/// An alert of an incident, as people see it.
#[derive(Debug, serde::Serialize, sqlx::FromRow, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, by the contract's names")]
pub struct IncidentAlert {
    pub id: AlertId,
    pub fingerprint: String,
    pub name: String,
    pub title: String,
    pub description: String,
    #[sqlx(try_from = "String")]
    pub severity: Severity,
    pub service_name: Option<String>,
    /// `firing` or `resolved`, in this incident.
    pub status: String,
    #[schema(value_type = BTreeMap<String, String>)]
    pub labels: Json<BTreeMap<String, String>>,
    #[schema(value_type = BTreeMap<String, String>)]
    pub annotations: Json<BTreeMap<String, String>>,
    pub starts_at: Ts,
    pub ends_at: Option<Ts>,
    pub last_seen_at: Ts,
    pub repeat_count: i64,
    pub flapping: bool,
    #[schema(value_type = Vec<String>)]
    pub flags: Json<Vec<String>>,
    pub generator_url: Option<String>,
    pub runbook_url: Option<String>,
    pub integration_id: IntegrationId,
    pub integration_name: String,
}

/// At most `limit` alerts of an incident in the order of their ids, after the given one.
///
/// # Errors
/// When the database refused.
pub async fn alerts(
    tx: &mut Tx,
    tenant: TenantId,
    incident: IncidentId,
    after: AlertId,
    limit: i64,
) -> sqlx::Result<Vec<IncidentAlert>> {
    on_tx!(tx, c => sqlx::query_as(
        "select alerts.id, fingerprint, alerts.name, title, description, severity, service_name,
             case when episodes.closed_at is null then 'firing' else 'resolved' end as status, labels, annotations,
             episodes.starts_at, episodes.ends_at, last_seen_at, statements as repeat_count,
             flapping_until is not null as flapping, flags, generator_url, runbook_url, alerts.integration_id,
             integrations.name as integration_name
         from alerts
         join integrations on integrations.tenant_id = alerts.tenant_id and integrations.id = alerts.integration_id
         join episodes on episodes.tenant_id = alerts.tenant_id and episodes.id = (
             select newest.id from episodes newest where newest.tenant_id = alerts.tenant_id
             and newest.alert_id = alerts.id and newest.incident_id = $2
             order by newest.opened_at desc, newest.id desc limit 1)
         where alerts.tenant_id = $1 and alerts.id > $3
         and alerts.id in (select alert_id from episodes where tenant_id = $1 and incident_id = $2)
         order by alerts.id limit $4")
        .bind(tenant).bind(incident).bind(after).bind(limit).fetch_all(c).await)
}
