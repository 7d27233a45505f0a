//! The audit log: every security-relevant act, once, in the transaction that did it.

use axum::Json;
use axum::extract::State;
use outbox::Tx;
use serde_json::Value;
use sqlx::types::Json as Column;
use uuid::Uuid;

use super::extract::Query;
use super::permission::{Admin, Member};
use super::source::Source;
use super::store;
pub use super::store::audit::AuditEntry;
use crate::app::App;
use crate::error::Result;
use crate::ids::TenantId;
use crate::page::{Page, PageQuery};

/// An act to record.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Who acted: [`Actor::principal`](super::Actor::principal), or `operator` for the command line.
    pub actor: String,
    /// What was done, a noun and a past participle such as `member.added`.
    pub action: &'static str,
    /// To what, such as `project:ID`.
    pub object: String,
    /// Whether it was done, or refused.
    pub ok: bool,
    /// The address it came from.
    pub remote: String,
    /// What else there is to say; never a secret.
    pub detail: Value,
}

impl Entry {
    /// `member` did `action` to `object`.
    pub fn by(member: &Member, source: &Source, action: &'static str, object: String) -> Self {
        Self::of(member.actor.principal(), source, action, object)
    }

    /// `actor` did `action` to `object`.
    pub fn of(actor: String, source: &Source, action: &'static str, object: String) -> Self {
        let remote = source.address.to_string();
        Self { actor, action, object, ok: true, remote, detail: Value::Object(serde_json::Map::new()) }
    }

    /// With something else to say.
    #[must_use]
    pub fn with(mut self, detail: Value) -> Self {
        self.detail = detail;
        self
    }

    /// It was tried, and refused.
    #[must_use]
    pub fn refused(mut self) -> Self {
        self.ok = false;
        self
    }
}

/// Records `entry` in what `tx` commits.
///
/// # Errors
/// When the database refused.
pub async fn record(tx: &mut Tx, tenant: TenantId, entry: Entry) -> sqlx::Result<()> {
    let row = AuditEntry {
        id: Uuid::now_v7(),
        at: tx.now(),
        actor: entry.actor,
        action: entry.action.to_owned(),
        object: entry.object,
        result: if entry.ok { "ok" } else { "refused" }.to_owned(),
        remote: entry.remote,
        request_id: crate::http::request_id(),
        detail: Column(entry.detail),
    };
    store::audit::insert(tx, tenant, &row).await
}

/// Lists what was done, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(PageQuery),
    responses((status = 200, body = Page<AuditEntry>)))]
pub(super) async fn list(
    State(app): State<App>,
    member: Admin,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<AuditEntry>>> {
    let (limit, before) = (query.limit()?, query.position::<Uuid>()?);
    let mut tx = app.db.read(member.tenant.0).await?;
    let rows = store::audit::page(&mut tx, member.tenant, before, limit as i64 + 1).await?;
    Ok(Json(Page::new(rows, limit, |row| row.id, |row| row)))
}
