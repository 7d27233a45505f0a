//! The work on one question: ask, look up what is missing, ask again; each step only while the fence holds.

use std::collections::BTreeSet;
use std::time::Duration;

use llm::Failure;
use outbox::{Job, Ts, lease};
use serde::Deserialize;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::prompt::{self, Said, Told};
use super::store::{self, Asked, End};
use super::{QUEUE, QuestionStatus};
use crate::ai::analysis::{Evidence, EvidenceKind, EvidenceRole, Hypothesis};
use crate::ai::diagnose::rows::{against, chart, graph_url, levels, row, unit_of};
use crate::ai::evidence::store::Source as Stored;
use crate::ai::evidence::{self, Facts, family};
use crate::ai::model::{Denied, Model, Purpose, store as ledger, tally};
use crate::ai::prometheus::{Budget, Prometheus};
use crate::ai::store as analyses;
use crate::ai::text::short;
use crate::ai::worker::{Worker, credentials};
use crate::error::Result;
use crate::ids::{IntegrationId, QuestionId, TenantId};
use crate::traces::span;

/// How long before the lease ends the last call has ended.
const MARGIN: Duration = Duration::from_secs(10);

/// How long a call waits for another one about the incident to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it looks whether that has ended.
const LOOK: Duration = Duration::from_millis(500);

/// How long one Prometheus may take to name its metrics.
const KNOCK: Duration = Duration::from_secs(3);

/// Calls of one question.
const ROUNDS: usize = 3;

/// What the queries of one question may take, apart from time.
const BUDGET: Budget = Budget { queries: 8, time: Duration::ZERO, lines: 50, bytes: 8 * 1024 * 1024 };

/// What a question may take, by what one call of an analysis may: a person waits, so each of its own is shorter.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// How long a worker may hold it: three calls and what is around them.
    pub lease: Duration,
    /// How long one call may take.
    pub call: Duration,
}

impl Times {
    /// The times of this process.
    pub fn of(model: &Model) -> Self {
        Self { lease: 3 * model.call_limit() + MARGIN, call: model.call_limit() * 2 / 3 }
    }

    /// When no further call begins, counted from the claim.
    pub fn last_call(self) -> Duration {
        self.lease.saturating_sub(self.call + MARGIN)
    }

    fn budget(self) -> Budget {
        Budget { time: self.last_call(), ..BUDGET }
    }
}

/// Names of metrics that are told.
const METRICS: usize = 120;

#[derive(Deserialize)]
struct Payload {
    question_id: QuestionId,
}

/// What is known while a question is worked on.
struct Work<'a> {
    worker: Worker<'a>,
    tenant: TenantId,
    job: &'a Job,
    claimed: Instant,
    id: QuestionId,
    asked: Asked,
    facts: Facts,
    evidence: Vec<Evidence>,
    hypotheses: Vec<Hypothesis>,
    progress: Vec<String>,
}

/// The Prometheus that may be asked.
struct Source {
    prometheus: Prometheus,
    /// The integration that names it.
    integration: IntegrationId,
    /// Names of its metrics that say something about the health of services.
    metrics: Vec<String>,
}

/// A question that this process holds.
#[derive(Debug)]
pub struct Claimed {
    job: Job,
    at: Instant,
}

impl Worker<'_> {
    /// Claims the oldest question that waits.
    ///
    /// # Errors
    /// When the database refused.
    pub async fn claim_question(self) -> Result<Option<Claimed>> {
        let at = Instant::now();
        let lease = Times::of(self.model).lease.as_secs().cast_signed();
        Ok(lease::claim(self.db, QUEUE, lease).await?.map(|job| Claimed { job, at }))
    }

    /// Works on a question, and stores what comes of it.
    ///
    /// # Errors
    /// When the database refused; the question is tried again when its lease runs out.
    pub async fn answer_question(self, claimed: Claimed) -> Result<()> {
        let span = span!("question", incident = claimed.job.key);
        self.answer_claimed(claimed).instrument(span).await
    }

    async fn answer_claimed(self, Claimed { job, at }: Claimed) -> Result<()> {
        let tenant = TenantId(job.owner);
        let Some(mut work) = begin(self, tenant, &job, at).await? else { return Ok(()) };
        let end = if job.attempts > 1 {
            // Another worker died over it. Its call may have been answered; asking twice would pay twice.
            failed("the work on it was interrupted; ask again")
        } else {
            work.answer().await?
        };
        let mut tx = self.db.begin(tenant.0).await?;
        if analyses::hold(&mut tx, tenant, &job).await? {
            store::end(&mut tx, tenant, work.id, &end).await?;
            lease::finish(&mut tx, &job).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

async fn begin<'a>(
    worker: Worker<'a>,
    tenant: TenantId,
    job: &'a Job,
    claimed: Instant,
) -> Result<Option<Work<'a>>> {
    let mut tx = worker.db.begin(tenant.0).await?;
    if !analyses::hold(&mut tx, tenant, job).await? {
        return Ok(None);
    }
    let payload: Option<Payload> = serde_json::from_value(job.payload.0.clone()).ok();
    let asked = match &payload {
        Some(payload) => store::begin(&mut tx, tenant, payload.question_id).await?,
        None => None,
    };
    let (Some(Payload { question_id: id }), Some(asked)) = (payload, asked) else {
        lease::finish(&mut tx, job).await?;
        tx.commit().await?;
        return Ok(None);
    };
    ledger::orphan(&mut tx, tenant, asked.incident_id, Some(id)).await?;
    let evidence = analyses::evidence(&mut tx, tenant, asked.incident_id, asked.analysis_id).await?;
    let hypotheses = analyses::hypotheses(&mut tx, tenant, asked.analysis_id).await?;
    tx.commit().await?;
    let facts = Facts::read(worker.db, tenant, asked.incident_id).await?;
    let progress = Vec::new();
    Ok(Some(Work { worker, tenant, job, claimed, id, asked, facts, evidence, hypotheses, progress }))
}

