//! The model's hypotheses beside the engine's: the engine's probability is the prior, the model moves it a little.

use super::answer::Said;
use crate::ai::analysis::{Engine, Evidence, EvidenceKind};
use crate::ai::diagnose::{MOST, MOST_CONFIDENT, Proposal};
use crate::ids::{EvidenceId, HypothesisId};

/// How far the model may move the log-odds of a cause.
const MOST_MOVE: f64 = 1.5;

/// The prior of a cause that the engine did not propose.
const UNPROPOSED: f64 = 0.05;

/// What is less probable than this is not shown.
const LEAST: f64 = 0.05;

/// Words that say nothing of a cause beside a service's name.
const EMPTY: [&str; 26] = [
    "a",
    "an",
    "and",
    "are",
    "be",
    "by",
    "cause",
    "caused",
    "failing",
    "fault",
    "has",
    "in",
    "incident",
    "is",
    "issue",
    "likely",
    "most",
    "of",
    "problem",
    "root",
    "service",
    "suspected",
    "the",
    "this",
    "with",
    "within",
];

/// The ranking of both together. A hypothesis of the model takes the place of the engine's about the same service when
/// it builds on the same evidence and says more than the name; otherwise the engine's stands as it was, and is not told
/// twice.
pub fn merge(statistical: &[Proposal], said: &[Said], evidence: &[Evidence]) -> Vec<Proposal> {
    let mut rest: Vec<Proposal> = statistical.to_vec();
    let (mut out, mut replaced) = (Vec::new(), Vec::new());
    for one in said {
        let twin = rest.iter().position(|own| own.service.is_some() && own.service == one.service);
        let prior = twin.and_then(|at| rest.get(at));
        if only_names(one) {
            continue;
        }
        if prior.is_some_and(|own| !own.supporting.iter().any(|id| one.supporting.contains(id))) {
            continue;
        }
        let mut supporting = one.supporting.clone();
        // What the engine found speaks for the cause whatever the model cites of it.
        let also =
            prior.into_iter().flat_map(|own| &own.supporting).filter(|id| !one.supporting.contains(id));
        supporting.extend(also);
        let contradicting = one.contradicting.iter().filter(|id| !supporting.contains(id)).copied().collect();
        let confidence = moved(prior.map_or(UNPROPOSED, |own| own.confidence), one.confidence);
        let confidence = confidence.min(cap(&supporting, evidence));
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
            supporting,
            contradicting,
            next_checks: one.next_checks.clone(),
            engine: Engine::Llm,
        });
        if let Some(at) = twin {
            rest.remove(at);
            replaced.push(out.len() - 1);
        }
    }
    let known: f64 =
        replaced.iter().filter_map(|at| out.get(*at)).chain(&rest).map(|one| one.confidence).sum();
    let unproposed = (0..out.len()).filter(|at| !replaced.contains(at)).collect::<Vec<_>>();
    leave_room(&mut out, &unproposed, known);
    out.extend(rest);
    normalise(&mut out);
    out.retain(|one| one.confidence >= LEAST);
    out.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    out.truncate(MOST);
    out
}

/// Whether a claim says nothing but which service it is, as small models do: nobody can check it or act on it.
fn only_names(said: &Said) -> bool {
    let Some(service) = said.service.as_deref() else { return false };
    let claim = said.claim.to_lowercase().replace(&service.to_lowercase(), " ");
    let mut words = claim.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.all(|word| EMPTY.contains(&word))
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

/// Makes causes that the engine did not propose share what it leaves open, however many a model tells.
fn leave_room(out: &mut [Proposal], unproposed: &[usize], known: f64) {
    let sum: f64 = unproposed.iter().filter_map(|at| out.get(*at)).map(|one| one.confidence).sum();
    let room = (MOST_CONFIDENT - known).max(0.0);
    if sum > room {
        for at in unproposed {
            if let Some(one) = out.get_mut(*at) {
                scale(one, room / sum);
            }
        }
    }
}

fn scale(one: &mut Proposal, by: f64) {
    one.confidence *= by;
    one.lower *= by;
    one.upper = (one.upper * by).max(one.confidence);
}

/// How sure a hypothesis may be given what it cites.
fn cap(supporting: &[EvidenceId], evidence: &[Evidence]) -> f64 {
    let kinds = evidence.iter().filter(|row| supporting.contains(&row.id)).map(|row| row.kind);
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
        for one in all {
            scale(one, MOST_CONFIDENT / sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn what_was_measured_of_a_service_is_built_upon_or_stands() {
        let ids: Vec<EvidenceId> = (0..5).map(|_| EvidenceId::new()).collect();
        for (cited, who) in [
            (&ids[..1], "the model's"),
            (&ids[1..5], "the model's"),
            (&ids[2..3], "the engine's"),
            (&ids[2..5], "the engine's"),
        ] {
            let merged = merge(&[own(&ids[..2])], &[said(cited)], &[]);
            let claims: Vec<&str> = merged.iter().map(|one| one.claim.as_str()).collect();
            assert_eq!(claims, [who], "{} cited", cited.len());
        }
        let kept = merge(&[own(&ids[..2])], &[said(&ids[2..3])], &[]);
        assert_eq!(kept[0].confidence, 0.8, "agreeing makes nobody less sure");
    }

    fn metric(id: EvidenceId) -> Evidence {
        Evidence { id, ..crate::ai::diagnose::rows::row(EvidenceKind::Metric, String::new()) }
    }

    #[test]
    fn agreeing_over_little_lowers_nothing() {
        let ids: Vec<EvidenceId> = (0..3).map(|_| EvidenceId::new()).collect();
        let measured: Vec<Evidence> = ids.iter().take(2).map(|id| metric(*id)).collect();
        let merged = merge(&[own(&ids)], &[Said { confidence: 1.0, ..said(&ids[2..]) }], &measured);
        assert_eq!((merged[0].engine, merged[0].supporting.len()), (Engine::Llm, 3));
        assert!(merged[0].confidence >= 0.8, "{}", merged[0].confidence);
        assert!(merged[0].lower < merged[0].confidence);
    }

    #[test]
    fn many_claims_about_nothing_measured_leave_the_engine_its_odds() {
        let ids: Vec<EvidenceId> = (0..2).map(|_| EvidenceId::new()).collect();
        let filler = |at: usize| Said {
            claim: format!("a rumour, number {at}"),
            service: None,
            confidence: 1.0,
            ..said(&ids)
        };
        let many: Vec<Said> = (0..5).map(filler).collect();
        let merged = merge(&[own(&ids)], &many, &[metric(ids[0]), metric(ids[1])]);
        assert_eq!((merged[0].claim.as_str(), merged[0].confidence), ("the engine's", 0.8));
    }

    #[test]
    fn a_claim_that_only_names_a_service_replaces_nothing() {
        let ids: Vec<EvidenceId> = (0..2).map(|_| EvidenceId::new()).collect();
        for (claim, who) in [
            ("db is the cause", "the engine's"),
            ("The root cause is most likely the DB service.", "the engine's"),
            ("db ran out of connections", "db ran out of connections"),
            ("a release of db", "a release of db"),
        ] {
            let said = Said { claim: claim.to_owned(), ..said(&ids) };
            let merged = merge(&[own(&ids)], std::slice::from_ref(&said), &[]);
            assert_eq!(merged.iter().map(|one| one.claim.as_str()).collect::<Vec<_>>(), [who]);
            let unproposed = merge(&[], &[said], &[]);
            assert_eq!(unproposed.len(), usize::from(who == claim), "{claim}");
        }
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
