//! The incidents of one commit, read and written with a statement for many of them.

use outbox::{NewJob, Ts, Tx, TxConn, read_all, write_all};
use sqlx::types::Json;

use crate::ids::{AnalysisId, IncidentId, ProjectId, StepId, TenantId};
use crate::incident::record::Record;

/// Incidents by their ids, locked in the order of their ids.
///
/// # Errors
/// When the database refused.
pub async fn load(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    ids: &[IncidentId],
) -> sqlx::Result<Vec<Record>> {
    // SQLite has one writer, and this transaction is it.
    let lock = if matches!(tx.conn(), TxConn::Postgres(_)) { "for update" } else { "" };
    let after = format!("order by id {lock}");
    let before = (
        concat!("select ", columns!(), " from incidents where tenant_id = "),
        " and project_id = ",
        " and id in",
    );
    read_all!(tx, tenant, project, ids, before, &after)
}

/// Where an incident key leads to.
#[derive(Clone, Debug, Default, sqlx::FromRow)]
pub struct Lead {
    /// The key.
    pub incident_key: Vec<u8>,
    /// The incident it was redirected to by a merge.
    pub redirected: Option<IncidentId>,
    /// Its own open incident.
    pub open: Option<IncidentId>,
    /// Its own newest incident.
    pub newest: Option<IncidentId>,
}

impl Lead {
    /// The incident that a firing of the key is offered to.
    pub fn incident(&self) -> Option<IncidentId> {
        self.redirected.or(self.open).or(self.newest)
    }
}

