//! All SQL of alerts and their episodes.

use std::collections::BTreeMap;

use outbox::{Ts, Tx, on_tx};
use sqlx::types::Json;

use super::Tracked;
use crate::ids::{AlertId, IncidentId, IntegrationId, ProjectId, TenantId};
use crate::incident::Severity;
use crate::incident::intake::{Origin, Source};

/// An alert as it was sent, with the keys it was given.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// The alert.
    pub alert: &'a alerts::Alert,
    /// Which alert it is.
    pub alert_key: [u8; 32],
    /// Which incident it joins.
    pub incident_key: [u8; 32],
    /// The integration it came through.
    pub integration: IntegrationId,
}

macro_rules! columns {
    () => {
        "id, integration_id, fingerprint, name, title, description, service_name, severity, annotations, generator_url,
         runbook_url, flags, incident_id, episode_id, statements, last_seen_at, longest_gap_s, starts_at, opened_at,
         last_starts_at, last_ends_at, closed_at, tombs, held_starts_at, held_until, transitions, flapping_until"
    };
}

// After the macro that it uses.
pub mod bulk;

/// What is needed of a stored alert to go on without a statement.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Stored {
    /// The rule's labels.
    pub labels: Json<BTreeMap<String, String>>,
    /// Which incident it joins.
    pub incident_key: Vec<u8>,
    /// Whether it is the always-firing alert that proves alerting works.
    pub heartbeat: bool,
    integration_name: String,
    kind: String,
    settings: Json<serde_json::Value>,
}

impl Stored {
    /// Where it came from.
    pub fn origin(&self) -> Origin {
        let source = Source::new(self.integration_name.clone(), &self.kind, &self.settings.0);
        Origin { source, delivery: None }
    }
}

/// What is needed of a stored alert to go on without a statement.
///
/// # Errors
/// When the database refused; `RowNotFound` when there is no such alert.
pub async fn stored(tx: &mut Tx, tenant: TenantId, id: AlertId) -> sqlx::Result<Stored> {
    on_tx!(tx, c => sqlx::query_as(
        "select alerts.labels, alerts.incident_key, alerts.heartbeat, integrations.name as integration_name,
             integrations.kind, integrations.settings
         from alerts join integrations
         on integrations.tenant_id = alerts.tenant_id and integrations.id = alerts.integration_id
         where alerts.tenant_id = $1 and alerts.id = $2")
        .bind(tenant).bind(id).fetch_one(c).await)
}

/// An alert by its id, locked.
///
/// # Errors
/// When the database refused.
pub async fn find(tx: &mut Tx, tenant: TenantId, id: AlertId) -> sqlx::Result<Option<Tracked>> {
    on_tx!(tx, c => sqlx::query_as(concat!(
        // The no-op write takes the row's lock on both databases.
        "update alerts set statements = statements where tenant_id = $1 and id = $2 returning ", columns!()))
        .bind(tenant).bind(id).fetch_optional(c).await)
}

/// The alerts of an incident that flap, by tenant and incident.
pub const FLAPPING: &str =
    "select id from alerts where tenant_id = $1 and incident_id = $2 and flapping_until is not null";

/// When an incident was last heard of, by tenant and incident.
pub const LAST_STATEMENT: &str =
    "select max(last_seen_at) from alerts where tenant_id = $1 and incident_id = $2
    and exists (select 1 from alerts firing where firing.tenant_id = $1 and firing.incident_id = $2
        and firing.episode_id is not null)";

/// Moves alerts, by tenant, to another incident.
pub const MOVE: &str =
    "update alerts set incident_id = $3 where tenant_id = $1 and incident_id = $2 and not heartbeat";

/// The alerts of an incident that flap.
///
/// # Errors
/// When the database refused.
pub async fn flapping(tx: &mut Tx, tenant: TenantId, incident: IncidentId) -> sqlx::Result<Vec<AlertId>> {
    on_tx!(tx, c => sqlx::query_scalar(FLAPPING)
        .bind(tenant).bind(incident).fetch_all(c).await)
}

/// When a statement about any alert of an incident was last accepted; nothing when none of them fires.
///
/// # Errors
/// When the database refused.
pub async fn last_statement(tx: &mut Tx, tenant: TenantId, incident: IncidentId) -> sqlx::Result<Option<Ts>> {
    on_tx!(tx, c => sqlx::query_scalar(LAST_STATEMENT)
        .bind(tenant).bind(incident).fetch_one(c).await)
}

/// Moves every alert and episode of one incident to another, and says how many alerts were moved. A heartbeat stays with the
/// incident about its silence.
///
/// # Errors
/// When the database refused.
pub async fn move_all(tx: &mut Tx, tenant: TenantId, from: IncidentId, to: IncidentId) -> sqlx::Result<u64> {
    on_tx!(tx, c => sqlx::query("update episodes set incident_id = $3 where tenant_id = $1 and incident_id = $2")
        .bind(tenant).bind(from).bind(to).execute(c).await.map(drop))?;
    on_tx!(tx, c => sqlx::query(MOVE)
        .bind(tenant).bind(from).bind(to).execute(c).await.map(|done| done.rows_affected()))
}

/// Alerts whose hold or flapping ends by `now`, of every tenant, in the order in which they end.
///
/// # Errors
/// When the database refused.
pub async fn due(tx: &mut Tx, now: Ts) -> sqlx::Result<Vec<(TenantId, ProjectId, AlertId)>> {
    on_tx!(tx, c => sqlx::query_as(
        "select tenant_id, project_id, id from (
             select tenant_id, project_id, id, held_until as at, 0 as kind from alerts where held_until <= $1
             union all
             select tenant_id, project_id, id, flapping_until, 1 from alerts where flapping_until <= $1) ending
         order by at, kind, id limit 500")
        .bind(now).fetch_all(c).await)
}

/// Ends an alert's hold and flapping, and nothing comes of them.
///
/// # Errors
/// When the database refused.
pub async fn let_go(tx: &mut Tx, tenant: TenantId, id: AlertId) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "update alerts set held_starts_at = null, held_until = null, flapping_until = null
         where tenant_id = $1 and id = $2")
        .bind(tenant).bind(id).execute(c).await.map(drop))
}

