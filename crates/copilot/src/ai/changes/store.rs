//! All SQL of reported changes.

use outbox::{Ts, Tx, on_tx, sabotage};

use super::{Change, ChangeQuery};
use crate::ai::evidence::{AFTER_S, BASELINE_S};
use crate::ids::{ChangeId, IncidentId, ProjectId, TenantId};

/// Incidents that one change has explained anew at most.
const MOST: i64 = 20;

/// Stores a change.
pub async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    change: &Change,
    by: &str,
) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "insert into changes (tenant_id, id, project_id, service_name, summary, kind, version, url, at, created_by,
                              created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
        .bind(tenant).bind(change.id).bind(project).bind(&change.service_name).bind(&change.summary).bind(&change.kind)
        .bind(change.version.clone()).bind(change.url.clone()).bind(change.timestamp).bind(by).bind(change.created_at)
        .execute(c).await.map(drop))
}

/// At most `limit` changes, newest first, after the one named.
pub async fn list(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    which: &ChangeQuery,
    after: Option<(Ts, ChangeId)>,
    limit: i64,
) -> sqlx::Result<Vec<Change>> {
    let last = (Ts::from_micros(i64::MAX), ChangeId(uuid::Uuid::max()));
    let (before, id) = after.unwrap_or(last);
    let from = which.from.unwrap_or_else(|| Ts::from_micros(0));
    let to = which.to.unwrap_or(last.0);
    let service = which.service_name.clone();
    if sabotage::broken("changes-of-any-tenant") {
        return on_tx!(tx, c => sqlx::query_as(
            "select id, service_name, summary, kind, version, at, url, created_at from changes order by at desc limit $1")
            .bind(limit).fetch_all(c).await);
    }
    on_tx!(tx, c => sqlx::query_as(
        "select id, service_name, summary, kind, version, at, url, created_at from changes
         where tenant_id = $1 and project_id = $2 and at >= $3 and at <= $4 and ($5 = '' or service_name = $5)
           and (at < $6 or (at = $6 and id < $7))
         order by at desc, id desc limit $8")
        .bind(tenant).bind(project).bind(from).bind(to).bind(service.unwrap_or_default()).bind(before).bind(id)
        .bind(limit).fetch_all(c).await)
}

/// The newest open incidents that a change of `service` at this time may explain, 20 at most: their analysis looks at the time,
/// and they are about the service, suspect it, or name none. Of an incident with many alerts the first 50 that fire tell when
/// it began, as in the analysis.
pub async fn looking_at(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    service: &str,
    at: Ts,
) -> sqlx::Result<Vec<IncidentId>> {
    let (first, last) = (at.plus_seconds(-AFTER_S), at.plus_seconds(BASELINE_S));
    on_tx!(tx, c => sqlx::query_scalar(
        "select id from (
             select i.id, i.detected_at, coalesce(
                 (select min(starts_at) from (select e.starts_at from episodes e
                      where e.tenant_id = $1 and e.incident_id = i.id and e.closed_at is null
                      order by e.opened_at limit 50) firing),
                 (select e.starts_at from episodes e where e.tenant_id = $1 and e.incident_id = i.id
                      order by e.opened_at desc limit 1),
                 i.detected_at) as alarm
             from (select id, detected_at from incidents where tenant_id = $1 and project_id = $2 and open
                     and coalesce(started_at, detected_at) <= $4 and merged_into is null
                     and (service_name is null or service_name = $6 or exists (
                         select 1 from analyses a join hypotheses h on h.tenant_id = $1 and h.analysis_id = a.id
                         where a.tenant_id = $1 and a.incident_id = incidents.id and h.suspected_service = $6))
                   order by detected_at desc, id desc limit 200) i) o
         where alarm >= $3 and alarm <= $4 order by detected_at desc, id desc limit $5")
        .bind(tenant).bind(project).bind(first).bind(last).bind(MOST).bind(service).fetch_all(c).await)
}
