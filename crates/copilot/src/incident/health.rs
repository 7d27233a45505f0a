//! Incidents about the alerting itself.

use std::collections::BTreeMap;

use serde_json::json;

use super::record::NewIncident;
use super::work::Desk;
use super::{Severity, explain};
use crate::error::Result;
use crate::ids::{IncidentId, ProjectId, TenantId};

/// An incident about the alerting itself.
#[derive(Clone, Copy, Debug)]
pub struct Health<'a> {
    /// Tells one such incident of a project from another.
    pub key: &'a str,
    /// One line.
    pub title: &'a str,
    /// What it means and what to do.
    pub description: &'a str,
    /// The integration's name.
    pub source: &'a str,
}

impl Health<'_> {
    /// The key of the incident: no alert's grouping values can produce it.
    pub fn incident_key(project: ProjectId, key: &str) -> [u8; 32] {
        use sha2::{Digest as _, Sha256};
        Sha256::new()
            .chain_update(b"health\0")
            .chain_update(project.0.as_bytes())
            .chain_update(key)
            .finalize()
            .into()
    }
}

/// Opens an incident about the alerting itself, or returns the open one.
///
/// # Errors
/// When the database refused.
pub async fn open_health(
    tx: &mut outbox::Tx,
    desk: &mut Desk,
    tenant: TenantId,
    project: ProjectId,
    health: &Health<'_>,
) -> Result<IncidentId> {
    let new = NewIncident {
        id: IncidentId::new(),
        project,
        number: 0,
        title: health.title,
        description: health.description,
        service_name: None,
        severity: Severity::High,
        severity_note: None,
        source: health.source,
        labels: &BTreeMap::new(),
        incident_key: Some(Health::incident_key(project, health.key)),
        previous: None,
        stale_after_s: None,
        now: tx.now(),
    };
    let (id, fresh) = desk.open(tx, new).await?;
    if fresh {
        desk.step(id, "incident_created", json!({ "source": health.source }), None);
        explain::request(tx, tenant, id).await?;
    }
    Ok(id)
}
