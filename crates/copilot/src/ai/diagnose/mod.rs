//! From what was gathered to hypotheses: the engine ranks, this puts its answer into words that cite evidence.

pub mod case;
pub mod claim;
pub mod history;
mod load;
pub mod rows;
mod shift;
mod tie;
pub mod without;

use diagnosis::{Cause, Diagnosis, Statement};
use outbox::Ts;

use super::analysis::{AnalysisStatus, Engine, Evidence, EvidenceKind};
use super::evidence::Gathered;
use crate::ids::{EvidenceId, HypothesisId};
use rows::Rows;
use tie::Loose;

/// Hypotheses of one analysis at most.
pub const MOST: usize = 5;

/// A cause less probable than this is not worth somebody's time.
const LEAST: f64 = 0.05;

/// When the cause is none of the candidates with at least this probability, none is proposed.
const NONE_OF_THESE: f64 = 0.5;

/// Without a first cause of at least this probability, none is proposed.
const LEAST_FIRST: f64 = 0.15;

/// No hypothesis is surer than this: what was never measured can't be ruled out.
pub const MOST_CONFIDENT: f64 = 0.95;

/// How much of the certainty about a service that can't keep up goes to who sends it too much.
const DRIVES: f64 = 0.85;

/// How much of it such a service keeps at most.
const DRIVEN: f64 = 0.4;

/// A proposed cause that has no place in the database yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// Names it from the moment it is proposed.
    pub id: HypothesisId,
    /// One plain sentence.
    pub claim: String,
    /// What speaks for it and against it.
    pub description: String,
    /// Its probability, capped where evidence is thin.
    pub confidence: f64,
    /// Lower end of the 90% interval.
    pub lower: f64,
    /// Upper end of it.
    pub upper: f64,
    /// The service.
    pub service: Option<String>,
    /// The metric that shows it best.
    pub metric: Option<String>,
    /// Evidence for it.
    pub supporting: Vec<EvidenceId>,
    /// Evidence against it.
    pub contradicting: Vec<EvidenceId>,
    /// What would decide.
    pub next_checks: Vec<String>,
    /// Who proposes it.
    pub engine: Engine,
}

/// The answer of one analysis.
#[derive(Clone, Debug, PartialEq)]
pub struct Conclusion {
    /// `completed` or `inconclusive`.
    pub status: AnalysisStatus,
    /// Why it is inconclusive.
    pub reason: Option<String>,
    /// The facts, in the order they are shown.
    pub evidence: Vec<Evidence>,
    /// Proposed causes, most probable first.
    pub proposals: Vec<Proposal>,
    /// What was and was not looked at.
    pub checked: Vec<String>,
    /// The likeliest start.
    pub onset: Option<Ts>,
}

/// Ranks the causes of an incident by what was gathered. Proposes nothing that the evidence does not carry.
pub fn conclude(gathered: &Gathered) -> Conclusion {
    let case = case::build(gathered);
    let diagnosis = diagnosis::diagnose(&case);
    let measured = !gathered.metrics.measured.is_empty();
    let onset = Some(diagnosis.onset).filter(|at| measured && at.is_finite());
    let mut rows = Rows::new(gathered, onset);
    rows.symptoms();
    rows.changes();
    let proposals =
        if measured { ranked(gathered, &diagnosis, &mut rows) } else { without::metrics(gathered, &rows) };
    rows.alerts();
    rows.incidents(&history::suspects(&proposals));
    let proposals = history::weigh(gathered, proposals, &mut rows);
    let status = if proposals.is_empty() { AnalysisStatus::Inconclusive } else { AnalysisStatus::Completed };
    let reason = proposals.is_empty().then(|| reason(gathered, &diagnosis));
    let onset = onset.map(|at| Ts::from_micros((at * 1e6) as i64));
    let mut checked = gathered.checked.clone();
    checked.push(history::told(rows.similar()));
    Conclusion { status, reason, evidence: rows.finish(), proposals, checked, onset }
}

/// Why there is no hypothesis.
fn reason(gathered: &Gathered, diagnosis: &Diagnosis) -> String {
    if gathered.metrics.measured.is_empty() {
        "no metrics could be looked at, and nothing else points at a cause".to_owned()
    } else if diagnosis.none_of_these >= NONE_OF_THESE {
        "nothing that was measured left its usual range clearly enough to be the cause".to_owned()
    } else {
        "no service stands out enough from the others to be named as the cause".to_owned()
    }
}

/// The engine's causes in words.
fn ranked(gathered: &Gathered, diagnosis: &Diagnosis, rows: &mut Rows<'_>) -> Vec<Proposal> {
    let first = diagnosis.causes.first().map_or(0.0, |cause| cause.probability);
    if diagnosis.none_of_these >= NONE_OF_THESE || first < LEAST_FIRST {
        return Vec::new();
    }
    let worth = diagnosis
        .causes
        .iter()
        .filter(|cause| {
            cause.probability >= LEAST && shift::left_its_range(gathered, diagnosis.onset, &cause.service)
        })
        .take(MOST);
    let causes: Vec<&Cause> = worth.collect();
    for cause in &causes {
        rows.cause(cause);
    }
    let mut out: Vec<Proposal> = Vec::new();
    for cause in causes {
        if let Some(proposal) = proposal(gathered, diagnosis, cause, rows)
            && !out.iter().any(|other| other.claim == proposal.claim)
        {
            out.push(proposal);
        }
    }
    out.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    follow_the_load(gathered, diagnosis.onset, &mut out, rows);
    out
}