impl Work<'_> {
    async fn answer(&mut self) -> Result<End> {
        let source = self.source().await;
        if !self.note(format!("Reading {} facts", self.evidence.len())).await? {
            return Ok(failed("somebody else took over"));
        }
        let similar = self.facts.similar.iter().map(|one| one.number);
        let names = similar.chain([self.facts.incident.number]).map(|number| format!("INC-{number}"));
        let incidents: BTreeSet<String> = names.collect();
        for round in 1..=ROUNDS {
            let looks = source.as_ref().filter(|_| round < ROUNDS);
            let metrics = looks.map_or(&[][..], |source| &source.metrics);
            let text = match self.call(metrics).await? {
                Ok(text) => text,
                Err(why) => return Ok(failed(&why)),
            };
            match prompt::read(&text, &self.evidence, &incidents, looks.is_some()) {
                Err(reason) => {
                    let failure = Failure::bad_output(reason, None);
                    return Ok(failed(&format!("the model was asked, and {failure}")));
                }
                Ok(Said::Answer(answer, cited)) => {
                    let status = QuestionStatus::Answered;
                    return Ok(End { status, answer: Some(answer), reason: None, cited });
                }
                Ok(Said::NotEnough(why)) => {
                    let status = QuestionStatus::Unanswered;
                    return Ok(End { status, answer: None, reason: Some(why), cited: Vec::new() });
                }
                Ok(Said::Look(queries)) => self.look(looks, queries).await?,
            }
        }
        Ok(failed("the model asked for more queries than one question may have"))
    }

    /// One call of the model: reserved, made and booked; its text, or why there is none.
    async fn call(&self, metrics: &[String]) -> Result<std::result::Result<String, String>> {
        let told = Told {
            evidence: &self.evidence,
            hypotheses: &self.hypotheses,
            title: &self.facts.incident.title,
            metrics,
        };
        let delimiter = format!("{:032x}", rand::random::<u128>());
        let request = prompt::write(&self.asked.question, &told, &delimiter);
        let Asked { project_id: project, incident_id: incident, analysis_id: analysis, .. } = self.asked;
        let purpose = Purpose { project, incident, analysis, question: Some(self.id) };
        let times = Times::of(self.worker.model);
        let (model, tenant, patience) = (self.worker.model, self.tenant, Instant::now() + PATIENCE);
        let call = loop {
            let mut tx = self.worker.db.begin(tenant.0).await?;
            if !analyses::hold(&mut tx, tenant, self.job).await? {
                return Ok(Err("somebody else took over".to_owned()));
            }
            if Instant::now() > self.claimed + times.last_call() {
                return Ok(Err("there was no time left for another call".to_owned()));
            }
            match model.reserve(&mut tx, tenant, purpose, self.job, &request, prompt::VERSION).await? {
                Ok(call) => {
                    tx.commit().await?;
                    break call;
                }
                Err(Denied::Refused(why)) => return Ok(Err(format!("the model was not asked: {why}"))),
                Err(Denied::Busy) if Instant::now() > patience => {
                    return Ok(Err("the model is busy with this incident's analysis; ask again".to_owned()));
                }
                Err(Denied::Busy) => {}
            }
            drop(tx);
            tokio::time::sleep(LOOK).await;
        };
        let outcome = model.complete(&request, Instant::now() + times.call).await;
        let spent = model.spent(&call, &outcome);
        tally::called(&outcome, spent);
        let mut tx = self.worker.db.begin(tenant.0).await?;
        if !analyses::hold(&mut tx, tenant, self.job).await? {
            return Ok(Err("somebody else took over".to_owned()));
        }
        call.settle(&mut tx, tenant, self.job, &outcome, spent).await?;
        tx.commit().await?;
        Ok(outcome.map(|reply| reply.text).map_err(|failure| format!("the model was asked, and {failure}")))
    }

    /// The first that knows any metrics, in the order in which the analysis asked them.
    async fn source(&self) -> Option<Source> {
        for stored in self.facts.by_fit() {
            if let Ok(Some(source)) = tokio::time::timeout(KNOCK, self.open(stored)).await {
                return Some(source);
            }
        }
        None
    }

    async fn open(&self, stored: &Stored) -> Option<Source> {
        let sealed = credentials(self.worker.keys, self.tenant, stored);
        let budget = Times::of(self.worker.model).budget();
        let prometheus = evidence::open(self.worker.outbound, stored, sealed, budget).await.ok()?;
        let (from, to) = self.facts.window;
        let names = prometheus.names(from.unix_seconds(), to.unix_seconds()).await.ok()?;
        let families = family::choose(&names, &std::collections::BTreeMap::new());
        let told = families.into_iter().map(|family| family.representative());
        let metrics: Vec<String> = told.filter(|name| name.len() <= 200).take(METRICS).collect();
        (!metrics.is_empty()).then_some(Source { prometheus, integration: stored.id, metrics })
    }

    /// Runs queries that the model asked for, and stores what each found as evidence.
    async fn look(&mut self, source: Option<&Source>, queries: Vec<(String, String)>) -> Result<()> {
        let Some(source) = source else { return Ok(()) };
        for (query, why) in queries {
            // What was looked up is among the facts that the model is told.
            if self.evidence.iter().any(|fact| fact.query.as_deref() == Some(query.as_str())) {
                continue;
            }
            let fact = self.found(source, &query, &why).await;
            let mut tx = self.worker.db.begin(self.tenant.0).await?;
            if !analyses::hold(&mut tx, self.tenant, self.job).await? {
                return Ok(());
            }
            let at = i64::try_from(self.evidence.len()).unwrap_or(i64::MAX);
            store::add_evidence(&mut tx, self.tenant, (self.id, &self.asked), at, &fact).await?;
            self.progress.push(short(&format!("Looked up {query}"), 300));
            store::save_progress(&mut tx, self.tenant, self.id, &self.progress).await?;
            tx.commit().await?;
            self.evidence.push(fact);
        }
        Ok(())
    }

    /// What a query says around the incident. Its numbers are ours; its reason is the model's, and marked as such.
    async fn found(&self, source: &Source, query: &str, why: &str) -> Evidence {
        let window: (Ts, Ts) = self.facts.window;
        let (from, to) = (window.0.unix_seconds(), window.1.unix_seconds());
        let step = ((to - from) / 240.0).ceil().max(5.0);
        let unit = unit_of(query);
        let purpose = if why.is_empty() { String::new() } else { format!(" (asked for: {why})") };
        let mut series = Vec::new();
        let (mut value, mut baseline) = (None, None);
        let says = match source.prometheus.range(query, from, to, step).await {
            Err(error) => format!("the query could not be answered: {error}"),
            Ok(lines) if lines.is_empty() => "the query has no series in the window".to_owned(),
            Ok(lines) => {
                let alarm = self.facts.alarm.unix_seconds() - 60.0;
                let told = lines.iter().take(5).enumerate().map(|(at, line)| {
                    let (before, now) = levels(line.points.iter().copied(), alarm);
                    if at == 0 {
                        (value, baseline) = (now, before);
                    }
                    let labels: Vec<String> =
                        line.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
                    format!("{}: {}", short(&labels.join(" "), 120), against(now, before, unit))
                });
                let told: Vec<String> = told.collect();
                let more = lines.len().saturating_sub(told.len());
                series.extend(lines.iter().take(5).map(|line| chart(line.labels.clone(), &line.points)));
                let more = if more > 0 { format!("; {more} more series") } else { String::new() };
                format!("{}{more}", told.join("; "))
            }
        };
        let mut fact = row(EvidenceKind::Metric, short(&format!("{says}{purpose}"), 900));
        (fact.role, fact.query) = (EvidenceRole::Context, Some(query.to_owned()));
        (fact.start, fact.end) = (Some(window.0), Some(window.1));
        (fact.value, fact.baseline, fact.unit) = (value, baseline, Some(unit.to_owned()));
        (fact.series, fact.integration) = (Some(series), Some(source.integration));
        fact.url = graph_url(source.prometheus.base(), query, window);
        fact
    }

    /// Stores what is being done; `false` when somebody else holds the question by now.
    async fn note(&mut self, line: String) -> Result<bool> {
        self.progress.push(line);
        let mut tx = self.worker.db.begin(self.tenant.0).await?;
        let held = analyses::hold(&mut tx, self.tenant, self.job).await?;
        if held {
            store::save_progress(&mut tx, self.tenant, self.id, &self.progress).await?;
            tx.commit().await?;
        }
        Ok(held)
    }
}

fn failed(why: &str) -> End {
    let status = QuestionStatus::Failed;
    End { status, answer: None, reason: Some(why.to_owned()), cited: Vec::new() }
}
