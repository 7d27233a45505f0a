//! All SQL of questions and of what they looked up.

use outbox::{Ts, Tx, on_tx};
use sqlx::types::Json;

use super::{Question, QuestionStatus};
use crate::ai::analysis::{Evidence, Tokens};
use crate::ai::model::store::used_by_question;
use crate::ai::store::{EvidenceRow, fact};
use crate::ids::{AnalysisId, EvidenceId, IncidentId, ProjectId, QuestionId, TenantId};

/// A question that is about to be stored.
#[derive(Debug)]
pub struct New<'a> {
    /// Names it.
    pub id: QuestionId,
    /// The project.
    pub project: ProjectId,
    /// The incident.
    pub incident: IncidentId,
    /// The analysis whose evidence it is answered from.
    pub analysis: AnalysisId,
    /// What was asked.
    pub question: &'a str,
    /// The model that will be asked.
    pub model: &'a str,
    /// Who asks.
    pub asked_by: &'a str,
}

/// How a question ends.
#[derive(Clone, Debug)]
pub struct End {
    /// `answered`, `unanswered` or `failed`.
    pub status: QuestionStatus,
    /// The answer.
    pub answer: Option<String>,
    /// Why there is none.
    pub reason: Option<String>,
    /// What the answer cites.
    pub cited: Vec<EvidenceId>,
}

/// What the work on a question needs to know.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Asked {
    /// The project.
    pub project_id: ProjectId,
    /// The incident.
    pub incident_id: IncidentId,
    /// The analysis whose evidence it is answered from.
    pub analysis_id: AnalysisId,
    /// What was asked.
    pub question: String,
}

/// The incident's newest analysis that came to an end.
pub async fn analysed(
    tx: &mut Tx,
    tenant: TenantId,
    incident: IncidentId,
) -> sqlx::Result<Option<AnalysisId>> {
    on_tx!(tx, c => sqlx::query_scalar(
        "select id from analyses where tenant_id = $1 and incident_id = $2 and status in ('completed', 'inconclusive')
         order by version desc limit 1")
        .bind(tenant).bind(incident).fetch_optional(c).await)
}

/// Whether a question about the incident is still worked on.
pub async fn is_open(tx: &mut Tx, tenant: TenantId, incident: IncidentId) -> sqlx::Result<bool> {
    on_tx!(tx, c => sqlx::query_scalar(
        "select exists (select 1 from questions where tenant_id = $1 and incident_id = $2
         and status in ('queued', 'running'))")
        .bind(tenant).bind(incident).fetch_one(c).await)
}

/// Stores a question.
pub async fn enter(tx: &mut Tx, tenant: TenantId, new: &New<'_>) -> sqlx::Result<()> {
    let (now, none) = (tx.now(), Json(Vec::<String>::new()));
    on_tx!(tx, c => sqlx::query(
        "insert into questions (tenant_id, id, project_id, incident_id, analysis_id, question, status, progress, cited,
                                looked_up, model, asked_by, created_at)
         values ($1, $2, $3, $4, $5, $6, 'queued', $7, $7, $7, $8, $9, $10)")
        .bind(tenant).bind(new.id).bind(new.project).bind(new.incident).bind(new.analysis).bind(new.question)
        .bind(none).bind(new.model).bind(new.asked_by).bind(now).execute(c).await.map(drop))
}

/// A question that is not over, now worked on; `None` when it is gone or over.
pub async fn begin(tx: &mut Tx, tenant: TenantId, id: QuestionId) -> sqlx::Result<Option<Asked>> {
    on_tx!(tx, c => sqlx::query_as(
        "update questions set status = 'running'
         where tenant_id = $1 and id = $2 and status in ('queued', 'running')
         returning project_id, incident_id, analysis_id, question")
        .bind(tenant).bind(id).fetch_optional(c).await)
}

/// Stores what was done so far, in words.
pub async fn save_progress(
    tx: &mut Tx,
    tenant: TenantId,
    id: QuestionId,
    progress: &[String],
) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query("update questions set progress = $3 where tenant_id = $1 and id = $2")
        .bind(tenant).bind(id).bind(Json(progress)).execute(c).await.map(drop))
}

