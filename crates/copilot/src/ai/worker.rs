//! Works on analyses: claim by lease, look with no transaction open, store only while the fence holds.

mod ask;
mod end;

use std::time::Duration;

use outbox::{Db, Job, Tx, lease, sabotage};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use super::analysis::{AnalysisStatus, Engine};
use super::diagnose::{self, Conclusion};
use super::evidence::store::Source;
use super::evidence::{self, Facts, Gathered};
use super::model::{Model, Purpose, store as ledger, tally};
use super::prompt;
use super::store::{self, Ending};
use crate::app::App;
use crate::auth::{Cell, Keys, Place};
use crate::error::{Error, Result};
use crate::event::{self, Event};
use crate::ids::{AnalysisId, IncidentId, ProjectId, TenantId};
use crate::incident::explain::QUEUE;
use crate::incident::read;
use crate::outbound::{Credentials, Outbound};
use crate::redis::Redis;
use crate::redis::lock::Lock;
use crate::traces::span;

/// How long a worker may hold an analysis while it looks: then another replica takes over from one that died.
const LOOKING: Duration = Duration::from_secs(20);

/// How often our own work may fail before the analysis has failed.
const ATTEMPTS: i64 = 3;

/// An incident detected less than so many seconds ago may have left too few samples to tell; it is looked at again.
const FRESH_S: f64 = 30.0;

/// How often at most.
const LOOKS_AGAIN: i64 = 2;

/// Seconds until the next look: some scrapes more.
const LOOK_AGAIN_S: i64 = 10;

const COLLECTED: &str = "evidence_collected";
const GENERATED: &str = "hypotheses_generated";

/// What a worker needs.
#[derive(Clone, Copy, Debug)]
pub struct Worker<'a> {
    /// The database.
    pub db: &'a Db,
    /// The model, if one is configured.
    pub model: &'a Model,
    /// The door to Prometheus.
    pub outbound: &'a Outbound,
    /// Opens what integrations sign in with.
    pub keys: &'a Keys,
    /// Where it says what it is at, if there is such a place.
    pub redis: Option<&'a Redis>,
}

fn seconds(time: Duration) -> i64 {
    time.as_secs().cast_signed()
}

/// What is worked on.
#[derive(Clone, Copy, Debug)]
struct Work {
    tenant: TenantId,
    project: ProjectId,
    incident: IncidentId,
    analysis: AnalysisId,
}

impl Work {
    /// What its model calls are made for.
    fn purpose(self) -> Purpose {
        let Self { project, incident, analysis, .. } = self;
        Purpose { project, incident, analysis, question: None }
    }
}

/// What was found, as far as the model is told.
#[derive(Debug)]
struct Found {
    gathered: Gathered,
    conclusion: Conclusion,
    hash: Vec<u8>,
}

/// An analysis whose statistical answer is stored, and about which the model is still to be asked.
#[derive(Debug)]
pub struct Unasked {
    work: Work,
    job: Job,
    found: Found,
    sign: Option<Lock>,
    span: Span,
}

/// What came of looking for an analysis to work on.
#[derive(Debug)]
pub enum Looked {
    /// None waits.
    AtNothing,
    /// One ended, or waits again.
    Ended,
    /// One is to be finished by [`Worker::ask_model`].
    Unasked(Box<Unasked>),
}

#[derive(Deserialize, Serialize)]
struct Payload {
    analysis_id: AnalysisId,
    /// How often it was looked at and found too fresh.
    #[serde(default)]
    looks: i64,
}

impl Payload {
    fn of(job: &Job) -> Option<Self> {
        serde_json::from_value(job.payload.0.clone()).ok()
    }
}

impl<'a> Worker<'a> {
    /// A worker of this process.
    pub fn new(app: &'a App) -> Self {
        Self {
            db: &app.db,
            model: &app.model,
            outbound: &app.outbound,
            keys: &app.keys,
            redis: Some(&app.redis),
        }
    }

    /// How long the lease is from when the model is asked: until a call is surely over.
    fn lease(self) -> Duration {
        self.model.call_ends()
    }

    /// How long it is before. Looking takes as long under a test's shortened leases as ever, so it is not shortened further.
    fn looking(self) -> Duration {
        self.lease().min(LOOKING)
    }

    /// Works on the oldest analysis that waits, the model included, and says whether there was one.
    ///
    /// # Errors
    /// When the database refused; the analysis is tried again when its lease runs out.
    pub async fn step(self) -> Result<bool> {
        match self.look().await? {
            Looked::AtNothing => return Ok(false),
            Looked::Ended => {}
            Looked::Unasked(unasked) => self.ask_model(*unasked).await?,
        }
        Ok(true)
    }