/// An always-firing alert, as the sweep looks at it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Heartbeat {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The project.
    pub project_id: ProjectId,
    /// The alert.
    pub id: AlertId,
    /// The rule's name.
    pub name: String,
    /// When it was last heard.
    pub last_seen_at: Ts,
    /// The longest silence between two statements, in seconds; 0 before the second.
    pub longest_gap_s: i64,
    /// The incident about its silence.
    pub incident_id: Option<IncidentId>,
    /// That incident's key.
    pub incident_key: Option<Vec<u8>>,
    /// Whether that incident is open.
    pub incident_open: Option<bool>,
    /// Whether a person closed that incident, and nothing was heard of the alert since it was opened.
    pub closed_unheard: Option<bool>,
    /// The integration's name.
    pub integration_name: String,
    kind: String,
    settings: Json<serde_json::Value>,
}

impl Heartbeat {
    /// How long its sender may say nothing of an alert that fires, in seconds.
    pub fn stale_after_s(&self) -> i64 {
        Source::new(String::new(), &self.kind, &self.settings.0).stale_after_s
    }

    /// How long it may be silent, in seconds, if its integration says.
    pub fn timeout_s(&self) -> Option<i64> {
        self.settings.get("heartbeat_timeout_s").and_then(serde_json::Value::as_i64)
    }
}

macro_rules! heartbeats {
    ($which:literal) => {
        concat!(
            "select alerts.tenant_id, alerts.project_id, alerts.id, alerts.name, alerts.last_seen_at, alerts.longest_gap_s,
                 alerts.incident_id, incidents.incident_key, incidents.open as incident_open,
                 not incidents.open and (incidents.state = 'learned' or incidents.resolved_by = 'person')
                 and alerts.last_seen_at < incidents.detected_at as closed_unheard,
                 integrations.name as integration_name, integrations.kind, integrations.settings
             from alerts join integrations
             on integrations.tenant_id = alerts.tenant_id and integrations.id = alerts.integration_id
             left join incidents on incidents.tenant_id = alerts.tenant_id and incidents.id = alerts.incident_id
             where alerts.heartbeat and integrations.deleted_at is null",
            $which
        )
    };
}

/// The always-firing alerts of every tenant.
///
/// # Errors
/// When the database refused.
pub async fn heartbeats(tx: &mut Tx) -> sqlx::Result<Vec<Heartbeat>> {
    on_tx!(tx, c => sqlx::query_as(heartbeats!("")).fetch_all(c).await)
}

/// One always-firing alert.
///
/// # Errors
/// When the database refused.
pub async fn heartbeat(tx: &mut Tx, tenant: TenantId, id: AlertId) -> sqlx::Result<Option<Heartbeat>> {
    on_tx!(tx, c => sqlx::query_as(heartbeats!(" and alerts.tenant_id = $1 and alerts.id = $2"))
        .bind(tenant).bind(id).fetch_optional(c).await)
}

/// Remembers the incident about an alert.
///
/// # Errors
/// When the database refused.
pub async fn set_incident(
    tx: &mut Tx,
    tenant: TenantId,
    id: AlertId,
    incident: IncidentId,
) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query("update alerts set incident_id = $3 where tenant_id = $1 and id = $2")
        .bind(tenant).bind(id).bind(incident).execute(c).await.map(drop))
}

/// How many alerts ever belonged to an incident, and how many of them fire now.
///
/// # Errors
/// When the database refused.
pub async fn counts(tx: &mut Tx, tenant: TenantId, incident: IncidentId) -> sqlx::Result<(i64, i64)> {
    on_tx!(tx, c => sqlx::query_as(
        "select count(distinct alert_id), count(distinct case when closed_at is null then alert_id end)
         from episodes where tenant_id = $1 and incident_id = $2")
        .bind(tenant).bind(incident).fetch_one(c).await)
}

/// The worst severity of the alerts of an incident that fire now.
///
/// # Errors
/// When the database refused.
pub async fn worst_firing(
    tx: &mut Tx,
    tenant: TenantId,
    incident: IncidentId,
) -> sqlx::Result<Option<Severity>> {
    let severities: Vec<String> = on_tx!(tx, c => sqlx::query_scalar(
        "select distinct severity from alerts where tenant_id = $1 and incident_id = $2 and episode_id is not null")
        .bind(tenant).bind(incident).fetch_all(c).await)?;
    Ok(severities
        .iter()
        .filter_map(|word| word.parse().ok())
        .min_by_key(|severity: &Severity| severity.rank()))
}
