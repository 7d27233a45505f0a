//! All SQL of receipts.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use outbox::{Old, Ts, Tx, on_tx};
use sqlx::types::Json;
use uuid::Uuid;

use super::receipt::{self, Head, Packed};
use super::{Delivery, DeliveryResult};
use crate::ids::{DeliveryId, IntegrationId, ProjectId, TenantId};

/// A receipt to keep in a row of its own.
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

/// Keeps a receipt in a row of its own.
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

/// Keeps the receipts of one commit and integration.
///
/// # Errors
/// When the database refused.
pub async fn keep(
    tx: &mut Tx,
    tenant: TenantId,
    (project, integration): (ProjectId, IntegrationId),
    row: Uuid,
    received_at: Ts,
    packed: &Packed,
) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "insert into receipts (tenant_id, id, project_id, integration_id, received_at, receipts, heads, results, bodies)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
        .bind(tenant).bind(row).bind(project).bind(integration).bind(received_at).bind(packed.receipts)
        .bind(&packed.heads[..]).bind(&packed.results[..]).bind(&packed.bodies[..])
        .execute(c).await.map(drop))
}

/// A row of receipts, as far as lists need it.
#[derive(Debug, sqlx::FromRow)]
struct Row {
    id: Uuid,
    integration_id: IntegrationId,
    integration_name: String,
    heads: Vec<u8>,
}

impl Row {
    /// What lists show of its receipts, in their order.
    fn deliveries(&self) -> Vec<Delivery> {
        let heads = receipt::heads(&self.heads).into_iter().enumerate();
        heads.map(|(place, head)| self.delivery(place, head)).collect()
    }

    fn delivery(&self, place: usize, head: Head) -> Delivery {
        Delivery {
            id: receipt::id_at(self.id, place),
            integration_id: self.integration_id,
            integration_name: self.integration_name.clone(),
            received_at: head.received_at,
            remote: head.remote,
            user_agent: head.user_agent,
            format: head.format,
            status: "accepted".to_owned(),
            http_status: 200,
            reason: None,
            received: head.received,
            outcomes: head.outcomes,
            truncated: head.truncated,
            flags: head.flags,
            replay_of: head.replay_of,
        }
    }
}

/// Rows that are read at once: each may hold as many receipts as a page.
const ROWS: i64 = 8;