    /// Works on the oldest analysis that waits, until the statistical answer is stored.
    ///
    /// # Errors
    /// When the database refused; the analysis is tried again when its lease runs out.
    pub async fn look(self) -> Result<Looked> {
        let Some(job) = lease::claim(self.db, QUEUE, seconds(self.looking())).await? else {
            return Ok(Looked::AtNothing);
        };
        sabotage::point("analysis.leased").await?;
        let tenant = TenantId(job.owner);
        // Others may see from it that somebody is at work; only the lease keeps them from the same work.
        let sign = match self.redis {
            Some(redis) => redis.lock(format!("ai:generating:{}", job.key), self.lease()).await,
            None => None,
        };
        let span = span!("analysis", incident = job.key, attempt = job.attempts, outcome = Empty);
        let worked = self.work(tenant, &job).instrument(span.clone()).await;
        if let Ok(Some((work, found))) = worked {
            return Ok(Looked::Unasked(Box::new(Unasked { work, job, found, sign, span })));
        }
        if let Some(sign) = sign {
            sign.release().await;
        }
        self.over(tenant, &job, worked.map(drop)).await?;
        Ok(Looked::Ended)
    }

    /// Asks the model, when it is this tenant's turn.
    ///
    /// # Errors
    /// When the database refused; the analysis is tried again when its lease runs out.
    pub async fn ask_model(self, unasked: Unasked) -> Result<()> {
        let Unasked { work, job, found, sign, span } = unasked;
        let asked = self.ask_in_turn(work, &job, &found).instrument(span).await;
        if let Some(sign) = sign {
            sign.release().await;
        }
        self.over(work.tenant, &job, asked).await
    }

    /// Gives the analysis back when our own work failed.
    async fn over(self, tenant: TenantId, job: &Job, worked: Result<()>) -> Result<()> {
        let Err(error) = worked else { return Ok(()) };
        let why = error.cause();
        metrics::counter!("sre_copilot_analysis_attempts_failed_total").increment(1);
        tracing::error!(incident = job.key, attempt = job.attempts, error = why, "an analysis failed");
        self.give_back(tenant, job).await
    }

    async fn ask_in_turn(self, work: Work, job: &Job, found: &Found) -> Result<()> {
        let mut turn = std::pin::pin!(self.model.slots.take(work.tenant));
        // Held until the call is over.
        let slot = loop {
            if !self.hold_on(work.tenant, job, self.looking()).await? {
                return Ok(());
            }
            match tokio::time::timeout(self.looking() / 3, &mut turn).await {
                Ok(Some(slot)) => break slot,
                Ok(None) => {
                    tally::not_asked("queue-full");
                    return self.leave(work, job, &found.conclusion, "too many calls wait").await;
                }
                Err(_) => {}
            }
        };
        let claimed = Instant::now();
        if self.hold_on(work.tenant, job, self.lease()).await? {
            self.ask(work, job, claimed, found).await?;
        }
        drop(slot);
        Ok(())
    }

    /// Makes the lease last; `false` when somebody else has the analysis by now.
    async fn hold_on(self, tenant: TenantId, job: &Job, lasts: Duration) -> Result<bool> {
        let mut tx = self.db.begin(tenant.0).await?;
        let held = lease::renew(&mut tx, job, seconds(lasts)).await?;
        tx.commit().await?;
        Ok(held)
    }

    /// Looks, and stores what was found; with what is needed to ask the model, if it is to be asked as well.
    async fn work(self, tenant: TenantId, job: &Job) -> Result<Option<(Work, Found)>> {
        let Some(work) = self.begin(tenant, job).await? else { return Ok(None) };
        let facts = Facts::read(self.db, tenant, work.incident).await?;
        let gathered =
            evidence::gather(self.outbound, facts, |source| credentials(self.keys, tenant, source))
                .instrument(span!("gather evidence"))
                .await;
        // The engine's loops would hold up everything else on this thread.
        let concluded = tokio::task::spawn_blocking(move || (diagnose::conclude(&gathered), gathered))
            .instrument(span!("rank causes"))
            .await;
        let (conclusion, gathered) = concluded.map_err(|error| Error::Internal(error.into()))?;
        if self.is_too_fresh(&gathered, &conclusion) && self.look_again(work, job).await? {
            return Ok(None);
        }
        let hash = self.model.name().map_or_else(Vec::new, |name| prompt::hash(&gathered, &conclusion, name));
        let asks = self.model.name().is_some() && worth_asking(&conclusion);
        let stored = self.store(work, job, &conclusion, &hash, asks).await?;
        Ok((stored && asks).then_some((work, Found { gathered, conclusion, hash })))
    }

    /// Whether metrics were there, but too little of the incident in them yet to name a cause.
    fn is_too_fresh(self, gathered: &evidence::Gathered, conclusion: &Conclusion) -> bool {
        conclusion.status == AnalysisStatus::Inconclusive
            && !gathered.metrics.measured.is_empty()
            && self.db.clock().now().seconds_since(gathered.facts.alarm) < FRESH_S
    }

