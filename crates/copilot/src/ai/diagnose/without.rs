//! What can be said without metrics: only what a change or an earlier incident carries, and never surely.

use super::rows::{Changed, Rows};
use super::{MOST, Proposal};
use crate::ai::analysis::Engine;
use crate::ai::diagnose::claim::CLAIM;
use crate::ai::evidence::Gathered;
use crate::ai::text::{short, span};

/// How sure a change makes: within ten minutes, half an hour, an hour before the alarm.
const CHANGE: [(f64, f64); 3] = [(600.0, 0.35), (1800.0, 0.2), (3600.0, 0.1)];

/// Proposals that rest on changes alone.
pub fn metrics(gathered: &Gathered, rows: &Rows<'_>) -> Vec<Proposal> {
    let mut services: Vec<&str> =
        gathered.facts.alerts.iter().filter_map(|alert| alert.service_name.as_deref()).collect();
    services.extend(gathered.facts.service());
    services.sort_unstable();
    services.dedup();
    let mut out: Vec<Proposal> =
        services.into_iter().filter_map(|service| changed(gathered, rows, service)).collect();
    out.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    out.truncate(MOST);
    out
}

/// An alerting service that changed shortly before.
fn changed(gathered: &Gathered, rows: &Rows<'_>, service: &str) -> Option<Proposal> {
    let Changed { id, at, what, .. } = rows.change_of(service)?;
    let before = gathered.facts.alarm.seconds_since(*at);
    let (_, confidence) = CHANGE.into_iter().find(|(within, _)| before <= *within)?;
    let began = match gathered.facts.alerts.is_empty() {
        true => format!("The incident of {service} was opened"),
        false => format!("{service} began to fire alerts"),
    };
    let claim = format!("{began} {} after {what}", span(before));
    Some(Proposal {
        id: crate::ids::HypothesisId::new(),
        claim: short(&claim, CLAIM - 1),
        description: "Only the order of the two speaks for it: no metrics could be looked at.".to_owned(),
        confidence,
        lower: confidence / 3.0,
        upper: (confidence * 1.7).min(0.6),
        service: Some(service.to_owned()),
        metric: None,
        supporting: vec![*id],
        contradicting: Vec::new(),
        next_checks: vec![
            short(
                &format!(
                    "Compare the logs of {service} before and after {what}; rolling it back would decide"
                ),
                400,
            ),
            "Give this project the address of its Prometheus, so that metrics can be looked at".to_owned(),
        ],
        engine: Engine::Statistical,
    })
}
