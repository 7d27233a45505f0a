//! All SQL of incidents as they are written; reading lists and pages is in `read/`.

use outbox::{Ts, Tx, TxConn, on_tx, sabotage};
use sqlx::types::Json;

use super::record::{NewIncident, Record};
use crate::ids::{AnalysisId, IncidentId, ProjectId, TenantId, UserId};

macro_rules! columns {
    () => {
        "id, number, project_id, title, description, service_name, severity, severity_note, state, open, source,
         labels, alert_count, open_alert_count, stale, flapping, snoozed_until, assigned_to,
         (select full_name from users where users.tenant_id = incidents.tenant_id
          and users.id = incidents.assigned_to) as assigned_to_name,
         coalesce(started_at, detected_at) as started_at, detected_at, acknowledged_at, acknowledged_by, investigating_at, mitigated_at, resolved_at,
         learned_at, root_cause, resolution_summary, merged_into, previous_incident_id, created_at, updated_at, version,
         severity_by_person, resolved_by, incident_key, alert_words"
    };
}

// After the macro that it uses.
pub mod bulk;

/// The next incident number of a project.
///
/// # Errors
/// When the database refused; `RowNotFound` when there is no such project.
pub async fn next_number(tx: &mut Tx, tenant: TenantId, project: ProjectId) -> sqlx::Result<i64> {
    on_tx!(tx, c => sqlx::query_scalar(
        "update projects set last_incident_number = last_incident_number + 1
         where tenant_id = $1 and id = $2 and deleted_at is null returning last_incident_number")
        .bind(tenant).bind(project).fetch_one(c).await)
}

/// Opens an incident, or returns the open one that has its key.
///
/// One statement does both, so that there is never a second open incident of one key.
///
/// # Errors
/// When the database refused.
pub async fn open(tx: &mut Tx, tenant: TenantId, new: &NewIncident<'_>) -> sqlx::Result<Record> {
    on_tx!(tx, c => sqlx::query_as(concat!(
        "insert into incidents (tenant_id, id, project_id, number, title, description, service_name, severity,
             severity_rank, severity_note, state, open, source, labels, incident_key, alert_count, open_alert_count,
             started_at, detected_at, previous_incident_id, stale_at, stale_after_s, created_at, updated_at, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'detected', $11, $12, $13, $14, 0, 0, $15, $15, $16, $17, $18,
             $15, $15, 1)
         on conflict (tenant_id, project_id, incident_key) where open do update set updated_at = incidents.updated_at
         returning ", columns!()))
        .bind(tenant).bind(new.id).bind(new.project).bind(new.number).bind(new.title).bind(new.description)
        .bind(new.service_name).bind(new.severity.as_str()).bind(new.severity.rank()).bind(&new.severity_note)
        .bind(true).bind(new.source).bind(Json(new.labels)).bind(new.incident_key.map(|key| key.to_vec()))
        .bind(new.now).bind(new.previous).bind(new.stale_after_s.map(|seconds| new.now.plus_seconds(seconds))).bind(new.stale_after_s)
        .fetch_one(c).await)
}

/// An incident by its id, locked.
///
/// # Errors
/// When the database refused.
pub async fn find(tx: &mut Tx, tenant: TenantId, id: IncidentId) -> sqlx::Result<Option<Record>> {
    on_tx!(tx, c => sqlx::query_as(concat!(
        // The no-op write takes the row's lock on both databases.
        "update incidents set version = version where tenant_id = $1 and id = $2 returning ", columns!()))
        .bind(tenant).bind(id).fetch_optional(c).await)
}

/// How many incidents are open, by tenant, project and limit. It names the open states, so that an index alone answers on
/// SQLite: whether a row is open is in no index there but the row.
pub const COUNT_OPEN: &str =
    "select count(*) from (select 1 from incidents where tenant_id = $1 and project_id = $2
         and state in ('detected', 'acknowledged', 'investigating', 'mitigated', 'inconclusive') limit $3) o";

/// How many incidents of a project are open, counted up to `limit`.
///
/// # Errors
/// When the database refused.
pub async fn count_open(tx: &mut Tx, tenant: TenantId, project: ProjectId, limit: i64) -> sqlx::Result<i64> {
    on_tx!(tx, c => sqlx::query_scalar(COUNT_OPEN)
        .bind(tenant).bind(project).bind(limit).fetch_one(c).await)
}

/// Makes this transaction the only one that applies statements of a project until it ends, and says whether the
/// project is still there.
///
/// What it then reads of the project's alerts and incidents stays true until it writes. Everybody else who locks
/// alerts and incidents together takes this lock first, so that nobody waits in a circle.
///
/// # Errors
/// When the database refused.
pub async fn lock_project(tx: &mut Tx, tenant: TenantId, project: ProjectId) -> sqlx::Result<bool> {
    // SQLite has one writer, and this transaction is it. The lock is weaker than one for update: rows that refer
    // to the project may be added meanwhile.
    let locks = matches!(tx.conn(), TxConn::Postgres(_)) && !sabotage::broken("no-project-lock");
    let query = if locks {
        "select deleted_at is null from projects where tenant_id = $1 and id = $2 for no key update"
    } else {
        "select deleted_at is null from projects where tenant_id = $1 and id = $2"
    };
    let is_live: Option<bool> =
        on_tx!(tx, c => sqlx::query_scalar(query).bind(tenant).bind(project).fetch_optional(c).await)?;
    Ok(is_live.unwrap_or(false))
}

/// Writes an incident back.
///
/// # Errors
/// When the database refused; a unique violation when it would be the second open one of its key.
pub async fn save(tx: &mut Tx, tenant: TenantId, record: &Record) -> sqlx::Result<()> {
    let incident = &record.incident;
    on_tx!(tx, c => sqlx::query(
        "update incidents set title = $3, description = $4, service_name = $5, severity = $6, severity_rank = $7,
             severity_note = $8, severity_by_person = $9, state = $10, open = $11, alert_count = $12,
             open_alert_count = $13, stale = $14, flapping = $15, assigned_to = $16, acknowledged_at = $17,
             investigating_at = $18, mitigated_at = $19, resolved_at = $20, learned_at = $21, resolved_by = $22,
             root_cause = $23, resolution_summary = $24, merged_into = $25, updated_at = $26, version = $27,
             started_at = $28, acknowledged_by = $29, still_firing = $30
         where tenant_id = $1 and id = $2")
        .bind(tenant).bind(incident.id).bind(&incident.title).bind(&incident.description)
        .bind(&incident.service_name).bind(incident.severity.as_str()).bind(incident.severity.rank())
        .bind(&incident.severity_note).bind(record.severity_by_person).bind(incident.state.as_str())
        .bind(incident.open).bind(incident.alert_count).bind(incident.open_alert_count).bind(incident.stale)
        .bind(incident.flapping).bind(incident.assigned_to).bind(incident.acknowledged_at)
        .bind(incident.investigating_at).bind(incident.mitigated_at).bind(incident.resolved_at)
        .bind(incident.learned_at).bind(&record.resolved_by).bind(&incident.root_cause)
        .bind(&incident.resolution_summary).bind(incident.merged_into).bind(incident.updated_at)
        .bind(incident.version).bind(incident.started_at).bind(&incident.acknowledged_by)
        .bind(incident.still_fires())
        .execute(c).await.map(drop))
}

/// Sends later firings of a key to another incident.
///
/// # Errors
/// When the database refused.
pub async fn redirect(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    from: IncidentId,
    key: Option<&[u8]>,
    to: IncidentId,
) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "update incident_redirects set incident_id = $3 where tenant_id = $1 and incident_id = $2")
        .bind(tenant).bind(from).bind(to).execute(c).await.map(drop))?;
    let Some(key) = key else { return Ok(()) };
    on_tx!(tx, c => sqlx::query(
        "insert into incident_redirects (tenant_id, project_id, incident_key, incident_id) values ($1, $2, $3, $4)
         on conflict (tenant_id, project_id, incident_key) do update set incident_id = excluded.incident_id")
        .bind(tenant).bind(project).bind(key).bind(to).execute(c).await.map(drop))
}