    /// Has it looked at again later; `false` when it was often enough.
    async fn look_again(self, work: Work, job: &Job) -> Result<bool> {
        let looks = Payload::of(job).map_or(0, |payload| payload.looks) + 1;
        if looks > LOOKS_AGAIN {
            return Ok(false);
        }
        let mut tx = self.db.begin(work.tenant.0).await?;
        let run_at = tx.now().plus_seconds(LOOK_AGAIN_S);
        let payload = json!(Payload { analysis_id: work.analysis, looks });
        lease::go_on(&mut tx, job, run_at, &payload).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Marks the analysis as running and its first step as begun; `None` when there is nothing to do.
    async fn begin(self, tenant: TenantId, job: &Job) -> Result<Option<Work>> {
        let mut tx = self.db.begin(tenant.0).await?;
        if !store::hold(&mut tx, tenant, job).await? {
            return Ok(None);
        }
        let payload = Payload::of(job);
        let incident: Option<IncidentId> = job.key.parse().ok();
        let found = match (payload, incident) {
            (Some(payload), Some(incident)) => {
                let facts = evidence::store::incident(&mut tx, tenant, incident).await?;
                facts.map(|facts| Work {
                    tenant,
                    project: facts.project_id,
                    incident,
                    analysis: payload.analysis_id,
                })
            }
            _ => None,
        };
        let Some(work) = found else {
            lease::finish(&mut tx, job).await?;
            tx.commit().await?;
            return Ok(None);
        };
        // Before the analysis, as by all who change both.
        store::lock_incident(&mut tx, tenant, work.incident).await?;
        if !store::begin(&mut tx, tenant, work.analysis).await? {
            lease::finish(&mut tx, job).await?;
            tx.commit().await?;
            return Ok(None);
        }
        ledger::orphan(&mut tx, tenant, work.incident, None).await?;
        if job.attempts > ATTEMPTS {
            self.give_up(&mut tx, work, job).await?;
            tx.commit().await?;
            return Ok(None);
        }
        if self.ends_merged(&mut tx, work, job).await? {
            tx.commit().await?;
            return Ok(None);
        }
        store::open_step(&mut tx, tenant, work.incident, COLLECTED).await?;
        tx.commit().await?;
        Ok(Some(work))
    }

    /// Stores evidence and the statistical answer, and ends the analysis unless a model is asked as well.
    async fn store(
        self,
        work: Work,
        job: &Job,
        conclusion: &Conclusion,
        hash: &[u8],
        asks: bool,
    ) -> Result<bool> {
        let mut tx = self.db.begin(work.tenant.0).await?;
        if !store::hold(&mut tx, work.tenant, job).await? {
            return Ok(false);
        }
        if self.ends_merged(&mut tx, work, job).await? {
            tx.commit().await?;
            return Ok(false);
        }
        let (tenant, incident) = (work.tenant, work.incident);
        store::save_evidence(&mut tx, tenant, incident, work.analysis, &conclusion.evidence).await?;
        let checked = (conclusion.checked.as_slice(), conclusion.onset, hash);
        store::save_checked(&mut tx, tenant, work.analysis, checked).await?;
        store::save_hypotheses(&mut tx, tenant, incident, work.analysis, &conclusion.proposals).await?;
        let detail = json!({"evidence": conclusion.evidence.len(), "checked": conclusion.checked});
        store::close_step(&mut tx, tenant, incident, (COLLECTED, "completed", &detail)).await?;
        store::open_step(&mut tx, tenant, incident, GENERATED).await?;
        if asks {
            announce(&mut tx, work).await?;
        } else {
            let ending = Ending {
                status: conclusion.status,
                engine: Engine::Statistical,
                model: None,
                reason: conclusion.reason.clone(),
            };
            self.end(&mut tx, work, job, &conclusion.proposals, &ending).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}

/// Says that the incident has a ranking to show: nobody waits for the model to see it.
async fn announce(tx: &mut Tx, work: Work) -> Result<()> {
    let (tenant, project) = (work.tenant, work.project);
    if let Some(incident) = read::store::find(tx, tenant, project, work.incident).await? {
        event::append(tx, tenant, project, &Event::IncidentUpdated(&incident));
    }
    Ok(())
}

/// What the integration signs in with; it was sealed for its own row, so no other row's opens here.
pub fn credentials(keys: &Keys, tenant: TenantId, source: &Source) -> Result<Option<Credentials>> {
    let Some(sealed) = &source.auth else { return Ok(None) };
    let cell = Cell { tenant, place: Place::Credential, row: source.id.0 };
    let plain = keys.open(sealed, cell)?;
    serde_json::from_slice(&plain).map(Some).map_err(|error| Error::Internal(error.into()))
}

/// Whether a model has anything to judge: something that was measured, or a cause that was proposed.
fn worth_asking(conclusion: &Conclusion) -> bool {
    let measured = |row: &super::analysis::Evidence| row.kind == super::analysis::EvidenceKind::Metric;
    !conclusion.proposals.is_empty() || conclusion.evidence.iter().any(measured)
}
