//! What a new version of an analysis says that the one before did not.

use super::analysis::{Evidence, EvidenceKind, Hypothesis};
use crate::ai::text::short;

/// A change of confidence worth a word.
const MOVED: f64 = 0.1;

/// New facts that are named.
const FACTS: usize = 4;

/// One version: its hypotheses, best first, and its facts.
pub type Version<'a> = (&'a [Hypothesis], &'a [Evidence]);

/// What is different, in words; that nothing of weight is, is said as well.
pub fn between(before: Version<'_>, after: Version<'_>) -> Vec<String> {
    let mut out = cause(before.0.first(), after.0.first());
    let known = |row: &&Evidence| before.1.iter().any(|old| old.kind == row.kind && same(old, row));
    let weighty = |row: &&Evidence| row.kind != EvidenceKind::Metric;
    let mut fresh: Vec<&Evidence> = after.1.iter().filter(weighty).filter(|row| !known(row)).collect();
    fresh.sort_by_key(|row| !is_report(row));
    out.extend(fresh.iter().take(FACTS).map(|row| {
        let what = if is_report(row) { "a change was reported" } else { "new" };
        short(&format!("{what}: {}", row.summary), 300)
    }));
    if fresh.len() > FACTS {
        out.push(format!("{} more new facts", fresh.len() - FACTS));
    }
    if out.is_empty() {
        out.push("nothing of weight changed".to_owned());
    }
    out
}

/// A change that somebody reported, not one that metrics show.
fn is_report(row: &Evidence) -> bool {
    row.kind == EvidenceKind::Change && row.query.is_none()
}

/// The same fact, although its numbers may have moved on.
fn same(old: &Evidence, new: &Evidence) -> bool {
    old.summary == new.summary || (old.start.is_some() && old.start == new.start && words(old) == words(new))
}

/// The text before the first digit or comma: what it is about.
fn words(row: &Evidence) -> &str {
    row.summary.split([',']).next().unwrap_or_default()
}

fn cause(before: Option<&Hypothesis>, after: Option<&Hypothesis>) -> Vec<String> {
    let about = |one: &Hypothesis| one.suspected_service.clone().unwrap_or_else(|| short(&one.claim, 80));
    let percent = |one: &Hypothesis| format!("{:.0}%", one.confidence_score * 100.0);
    match (before, after) {
        (None, Some(now)) => vec![format!("a cause is named now: {}", about(now))],
        (Some(old), None) => vec![format!("no cause is named any more; it was {}", about(old))],
        (Some(old), Some(now)) if about(old) != about(now) => {
            vec![format!("the first suspect is now {} ({}), it was {}", about(now), percent(now), about(old))]
        }
        (Some(old), Some(now)) if (now.confidence_score - old.confidence_score).abs() >= MOVED => {
            let word = if now.confidence_score > old.confidence_score { "more" } else { "less" };
            vec![format!("{} is {word} likely: {} after {}", about(now), percent(now), percent(old))]
        }
        _ => Vec::new(),
    }
}