/// Forgets where a key was redirected to.
///
/// # Errors
/// When the database refused.
pub async fn forget_redirect(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    key: &[u8; 32],
) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "delete from incident_redirects where tenant_id = $1 and project_id = $2 and incident_key = $3")
        .bind(tenant).bind(project).bind(&key[..]).execute(c).await.map(drop))
}

/// Whether a person is a member of a project, and so can be assigned its incidents; the name if so.
///
/// # Errors
/// When the database refused.
pub async fn assignee(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    user: UserId,
) -> sqlx::Result<Option<String>> {
    on_tx!(tx, c => sqlx::query_scalar(
        "select users.full_name from members join users
         on users.tenant_id = members.tenant_id and users.id = members.user_id
         where members.tenant_id = $1 and members.project_id = $2 and members.user_id = $3")
        .bind(tenant).bind(project).bind(user).fetch_optional(c).await)
}

/// An incident that may have gone stale.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub struct Silent {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The project.
    pub project_id: ProjectId,
    /// The incident.
    pub id: IncidentId,
    /// The silence that makes it stale, in seconds.
    pub stale_after_s: i64,
}

/// Open incidents that may have gone stale by `now`, of every tenant.
///
/// # Errors
/// When the database refused.
pub async fn maybe_stale(tx: &mut Tx, now: Ts) -> sqlx::Result<Vec<Silent>> {
    on_tx!(tx, c => sqlx::query_as(
        "select tenant_id, project_id, id, stale_after_s from incidents where open and stale_at <= $1
         and stale_after_s is not null order by stale_at limit 500")
        .bind(now).fetch_all(c).await)
}

/// Incidents whose snooze is over by `now`, of every tenant.
///
/// # Errors
/// When the database refused.
pub async fn snoozed_enough(tx: &mut Tx, now: Ts) -> sqlx::Result<Vec<(TenantId, ProjectId, IncidentId)>> {
    on_tx!(tx, c => sqlx::query_as(
        "select tenant_id, project_id, id from incidents where snoozed_until <= $1 order by snoozed_until limit 500")
        .bind(now).fetch_all(c).await)
}

/// Sets until when an incident is put off. A statement of its own: to mention it is to have indexes looked at.
///
/// # Errors
/// When the database refused.
pub async fn set_snoozed(
    tx: &mut Tx,
    tenant: TenantId,
    id: IncidentId,
    until: Option<Ts>,
) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query("update incidents set snoozed_until = $3 where tenant_id = $1 and id = $2")
        .bind(tenant).bind(id).bind(until).execute(c).await.map(drop))
}

