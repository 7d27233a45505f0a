//! How an analysis ends, or is given back to be tried again.

use outbox::{Job, Tx, lease};
use serde_json::json;

use super::{ATTEMPTS, COLLECTED, GENERATED, Payload, Work, Worker};
use crate::ai::analysis::{AnalysisStatus, Engine};
use crate::ai::diagnose::Proposal;
use crate::ai::store::{self, Ending};
use crate::ai::{changed, evidence};
use crate::error::{Error, Result};
use crate::event::{self, AnalysisEnd, Event};
use crate::ids::{IncidentId, TenantId};
use crate::incident::explain;

/// Seconds to wait before the second and later attempts.
const BACKOFF_S: i64 = 10;

/// Why the analysis of a merged incident ends.
const MERGED: &str = "this incident was merged into another; see that one";

impl Worker<'_> {
    /// The end of an analysis: its row, its step, its event and its job, all or nothing.
    pub(super) async fn end(
        self,
        tx: &mut Tx,
        work: Work,
        job: &Job,
        proposals: &[Proposal],
        ending: &Ending,
    ) -> Result<()> {
        let (tenant, incident) = (work.tenant, work.incident);
        let again = store::end(tx, tenant, work.analysis, ending).await?;
        note_changes(tx, work).await?;
        let failed = ending.status == AnalysisStatus::Failed;
        let status = if failed { "failed" } else { "completed" };
        let detail = json!({"status": ending.status, "engine": ending.engine, "model": ending.model,
            "count": proposals.len(), "reason": ending.reason});
        store::close_step(tx, tenant, incident, (GENERATED, status, &detail)).await?;
        let top = proposals.first().map(|one| (one.claim.as_str(), one.confidence));
        let end = AnalysisEnd {
            incident,
            analysis: work.analysis,
            status: ending.status.as_str(),
            count: proposals.len(),
            top,
        };
        event::append(tx, tenant, work.project, &Event::HypothesisGenerated(end));
        if !lease::finish(tx, job).await? {
            return Err(Error::Internal(anyhow::anyhow!("a job that was held could not be finished")));
        }
        tracing::Span::current().record("outcome", ending.status.as_str());
        if again && !store::is_merged(tx, tenant, incident).await? {
            explain::request_anew(tx, tenant, incident).await?;
        }
        let merged = ending.reason.as_deref() == Some(MERGED);
        let status = if merged { "merged" } else { ending.status.as_str() };
        metrics::counter!("sre_copilot_analyses_total", "status" => status, "engine" => ending.engine.as_str())
            .increment(1);
        Ok(())
    }

    /// After a failure of ours: again later, or the end when it was the last attempt.
    pub(super) async fn give_back(self, tenant: TenantId, job: &Job) -> Result<()> {
        let mut tx = self.db.begin(tenant.0).await?;
        if !store::hold(&mut tx, tenant, job).await? {
            return Ok(());
        }
        if job.attempts < ATTEMPTS {
            let run_at = tx.now().plus_seconds(BACKOFF_S.saturating_mul(job.attempts.max(1)));
            lease::retry(&mut tx, job, run_at).await?;
        } else {
            let payload = Payload::of(job);
            let incident: Option<IncidentId> = job.key.parse().ok();
            let facts = match incident {
                Some(incident) => evidence::store::incident(&mut tx, tenant, incident).await?,
                None => None,
            };
            match (payload, incident, facts) {
                (Some(payload), Some(incident), Some(facts)) => {
                    let (project, analysis) = (facts.project_id, payload.analysis_id);
                    let work = Work { tenant, project, incident, analysis };
                    self.give_up(&mut tx, work, job).await?;
                }
                _ => drop(lease::finish(&mut tx, job).await?),
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// Ends the analysis of an incident that was merged meanwhile: its alerts and evidence are with the other one.
    pub(super) async fn ends_merged(self, tx: &mut Tx, work: Work, job: &Job) -> Result<bool> {
        let merged = store::is_merged(tx, work.tenant, work.incident).await?;
        if merged {
            self.fail(tx, work, job, MERGED).await?;
        }
        Ok(merged)
    }

    /// Ends the analysis after our own work has failed too often.
    pub(super) async fn give_up(self, tx: &mut Tx, work: Work, job: &Job) -> Result<()> {
        let reason = format!("our own work failed {ATTEMPTS} times; the server's log says why");
        self.fail(tx, work, job, &reason).await
    }

    /// Ends the analysis as failed; what was stored before stays.
    async fn fail(self, tx: &mut Tx, work: Work, job: &Job, reason: &str) -> Result<()> {
        store::lock_incident(tx, work.tenant, work.incident).await?;
        store::close_step(tx, work.tenant, work.incident, (COLLECTED, "failed", &json!({}))).await?;
        let ending = Ending {
            status: AnalysisStatus::Failed,
            engine: Engine::Statistical,
            model: None,
            reason: Some(reason.to_owned()),
        };
        self.end(tx, work, job, &[], &ending).await
    }
}

/// Stores what this version says that the last one which came to an end did not.
async fn note_changes(tx: &mut Tx, work: Work) -> Result<()> {
    let (tenant, incident) = (work.tenant, work.incident);
    let versions = store::newest(tx, tenant, incident).await?;
    let before = versions.iter().find(|one| one.id != work.analysis && one.status.is_over());
    let Some(before) = before.filter(|one| one.status != AnalysisStatus::Failed) else { return Ok(()) };
    let then = store::hypotheses(tx, tenant, before.id).await?;
    let then_facts = store::evidence(tx, tenant, incident, before.id).await?;
    let now = store::hypotheses(tx, tenant, work.analysis).await?;
    let now_facts = store::evidence(tx, tenant, incident, work.analysis).await?;
    let changed = changed::between((&then, &then_facts), (&now, &now_facts));
    store::save_changed(tx, tenant, work.analysis, &changed).await?;
    Ok(())
}
