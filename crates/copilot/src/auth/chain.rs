//! The chain of the audit log: a change, a gap or another order of its entries shows.
//!
//! The hash of an entry is SHA-256 over the hash before it (nothing before the first) and the entry as a JSON array:
//! tenant, number, id, microseconds since 1970, actor, action, object, result, remote, request id, detail with its names
//! in order. Whoever can write the whole database can also write another chain; a head that was noted elsewhere
//! shows that too.

use std::collections::BTreeMap;

use outbox::{Db, Tx};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::store;
use super::store::audit::{AuditRow, Placed};
use crate::ids::TenantId;

/// Entries that are read at once.
const PAGE: i64 = 500;

/// What looking at a tenant's audit log found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Whose log it is.
    pub tenant: TenantId,
    /// Entries of the chain that are as they were written.
    pub entries: i64,
    /// Entries from before there was a chain, about which nothing can be said.
    pub outside: i64,
    /// The hash of the last entry, in hex; to be noted elsewhere.
    pub head: String,
    /// What is wrong with the first entry that is not as it was written.
    pub broken: Option<String>,
}

/// The hash of `row` as number `number` of the tenant's chain, behind the hash `before`.
pub(super) fn hash(tenant: TenantId, number: i64, before: &[u8], row: &AuditRow) -> Vec<u8> {
    let AuditRow { id, at, actor, action, object, result, remote, request_id, detail } = row;
    let detail = ordered(&detail.0);
    let entry = serde_json::json!([
        tenant,
        number,
        id,
        at.micros(),
        actor,
        action,
        object,
        result,
        remote,
        request_id,
        detail
    ]);
    Sha256::new().chain_update(before).chain_update(entry.to_string()).finalize().to_vec()
}

/// The same value as text, with the names of every object in order: databases keep no order of their own.
fn ordered(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<&String, String> =
                members.iter().map(|(name, value)| (name, ordered(value))).collect();
            let members: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{}:{value}", Value::from(name.as_str())))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(ordered).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

/// Looks at the audit log of every tenant.
///
/// # Errors
/// When the database refused.
pub async fn verify(db: &Db) -> sqlx::Result<Vec<Verified>> {
    let mut tx = db.read_across("operator").await?;
    let tenants = store::user::tenants(&mut tx).await?;
    drop(tx);
    let mut found = Vec::new();
    for tenant in tenants {
        found.push(verify_one(&mut db.read(tenant.0).await?, tenant).await?);
    }
    Ok(found)
}

async fn verify_one(tx: &mut Tx, tenant: TenantId) -> sqlx::Result<Verified> {
    let (outside, last) = store::audit::outside(tx, tenant).await?;
    let head = store::audit::head(tx, tenant).await?;
    let (mut entries, mut before, mut broken) = (0, Vec::new(), None);
    'pages: loop {
        let page = store::audit::chain(tx, tenant, entries, PAGE).await?;
        let full = page.len() as i64 == PAGE;
        for placed in page {
            if entries == 0
                && let Some((id, at)) = last
                && at > placed.row.at
            {
                broken = Some(format!("entry {id} is younger than the chain and not in it"));
                break 'pages;
            }
            broken = complaint(tenant, entries + 1, &before, &placed);
            if broken.is_some() {
                break 'pages;
            }
            entries += 1;
            before = placed.place.hash;
        }
        if !full {
            break;
        }
    }
    if broken.is_none() {
        broken = match head {
            Some(head) if head.number != entries => {
                Some(format!("entry {} is missing: the chain ended with {}", entries + 1, head.number))
            }
            Some(head) if head.hash != before => Some(format!("the chain does not end with entry {entries}")),
            None if entries > 0 => Some("nothing says where the chain ends".to_owned()),
            _ => None,
        };
    }
    Ok(Verified { tenant, entries, outside, head: hex(&before), broken })
}

/// What is wrong with the entry that should be number `number`.
fn complaint(tenant: TenantId, number: i64, before: &[u8], placed: &Placed) -> Option<String> {
    if placed.place.number != number {
        return Some(format!("entry {number} is missing"));
    }
    let same = hash(tenant, number, before, &placed.row) == placed.place.hash;
    (!same).then(|| format!("entry {number} ({}) is not as it was written", placed.row.id))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_names_is_no_difference() {
        let value: Value = serde_json::from_str(r#"{"b": [1, {"d": "x\"", "c": null}], "a": true}"#).unwrap();
        assert_eq!(ordered(&value), r#"{"a":true,"b":[1,{"c":null,"d":"x\""}]}"#);
        assert_ne!(ordered(&json!(["1"])), ordered(&json!([1])));
    }
}
