//! Root-cause localisation: series, changes, alerts and the call graph in; ranked causes with evidence and calibrated
//! probabilities out.
//!
//! Pure computation: no clock, no network, no storage. [`diagnose()`] never fails and never panics; where there is
//! nothing to go by, it says so in [`Diagnosis::none_of_these`]. The formulas and their sources are in
//! `docs/diagnosis.md`.
#![expect(
    clippy::indexing_slicing,
    reason = "numeric loops over vectors of the same length, checked by property tests"
)]

pub mod alert_files;
pub mod alert_weights;
pub mod alerts;
pub mod analysis;
pub mod case;
pub mod case_files;
pub mod changes;
pub mod columns;
pub mod company;
pub mod counters;
pub mod deviation;
pub mod diagnose;
pub mod drift;
pub mod evaluate;
pub mod evidence;
pub mod explain;
pub mod features;
pub mod files;
pub mod findings;
pub mod instances;
pub mod kind;
pub mod metrics;
pub mod onset;
pub mod robust;
pub mod score;
pub mod scoring;
pub mod season;
pub mod seconds;
pub mod shadow;
pub mod topology;
pub mod tracks;
pub mod vocabulary;
pub mod weights;

pub use case::{Case, Change, Direction, FiringAlert, Onset, Series, Signal};
pub use case_files::CaseFile;
pub use diagnose::{Cause, Diagnosis, diagnose};
pub use evaluate::{Diagnosed, Evaluated, Prediction, cases, diagnose_file, evaluate};
pub use files::ReadError;
pub use findings::{Finding, MetricFinding, Statement};
pub use kind::Kind;
