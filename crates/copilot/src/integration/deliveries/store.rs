//! All SQL of receipts.

use std::collections::BTreeMap;

use outbox::{Ts, Tx, on_tx};
use sqlx::types::Json;

use super::{Delivery, DeliveryResult};
use crate::ids::{DeliveryId, IntegrationId, ProjectId, TenantId};

/// A receipt to keep.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    /// Names it.
    pub id: DeliveryId,
    /// The project.
    pub project: ProjectId,
    /// The integration.
    pub integration: IntegrationId,
    /// When the request was received.
    pub received_at: Ts,
    /// The sender's address.
    pub remote: String,
    /// The sender's name for itself.
    pub user_agent: String,
    /// The route: `alertmanager`, `prometheus` or `grafana`.
    pub sender: &'static str,
    /// The format that was recognised.
    pub format: Option<String>,
    /// `accepted` or `rejected`.
    pub status: &'static str,
    /// The HTTP status that was answered.
    pub http_status: i64,
    /// Why it was rejected.
    pub reason: Option<String>,
    /// How many alerts the sender says it left out.
    pub truncated: i64,
    /// What became of each alert.
    pub results: Vec<DeliveryResult>,
    /// The body as received, deflated.
    pub body: Option<Vec<u8>>,
    /// The receipt this one is a replay of.
    pub replay_of: Option<DeliveryId>,
}

/// Keeps a receipt.
///
/// # Errors
/// When the database refused.
pub async fn insert(tx: &mut Tx, tenant: TenantId, new: &NewDelivery) -> sqlx::Result<()> {
    let mut outcomes: BTreeMap<&str, i64> = BTreeMap::new();
    for result in &new.results {
        *outcomes.entry(result.outcome.as_str()).or_default() += 1;
    }
    on_tx!(tx, c => sqlx::query(
        "insert into deliveries (tenant_id, id, project_id, integration_id, received_at, remote, user_agent, sender,
             format, status, http_status, reason, received, truncated, outcomes, results, body, replay_of)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)")
        .bind(tenant).bind(new.id).bind(new.project).bind(new.integration).bind(new.received_at).bind(&new.remote)
        .bind(&new.user_agent).bind(new.sender).bind(&new.format).bind(new.status).bind(new.http_status)
        .bind(&new.reason).bind(new.results.len() as i64).bind(new.truncated).bind(Json(&outcomes))
        .bind(Json(&new.results)).bind(&new.body).bind(new.replay_of)
        .execute(c).await.map(drop))
}

macro_rules! columns {
    () => {
        "deliveries.id, deliveries.integration_id, integrations.name as integration_name, received_at, remote,
         user_agent, format, status, http_status, reason, received, truncated, outcomes, replay_of"
    };
}

/// At most `limit` receipts of a project, newest first, before the given one.
///
/// # Errors
/// When the database refused.
pub async fn list(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    integration: Option<IntegrationId>,
    before: Option<(Ts, DeliveryId)>,
    limit: i64,
) -> sqlx::Result<Vec<Delivery>> {
    let (at, id) = before.unwrap_or((Ts::from_micros(i64::MAX / 4), DeliveryId(uuid::Uuid::max())));
    on_tx!(tx, c => sqlx::query_as(concat!(
        "select ", columns!(), " from deliveries join integrations
         on integrations.tenant_id = deliveries.tenant_id and integrations.id = deliveries.integration_id
         where deliveries.tenant_id = $1 and deliveries.project_id = $2 and (received_at, deliveries.id) < ($3, $4)
         and ($5 is null or deliveries.integration_id = $5)
         order by received_at desc, deliveries.id desc limit $6"))
        .bind(tenant).bind(project).bind(at).bind(id).bind(integration).bind(limit).fetch_all(c).await)
}

/// A receipt with its body and what became of each alert.
#[derive(Debug, sqlx::FromRow)]
pub struct Kept {
    /// The receipt.
    #[sqlx(flatten)]
    pub delivery: Delivery,
    /// The route it came by.
    pub sender: String,
    /// What became of each alert.
    pub results: Json<Vec<DeliveryResult>>,
    /// The body, deflated; gone after the retention.
    pub body: Option<Vec<u8>>,
}

/// One receipt of a project.
///
/// # Errors
/// When the database refused.
pub async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    id: DeliveryId,
) -> sqlx::Result<Option<Kept>> {
    on_tx!(tx, c => sqlx::query_as(concat!(
        "select ", columns!(), ", sender, results, body from deliveries join integrations
         on integrations.tenant_id = deliveries.tenant_id and integrations.id = deliveries.integration_id
         where deliveries.tenant_id = $1 and deliveries.project_id = $2 and deliveries.id = $3"))
        .bind(tenant).bind(project).bind(id).fetch_optional(c).await)
}

/// When a statement about an alert key was last accepted.
///
/// # Errors
/// When the database refused.
pub async fn last_seen(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    alert_key: &[u8; 32],
) -> sqlx::Result<Option<Ts>> {
    on_tx!(tx, c => sqlx::query_scalar(
        "select last_seen_at from alerts where tenant_id = $1 and project_id = $2 and alert_key = $3")
        .bind(tenant).bind(project).bind(&alert_key[..]).fetch_optional(c).await)
}

/// Lets the bodies of receipts from before `cutoff` go, of every tenant.
///
/// # Errors
/// When the database refused.
pub async fn drop_bodies(tx: &mut Tx, cutoff: Ts) -> sqlx::Result<u64> {
    on_tx!(tx, c => sqlx::query("update deliveries set body = null where received_at < $1 and body is not null")
        .bind(cutoff).execute(c).await.map(|done| done.rows_affected()))
}
