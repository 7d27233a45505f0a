//! Trouble with the alerting itself: requests that were refused.

use super::store::{self, NewDelivery};
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::{DeliveryId, IntegrationId};
use crate::incident::sweep::{Health, open_health};
use crate::incident::work::Desk;
use crate::integration::hook::Hook;
use crate::integration::store as integrations;

/// The shortest time between two receipts of refused requests of one integration, in seconds.
const REJECTION_EVERY_S: i64 = 1;

/// Opens an incident about a sender whose requests are too large to be read: its alerts do not arrive.
///
/// # Errors
/// When the database refused.
pub async fn too_large(app: &App, hook: &Hook, why: &str) -> Result<()> {
    let row = &hook.proof.integration;
    let (tenant, project) = (hook.proof.tenant, row.project_id);
    let mut tx = app.db.begin(tenant.0).await?;
    let mut desk = Desk::new(tenant, project, tx.now());
    let health = Health {
        key: &format!("too-large\0{}", row.id),
        title: &format!("Alerts of {} are refused: {why}", row.name),
        description: "The sender's request was too large to be read, and it will send it again in vain. \
                      Group alerts by more labels, or set max_alerts on its receiver.",
        source: &row.name,
    };
    open_health(&mut tx, &mut desk, tenant, project, &health).await?;
    desk.clear(&mut tx).await?;
    integrations::note_delivery(&mut tx, tenant, row.id, "rejected", 0).await?;
    Ok(tx.commit().await?)
}

/// Keeps a receipt of a request that could not prove who sent it.
///
/// # Errors
/// When the database refused.
pub async fn rejected(
    app: &App,
    id: IntegrationId,
    remote: &str,
    user_agent: &str,
    error: &Error,
) -> Result<()> {
    let mut tx = app.db.read_across("webhook").await?;
    let Some((tenant, project)) = integrations::by_id(&mut tx, id).await? else { return Ok(()) };
    let Some(row) = integrations::find(&mut tx, tenant, project, id).await? else { return Ok(()) };
    drop(tx);
    let mut tx = app.db.begin(tenant.0).await?;
    let now = tx.now();
    let recent = row.last_delivery_status.as_deref() == Some("rejected")
        && row.last_delivery_at.is_some_and(|at| now < at.plus_seconds(REJECTION_EVERY_S));
    if recent {
        return Ok(());
    }
    let (status, slug) = error.status();
    let delivery = NewDelivery {
        id: DeliveryId::new(),
        project,
        integration: id,
        received_at: now,
        remote: remote.to_owned(),
        user_agent: user_agent.to_owned(),
        sender: row.kind.as_str(),
        format: None,
        status: "rejected",
        http_status: i64::from(status.as_u16()),
        reason: Some(slug.to_owned()),
        truncated: 0,
        results: Vec::new(),
        body: None,
        replay_of: None,
    };
    store::insert(&mut tx, tenant, &delivery).await?;
    integrations::note_delivery(&mut tx, tenant, id, "rejected", 0).await?;
    Ok(tx.commit().await?)
}
