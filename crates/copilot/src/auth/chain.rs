//! The chain of the audit log: a change, a gap or another order of its entries shows.
//!
//! The hash of an entry is SHA-256 over the hash before it (nothing before the first) and the entry as a JSON array:
//! tenant, number, id, microseconds since 1970, actor, action, object, result, remote, request id, detail with its names
//! in order. Whoever can write the whole database can also write another chain; a head that was noted elsewhere
//! shows that too.
//!
//! When the oldest entries have gone ([`trim`](super::trim)), what is left begins behind an anchor, the number and the hash
//! of the last that went. Moving it takes an entry, which is in the chain: an anchor that the newest such entry does not
//! name was moved by somebody else.

use std::collections::BTreeMap;

use outbox::{Db, Tx, sabotage};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::store;
use super::store::audit::{AuditRow, Head, Place, Placed};
use super::trim;
use crate::ids::TenantId;

/// Entries that are read at once.
const PAGE: i64 = 500;

/// What looking at a tenant's audit log found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Whose log it is.
    pub tenant: TenantId,
    /// The number of the last entry that is as it was written, with all before it.
    pub entries: i64,
    /// So many of these went when their time was over.
    pub trimmed: i64,
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
    let (outside, last_outside) = store::audit::outside(tx, tenant).await?;
    let head = store::audit::head(tx, tenant).await?;
    let trimmed = head.as_ref().map_or(0, |head| head.trimmed);
    let anchor = head.as_ref().map_or_else(Vec::new, |head| head.trimmed_hash.clone());
    let (mut at, mut told, mut broken) = (Place { number: trimmed, hash: anchor }, None, None);
    'pages: loop {
        let page = store::audit::chain(tx, tenant, at.number, PAGE).await?;
        let full = page.len() as i64 == PAGE;
        for placed in page {
            if at.number == trimmed
                && let Some((id, outside_at)) = last_outside
                && outside_at > placed.row.at
            {
                broken = Some(format!("entry {id} is younger than the chain and not in it"));
                break 'pages;
            }
            broken = complaint(tenant, at.number + 1, &at.hash, &placed);
            if broken.is_some() {
                break 'pages;
            }
            told = trim::told(&placed.row).or(told);
            at = placed.place;
        }
        if !full {
            break;
        }
    }
    let broken = broken.or_else(|| misplaced(head.as_ref(), &at, told.as_ref()));
    Ok(Verified { tenant, entries: at.number, trimmed, outside, head: hex(&at.hash), broken })
}

/// What is wrong with the ends of a chain whose last entry is `last`, and whose newest entry about its anchor `told` of it.
fn misplaced(head: Option<&Head>, last: &Place, told: Option<&(i64, String)>) -> Option<String> {
    let Some(head) = head else {
        return (last.number > 0).then(|| "nothing says where the chain ends".to_owned());
    };
    if head.last.number != last.number {
        return Some(format!(
            "entry {} is missing: the chain ended with {}",
            last.number + 1,
            head.last.number
        ));
    }
    if head.last.hash != last.hash {
        return Some(format!("the chain does not end with entry {}", last.number));
    }
    let anchor = (head.trimmed > 0).then(|| (head.trimmed, hex(&head.trimmed_hash)));
    (anchor.as_ref() != told && !sabotage::broken("anchor-believed")).then(|| {
        format!("the log begins behind entry {}, and no entry says that those before went", head.trimmed)
    })
}

/// What is wrong with the entry that should be number `number`.
fn complaint(tenant: TenantId, number: i64, before: &[u8], placed: &Placed) -> Option<String> {
    if placed.place.number != number {
        return Some(format!("entry {number} is missing"));
    }
    let same = hash(tenant, number, before, &placed.row) == placed.place.hash;
    (!same).then(|| format!("entry {number} ({}) is not as it was written", placed.row.id))
}

/// The bytes in lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
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