/// Puts who sends too much before the service that can't keep up with it.
fn follow_the_load(gathered: &Gathered, onset: f64, out: &mut Vec<Proposal>, rows: &mut Rows<'_>) {
    let Some((first, suspect)) = out.first().and_then(|one| Some((one.clone(), one.service.clone()?))) else {
        return;
    };
    let Some(driver) = load::driver(gathered, onset, &suspect) else { return };
    let mut supporting: Vec<EvidenceId> = rows.load(driver.shown, driver.service).into_iter().collect();
    supporting.extend(driver.asks.and_then(|_| rows.change_of(driver.service)).map(|change| change.id));
    supporting.extend(first.supporting.iter().take(2));
    let confidence = DRIVES * first.confidence;
    let driven = Proposal {
        id: HypothesisId::new(),
        claim: claim::of_load(gathered, &driver, &suspect),
        description: format!(
            "The requests that {suspect} can't keep up with come from {}. {}",
            driver.service, first.description
        ),
        confidence,
        lower: DRIVES * first.lower,
        upper: first.upper,
        service: Some(driver.service.to_owned()),
        metric: gathered.metrics.asks.get(driver.shown.ask).map(|ask| ask.metric.clone()),
        supporting,
        contradicting: Vec::new(),
        next_checks: claim::checks_of_load(&driver),
        engine: Engine::Statistical,
    };
    out.retain(|one| one.service.as_deref() != Some(driver.service));
    // The services that can't keep up stay, as the next suspects, with what is left of the certainty.
    let others: f64 = out.iter().map(|one| one.confidence).sum();
    let kept = ((MOST_CONFIDENT - confidence) / others.max(1e-6)).clamp(0.0, DRIVEN);
    for one in out.iter_mut() {
        one.confidence *= kept;
        one.lower *= kept;
    }
    out.insert(0, driven);
    out.retain(|one| one.confidence >= LEAST);
    out.truncate(MOST);
}

/// A cause with its evidence; `None` when nothing can be cited for it.
fn proposal(gathered: &Gathered, diagnosis: &Diagnosis, cause: &Cause, rows: &Rows<'_>) -> Option<Proposal> {
    let mut supporting = rows.of_service(&cause.service);
    let change = change_before(cause).and_then(|_| rows.change_of(&cause.service));
    supporting.extend(change.map(|change| change.id));
    if gathered.facts.service() == Some(cause.service.as_str()) {
        supporting.extend(rows.symptom_ids());
    }
    supporting.truncate(8);
    if supporting.is_empty() {
        return None;
    }
    let mut contradicting: Vec<EvidenceId> = Vec::new();
    for finding in &cause.findings_against {
        if let Statement::ExplainedByCallee { callee } = &finding.statement {
            contradicting.extend(rows.of_service(callee).into_iter().take(2));
        }
    }
    contradicting.retain(|id| !supporting.contains(id));
    let loose = tie::loose(gathered, &cause.service);
    let cap = cap(gathered, cause, &supporting, rows).min(loose.map_or(1.0, Loose::cap));
    let confidence = cause.probability.clamp(0.0, 1.0).min(cap);
    let best = claim::most_telling(gathered, diagnosis.onset, cause);
    let mut description = claim::description(gathered, diagnosis.onset, cause);
    if let Some(loose) = loose {
        description = format!("{description} {}", loose.told(&cause.service));
    }
    // What the cap takes off the middle it takes off the lower end as well.
    let kept = confidence / cause.probability.max(1e-6);
    Some(Proposal {
        id: HypothesisId::new(),
        claim: claim::claim(gathered, diagnosis, cause),
        description,
        confidence,
        lower: (cause.lower * kept).clamp(0.0, confidence),
        upper: cause.upper.min(cap).clamp(confidence, 1.0),
        service: Some(cause.service.clone()),
        metric: best.map(|metric| metric.metric.clone()),
        supporting,
        contradicting,
        next_checks: claim::next_checks(gathered, diagnosis.onset, cause),
        engine: Engine::Statistical,
    })
}

/// How sure a hypothesis may be, whatever the engine says, given how much there is to cite.
fn cap(gathered: &Gathered, cause: &Cause, supporting: &[EvidenceId], rows: &Rows<'_>) -> f64 {
    let mut cap = MOST_CONFIDENT;
    if supporting.len() < 2 {
        cap = f64::min(cap, 0.6);
    }
    if supporting.iter().all(|id| rows.kind(*id) == Some(EvidenceKind::Change)) {
        cap = f64::min(cap, 0.35);
    }
    if rows.baseline_points() < 20 {
        cap = f64::min(cap, 0.5);
    }
    let elsewhere = gathered.facts.service().is_some_and(|own| own != cause.service);
    if elsewhere && gathered.metrics.graph.is_empty() {
        cap = f64::min(cap, 0.6);
    }
    cap
}

/// What changed on the service before the alarm, when that speaks for it: seconds before, and what.
pub fn change_before(cause: &Cause) -> Option<(f64, Option<&str>)> {
    cause.findings_for.iter().find_map(|finding| match &finding.statement {
        Statement::ChangeBefore { seconds, what, .. } if *seconds >= 0.0 => Some((*seconds, what.as_deref())),
        _ => None,
    })
}
