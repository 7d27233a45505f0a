//! Asking the model: reserve, call, book and store, each only while the fence holds.

use std::time::Duration;

use llm::{Failure, Reply};
use outbox::sabotage::{self, hurried};
use outbox::{Job, Tx};
use tokio::time::Instant;

use super::{Found, Work, Worker};
use crate::ai::analysis::{AnalysisStatus, Engine};
use crate::ai::diagnose::{Conclusion, Proposal};
use crate::ai::model::{Call, Denied, store as ledger, tally};
use crate::ai::prompt::answer::{self, Answer};
use crate::ai::prompt::{self, Prompt, merge};
use crate::ai::store::{self, Ending};
use crate::error::Result;
use crate::ids::{AnalysisId, EvidenceId, HypothesisId};

/// How much longer than a call the whole work may take, counted from the claim: the lease less a margin.
const BESIDE: Duration = Duration::from_secs(10);

/// Until when, counted from the claim, a call waits for another one about the same incident to end.
const WAIT_BY: Duration = Duration::from_secs(25);

/// How often it looks whether that has ended.
const LOOK: Duration = Duration::from_millis(500);

/// Said of an answer that came after the organisation had turned the model off.
const TURNED_OFF: &str = "the model was turned off for this organisation meanwhile";

/// What came of asking the model.
enum Asked {
    /// It answered; the ranking of both, and what is to be said of an answer that is not all in it.
    Answered(Vec<Proposal>, Option<String>),
    /// It answered over the same evidence before.
    Cached(Vec<Proposal>),
    /// There is no answer, and why.
    Not(String),
}

