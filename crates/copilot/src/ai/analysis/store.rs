//! All SQL that reads the versions of an analysis.

use outbox::{Ts, Tx, on_tx};
use sqlx::types::Json;

use super::{Analysis, AnalysisStatus, Engine, Tokens, Version};
use crate::ids::{AnalysisId, IncidentId, TenantId};

macro_rules! analyses {
    () => {
        "select id, version, status, engine, model, started_at, completed_at, reason, checked, prompt_tokens,
         completion_tokens, cost_micros, onset_at, changed,
         exists (select 1 from model_calls c where c.tenant_id = $1 and c.analysis_id = analyses.id
                 and c.question_id is null and c.cost_micros > 0 and c.prompt_tokens is null) as cost_estimated
         from analyses where tenant_id = $1 and incident_id = $2"
    };
}

/// The incident's two newest versions, newest first.
pub async fn newest(tx: &mut Tx, tenant: TenantId, incident: IncidentId) -> sqlx::Result<Vec<Analysis>> {
    let rows: Vec<AnalysisRow> = on_tx!(tx, c => sqlx::query_as(concat!(analyses!(), " order by version desc limit 2"))
        .bind(tenant).bind(incident).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// One version.
pub async fn version(
    tx: &mut Tx,
    tenant: TenantId,
    incident: IncidentId,
    version: i64,
) -> sqlx::Result<Option<Analysis>> {
    let row: Option<AnalysisRow> = on_tx!(tx, c => sqlx::query_as(concat!(analyses!(), " and version = $3"))
        .bind(tenant).bind(incident).bind(version).fetch_optional(c).await)?;
    Ok(row.map(Into::into))
}

/// The incident's newest versions as they are listed, 50 at most, newest first.
pub async fn versions(tx: &mut Tx, tenant: TenantId, incident: IncidentId) -> sqlx::Result<Vec<Version>> {
    on_tx!(tx, c => sqlx::query_as(
        "select version, status, reason, completed_at from analyses where tenant_id = $1 and incident_id = $2
         order by version desc limit 50")
        .bind(tenant).bind(incident).fetch_all(c).await)
}

#[derive(sqlx::FromRow)]
struct AnalysisRow {
    id: AnalysisId,
    version: i64,
    #[sqlx(try_from = "String")]
    status: AnalysisStatus,
    #[sqlx(try_from = "String")]
    engine: Engine,
    model: Option<String>,
    started_at: Option<Ts>,
    completed_at: Option<Ts>,
    reason: Option<String>,
    checked: Json<Vec<String>>,
    prompt_tokens: Option<i64>,
    completion_tokens: Option<i64>,
    cost_micros: Option<i64>,
    cost_estimated: bool,
    onset_at: Option<Ts>,
    changed: Option<Json<Vec<String>>>,
}

impl From<AnalysisRow> for Analysis {
    fn from(row: AnalysisRow) -> Self {
        let tokens = Tokens { prompt: row.prompt_tokens, completion: row.completion_tokens };
        Self {
            id: row.id,
            version: row.version,
            status: row.status,
            engine: row.engine,
            tokens: (row.model.is_some() || tokens.prompt.is_some()).then_some(tokens),
            model: row.model,
            started_at: row.started_at,
            completed_at: row.completed_at,
            reason: row.reason,
            checked: row.checked.0,
            cost_usd: row.cost_micros.map(|micros| micros as f64 / 1e6),
            cost_estimated: row.cost_estimated,
            onset_at: row.onset_at,
            changed: row.changed.map(|changed| changed.0),
        }
    }
}
