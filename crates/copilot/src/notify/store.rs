//! All SQL of channels; [`pass`] has that of deciding, [`sent`] that of notifications.

pub mod pass;
pub mod sent;

use outbox::{Ts, Tx, on_tx};
use sqlx::types::Json;

use super::{ChannelKind, Tell};
use crate::ids::{ChannelId, ProjectId, TenantId};
use crate::incident::Severity;

/// A channel as it is stored.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct Row {
    /// Names it.
    pub id: ChannelId,
    /// The project that it tells of.
    pub project_id: ProjectId,
    /// What it leads to.
    #[sqlx(try_from = "String")]
    pub kind: ChannelKind,
    /// As people call it.
    pub name: String,
    /// As it is shown.
    pub address: String,
    /// Where it leads, sealed.
    pub target: Vec<u8>,
    /// What it signs with, sealed.
    pub signing: Option<Vec<u8>>,
    /// What it signs with as well, sealed.
    pub old_signing: Option<Vec<u8>>,
    /// Until then.
    pub old_signing_until: Option<Ts>,
    /// Whether it is told anything.
    pub enabled: bool,
    /// The least severity that it is told of.
    #[sqlx(try_from = "String")]
    pub min_severity: Severity,
    /// The services that it is told of; every one if empty.
    pub services: Json<Vec<String>>,
    /// What it is told.
    pub tells: Json<Vec<Tell>>,
    /// Whether it is told when the server itself is in trouble.
    pub critical_faults: bool,
    /// The number of the last event that was looked at.
    pub seen: i64,
    /// Rises with every claim.
    pub fence: i64,
    /// Failures in a row.
    pub failures: i64,
    /// Until when nothing is tried because of them.
    pub retry_at: Ts,
    /// When something was last taken.
    pub last_success_at: Option<Ts>,
    /// Since when nothing is taken.
    pub failing_since: Option<Ts>,
    /// Why.
    pub last_error: Option<String>,
    /// When it was added.
    pub created_at: Ts,
    /// When it was last changed.
    pub updated_at: Ts,
}

macro_rules! columns {
    () => {
        "id, project_id, kind, name, address, target, signing, old_signing, old_signing_until, enabled, min_severity,
         services, tells, critical_faults, seen, fence, failures, retry_at, last_success_at, failing_since, last_error,
         created_at, updated_at"
    };
}
pub(super) use columns;

/// The channels of a project, in the order they were added.
///
/// # Errors
/// When the database refused.
pub async fn list(tx: &mut Tx, tenant: TenantId, project: ProjectId) -> sqlx::Result<Vec<Row>> {
    on_tx!(tx, c => sqlx::query_as(concat!(
        "select ", columns!(), " from notification_channels
         where tenant_id = $1 and project_id = $2 order by created_at, id"))
        .bind(tenant).bind(project).fetch_all(c).await)
}

/// One channel of a project.
///
/// # Errors
/// When the database refused.
pub async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    id: ChannelId,
) -> sqlx::Result<Option<Row>> {
    on_tx!(tx, c => sqlx::query_as(concat!(
        "select ", columns!(), " from notification_channels where tenant_id = $1 and project_id = $2 and id = $3"))
        .bind(tenant).bind(project).bind(id).fetch_optional(c).await)
}

/// As [`find`], and nobody else changes it until the transaction ends.
///
/// # Errors
/// When the database refused.
pub async fn find_held(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    id: ChannelId,
) -> sqlx::Result<Option<Row>> {
    on_tx!(tx, c => sqlx::query_as(concat!(
        "update notification_channels set updated_at = updated_at
         where tenant_id = $1 and project_id = $2 and id = $3 returning ", columns!()))
        .bind(tenant).bind(project).bind(id).fetch_optional(c).await)
}

/// How many notifications wait, by channel of a project.
///
/// # Errors
/// When the database refused.
pub async fn waiting(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
) -> sqlx::Result<Vec<(ChannelId, i64)>> {
    on_tx!(tx, c => sqlx::query_as(
        "select notifications.channel_id, count(*) from notifications
         join notification_channels on notification_channels.tenant_id = notifications.tenant_id
             and notification_channels.id = notifications.channel_id
         where notifications.tenant_id = $1 and notification_channels.project_id = $2 and status = 'waiting'
         group by notifications.channel_id")
        .bind(tenant).bind(project).fetch_all(c).await)
}

/// Adds a channel that has seen the events up to `row.seen`.
///
/// # Errors
/// When the database refused.
pub async fn insert(tx: &mut Tx, tenant: TenantId, row: &Row) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "insert into notification_channels (tenant_id, id, project_id, kind, name, address, target, signing, enabled,
             min_severity, services, tells, critical_faults, seen, next_pass_at, retry_at, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15, $15, $15)")
        .bind(tenant).bind(row.id).bind(row.project_id).bind(row.kind.as_str()).bind(&row.name).bind(&row.address)
        .bind(&row.target).bind(&row.signing).bind(row.enabled).bind(row.min_severity.as_str())
        .bind(&row.services).bind(&row.tells).bind(row.critical_faults).bind(row.seen).bind(row.created_at)
        .execute(c).await.map(drop))
}

/// Writes what people may change of a channel; what it is at is tried again at once.
///
/// # Errors
/// When the database refused.
pub async fn save(tx: &mut Tx, tenant: TenantId, row: &Row) -> sqlx::Result<()> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query(
        "update notification_channels set name = $3, address = $4, target = $5, signing = $6, old_signing = $7,
             old_signing_until = $8, enabled = $9, min_severity = $10, services = $11, tells = $12,
             critical_faults = $13, seen = $14, retry_at = $15, updated_at = $15
         where tenant_id = $1 and id = $2")
        .bind(tenant).bind(row.id).bind(&row.name).bind(&row.address).bind(&row.target).bind(&row.signing)
        .bind(&row.old_signing).bind(row.old_signing_until).bind(row.enabled).bind(row.min_severity.as_str())
        .bind(&row.services).bind(&row.tells).bind(row.critical_faults).bind(row.seen).bind(now)
        .execute(c).await.map(drop))
}

