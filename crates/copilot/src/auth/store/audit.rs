//! The audit log and the ends of its chains.

use outbox::{Ts, Tx, on_tx};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::ids::TenantId;

/// One security-relevant act, as stored.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(in crate::auth) struct AuditRow {
    pub id: Uuid,
    pub at: Ts,
    pub actor: String,
    pub action: String,
    pub object: String,
    pub result: String,
    pub remote: String,
    pub request_id: String,
    pub detail: Json<Value>,
}

/// A place in a tenant's chain of entries.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(in crate::auth) struct Place {
    /// Counts from 1, without a gap.
    pub number: i64,
    /// SHA-256 of the entry there and of all before it.
    pub hash: Vec<u8>,
}

/// Where a tenant's chain ends, and where what is left of it begins.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(in crate::auth) struct Head {
    #[sqlx(flatten)]
    pub last: Place,
    /// The number of the last entry that went when its time was over; 0 if none did.
    pub trimmed: i64,
    /// Its hash.
    pub trimmed_hash: Vec<u8>,
}

/// An entry at its place.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(in crate::auth) struct Placed {
    #[sqlx(flatten)]
    pub place: Place,
    #[sqlx(flatten)]
    pub row: AuditRow,
}

/// Takes the next number of the tenant's chain, with the hash that stands before it; every other entry of the tenant
/// waits for this transaction.
pub(in crate::auth) async fn take_place(tx: &mut Tx, tenant: TenantId) -> sqlx::Result<Place> {
    on_tx!(tx, c => sqlx::query_as(
        "insert into audit_heads (tenant_id, number, hash) values ($1, 1, $2)
         on conflict (tenant_id) do update set number = audit_heads.number + 1 returning number, hash")
        .bind(tenant).bind(Vec::<u8>::new()).fetch_one(c).await)
}

/// Adds an entry at `place`, the end of the tenant's chain.
pub(in crate::auth) async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    entry: &AuditRow,
    place: &Place,
) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "insert into audit (tenant_id, id, at, actor, action, object, result, remote, request_id, detail, number, hash)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)")
        .bind(tenant).bind(entry.id).bind(entry.at).bind(&entry.actor).bind(&entry.action).bind(&entry.object)
        .bind(&entry.result).bind(&entry.remote).bind(&entry.request_id).bind(&entry.detail)
        .bind(place.number).bind(&place.hash)
        .execute(c).await.map(drop))?;
    on_tx!(tx, c => sqlx::query("update audit_heads set hash = $2 where tenant_id = $1")
        .bind(tenant).bind(&place.hash).execute(c).await.map(drop))
}

/// Where the tenant's chain ends and what is left of it begins, if it has begun.
pub(in crate::auth) async fn head(tx: &mut Tx, tenant: TenantId) -> sqlx::Result<Option<Head>> {
    on_tx!(tx, c => sqlx::query_as("select number, hash, trimmed, trimmed_hash from audit_heads where tenant_id = $1")
        .bind(tenant).fetch_optional(c).await)
}

/// As [`head`]; every other entry of the tenant waits for this transaction.
pub(in crate::auth) async fn hold(tx: &mut Tx, tenant: TenantId) -> sqlx::Result<Option<Head>> {
    on_tx!(tx, c => sqlx::query_as(
        "update audit_heads set number = number where tenant_id = $1 returning number, hash, trimmed, trimmed_hash")
        .bind(tenant).fetch_optional(c).await)
}

/// The tenants whose oldest entry is from before `before`.
pub(in crate::auth) async fn aged(tx: &mut Tx, before: Ts) -> sqlx::Result<Vec<TenantId>> {
    on_tx!(tx, c => sqlx::query_scalar(
        "select audit_heads.tenant_id from audit_heads
         join audit on audit.tenant_id = audit_heads.tenant_id and audit.number = audit_heads.trimmed + 1
         where audit.at < $1")
        .bind(before).fetch_all(c).await)
}

/// Lets the entries up to `last` go, and those from before there was a chain that are older than `before`; says how many.
pub(in crate::auth) async fn trim(
    tx: &mut Tx,
    tenant: TenantId,
    last: &Place,
    before: Ts,
) -> sqlx::Result<u64> {
    on_tx!(tx, c => sqlx::query("update audit_heads set trimmed = $2, trimmed_hash = $3 where tenant_id = $1")
        .bind(tenant).bind(last.number).bind(&last.hash).execute(c).await.map(drop))?;
    on_tx!(tx, c => sqlx::query(
        "delete from audit where tenant_id = $1 and (number <= $2 or (number is null and at < $3))")
        .bind(tenant).bind(last.number).bind(before).execute(c).await.map(|done| done.rows_affected()))
}

/// At most `limit` entries of the chain behind `number`, in their order.
pub(in crate::auth) async fn chain(
    tx: &mut Tx,
    tenant: TenantId,
    number: i64,
    limit: i64,
) -> sqlx::Result<Vec<Placed>> {
    on_tx!(tx, c => sqlx::query_as(
        "select number, hash, id, at, actor, action, object, result, remote, request_id, detail from audit
         where tenant_id = $1 and number > $2 order by number limit $3")
        .bind(tenant).bind(number).bind(limit).fetch_all(c).await)
}

/// How many entries stand outside of the chain, and the last of them.
pub(in crate::auth) async fn outside(
    tx: &mut Tx,
    tenant: TenantId,
) -> sqlx::Result<(i64, Option<(Uuid, Ts)>)> {
    let count = on_tx!(tx, c => sqlx::query_scalar(
        "select count(*) from audit where tenant_id = $1 and number is null")
        .bind(tenant).fetch_one(c).await)?;
    let last = on_tx!(tx, c => sqlx::query_as(
        "select id, at from audit where tenant_id = $1 and number is null order by at desc limit 1")
        .bind(tenant).fetch_optional(c).await)?;
    Ok((count, last))
}

/// At most `limit` entries older than `before`, newest first.
pub(in crate::auth) async fn page(
    tx: &mut Tx,
    tenant: TenantId,
    before: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<AuditRow>> {
    on_tx!(tx, c => sqlx::query_as(
        "select id, at, actor, action, object, result, remote, request_id, detail from audit
         where tenant_id = $1 and id < coalesce($2, $3) order by id desc limit $4")
        .bind(tenant).bind(before).bind(Uuid::max()).bind(limit).fetch_all(c).await)
}
