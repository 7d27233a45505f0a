//! All SQL of deciding what a channel is told.

use outbox::{Ts, Tx, on_tx, read_all, write_all};
use sqlx::types::Json;

use super::{Row, columns};
use crate::ids::{AnalysisId, ChannelId, IncidentId, ProjectId, TenantId};
use crate::incident::{Severity, State};
use crate::notify::facts::{Brief, Cause, DESCRIPTION, cut};

/// A channel that may have something to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Due {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Its project.
    pub project_id: ProjectId,
    /// The channel.
    pub id: ChannelId,
}

/// The channels, whoever's, that nobody holds and that have new events or something to send: a few of each tenant, each
/// tenant's first before anybody's second, so that none keeps the others waiting.
///
/// # Errors
/// When the database refused.
pub async fn due(tx: &mut Tx) -> sqlx::Result<Vec<Due>> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query_as(
        "select tenant_id, project_id, id from (
         select c.tenant_id, c.project_id, c.id,
             row_number() over (partition by c.tenant_id order by c.next_pass_at, c.id) as turn
         from notification_channels c
         left join streams on streams.tenant_id = c.tenant_id and streams.stream_id = c.project_id
         where c.enabled and (c.lease_until is null or c.lease_until < $1) and (
             (streams.seq <> c.seen and c.next_pass_at <= $1)
             or (c.retry_at <= $1 and exists (select 1 from notifications n where n.tenant_id = c.tenant_id
                 and n.channel_id = c.id and n.status = 'waiting' and n.next_attempt_at <= $1)))) due
         where turn <= 8 order by turn, id limit 500")
        .bind(now).fetch_all(c).await)
}

/// One enabled channel.
///
/// # Errors
/// When the database refused.
pub async fn channel(tx: &mut Tx, tenant: TenantId, id: ChannelId) -> sqlx::Result<Option<Row>> {
    on_tx!(tx, c => sqlx::query_as(concat!(
        "select ", columns!(), " from notification_channels where tenant_id = $1 and id = $2 and enabled"))
        .bind(tenant).bind(id).fetch_optional(c).await)
}

/// Claims a channel that nobody holds, if it has still seen what `seen` says; returns it as it is then.
///
/// # Errors
/// When the database refused.
pub async fn claim(
    tx: &mut Tx,
    tenant: TenantId,
    id: ChannelId,
    seen: i64,
    lease_until: Ts,
) -> sqlx::Result<Option<Row>> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query_as(concat!(
        "update notification_channels set lease_until = $5, fence = fence + 1
         where tenant_id = $1 and id = $2 and enabled and seen = $3 and (lease_until is null or lease_until < $4)
         returning ", columns!()))
        .bind(tenant).bind(id).bind(seen).bind(now).bind(lease_until).fetch_optional(c).await)
}

/// Notes up to which event a claimed channel has seen, and when it looks again at the earliest.
///
/// # Errors
/// When the database refused.
pub async fn advance(
    tx: &mut Tx,
    tenant: TenantId,
    id: ChannelId,
    seen: i64,
    next_pass_at: Ts,
) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "update notification_channels set seen = $3, next_pass_at = $4 where tenant_id = $1 and id = $2")
        .bind(tenant).bind(id).bind(seen).bind(next_pass_at).execute(c).await.map(drop))
}

/// Lets a channel go that is still held under this fence.
///
/// # Errors
/// When the database refused.
pub async fn release(tx: &mut Tx, tenant: TenantId, id: ChannelId, fence: i64) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "update notification_channels set lease_until = null where tenant_id = $1 and id = $2 and fence = $3")
        .bind(tenant).bind(id).bind(fence).execute(c).await.map(drop))
}

/// The number of the oldest event that is still there.
///
/// # Errors
/// When the database refused.
pub async fn oldest_event(tx: &mut Tx, tenant: TenantId, project: ProjectId) -> sqlx::Result<Option<i64>> {
    on_tx!(tx, c => sqlx::query_scalar("select min(seq) from events where tenant_id = $1 and stream_id = $2")
        .bind(tenant).bind(project).fetch_one(c).await)
}

/// A project's name, if it was not deleted.
///
/// # Errors
/// When the database refused.
pub async fn project_name(tx: &mut Tx, tenant: TenantId, project: ProjectId) -> sqlx::Result<Option<String>> {
    on_tx!(tx, c => sqlx::query_scalar(
        "select name from projects where tenant_id = $1 and id = $2 and deleted_at is null")
        .bind(tenant).bind(project).fetch_optional(c).await)
}

#[derive(sqlx::FromRow)]
struct BriefRow {
    id: IncidentId,
    number: i64,
    title: String,
    description: String,
    service_name: Option<String>,
    #[sqlx(try_from = "String")]
    severity: Severity,
    #[sqlx(try_from = "String")]
    state: State,
    open: bool,
    source: String,
    alert_count: i64,
    flapping: bool,
    snoozed: bool,
    started_at: Ts,
    detected_at: Ts,
    acknowledged_at: Option<Ts>,
    acknowledged_by: Option<String>,
    resolved_at: Option<Ts>,
    resolved_by: Option<String>,
    merged_number: Option<i64>,
}

impl BriefRow {
    /// As it is told, with its address below `list`.
    fn brief(self, list: &str) -> Brief {
        Brief {
            url: format!("{list}/INC-{}", self.number),
            id: self.id,
            number: self.number,
            title: self.title,
            description: cut(&self.description, DESCRIPTION),
            service_name: self.service_name,
            severity: self.severity,
            state: self.state,
            open: self.open,
            source: self.source,
            alert_count: self.alert_count,
            flapping: self.flapping,
            snoozed: self.snoozed,
            started_at: self.started_at,
            detected_at: self.detected_at,
            acknowledged_at: self.acknowledged_at,
            acknowledged_by: self.acknowledged_by,
            resolved_at: self.resolved_at,
            resolved_by: self.resolved_by,
            merged_into: self.merged_number,
        }
    }
}

