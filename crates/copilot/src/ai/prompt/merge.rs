//! The model's hypotheses beside the engine's: the engine's probability is the prior, the model moves it a little.

use super::answer::Said;
use crate::ai::analysis::{Engine, Evidence, EvidenceKind};
use crate::ai::diagnose::{MOST, MOST_CONFIDENT, Proposal};
use crate::ids::HypothesisId;

/// How far the model may move the log-odds of a cause.
const MOST_MOVE: f64 = 1.5;

/// The prior of a cause that the engine did not propose.
const UNPROPOSED: f64 = 0.05;

/// What is less probable than this is not shown.
const LEAST: f64 = 0.05;

/// The ranking of both together. Of two hypotheses about one service the better supported stands: the model's when it
/// builds on the engine's evidence or cites more, otherwise the engine's as it was.
pub fn merge(statistical: &[Proposal], said: &[Said], evidence: &[Evidence]) -> Vec<Proposal> {
    let mut rest: Vec<Proposal> = statistical.to_vec();
    let mut out = Vec::new();
    for one in said {
        let twin = rest.iter().position(|own| own.service.is_some() && own.service == one.service);
        let prior = twin.and_then(|at| rest.get(at));
        if prior.is_some_and(|own| !is_better_supported(one, own)) {
            continue;
        }
        let confidence =
            moved(prior.map_or(UNPROPOSED, |own| own.confidence), one.confidence).min(cap(one, evidence));
        let spread = prior.map_or((0.5, 2.0), |own| {
            let base = own.confidence.max(1e-3);
            (own.lower / base, own.upper / base)
        });
        out.push(Proposal {
            id: HypothesisId::new(),
            claim: one.claim.clone(),
            description: one.description.clone(),
            confidence,
            lower: (confidence * spread.0).clamp(0.0, confidence),
            upper: (confidence * spread.1).clamp(confidence, 1.0),
            service: one.service.clone(),
            metric: prior.and_then(|own| own.metric.clone()),
            supporting: one.supporting.clone(),
            contradicting: one.contradicting.clone(),
            next_checks: one.next_checks.clone(),
            engine: Engine::Llm,
        });
        if let Some(at) = twin {
            rest.remove(at);
        }
    }
    out.extend(rest);
    normalise(&mut out);
    out.retain(|one| one.confidence >= LEAST);
    out.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    out.truncate(MOST);
    out
}

fn is_better_supported(said: &Said, own: &Proposal) -> bool {
    let builds = own.supporting.iter().any(|id| said.supporting.contains(id));
    builds || said.supporting.len() > own.supporting.len()
}

/// `prior` moved towards `said`, by [`MOST_MOVE`] in log-odds at most.
fn moved(prior: f64, said: f64) -> f64 {
    let odds = |p: f64| {
        let p = p.clamp(0.01, 0.99);
        (p / (1.0 - p)).ln()
    };
    let shift = (odds(said) - odds(prior)).clamp(-MOST_MOVE, MOST_MOVE);
    1.0 / (1.0 + (-(odds(prior) + shift)).exp())
}

/// How sure a hypothesis may be given what it cites.
fn cap(said: &Said, evidence: &[Evidence]) -> f64 {
    let kinds = evidence.iter().filter(|row| said.supporting.contains(&row.id)).map(|row| row.kind);
    let kinds: Vec<EvidenceKind> = kinds.collect();
    if !kinds.contains(&EvidenceKind::Metric) {
        0.35
    } else if kinds.len() < 2 {
        0.6
    } else {
        MOST_CONFIDENT
    }
}

/// Causes exclude each other: together they are not surer than one.
fn normalise(all: &mut [Proposal]) {
    let sum: f64 = all.iter().map(|one| one.confidence).sum();
    if sum > MOST_CONFIDENT {
        let scale = MOST_CONFIDENT / sum;
        for one in all {
            one.confidence *= scale;
            one.lower *= scale;
            one.upper = (one.upper * scale).max(one.confidence);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::EvidenceId;

    fn own(supporting: &[EvidenceId]) -> Proposal {
        Proposal {
            id: HypothesisId::new(),
            claim: "the engine's".to_owned(),
            description: String::new(),
            confidence: 0.8,
            lower: 0.7,
            upper: 0.9,
            service: Some("db".to_owned()),
            metric: None,
            supporting: supporting.to_vec(),
            contradicting: Vec::new(),
            next_checks: Vec::new(),
            engine: Engine::Statistical,
        }
    }

    fn said(supporting: &[EvidenceId]) -> Said {
        Said {
            claim: "the model's".to_owned(),
            description: String::new(),
            confidence: 0.8,
            service: Some("db".to_owned()),
            supporting: supporting.to_vec(),
            contradicting: Vec::new(),
            next_checks: Vec::new(),
        }
    }

    #[test]
    fn of_two_about_one_service_the_better_supported_stands() {
        let ids: Vec<EvidenceId> = (0..5).map(|_| EvidenceId::new()).collect();
        for (cited, who) in [
            (&ids[..1], "the model's"),
            (&ids[2..3], "the engine's"),
            (&ids[2..4], "the engine's"),
            (&ids[2..5], "the model's"),
        ] {
            let merged = merge(&[own(&ids[..2])], &[said(cited)], &[]);
            let claims: Vec<&str> = merged.iter().map(|one| one.claim.as_str()).collect();
            assert_eq!(claims, [who], "{} cited", cited.len());
        }
        let kept = merge(&[own(&ids[..2])], &[said(&ids[2..3])], &[]);
        assert_eq!(kept[0].confidence, 0.8, "agreeing makes nobody less sure");
    }

    #[test]
    fn a_model_moves_the_odds_only_so_far() {
        for (prior, said, least, most) in [
            (0.3, 1.0, 0.65, 0.66),
            (0.3, 0.0, 0.08, 0.09),
            (0.3, 0.35, 0.349, 0.351),
            (UNPROPOSED, 1.0, 0.19, 0.2),
            (0.0, 1.0, 0.04, 0.05),
            (1.0, 0.0, 0.95, 0.96),
        ] {
            let moved = moved(prior, said);
            assert!((least..=most).contains(&moved), "{prior} towards {said}: {moved}");
        }
    }
}
