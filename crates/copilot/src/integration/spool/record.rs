//! A request as it is written to the disk.

use bytes::Bytes;
use outbox::Ts;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::{IntegrationId, TenantId};
use crate::integration::Kind;
use crate::integration::deliveries::receipt;
use crate::integration::entry::Reading;
use crate::integration::hook::Hook;

/// A request that waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Names its receipt, now and when it is stored.
    pub id: Uuid,
    /// The tenant.
    pub tenant: TenantId,
    /// The integration whose token it carried.
    pub integration: IntegrationId,
    /// The public part of that token, by which it is asked again whether it holds.
    pub prefix: String,
    /// The route it came by.
    pub kind: Kind,
    /// When it was received, in microseconds since 1970.
    received_at: i64,
    /// The sender's address.
    pub remote: String,
    /// The sender's name for itself.
    pub user_agent: String,
    /// The body, inflated.
    #[serde(skip)]
    pub body: Bytes,
}

impl Record {
    /// A request that was just read.
    pub fn of(hook: &Hook, reading: &Reading) -> Self {
        Self {
            id: receipt::row_id(),
            tenant: hook.proof.tenant,
            integration: hook.proof.integration.id,
            prefix: hook.proof.prefix.clone(),
            kind: reading.kind,
            received_at: reading.received_at.micros(),
            remote: hook.remote.clone(),
            user_agent: hook.user_agent.clone(),
            body: reading.body.clone(),
        }
    }

    /// When it was received.
    pub fn received_at(&self) -> Ts {
        Ts::from_micros(self.received_at)
    }

    /// The head's length in four bytes, little-endian, the head in JSON, the body as it is.
    pub(super) fn pack(&self) -> serde_json::Result<Vec<u8>> {
        let head = serde_json::to_vec(self)?;
        let mut packed = Vec::with_capacity(4 + head.len() + self.body.len());
        packed.extend_from_slice(&(head.len() as u32).to_le_bytes());
        packed.extend_from_slice(&head);
        packed.extend_from_slice(&self.body);
        Ok(packed)
    }

    /// What was packed; `None` when it can't be read.
    pub(super) fn unpack(packed: &Bytes) -> Option<Self> {
        let (length, _) = packed.split_first_chunk::<4>()?;
        let end = 4 + u32::from_le_bytes(*length) as usize;
        let record: Self = serde_json::from_slice(packed.get(4..end)?).ok()?;
        Some(Self { body: packed.slice(end..), ..record })
    }
}