impl Worker<'_> {
    /// Asks the model, or its earlier answer, and stores what comes of it.
    pub(super) async fn ask(self, work: Work, job: &Job, claimed: Instant, found: &Found) -> Result<()> {
        let Found { gathered, conclusion, hash } = found;
        let prompt = prompt::write(gathered, conclusion, &format!("{:032x}", rand::random::<u128>()));
        let mut tx = self.db.begin(work.tenant.0).await?;
        if !store::hold(&mut tx, work.tenant, job).await? {
            return Ok(());
        }
        if let Some(before) = ledger::answered(&mut tx, work.tenant, work.incident, hash).await? {
            let earlier = earlier(&mut tx, work, before, conclusion).await?;
            self.enter_cached(&mut tx, work, job).await?;
            self.settle(&mut tx, work, job, conclusion, Asked::Cached(earlier)).await?;
            tx.commit().await?;
            tally::cached();
            return Ok(());
        }
        let call = match self.reserve(tx, work, job, &prompt.request, claimed + hurried(WAIT_BY)).await? {
            Ok((call, tx)) => {
                tx.commit().await?;
                sabotage::point("analysis.intent").await?;
                call
            }
            Err(why) => return self.leave(work, job, conclusion, &why).await,
        };
        let limit = self.model.call_limit();
        let deadline = (Instant::now() + hurried(limit)).min(claimed + hurried(limit + BESIDE));
        let outcome = self.model.complete(&prompt.request, deadline).await;
        sabotage::point("analysis.answered").await?;
        self.answered(work, job, (&prompt, &call), conclusion, outcome).await
    }

    /// Ends the analysis with the statistical answer alone, because the model was not asked.
    pub(super) async fn leave(self, work: Work, job: &Job, conclusion: &Conclusion, why: &str) -> Result<()> {
        let mut tx = self.db.begin(work.tenant.0).await?;
        if store::hold(&mut tx, work.tenant, job).await? {
            let why = format!("the model was not asked: {why}");
            self.settle(&mut tx, work, job, conclusion, Asked::Not(why)).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Enters the call, once no other call about the incident is under way; or why it can't be made.
    async fn reserve(
        self,
        mut tx: Tx,
        work: Work,
        job: &Job,
        request: &llm::Request,
        until: Instant,
    ) -> Result<std::result::Result<(Call, Tx), String>> {
        let purpose = work.purpose();
        loop {
            let reserved =
                self.model.reserve(&mut tx, work.tenant, purpose, job, request, prompt::VERSION).await?;
            match reserved {
                Ok(call) => return Ok(Ok((call, tx))),
                Err(Denied::Refused(why)) => return Ok(Err(why)),
                Err(Denied::Busy) if Instant::now() >= until => {
                    return Ok(Err("it was busy with another call about this incident".to_owned()));
                }
                Err(Denied::Busy) => {}
            }
            drop(tx);
            tokio::time::sleep(LOOK).await;
            tx = self.db.begin(work.tenant.0).await?;
            if !store::hold(&mut tx, work.tenant, job).await? {
                return Ok(Err("somebody else took over".to_owned()));
            }
        }
    }

    /// Books the call and stores its answer, both only while the fence holds.
    async fn answered(
        self,
        work: Work,
        job: &Job,
        (prompt, call): (&Prompt, &Call),
        conclusion: &Conclusion,
        mut outcome: std::result::Result<Reply, Failure>,
    ) -> Result<()> {
        let spent = self.model.spent(call, &outcome);
        let asked = match &outcome {
            Ok(reply) => match answer::read(&reply.text, prompt) {
                Ok(answer) => {
                    let merged = merge::merge(&conclusion.proposals, &answer.said, &conclusion.evidence);
                    let note = said_of(&answer, &merged);
                    Asked::Answered(merged, note)
                }
                Err(reason) => {
                    let failure = Failure::bad_output(reason, reply.usage);
                    let why = format!("the model was asked, and {failure}");
                    outcome = Err(failure);
                    Asked::Not(why)
                }
            },
            Err(failure) => Asked::Not(format!("the model was asked, and {failure}")),
        };
        tally::called(&outcome, spent);
        let mut tx = self.db.begin(work.tenant.0).await?;
        if !store::hold(&mut tx, work.tenant, job).await? {
            tracing::warn!(incident = job.key, "an answer came after its lease had run out, and was dropped");
            return Ok(());
        }
        call.settle(&mut tx, work.tenant, job, &outcome, spent).await?;
        let wanted = ledger::is_wanted(&mut tx, work.tenant).await?;
        let asked = if wanted { asked } else { Asked::Not(TURNED_OFF.to_owned()) };
        self.settle(&mut tx, work, job, conclusion, asked).await?;
        sabotage::point("analysis.before_store").await?;
        tx.commit().await?;
        sabotage::point("analysis.stored").await?;
        Ok(())
    }

    /// Ends an analysis for which a model was to be asked.
    async fn settle(
        self,
        tx: &mut Tx,
        work: Work,
        job: &Job,
        conclusion: &Conclusion,
        asked: Asked,
    ) -> Result<()> {
        store::lock_incident(tx, work.tenant, work.incident).await?;
        let used = ledger::used(tx, work.tenant, work.analysis).await?;
        store::save_usage(tx, work.tenant, work.analysis, used).await?;
        if self.ends_merged(tx, work, job).await? {
            return Ok(());
        }
        let model = self.model.name().map(str::to_owned);
        let (proposals, ending) = match asked {
            Asked::Not(why) => {
                let reason = conclusion.reason.as_ref().map_or(why.clone(), |own| format!("{own}; {why}"));
                let ending = Ending {
                    status: conclusion.status,
                    engine: Engine::Statistical,
                    model,
                    reason: Some(reason),
                };
                (conclusion.proposals.clone(), ending)
            }
            Asked::Answered(proposals, note) => {
                (proposals.clone(), judged(&proposals, conclusion, model, note))
            }
            Asked::Cached(proposals) => {
                let note = (!has_model(&proposals))
                    .then(|| "the model added nothing to this evidence before".to_owned());
                (proposals.clone(), judged(&proposals, conclusion, model, note))
            }
        };
        store::save_hypotheses(tx, work.tenant, work.incident, work.analysis, &proposals).await?;
        self.end(tx, work, job, &proposals, &ending).await
    }

    async fn enter_cached(self, tx: &mut Tx, work: Work, job: &Job) -> Result<()> {
        let call = ledger::NewCall {
            id: uuid::Uuid::now_v7(),
            fence: job.fence,
            model: self.model.name().unwrap_or_default(),
            prompt_version: prompt::VERSION,
            reserved: 0,
            assumed: false,
        };
        Ok(ledger::enter_cached(tx, work.tenant, work.purpose(), &call).await?)
    }
}

/// How an analysis ends about which the model was asked. What is the engine's alone is not told as the model's.
fn judged(
    proposals: &[Proposal],
    conclusion: &Conclusion,
    model: Option<String>,
    note: Option<String>,
) -> Ending {
    let none = proposals.is_empty();
    let status = if none { AnalysisStatus::Inconclusive } else { AnalysisStatus::Completed };
    let own =
        none.then(|| conclusion.reason.clone().unwrap_or_else(|| "the evidence carries no cause".to_owned()));
    let reason = [own, note].into_iter().flatten().collect::<Vec<_>>().join("; ");
    let engine = if has_model(proposals) { Engine::Llm } else { Engine::Statistical };
    Ending { status, engine, model, reason: Some(reason).filter(|reason| !reason.is_empty()) }
}

fn has_model(proposals: &[Proposal]) -> bool {
    proposals.iter().any(|one| one.engine == Engine::Llm)
}

/// What is to be said of an answer that is not all in the ranking.
fn said_of(answer: &Answer, merged: &[Proposal]) -> Option<String> {
    let dropped = match answer.unsupported {
        0 => None,
        1 => Some("1 hypothesis of the model was left out: the evidence does not hold it".to_owned()),
        many => {
            Some(format!("{many} hypotheses of the model were left out: the evidence does not hold them"))
        }
    };
    if answer.insufficient {
        return Some("the model was asked, and found the evidence insufficient".to_owned());
    }
    let nothing = || "the model was asked, and added nothing".to_owned();
    dropped.or_else(|| (!has_model(merged)).then(nothing))
}

/// An earlier answer over the same evidence, with its citations moved to the evidence of this version.
async fn earlier(
    tx: &mut Tx,
    work: Work,
    before: AnalysisId,
    conclusion: &Conclusion,
) -> Result<Vec<Proposal>> {
    let old = store::evidence(tx, work.tenant, work.incident, before).await?;
    let moved = |ids: &[EvidenceId]| -> Vec<EvidenceId> {
        let place = |id: &EvidenceId| old.iter().position(|row| row.id == *id);
        ids.iter().filter_map(place).filter_map(|at| conclusion.evidence.get(at)).map(|row| row.id).collect()
    };
    let stored = store::hypotheses(tx, work.tenant, before).await?;
    let again = stored.into_iter().map(|one| Proposal {
        id: HypothesisId::new(),
        supporting: moved(&one.supporting_evidence),
        contradicting: moved(&one.contradicting_evidence),
        claim: one.claim,
        description: one.description,
        confidence: one.confidence_score,
        lower: one.confidence_lower,
        upper: one.confidence_upper,
        service: one.suspected_service,
        metric: one.suspected_metric,
        next_checks: one.next_checks,
        engine: one.engine,
    });
    Ok(again.filter(|one| !one.supporting.is_empty()).collect())
}
