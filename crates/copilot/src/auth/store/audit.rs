//! The audit log.

use outbox::{Ts, Tx, on_tx};
use serde::Serialize;
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::ids::TenantId;

/// One security-relevant act.
#[derive(Clone, Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct AuditEntry {
    /// Names the entry; later entries sort later.
    pub id: Uuid,
    /// When it happened.
    pub at: Ts,
    /// Who acted: `user:ID`, `key:ID` or `operator`.
    pub actor: String,
    /// What was done, such as `member.added`.
    pub action: String,
    /// To what, such as `project:ID`.
    pub object: String,
    /// `ok` or `refused`.
    pub result: String,
    /// The address it came from.
    pub remote: String,
    /// Finds the request in the logs.
    pub request_id: String,
    /// What else there is to say.
    #[schema(value_type = Object)]
    pub detail: Json<Value>,
}

/// Adds an entry.
pub(in crate::auth) async fn insert(tx: &mut Tx, tenant: TenantId, entry: &AuditEntry) -> sqlx::Result<()> {
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
) -> sqlx::Result<Vec<AuditEntry>> {
    on_tx!(tx, c => sqlx::query_as(
        "select id, at, actor, action, object, result, remote, request_id, detail from audit
         where tenant_id = $1 and id < coalesce($2, $3) order by id desc limit $4")
        .bind(tenant).bind(before).bind(Uuid::max()).bind(limit).fetch_all(c).await)
}
