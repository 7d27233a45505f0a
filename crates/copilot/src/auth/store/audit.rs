//! The audit log.

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

/// Adds an entry.
pub(in crate::auth) async fn insert(tx: &mut Tx, tenant: TenantId, entry: &AuditRow) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "insert into audit (tenant_id, id, at, actor, action, object, result, remote, request_id, detail)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
        .bind(tenant).bind(entry.id).bind(entry.at).bind(&entry.actor).bind(&entry.action).bind(&entry.object)
        .bind(&entry.result).bind(&entry.remote).bind(&entry.request_id).bind(&entry.detail)
        .execute(c).await.map(drop))
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