/// Where these incident keys lead to; one row a key.
///
/// # Errors
/// When the database refused.
pub async fn leads(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    keys: &[[u8; 32]],
) -> sqlx::Result<Vec<Lead>> {
    let mut found = Vec::with_capacity(keys.len());
    for piece in outbox::bulk::pieces(keys) {
        let rows: Vec<Lead> = outbox::on_tx!(tx, c => {
            let mut query = sqlx::QueryBuilder::new("with scope (t, p) as (");
            query.push_values([()], |mut bind, ()| { bind.push_bind(tenant).push_bind(project); });
            query.push(
                ") select k.column1 as incident_key,
                 (select r.incident_id from incident_redirects r
                     where r.tenant_id = t and r.project_id = p and r.incident_key = k.column1) as redirected,
                 (select i.id from incidents i
                     where i.tenant_id = t and i.project_id = p and i.incident_key = k.column1 and i.open) as open,
                 (select i.id from incidents i
                     where i.tenant_id = t and i.project_id = p and i.incident_key = k.column1
                     order by i.detected_at desc, i.id desc limit 1) as newest
                 from scope, (");
            query.push_values(piece, |mut bind, key| { bind.push_bind(&key[..]); });
            query.push(") as k");
            query.build_query_as().fetch_all(c).await
        })?;
        found.extend(rows);
    }
    Ok(found)
}

/// Takes the next `count` incident numbers of a project and returns the last of them.
///
/// # Errors
/// When the database refused; `RowNotFound` when there is no such project.
pub async fn take_numbers(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    count: i64,
) -> sqlx::Result<i64> {
    outbox::on_tx!(tx, c => sqlx::query_scalar(
        "update projects set last_incident_number = last_incident_number + $3
         where tenant_id = $1 and id = $2 and deleted_at is null returning last_incident_number")
        .bind(tenant).bind(project).bind(count).fetch_one(c).await)
}

/// An incident to add, and when its silence makes it stale.
#[derive(Clone, Copy, Debug)]
pub struct New<'a> {
    /// The incident.
    pub record: &'a Record,
    /// When it goes stale unless a statement comes first.
    pub stale_at: Option<Ts>,
    /// Seconds of silence that make it stale.
    pub stale_after_s: Option<i64>,
}

/// Adds incidents.
///
/// # Errors
/// When the database refused; a unique violation when one would be the second open one of its key.
pub async fn insert(tx: &mut Tx, tenant: TenantId, new: &[New<'_>]) -> sqlx::Result<()> {
    write_all!(tx, new,
        "insert into incidents (tenant_id, id, project_id, number, title, description, service_name, severity,
             severity_rank, severity_note, severity_by_person, state, open, source, labels, incident_key, alert_count,
             open_alert_count, flapping, started_at, detected_at, investigating_at, resolved_at, resolved_by,
             previous_incident_id, stale_at, stale_after_s, created_at, updated_at, version) ",
        (bind, new) => {
            let New { record, stale_at, stale_after_s } = new;
            let incident = &record.incident;
            bind.push_bind(tenant).push_bind(incident.id).push_bind(incident.project_id).push_bind(incident.number)
                .push_bind(&incident.title).push_bind(&incident.description).push_bind(&incident.service_name)
                .push_bind(incident.severity.as_str()).push_bind(incident.severity.rank())
                .push_bind(&incident.severity_note).push_bind(record.severity_by_person)
                .push_bind(incident.state.as_str()).push_bind(incident.open).push_bind(&incident.source)
                .push_bind(Json(&incident.labels)).push_bind(&record.incident_key).push_bind(incident.alert_count)
                .push_bind(incident.open_alert_count).push_bind(incident.flapping).push_bind(incident.started_at)
                .push_bind(incident.detected_at)
                .push_bind(incident.investigating_at).push_bind(incident.resolved_at).push_bind(&record.resolved_by)
                .push_bind(incident.previous_incident_id).push_bind(*stale_at).push_bind(*stale_after_s)
                .push_bind(incident.created_at).push_bind(incident.updated_at).push_bind(incident.version);
        },
        "")
}

/// Writes back what an alert's sender can change of incidents: severity, state, counts and marks.
///
/// # Errors
/// When the database refused; a unique violation when one would be the second open one of its key.
pub async fn save(tx: &mut Tx, tenant: TenantId, records: &[&Record]) -> sqlx::Result<()> {
    write_all!(tx, records,
        "update incidents set severity = v.column3, severity_rank = v.column4, severity_note = v.column5,
             state = v.column6, open = v.column7, alert_count = v.column8, open_alert_count = v.column9,
             stale = v.column10, flapping = v.column11, acknowledged_at = v.column12, investigating_at = v.column13,
             mitigated_at = v.column14, resolved_at = v.column15, resolved_by = v.column16, updated_at = v.column17,
             version = v.column18, started_at = v.column19,
             still_firing = v.column20 from (",
        (bind, record) => {
            let incident = &record.incident;
            bind.push_bind(tenant).push_bind(incident.id).push_bind(incident.severity.as_str())
                .push_bind(incident.severity.rank()).push_bind(&incident.severity_note)
                .push_bind(incident.state.as_str()).push_bind(incident.open).push_bind(incident.alert_count)
                .push_bind(incident.open_alert_count).push_bind(incident.stale).push_bind(incident.flapping)
                .push_bind(incident.acknowledged_at).push_bind(incident.investigating_at)
                .push_bind(incident.mitigated_at).push_bind(incident.resolved_at).push_bind(&record.resolved_by)
                .push_bind(incident.updated_at).push_bind(incident.version).push_bind(incident.started_at)
                .push_bind(incident.still_fires());
        },
        ") as v where incidents.tenant_id = v.column1 and incidents.id = v.column2")
}

/// Sets when incidents that nothing was expected of go stale. A time that is set stays: the sweep moves it on to what was heard
/// meanwhile, so that a statement needs no write of its incident, whose row has many indexes.
///
/// # Errors
/// When the database refused.
pub async fn set_stale_at(tx: &mut Tx, tenant: TenantId, at: &[(IncidentId, Ts)]) -> sqlx::Result<()> {
    write_all!(tx, at,
        "update incidents set stale_at = v.column3 from (",
        (bind, at) => { bind.push_bind(tenant).push_bind(at.0).push_bind(at.1); },
        ") as v where incidents.tenant_id = v.column1 and incidents.id = v.column2 and incidents.stale_at is null")
}

/// Stores the words of alerts by which incidents are found. A statement of its own: to mention them is to have the index of
/// words written.
///
/// # Errors
/// When the database refused.
pub async fn set_words(tx: &mut Tx, tenant: TenantId, words: &[(IncidentId, &str)]) -> sqlx::Result<()> {
    write_all!(tx, words,
        "update incidents set alert_words = v.column3 from (",
        (bind, words) => { bind.push_bind(tenant).push_bind(words.0).push_bind(words.1); },
        ") as v where incidents.tenant_id = v.column1 and incidents.id = v.column2")
}

/// A step that is done.
#[derive(Clone, Debug)]
pub struct DoneStep {
    /// Names it.
    pub id: StepId,
    /// The incident.
    pub incident: IncidentId,
    /// Such as `state_changed`.
    pub step_type: &'static str,
    /// What it was about.
    pub detail: serde_json::Value,
    /// Who did it.
    pub actor: Option<String>,
}

/// Records steps that are done.
///
/// # Errors
/// When the database refused.
pub async fn record(tx: &mut Tx, tenant: TenantId, steps: &[DoneStep], at: Ts) -> sqlx::Result<()> {
    write_all!(tx, steps,
        "insert into steps (tenant_id, id, incident_id, step_type, status, started_at, completed_at, detail, actor) ",
        (bind, step) => {
            bind.push_bind(tenant).push_bind(step.id).push_bind(step.incident).push_bind(step.step_type)
                .push_bind("completed").push_bind(at).push_bind(at).push_bind(Json(&step.detail))
                .push_bind(&step.actor);
        },
        "")
}

/// Queues the first analysis of incidents that are new.
///
/// # Errors
/// When the database refused.
pub async fn queue_first(
    tx: &mut Tx,
    tenant: TenantId,
    new: &[(IncidentId, AnalysisId)],
    queue: &'static str,
) -> sqlx::Result<()> {
    let now = tx.now();
    write_all!(tx, new,
        "insert into analyses (tenant_id, id, incident_id, version, status, engine, checked, created_at) ",
        (bind, new) => {
            bind.push_bind(tenant).push_bind(new.1).push_bind(new.0).push_bind(1_i64).push_bind("queued")
                .push_bind("statistical").push_bind(Json(Vec::<String>::new())).push_bind(now);
        },
        "")?;
    let jobs: Vec<NewJob> = new
        .iter()
        .map(|(incident, analysis)| NewJob {
            owner: tenant.0,
            queue,
            key: incident.to_string(),
            payload: serde_json::json!({ "analysis_id": analysis }),
            run_at: now,
        })
        .collect();
    outbox::lease::enqueue_all(tx, &jobs).await
}
