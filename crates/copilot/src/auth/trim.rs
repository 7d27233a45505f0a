//! Letting entries of the audit log go when their time is over, so that the rest stays a chain.
//!
//! The oldest go together, and the transaction that takes them moves the chain's anchor behind them and leaves an entry that
//! says so. An organisation's log is trimmed when a whole day's entries are due, so that this is an entry a day.

use outbox::{Db, Ts, sabotage};
use serde_json::json;

use super::audit::{self, Entry};
use super::chain::hex;
use super::store::audit::{self as store, AuditRow, Place};
use crate::ids::TenantId;

/// Entries that go in one transaction; the organisation's other acts wait for it.
const BATCH: i64 = 1_000;

const DAY_S: i64 = 86_400;

/// What an entry about it is called.
const ACTION: &str = "audit.trimmed";

/// Lets entries older than so many days go, and says how many did; 0 days keeps them for ever.
///
/// # Errors
/// When the database refused; what went until then is gone.
pub(super) async fn trim(db: &Db, days: i64) -> sqlx::Result<u64> {
    if days == 0 {
        return Ok(0);
    }
    let mut tx = db.read_across("housekeeping").await?;
    let before = tx.now().plus_seconds(-days * DAY_S);
    let due = store::aged(&mut tx, before.plus_seconds(-DAY_S)).await?;
    drop(tx);
    let mut all = 0;
    for tenant in due {
        loop {
            let gone = batch(db, tenant, before).await?;
            if gone == 0 {
                break;
            }
            all += gone;
        }
    }
    Ok(all)
}

/// Lets the tenant's oldest entries from before `before` go, some at once; says how many did.
async fn batch(db: &Db, tenant: TenantId, before: Ts) -> sqlx::Result<u64> {
    let mut tx = db.begin(tenant.0).await?;
    let Some(head) = store::hold(&mut tx, tenant).await? else { return Ok(0) };
    let oldest = store::chain(&mut tx, tenant, head.trimmed, BATCH).await?;
    let Some(last) = oldest.into_iter().take_while(|placed| placed.row.at < before).last() else {
        return Ok(0);
    };
    let gone = store::trim(&mut tx, tenant, &last.place, before).await?;
    if !sabotage::broken("trimmed-untold") {
        audit::record(&mut tx, tenant, entry(&last.place, gone)).await?;
    }
    tx.commit().await?;
    Ok(gone)
}

fn entry(last: &Place, gone: u64) -> Entry {
    let (through, hash) = (last.number, hex(&last.hash));
    Entry {
        actor: "operator".to_owned(),
        action: ACTION,
        object: format!("audit:{through}"),
        ok: true,
        remote: "local".to_owned(),
        detail: json!({"name": format!("up to entry {through}"), "through": through, "hash": hash, "entries": gone}),
    }
}

/// The anchor that `row` tells of, as number and hash, if it is about one.
pub(super) fn told(row: &AuditRow) -> Option<(i64, String)> {
    let of = |name: &str| row.detail.get(name).filter(|_| row.action == ACTION);
    Some((of("through")?.as_i64()?, of("hash")?.as_str()?.to_owned()))
}
