//! What an analysis is made of.

pub mod store;

use std::collections::BTreeMap;

use outbox::Ts;
use serde::{Deserialize, Serialize};

use crate::ids::{AnalysisId, EvidenceId, HypothesisId, IncidentId, IntegrationId};

crate::words! {
    /// How far an analysis has come.
    pub enum AnalysisStatus {
        /// It waits for a worker.
        Queued = "queued",
        /// A worker is on it.
        Running = "running",
        /// It has hypotheses.
        Completed = "completed",
        /// There is not enough evidence for one.
        Inconclusive = "inconclusive",
        /// Our own work failed.
        Failed = "failed",
    }
}

impl AnalysisStatus {
    /// Whether nothing more will come.
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

crate::words! {
    /// Who wrote something.
    pub enum Engine {
        /// The statistical engine.
        Statistical = "statistical",
        /// The configured language model.
        Llm = "llm",
    }
}

crate::words! {
    /// What a piece of evidence is made from.
    pub enum EvidenceKind {
        /// A query to Prometheus.
        Metric = "metric",
        /// An alert.
        Alert = "alert",
        /// A deployment, configuration change or flag.
        Change = "change",
        /// An earlier incident.
        Incident = "incident",
    }
}

crate::words! {
    /// What a piece of evidence is there for.
    pub enum EvidenceRole {
        /// The alert's own expression.
        Symptom = "symptom",
        /// It speaks for or against a cause.
        Candidate = "candidate",
        /// It was going on at the same time.
        Context = "context",
    }
}

crate::words! {
    /// What a person says of a hypothesis.
    pub enum Verdict {
        /// It is right.
        Accepted = "accepted",
        /// It is wrong.
        Rejected = "rejected",
        /// It can't be told.
        Uncertain = "uncertain",
    }
}

/// Tokens of an analysis' model calls; null where the endpoint did not say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Tokens {
    /// Of the prompts.
    pub prompt: Option<i64>,
    /// Of the answers.
    pub completion: Option<i64>,
}

/// One version of an incident's analysis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, by the contract's names")]
pub struct Analysis {
    pub id: AnalysisId,
    pub version: i64,
    pub status: AnalysisStatus,
    pub engine: Engine,
    pub model: Option<String>,
    pub started_at: Option<Ts>,
    pub completed_at: Option<Ts>,
    /// Why it ended as it did, in words.
    pub reason: Option<String>,
    /// What was and was not looked at, in words.
    pub checked: Vec<String>,
    pub tokens: Option<Tokens>,
    pub cost_usd: Option<f64>,
    /// Whether the endpoint did not say what was used, so that the cost is what was reserved for it.
    pub cost_estimated: bool,
    pub onset_at: Option<Ts>,
    /// What is different from the version before, in words; null for the first.
    pub changed: Option<Vec<String>>,
}

/// A version of an incident's analysis, as it stands in the list of them.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema, sqlx::FromRow)]
#[expect(missing_docs, reason = "the fields are the contract's, by the contract's names")]
pub struct Version {
    pub version: i64,
    #[sqlx(try_from = "String")]
    pub status: AnalysisStatus,
    /// Why it ended as it did, in words.
    pub reason: Option<String>,
    pub completed_at: Option<Ts>,
}

/// What somebody said of a hypothesis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, by the contract's names")]
pub struct Feedback {
    pub verdict: Verdict,
    pub comment: Option<String>,
    pub by: String,
    pub at: Ts,
    /// The earlier version in which it was said of the same service and metric; null when it was said of this one.
    pub from_version: Option<i64>,
}

/// A proposed cause, which cites evidence that exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, by the contract's names")]
pub struct Hypothesis {
    pub id: HypothesisId,
    pub incident_id: IncidentId,
    pub analysis_id: AnalysisId,
    pub rank: i64,
    pub claim: String,
    pub description: String,
    /// From 0 to 1, calibrated.
    pub confidence_score: f64,
    pub confidence_lower: f64,
    pub confidence_upper: f64,
    pub suspected_service: Option<String>,
    pub suspected_metric: Option<String>,
    pub supporting_evidence: Vec<EvidenceId>,
    pub contradicting_evidence: Vec<EvidenceId>,
    pub next_checks: Vec<String>,
    pub engine: Engine,
    pub feedback: Option<Feedback>,
    pub created_at: Ts,
}

/// A series to draw: labels, and (Unix seconds, value) with null where there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, by the contract's names")]
pub struct ChartSeries {
    pub labels: BTreeMap<String, String>,
    #[schema(value_type = Vec<Vec<Option<f64>>>)]
    pub points: Vec<(f64, Option<f64>)>,
}

/// A fact that hypotheses cite: made by the server, from a query that really ran or a row that exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, by the contract's names")]
pub struct Evidence {
    pub id: EvidenceId,
    pub kind: EvidenceKind,
    pub summary: String,
    pub query: Option<String>,
    pub start: Option<Ts>,
    pub end: Option<Ts>,
    pub value: Option<f64>,
    pub baseline: Option<f64>,
    /// How far out of its usual range: half the logarithm of the most extreme plus half that of the median, in scales.
    pub score: Option<f64>,
    pub unit: Option<String>,
    pub role: EvidenceRole,
    pub series: Option<Vec<ChartSeries>>,
    pub threshold: Option<f64>,
    pub url: Option<String>,
    /// The integration whose Prometheus answered.
    #[serde(skip)]
    #[schema(ignore)]
    pub integration: Option<IntegrationId>,
}
