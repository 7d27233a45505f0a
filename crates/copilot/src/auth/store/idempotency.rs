//! Answers that are given again when a request is.

use std::collections::BTreeMap;

use outbox::{Old, Ts, Tx, on_tx};
use sqlx::types::Json;

use crate::ids::TenantId;

/// The answer to an earlier request of the same key; without a status it is still being made.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(in crate::auth) struct Earlier {
    pub request_hash: Vec<u8>,
    pub status: Option<i64>,
    pub body: Option<String>,
    pub headers: Option<Json<BTreeMap<String, String>>>,
    pub created_at: Ts,
}

/// Takes the key for a request; `false` when it is taken.
pub(in crate::auth) async fn take(
    tx: &mut Tx,
    tenant: TenantId,
    principal: &str,
    key: &str,
    request_hash: &[u8],
) -> sqlx::Result<bool> {
    let now = tx.now();
    let added = on_tx!(tx, c => sqlx::query(
        "insert into idempotency (tenant_id, principal, key, request_hash, created_at) values ($1, $2, $3, $4, $5)
         on conflict (tenant_id, principal, key) do nothing")
        .bind(tenant).bind(principal).bind(key).bind(request_hash).bind(now)
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(added == 1)
}

/// What is stored under the key.
pub(in crate::auth) async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    principal: &str,
    key: &str,
) -> sqlx::Result<Option<Earlier>> {
    on_tx!(tx, c => sqlx::query_as(
        "select request_hash, status, body, headers, created_at from idempotency
         where tenant_id = $1 and principal = $2 and key = $3")
        .bind(tenant).bind(principal).bind(key).fetch_optional(c).await)
}

/// Stores the answer.
pub(in crate::auth) async fn store(
    tx: &mut Tx,
    tenant: TenantId,
    principal: &str,
    key: &str,
    (status, headers, body): (i64, &BTreeMap<String, String>, &str),
) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "update idempotency set status = $4, body = $5, headers = $6
         where tenant_id = $1 and principal = $2 and key = $3")
        .bind(tenant).bind(principal).bind(key).bind(status).bind(body).bind(Json(headers))
        .execute(c).await.map(drop))
}

/// Gives the key back if its request was taken before `before` and has no answer.
pub(in crate::auth) async fn release(
    tx: &mut Tx,
    tenant: TenantId,
    principal: &str,
    key: &str,
    before: Ts,
) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "delete from idempotency
         where tenant_id = $1 and principal = $2 and key = $3 and status is null and created_at <= $4")
        .bind(tenant).bind(principal).bind(key).bind(before).execute(c).await.map(drop))
}

/// What was stored a while ago.
pub(in crate::auth) const OLD: Old =
    Old { look_up: "housekeeping", table: "idempotency", rule: "created_at < $1 order by created_at" };
