//! The audit log: every security-relevant act, once, in the transaction that did it; [`chain`] makes its changes show.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use outbox::{Ts, Tx, sabotage};
use serde::Serialize;
use serde_json::Value;
use sqlx::types::Json as Column;
use uuid::Uuid;

use super::chain;
use super::extract::Query;
use super::permission::{Admin, Member};
use super::source::Source;
use super::store;
use super::store::audit::{AuditRow, Place};
use crate::app::App;
use crate::error::Result;
use crate::ids::{ApiKeyId, TenantId, UserId};
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
    /// What else there is to say, never a secret; `name` is how the object is shown to people.
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
    let row = AuditRow {
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
    let before = store::audit::take_place(tx, tenant).await?;
    let hash = chain::hash(tenant, before.number, &before.hash, &row);
    store::audit::insert(tx, tenant, &row, &Place { hash, ..before }).await
}

/// Records, in a transaction of its own, that `member` tried what they may not; `what` is the method and the route.
///
/// # Errors
/// When the database refused.
pub(super) async fn refuse(app: &App, member: &Member, source: &Source, what: String) -> Result<()> {
    if sabotage::broken("refusals-unrecorded") {
        return Ok(());
    }
    let mut tx = app.db.begin(member.tenant.0).await?;
    record(&mut tx, member.tenant, Entry::by(member, source, "request.sent", what).refused()).await?;
    Ok(tx.commit().await?)
}

/// One security-relevant act.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AuditEntry {
    /// Names the entry; later entries sort later.
    id: Uuid,
    created_at: Ts,
    /// Who acted, as shown to people; null when nobody was signed in.
    actor: Option<String>,
    /// Who acted: `user:ID`, `key:ID`, `operator` or `nobody`.
    actor_id: String,
    /// What was done, such as `member.added`.
    action: String,
    /// To what, as shown to people.
    target: String,
    /// To what, such as `project:ID`.
    object: String,
    /// `ok` or `refused`.
    result: String,
    /// The address it came from.
    remote: String,
    /// Finds the request in the logs.
    request_id: String,
    /// What else there is to say.
    #[schema(value_type = Object)]
    detail: Value,
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
    let mut names = HashMap::new();
    for row in &rows {
        if !names.contains_key(&row.actor) {
            names.insert(row.actor.clone(), actor_name(&mut tx, member.tenant, &row.actor).await?);
        }
    }
    Ok(Json(Page::new(rows, limit, |row| row.id, |row| show(row, &names))))
}

/// How an actor is shown to people.
async fn actor_name(tx: &mut Tx, tenant: TenantId, actor: &str) -> sqlx::Result<Option<String>> {
    let id = |prefix: &str| actor.strip_prefix(prefix).and_then(|id| id.parse::<Uuid>().ok());
    if let Some(id) = id("user:") {
        return Ok(store::user::find(tx, tenant, UserId(id)).await?.map(|user| user.full_name));
    }
    if let Some(id) = id("key:") {
        return store::api_key::name(tx, tenant, ApiKeyId(id)).await;
    }
    Ok((actor == "operator").then(|| actor.to_owned()))
}

fn show(row: AuditRow, names: &HashMap<String, Option<String>>) -> AuditEntry {
    let named = row.detail.get("name").and_then(Value::as_str).map(str::to_owned);
    AuditEntry {
        id: row.id,
        created_at: row.at,
        actor: names.get(&row.actor).cloned().flatten(),
        actor_id: row.actor,
        action: row.action,
        target: named.unwrap_or_else(|| row.object.clone()),
        object: row.object,
        result: row.result,
        remote: row.remote,
        request_id: row.request_id,
        detail: row.detail.0,
    }
}
