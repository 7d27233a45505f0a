//! Trouble with the alerting itself: requests that were refused.

use axum::body::Bytes;
use outbox::Ts;

use super::store::{self, NewDelivery};
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::{DeliveryId, IntegrationId};
use crate::incident::health::{Health, open_health};
use crate::incident::work::Desk;
use crate::integration::Kind;
use crate::integration::hook::Hook;
use crate::integration::store::{self as integrations, Row};

/// The shortest time between two receipts of refused requests of one integration, in seconds.
const REJECTION_EVERY_S: i64 = 1;

/// A request of a known sender that can never be stored.
#[derive(Debug)]
pub struct Refused {
    /// Why.
    pub error: Error,
    /// Its body, as far as that was read.
    pub body: Option<Bytes>,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self { error, body: None }
    }
}

/// Keeps the receipt of a request that can never be stored, with its body; one that is too large also opens an incident,
/// because the alerts of its sender do not arrive.
///
/// # Errors
/// When the database refused.
pub async fn refused(app: &App, hook: &Hook, kind: Kind, refused: &Refused) -> Result<()> {
    let row = &hook.proof.integration;
    let (tenant, project) = (hook.proof.tenant, row.project_id);
    let body = match refused.body.clone() {
        Some(body) => tokio::task::spawn_blocking(move || store::deflate(&body)).await.ok(),
        None => None,
    };
    let mut tx = app.db.begin(tenant.0).await?;
    let from = (hook.remote.as_str(), hook.user_agent.as_str());
    let mut delivery = receipt(row, tx.now(), from, &refused.error);
    (delivery.sender, delivery.body) = (kind.as_str(), body);
    store::insert(&mut tx, tenant, &delivery).await?;
    if let Error::TooLarge(why) = &refused.error {
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
    }
    integrations::note_delivery(&mut tx, tenant, row.id, "rejected", 0).await?;
    tx.commit().await?;
    app.inbox.noted.refused(row.id);
    Ok(())
}

/// Keeps a receipt of a request that could not prove who sent it, at most one a second for each integration.
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
    // A look first: strangers must not make senders wait for the writer.
    let since = tx.now().plus_seconds(-REJECTION_EVERY_S);
    if !integrations::may_reject(&mut tx, tenant, id, since).await? {
        return Ok(());
    }
    drop(tx);
    let mut tx = app.db.begin(tenant.0).await?;
    let now = tx.now();
    if integrations::reject(&mut tx, tenant, id, now.plus_seconds(-REJECTION_EVERY_S)).await? {
        store::insert(&mut tx, tenant, &receipt(&row, now, (remote, user_agent), error)).await?;
        integrations::note_delivery(&mut tx, tenant, id, "rejected", 0).await?;
        tx.commit().await?;
        app.inbox.noted.refused(id);
    }
    Ok(())
}

/// The receipt of a refused request that came from this address, by a sender of this name.
fn receipt(row: &Row, received_at: Ts, (remote, user_agent): (&str, &str), error: &Error) -> NewDelivery {
    let (status, slug) = error.status();
    NewDelivery {
        id: DeliveryId::new(),
        project: row.project_id,
        integration: row.id,
        received_at,
        remote: remote.to_owned(),
        user_agent: user_agent.to_owned(),
        sender: row.kind.as_str(),
        format: None,
        status: "rejected",
        http_status: i64::from(status.as_u16()),
        reason: Some(format!("{slug}: {error}")),
        truncated: 0,
        results: Vec::new(),
        body: None,
        replay_of: None,
    }
}
