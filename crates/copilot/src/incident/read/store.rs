//! All SQL of incidents as they are read.

use std::collections::BTreeMap;

use outbox::{Ts, Tx, on_tx};
use sqlx::types::Json;

use super::list::{Filter, Position, Sort};
use crate::ids::{AlertId, IncidentId, IntegrationId, ProjectId, TenantId};
use crate::incident::{AnalysisHeadline, Incident, Severity, State};

macro_rules! select {
    () => {
        "select incidents.id, number, incidents.project_id, title, incidents.description, service_name, severity,
             severity_note, state, open, source, labels, alert_count, open_alert_count, stale, flapping, assigned_to,
             users.full_name as assigned_to_name, detected_at, acknowledged_at, investigating_at, mitigated_at,
             resolved_at, learned_at, root_cause, resolution_summary, merged_into, previous_incident_id,
             incidents.created_at, updated_at, incidents.version, analyses.status as analysis_status,
             hypotheses.claim as analysis_claim, hypotheses.confidence_score as analysis_confidence,
             hypotheses.suspected_service as analysis_service
         from incidents
         left join users on users.tenant_id = incidents.tenant_id and users.id = incidents.assigned_to
         left join analyses on analyses.tenant_id = incidents.tenant_id and analyses.incident_id = incidents.id
             and analyses.version = (select max(newest.version) from analyses newest
                 where newest.tenant_id = incidents.tenant_id and newest.incident_id = incidents.id)
         left join hypotheses on hypotheses.tenant_id = analyses.tenant_id
             and hypotheses.analysis_id = analyses.id and hypotheses.rank = 1"
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
    let rows: Vec<Row> = on_tx!(tx, c => {
        let mut query = sqlx::QueryBuilder::new(concat!(select!(), " where incidents.tenant_id = "));
        query.push_bind(tenant).push(" and incidents.project_id = ").push_bind(project);
        if !filter.states.is_empty() {
            let mut list = query.push(" and state in (").separated(", ");
            for state in &filter.states {
                list.push_bind(state.as_str());
            }
            query.push(")");
        }
        if !filter.severities.is_empty() {
            let mut list = query.push(" and severity in (").separated(", ");
            for severity in &filter.severities {
                list.push_bind(severity.as_str());
            }
            query.push(")");
        }
        if !filter.services.is_empty() {
            let mut list = query.push(" and service_name in (").separated(", ");
            for service in &filter.services {
                list.push_bind(service.as_str());
            }
            query.push(")");
        }
        if let Some(open) = filter.open {
            query.push(" and open = ").push_bind(open);
        }
        if let Some(from) = filter.from {
            query.push(" and detected_at >= ").push_bind(from);
        }
        if let Some(to) = filter.to {
            query.push(" and detected_at <= ").push_bind(to);
        }
        for word in &filter.words {
            query.push(" and lower(title || ' ' || incidents.description || ' ' || coalesce(service_name, '') || ' inc-'
                || cast(number as text) || ' ' || cast(labels as text)) like ").push_bind(word.as_str())
                .push(" escape '\\'");
        }
        // In words: open before closed, unacknowledged before the others, severe first, then the newest.
        let needs = "(case when open then (case when state = 'detected' then 0 else 10 end) else 20 end + severity_rank)";
        if let Some(at) = position {
            match filter.sort {
                Sort::NeedsMe => {
                    query.push(" and (").push(needs).push(" > ").push_bind(at.need).push(" or (").push(needs)
                        .push(" = ").push_bind(at.need).push(" and (detected_at, incidents.id) < (")
                        .push_bind(Ts::from_micros(at.micros)).push(", ").push_bind(at.id).push(")))");
                }
                Sort::Newest => {
                    query.push(" and (detected_at, incidents.id) < (").push_bind(Ts::from_micros(at.micros))
                        .push(", ").push_bind(at.id).push(")");
                }
                Sort::Oldest => {
                    query.push(" and (detected_at, incidents.id) > (").push_bind(Ts::from_micros(at.micros))
                        .push(", ").push_bind(at.id).push(")");
                }
            }
        }
        match filter.sort {
            Sort::NeedsMe => query.push(" order by ").push(needs).push(", detected_at desc, incidents.id desc"),
            Sort::Newest => query.push(" order by detected_at desc, incidents.id desc"),
            Sort::Oldest => query.push(" order by detected_at, incidents.id"),
        };
        query.push(" limit ").push_bind(limit);
        query.build_query_as().fetch_all(c).await
    })?;
    Ok(rows.into_iter().map(Incident::from).collect())
}

/// Open incidents by state and severity.
///
/// # Errors
/// When the database refused.
pub async fn open_counts(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
) -> sqlx::Result<Vec<(String, String, i64)>> {
    on_tx!(tx, c => sqlx::query_as(
        "select state, severity, count(*) from incidents where tenant_id = $1 and project_id = $2 and open
         group by state, severity")
        .bind(tenant).bind(project).fetch_all(c).await)
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