/// At most `limit` receipts of a project, newest first, before the given one.
///
/// # Errors
/// When the database refused.
pub async fn list(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    integration: Option<IntegrationId>,
    before: Option<DeliveryId>,
    limit: usize,
) -> sqlx::Result<Vec<Delivery>> {
    let before = before.unwrap_or(DeliveryId(Uuid::max()));
    let mut found = single(tx, tenant, project, integration, before, limit as i64).await?;
    let (mut below, mut kept) = (receipt::place_of(before).0, Vec::new());
    // The row of the given receipt itself holds those before it there.
    let mut inclusive = true;
    while kept.len() < limit {
        let rows: Vec<Row> = on_tx!(tx, c => sqlx::query_as(
            "select receipts.id, receipts.integration_id, integrations.name as integration_name, heads
             from receipts join integrations
             on integrations.tenant_id = receipts.tenant_id and integrations.id = receipts.integration_id
             where receipts.tenant_id = $1 and receipts.project_id = $2
             and (receipts.id < $3 or ($4 and receipts.id = $3))
             and ($5 is null or receipts.integration_id = $5)
             order by receipts.id desc limit $6")
            .bind(tenant).bind(project).bind(below).bind(inclusive).bind(integration).bind(ROWS)
            .fetch_all(c).await)?;
        let Some(last) = rows.last() else { break };
        (below, inclusive) = (last.id, false);
        let deliveries = rows.iter().flat_map(|row| row.deliveries().into_iter().rev());
        kept.extend(deliveries.filter(|delivery| delivery.id < before));
        if rows.len() < ROWS as usize {
            break;
        }
    }
    found.extend(kept);
    found.sort_by_key(|delivery| std::cmp::Reverse(delivery.id));
    found.truncate(limit);
    Ok(found)
}

/// Receipts with a row of their own: of refused requests, and of all from before they shared one.
async fn single(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    integration: Option<IntegrationId>,
    before: DeliveryId,
    limit: i64,
) -> sqlx::Result<Vec<Delivery>> {
    on_tx!(tx, c => sqlx::query_as(concat!(
        "select ", columns!(), " from deliveries join integrations
         on integrations.tenant_id = deliveries.tenant_id and integrations.id = deliveries.integration_id
         where deliveries.tenant_id = $1 and deliveries.project_id = $2 and deliveries.id < $3
         and ($4 is null or deliveries.integration_id = $4)
         order by deliveries.id desc limit $5"))
        .bind(tenant).bind(project).bind(before).bind(integration).bind(limit).fetch_all(c).await)
}

/// A receipt with its body and what became of each alert.
#[derive(Debug)]
pub struct Kept {
    /// The receipt.
    pub delivery: Delivery,
    /// The route it came by.
    pub sender: String,
    /// What became of each alert.
    pub results: Vec<DeliveryResult>,
    /// The body as received; gone after the retention.
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
    #[derive(sqlx::FromRow)]
    struct Whole {
        #[sqlx(flatten)]
        row: Row,
        results: Vec<u8>,
        bodies: Option<Vec<u8>>,
    }
    let (row, place) = receipt::place_of(id);
    let found: Option<Whole> = on_tx!(tx, c => sqlx::query_as(
        "select receipts.id, receipts.integration_id, integrations.name as integration_name, heads, results, bodies
         from receipts join integrations
         on integrations.tenant_id = receipts.tenant_id and integrations.id = receipts.integration_id
         where receipts.tenant_id = $1 and receipts.project_id = $2 and receipts.id = $3")
        .bind(tenant).bind(project).bind(row).fetch_optional(c).await)?;
    let Some(Whole { row, results, bodies }) = found else {
        return find_single(tx, tenant, project, id).await;
    };
    let heads = receipt::heads(&row.heads);
    let Some(head) = heads.get(place) else { return Ok(None) };
    Ok(Some(Kept {
        delivery: row.delivery(place, head.clone()),
        sender: head.sender.clone(),
        results: receipt::results_at(&heads, place, &results),
        body: bodies.map(|bodies| receipt::body_at(&heads, place, &bodies)),
    }))
}

async fn find_single(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    id: DeliveryId,
) -> sqlx::Result<Option<Kept>> {
    #[derive(sqlx::FromRow)]
    struct Whole {
        #[sqlx(flatten)]
        delivery: Delivery,
        sender: String,
        results: Json<Vec<DeliveryResult>>,
        body: Option<Vec<u8>>,
    }
    let found: Option<Whole> = on_tx!(tx, c => sqlx::query_as(concat!(
        "select ", columns!(), ", sender, results, body from deliveries join integrations
         on integrations.tenant_id = deliveries.tenant_id and integrations.id = deliveries.integration_id
         where deliveries.tenant_id = $1 and deliveries.project_id = $2 and deliveries.id = $3"))
        .bind(tenant).bind(project).bind(id).fetch_optional(c).await)?;
    Ok(found.map(|whole| Kept {
        delivery: whole.delivery,
        sender: whole.sender,
        results: whole.results.0,
        body: whole.body.as_deref().map(inflate),
    }))
}

/// A body as it is kept on its own.
pub fn deflate(body: &[u8]) -> Vec<u8> {
    let mut deflated = ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    // Memory takes what is written.
    let _ = deflated.write_all(body);
    deflated.finish().unwrap_or_default()
}

/// A body that was kept on its own.
fn inflate(body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    // It was deflated by us; should it be damaged, what can be read of it is shown.
    let _ = ZlibDecoder::new(body).read_to_end(&mut plain);
    plain
}

/// When a statement about each of these alerts was last accepted.
///
/// # Errors
/// When the database refused.
pub async fn all_last_seen(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    alert_keys: &[[u8; 32]],
) -> sqlx::Result<BTreeMap<Vec<u8>, Ts>> {
    let keys: Vec<&[u8]> = alert_keys.iter().map(|key| &key[..]).collect();
    let before = (
        "select alert_key, last_seen_at from alerts where tenant_id = ",
        " and project_id = ",
        " and alert_key in",
    );
    let seen: Vec<(Vec<u8>, Ts)> = outbox::read_all!(tx, tenant, project, &keys, before, "")?;
    Ok(seen.into_iter().collect())
}

/// Receipts with a body from a while ago, and the column of it.
pub const BODIES: [(Old, &str); 2] = [
    (
        Old {
            look_up: "bodies",
            table: "deliveries",
            rule: "received_at < $1 and body is not null order by received_at",
        },
        "body",
    ),
    (
        Old {
            look_up: "bodies",
            table: "receipts",
            rule: "received_at < $1 and bodies is not null order by received_at",
        },
        "bodies",
    ),
];

/// Receipts without a body from a while ago.
pub const BARE: [Old; 2] = [
    Old {
        look_up: "bodies",
        table: "deliveries",
        rule: "received_at < $1 and body is null order by received_at",
    },
    Old {
        look_up: "bodies",
        table: "receipts",
        rule: "received_at < $1 and bodies is null order by received_at",
    },
];