/// Sets when an incident goes stale unless a statement comes first; never with `None`.
///
/// # Errors
/// When the database refused.
pub async fn set_stale_at(tx: &mut Tx, tenant: TenantId, id: IncidentId, at: Option<Ts>) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query("update incidents set stale_at = $3 where tenant_id = $1 and id = $2")
        .bind(tenant).bind(id).bind(at).execute(c).await.map(drop))
}

/// Lets an incident that had no sender of its own go stale as another one does.
///
/// # Errors
/// When the database refused.
pub async fn adopt_silence(
    tx: &mut Tx,
    tenant: TenantId,
    from: IncidentId,
    to: IncidentId,
) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "update incidents set
             stale_at = coalesce(stale_at, (select other.stale_at from incidents other
                 where other.tenant_id = $1 and other.id = $2)),
             stale_after_s = coalesce(stale_after_s, (select other.stale_after_s from incidents other
                 where other.tenant_id = $1 and other.id = $2))
         where tenant_id = $1 and id = $3")
        .bind(tenant).bind(from).bind(to).execute(c).await.map(drop))
}

/// Moves the evidence that an incident's page shows to another incident: that of the newest analysis that has
/// any, and what came from incidents merged into it.
///
/// # Errors
/// When the database refused.
pub async fn move_evidence(
    tx: &mut Tx,
    tenant: TenantId,
    from: IncidentId,
    to: IncidentId,
) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "update evidence set incident_id = $3 where tenant_id = $1 and incident_id = $2
         and (analysis_id = (select a.id from analyses a where a.tenant_id = $1 and a.incident_id = $2
                 and exists (select 1 from evidence e where e.tenant_id = $1 and e.analysis_id = a.id)
                 order by a.version desc limit 1)
             or not exists (select 1 from analyses a where a.tenant_id = $1 and a.id = evidence.analysis_id
                 and a.incident_id = $2))")
        .bind(tenant).bind(from).bind(to).execute(c).await.map(drop))
}

/// The analysis of an incident that has not ended.
///
/// # Errors
/// When the database refused.
pub async fn unfinished_analysis(
    tx: &mut Tx,
    tenant: TenantId,
    incident: IncidentId,
) -> sqlx::Result<Option<AnalysisId>> {
    on_tx!(tx, c => sqlx::query_scalar(
        "select id from analyses where tenant_id = $1 and incident_id = $2 and status in ('queued', 'running')
         order by version desc limit 1")
        .bind(tenant).bind(incident).fetch_optional(c).await)
}

/// The analysis of an incident that has not ended; one that runs is to be followed by another.
///
/// # Errors
/// When the database refused.
pub async fn follow_up(
    tx: &mut Tx,
    tenant: TenantId,
    incident: IncidentId,
) -> sqlx::Result<Option<AnalysisId>> {
    on_tx!(tx, c => sqlx::query_scalar(
        "update analyses set again = (status = 'running')
         where tenant_id = $1 and incident_id = $2 and status in ('queued', 'running') returning id")
        .bind(tenant).bind(incident).fetch_optional(c).await)
}

/// How many versions of an incident's analysis were asked for since then.
///
/// # Errors
/// When the database refused.
pub async fn versions_since(
    tx: &mut Tx,
    tenant: TenantId,
    incident: IncidentId,
    since: Ts,
) -> sqlx::Result<i64> {
    on_tx!(tx, c => sqlx::query_scalar(
        "select count(*) from analyses where tenant_id = $1 and incident_id = $2 and created_at >= $3")
        .bind(tenant).bind(incident).bind(since).fetch_one(c).await)
}

/// Adds a queued version of an incident's analysis.
///
/// # Errors
/// When the database refused.
pub async fn queue_analysis(tx: &mut Tx, tenant: TenantId, incident: IncidentId) -> sqlx::Result<AnalysisId> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query_scalar(
        "insert into analyses (tenant_id, id, incident_id, version, status, engine, checked, created_at)
         select $1, $2, $3, coalesce(max(version), 0) + 1, 'queued', 'statistical', $4, $5
         from analyses where tenant_id = $1 and incident_id = $3 returning id")
        .bind(tenant).bind(AnalysisId::new()).bind(incident).bind(Json(Vec::<String>::new())).bind(now)
        .fetch_one(c).await)
}
