//! What the model said, checked before anything of it is kept.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use llm::BadOutput;
use regex::Regex;
use serde::Deserialize;

use super::clean::clean;
use super::grounded::Known;
use super::{CLAIM_MEANING, Prompt, READ};
use crate::ai::diagnose::claim::{CLAIM, DESCRIPTION};
use crate::ai::text::short;
use crate::ids::EvidenceId;

/// A hypothesis of the model that may be shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// The cause.
    pub claim: String,
    /// The reasoning.
    pub description: String,
    /// From 0 to 1.
    pub confidence: f64,
    /// One of the known services.
    pub service: Option<String>,
    /// Evidence for it; at least one.
    pub supporting: Vec<EvidenceId>,
    /// Evidence against it.
    pub contradicting: Vec<EvidenceId>,
    /// What would decide.
    pub next_checks: Vec<String>,
}

/// An answer, checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// What may be shown.
    pub said: Vec<Said>,
    /// The model says that the evidence carries no cause.
    pub insufficient: bool,
    /// Hypotheses that were left out, because the evidence does not hold what they say or cite.
    pub unsupported: usize,
}

#[derive(Deserialize)]
struct Sent {
    hypotheses: Vec<Item>,
    #[serde(default)]
    insufficient_evidence: bool,
}

#[derive(Deserialize)]
struct Item {
    claim: String,
    #[serde(default)]
    description: String,
    confidence: f64,
    #[serde(default)]
    suspected_service: Option<String>,
    #[serde(default)]
    supporting_evidence: Vec<String>,
    #[serde(default)]
    contradicting_evidence: Vec<String>,
    #[serde(default)]
    next_checks: Vec<String>,
}

/// Reads an answer. An empty list is a legal one: the evidence is insufficient.
///
/// # Errors
/// When the text is not the one object that was asked for.
pub fn read(text: &str, prompt: &Prompt) -> Result<Answer, BadOutput> {
    let sent: Sent = llm::answer::parse(text)?;
    let mut out = Answer { insufficient: sent.insufficient_evidence, ..Answer::default() };
    if out.insufficient {
        return Ok(out);
    }
    let known = Known::new(&prompt.request.user, &prompt.request.system, &prompt.services);
    for item in sent.hypotheses.into_iter().take(READ) {
        match check(item, prompt, &known) {
            None => out.unsupported += 1,
            Some(said) if out.said.iter().any(|other| is_told_twice(other, &said)) => {}
            Some(said) => out.said.push(said),
        }
    }
    Ok(out)
}

/// Whether two hypotheses are one in other words, or about one service, which a cause is about.
fn is_told_twice(one: &Said, other: &Said) -> bool {
    same(&one.claim, &other.claim) || (one.service.is_some() && one.service == other.service)
}

/// A hypothesis with everything taken off that does not exist; `None` when nothing is left to stand on.
fn check(item: Item, prompt: &Prompt, known: &Known<'_>) -> Option<Said> {
    let claim = honest(&item.claim, prompt);
    if claim.is_empty() || same(&claim, CLAIM_MEANING) || !item.confidence.is_finite() {
        return None;
    }
    let supporting = cited(&item.supporting_evidence, prompt);
    let service = item.suspected_service.filter(|service| prompt.services.contains(service));
    let elsewhere = service.as_ref().is_some_and(|service| known.is_blamed_elsewhere(&claim, service));
    if supporting.is_empty() || elsewhere || known.is_repeated_by(&claim) || !known.has_numbers_of(&claim) {
        return None;
    }
    let holds = |text: &String| known.has_numbers_of(text) && !known.is_repeated_by(text);
    let description = Some(honest(&item.description, prompt)).filter(holds).unwrap_or_default();
    let mut contradicting = cited(&item.contradicting_evidence, prompt);
    contradicting.retain(|id| !supporting.contains(id));
    let checks = item.next_checks.iter().map(|check| short(honest(check, prompt).trim(), 300));
    Some(Said {
        claim: short(&claim, CLAIM - 1),
        description: short(&description, DESCRIPTION - 1),
        confidence: item.confidence.clamp(0.0, 1.0),
        service,
        supporting,
        contradicting,
        next_checks: checks.filter(|check| !check.is_empty()).take(5).collect(),
    })
}

/// The evidence behind `E1`, `E2`…, each once; what was not in the prompt is left out.
fn cited(ids: &[String], prompt: &Prompt) -> Vec<EvidenceId> {
    let mut seen = BTreeSet::new();
    let number = |id: &String| id.strip_prefix('E')?.parse::<usize>().ok()?.checked_sub(1);
    let exist = ids.iter().filter_map(number).filter_map(|at| prompt.evidence.get(at).copied());
    exist.filter(|id| seen.insert(*id)).take(20).collect()
}

fn honest(text: &str, prompt: &Prompt) -> String {
    without_unknown_incidents(text, &prompt.incidents)
}

/// The text without invisible characters and without incidents that were not in the prompt.
pub fn without_unknown_incidents(text: &str, incidents: &BTreeSet<String>) -> String {
    // However a model writes it; but the name of a company may end in "Inc" before a number.
    static INCIDENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?:(?i:INC)[-\u{2010}-\u{2015}]|\bINC ?#?|\b(?i:incident) ?#)(\d+)\b").ok()
    });
    let text = clean(text);
    let Some(pattern) = INCIDENT.as_ref() else { return text };
    let known = |found: &regex::Captures<'_>| {
        let name = format!("INC-{}", found.get(1).map_or("", |number| number.as_str()));
        if incidents.contains(&name) { name } else { "[an incident that does not exist]".to_owned() }
    };
    pattern.replace_all(&text, known).trim().to_owned()
}

fn same(a: &str, b: &str) -> bool {
    let letters = |text: &str| {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>()
    };
    letters(a) == letters(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_incidents_of_the_prompt_are_named() {
        let known = BTreeSet::from(["INC-7".to_owned()]);
        for text in [
            "as in INC-445",
            "as in inc-445",
            "as in INC 445",
            "as in INC445",
            "as in INC\u{2011}445",
            "as in INC #445",
            "as in incident #445",
        ] {
            let told = without_unknown_incidents(text, &known);
            assert_eq!(told, "as in [an incident that does not exist]", "{text}");
        }
        for text in ["as in INC-7", "as in inc-7", "as in INC\u{2011}7"] {
            assert_eq!(without_unknown_incidents(text, &known), "as in INC-7", "{text}");
        }
        for text in ["Acme Inc 2024", "since 12:00", "incidents 3 and 4"] {
            assert_eq!(without_unknown_incidents(text, &known), text);
        }
    }
}