/// Incidents of a project as they are told, in the order of their numbers; `list` is where all of them are shown.
///
/// # Errors
/// When the database refused.
pub async fn briefs(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    ids: &[IncidentId],
    list: &str,
) -> sqlx::Result<Vec<Brief>> {
    let before = (
        "select one.id, one.number, one.title, one.description, one.service_name, one.severity, one.state, one.open,
             one.source, one.alert_count, one.flapping, one.snoozed_until is not null as snoozed,
             coalesce(one.started_at, one.detected_at) as started_at, one.detected_at, one.acknowledged_at, one.acknowledged_by, one.resolved_at, one.resolved_by,
             target.number as merged_number
         from incidents one
         left join incidents target on target.tenant_id = one.tenant_id and target.id = one.merged_into
         where one.tenant_id = ",
        " and one.project_id = ",
        " and one.id in",
    );
    let rows: Vec<BriefRow> = read_all!(tx, tenant, project, ids, before, "")?;
    let mut briefs: Vec<Brief> = rows.into_iter().map(|row| row.brief(list)).collect();
    briefs.sort_by_key(|one| one.number);
    Ok(briefs)
}

/// What a channel knows of an incident.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct Mark {
    /// The incident.
    pub incident_id: IncidentId,
    /// Whether it was told that there is such an incident.
    pub told: bool,
    /// Whether it was one to tell of.
    pub matched: bool,
    /// Whether it was open.
    pub open: bool,
    /// How bad it was.
    #[sqlx(try_from = "String")]
    pub severity: Severity,
    /// Whether somebody had seen it.
    pub acknowledged: bool,
    /// Whether it was told as one of many.
    pub digested: bool,
    /// Whether somebody had put it off.
    pub snoozed: bool,
    /// The cause that was told.
    pub cause: Option<String>,
}

impl Mark {
    /// Of an incident that is not known yet.
    pub fn unknown(one: &Brief) -> Self {
        Self {
            incident_id: one.id,
            told: false,
            matched: false,
            open: one.open,
            severity: one.severity,
            acknowledged: false,
            digested: false,
            snoozed: false,
            cause: None,
        }
    }
}

/// What a channel knows of these incidents.
///
/// # Errors
/// When the database refused.
pub async fn marks(
    tx: &mut Tx,
    tenant: TenantId,
    channel: ChannelId,
    ids: &[IncidentId],
) -> sqlx::Result<Vec<Mark>> {
    let before = (
        "select incident_id, told, matched, open, severity, acknowledged, digested, snoozed, cause from notification_marks
         where tenant_id = ",
        " and channel_id = ",
        " and incident_id in",
    );
    read_all!(tx, tenant, channel, ids, before, "")
}

/// Writes what a channel knows from now on.
///
/// # Errors
/// When the database refused.
pub async fn save_marks(
    tx: &mut Tx,
    tenant: TenantId,
    channel: ChannelId,
    marks: &[Mark],
) -> sqlx::Result<()> {
    let now = tx.now();
    write_all!(tx, marks,
        "insert into notification_marks (tenant_id, channel_id, incident_id, told, matched, open, severity,
             acknowledged, digested, snoozed, cause, updated_at) ",
        (bind, mark) => {
            bind.push_bind(tenant).push_bind(channel).push_bind(mark.incident_id).push_bind(mark.told)
                .push_bind(mark.matched).push_bind(mark.open).push_bind(mark.severity.as_str())
                .push_bind(mark.acknowledged).push_bind(mark.digested).push_bind(mark.snoozed).push_bind(&mark.cause).push_bind(now);
        },
        " on conflict (tenant_id, channel_id, incident_id) do update set told = excluded.told,
             matched = excluded.matched, open = excluded.open, severity = excluded.severity,
             acknowledged = excluded.acknowledged, digested = excluded.digested, snoozed = excluded.snoozed, cause = excluded.cause,
             updated_at = excluded.updated_at")
}

/// Whether a channel was told together with others of an incident that is open.
///
/// # Errors
/// When the database refused.
pub async fn any_digested(tx: &mut Tx, tenant: TenantId, channel: ChannelId) -> sqlx::Result<bool> {
    on_tx!(tx, c => sqlx::query_scalar(
        "select exists (select 1 from notification_marks
         where tenant_id = $1 and channel_id = $2 and digested and open)")
        .bind(tenant).bind(channel).fetch_one(c).await)
}

/// What an analysis names first, and what it is told by: the same cause in other words is no news.
///
/// # Errors
/// When the database refused.
pub async fn cause(
    tx: &mut Tx,
    tenant: TenantId,
    analysis: AnalysisId,
) -> sqlx::Result<Option<(String, Cause)>> {
    type Found = (String, f64, Option<String>, Option<String>, Json<Vec<serde_json::Value>>);
    let found: Option<Found> = on_tx!(tx, c => sqlx::query_as(
        "select claim, confidence_score, suspected_service, suspected_metric, supporting_evidence from hypotheses
         where tenant_id = $1 and analysis_id = $2 order by rank, confidence_score desc, id limit 1")
        .bind(tenant).bind(analysis).fetch_optional(c).await)?;
    Ok(found.map(|(claim, confidence, service, metric, evidence)| {
        let key = match &service {
            Some(service) => format!("{service}|{}", metric.unwrap_or_default()),
            None => claim.clone(),
        };
        (key, Cause { claim, confidence, evidence: evidence.len(), service_name: service })
    }))
}