/// Stores what a query found.
pub async fn add_evidence(
    tx: &mut Tx,
    tenant: TenantId,
    (question, of): (QuestionId, &Asked),
    position: i64,
    row: &Evidence,
) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "insert into evidence (tenant_id, id, incident_id, analysis_id, question_id, position, kind, role, summary, query,
                               start_at, end_at, value, baseline, unit, series, url, integration_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)")
        .bind(tenant).bind(row.id).bind(of.incident_id).bind(of.analysis_id).bind(question).bind(position)
        .bind(row.kind.as_str()).bind(row.role.as_str()).bind(&row.summary).bind(row.query.clone()).bind(row.start)
        .bind(row.end).bind(row.value.filter(|value| value.is_finite()))
        .bind(row.baseline.filter(|value| value.is_finite())).bind(row.unit.clone())
        .bind(row.series.clone().map(Json)).bind(row.url.clone()).bind(row.integration)
        .execute(c).await.map(drop))
}

/// Ends a question.
pub async fn end(tx: &mut Tx, tenant: TenantId, id: QuestionId, end: &End) -> sqlx::Result<()> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query(
        "update questions set status = $3, answer = $4, reason = $5, cited = $6, completed_at = $7
         where tenant_id = $1 and id = $2")
        .bind(tenant).bind(id).bind(end.status.as_str()).bind(end.answer.clone()).bind(end.reason.clone())
        .bind(Json(&end.cited)).bind(now).execute(c).await.map(drop))
}

#[derive(sqlx::FromRow)]
struct Row {
    id: QuestionId,
    incident_id: IncidentId,
    question: String,
    #[sqlx(try_from = "String")]
    status: QuestionStatus,
    progress: Json<Vec<String>>,
    answer: Option<String>,
    reason: Option<String>,
    cited: Json<Vec<EvidenceId>>,
    model: String,
    asked_by: String,
    created_at: Ts,
    completed_at: Option<Ts>,
}

/// A question with its evidence and what it cost.
pub async fn find(tx: &mut Tx, tenant: TenantId, id: QuestionId) -> sqlx::Result<Option<Question>> {
    let row: Option<Row> = on_tx!(tx, c => sqlx::query_as(
        "select * from questions where tenant_id = $1 and id = $2").bind(tenant).bind(id).fetch_optional(c).await)?;
    match row {
        Some(row) => whole(tx, tenant, row).await.map(Some),
        None => Ok(None),
    }
}

/// The incident's newest questions, newest first.
pub async fn newest(tx: &mut Tx, tenant: TenantId, incident: IncidentId) -> sqlx::Result<Vec<Question>> {
    let rows: Vec<Row> = on_tx!(tx, c => sqlx::query_as(
        "select * from questions where tenant_id = $1 and incident_id = $2 order by created_at desc, id desc limit 20")
        .bind(tenant).bind(incident).fetch_all(c).await)?;
    let mut out = Vec::new();
    for row in rows {
        out.push(whole(tx, tenant, row).await?);
    }
    Ok(out)
}

async fn whole(tx: &mut Tx, tenant: TenantId, row: Row) -> sqlx::Result<Question> {
    let looked_up: Vec<EvidenceRow> = on_tx!(tx, c => sqlx::query_as(
        "select * from evidence where tenant_id = $1 and incident_id = $2 and question_id = $3 order by position, id")
        .bind(tenant).bind(row.incident_id).bind(row.id).fetch_all(c).await)?;
    let mut evidence: Vec<Evidence> = looked_up.into_iter().map(Into::into).collect();
    for id in &row.cited.0 {
        if !evidence.iter().any(|known| known.id == *id) {
            evidence.extend(fact(tx, tenant, row.incident_id, *id).await?);
        }
    }
    let (prompt, completion, cost) = used_by_question(tx, tenant, row.id).await?;
    Ok(Question {
        id: row.id,
        incident_id: row.incident_id,
        question: row.question,
        status: row.status,
        progress: row.progress.0,
        answer: row.answer,
        reason: row.reason,
        cited: row.cited.0,
        evidence,
        model: row.model,
        tokens: Tokens { prompt, completion },
        cost_usd: cost.map(|micros| micros as f64 / 1e6),
        asked_by: row.asked_by,
        created_at: row.created_at,
        completed_at: row.completed_at,
    })
}