/// Removes a channel and everything that it was to be told.
///
/// # Errors
/// When the database refused.
pub async fn delete(tx: &mut Tx, tenant: TenantId, id: ChannelId) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query("delete from notification_channels where tenant_id = $1 and id = $2")
        .bind(tenant).bind(id).execute(c).await.map(drop))
}

/// Has a channel know the incidents that are open already, without having been told of them.
///
/// # Errors
/// When the database refused.
pub async fn know_open(tx: &mut Tx, tenant: TenantId, project: ProjectId, id: ChannelId) -> sqlx::Result<()> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query(
        "insert into notification_marks (tenant_id, channel_id, incident_id, told, matched, open, severity,
             acknowledged, digested, snoozed, updated_at)
         select tenant_id, $3, id, false, true, true, severity, acknowledged_at is not null, false,
             snoozed_until is not null, $4 from incidents
         where tenant_id = $1 and project_id = $2 and open
         on conflict (tenant_id, channel_id, incident_id) do nothing")
        .bind(tenant).bind(project).bind(id).bind(now).execute(c).await.map(drop))
}

/// Drops what waits in a channel, and says why.
///
/// # Errors
/// When the database refused.
pub async fn drop_waiting(tx: &mut Tx, tenant: TenantId, id: ChannelId, why: &str) -> sqlx::Result<u64> {
    on_tx!(tx, c => sqlx::query(
        "update notifications set status = 'dropped', detail = $3, next_attempt_at = null
         where tenant_id = $1 and channel_id = $2 and status = 'waiting'")
        .bind(tenant).bind(id).bind(why).execute(c).await.map(|done| done.rows_affected()))
}

/// A channel that is told when the server itself is in trouble.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Watching {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The channel.
    #[sqlx(flatten)]
    pub row: Row,
    /// Its project, as people call it.
    pub project_name: String,
}

/// Every channel, whoever's, that is told when the server itself is in trouble.
///
/// # Errors
/// When the database refused.
pub async fn watching(tx: &mut Tx) -> sqlx::Result<Vec<Watching>> {
    on_tx!(tx, c => sqlx::query_as(
        "select c.tenant_id, projects.name as project_name, c.id, c.project_id, c.kind, c.name, c.address, c.target,
             c.signing, c.old_signing, c.old_signing_until, c.enabled, c.min_severity, c.services, c.tells,
             c.critical_faults, c.seen, c.fence, c.failures, c.retry_at, c.last_success_at, c.failing_since, c.last_error,
             c.created_at, c.updated_at
         from notification_channels c
         join projects on projects.tenant_id = c.tenant_id and projects.id = c.project_id
         where c.enabled and c.critical_faults and projects.deleted_at is null order by c.created_at, c.id limit 2000")
        .fetch_all(c).await)
}
