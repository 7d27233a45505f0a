//! What earlier incidents of the project say: which resemble this one, and what people found to be their causes.
//!
//! Only people move a ranking: a cause that was accepted or written down lifts the same suspect, a rejected one lowers
//! it, by a bounded step in log-odds. What a project's people said moves that project's rankings alone.

use std::collections::BTreeSet;

use super::rows::Rows;
use super::{MOST_CONFIDENT, Proposal};
use crate::ai::evidence::Gathered;
use crate::ai::evidence::store::Similar;
use crate::ai::text::short;

/// Similar incidents shown.
const SHOWN: usize = 5;

/// How alike an incident must be to be shown, from 0 to 1.
const ALIKE: f64 = 0.55;

/// What the same suspects add to how alike two incidents are.
const SHAPE: f64 = 0.3;

/// Log-odds that one confirmed cause adds, times how alike the incident is.
const CONFIRMED: f64 = 0.8;

/// Log-odds that a confirmed cause elsewhere takes off.
const ELSEWHERE: f64 = 0.3;

/// How far the past may move the log-odds of a cause altogether.
const MOST_MOVE: f64 = 1.2;

/// How alike two incidents are by their words, from 0 to 1: title, labels and service; the same key is the same alert.
pub fn likeness(
    same_key: bool,
    titles: (&str, &str),
    labels: (&[String], &[String]),
    same_service: bool,
) -> f64 {
    if same_key {
        return 1.0;
    }
    let words = |text: &str| -> BTreeSet<String> {
        let split = text.split(|letter: char| !letter.is_alphanumeric());
        // Numbers differ from one firing to the next and say nothing.
        let told = split.filter(|word| word.len() > 1 && !word.bytes().all(|byte| byte.is_ascii_digit()));
        told.map(str::to_lowercase).collect()
    };
    let own: BTreeSet<&String> = labels.0.iter().collect();
    let other: BTreeSet<&String> = labels.1.iter().collect();
    let title = shared(&words(titles.0), &words(titles.1));
    0.5 * title + 0.25 * shared(&own, &other) + if same_service { 0.25 } else { 0.0 }
}

/// Jaccard's index: what two sets share of what they hold together.
fn shared<T: Ord>(a: &BTreeSet<T>, b: &BTreeSet<T>) -> f64 {
    let all = a.union(b).count();
    if all == 0 { 0.0 } else { a.intersection(b).count() as f64 / all as f64 }
}

/// The services and metrics that are suspected.
pub fn suspects(proposals: &[Proposal]) -> Vec<(String, Option<String>)> {
    let named = proposals.iter().filter_map(|one| Some((one.service.clone()?, one.metric.clone())));
    named.take(3).collect()
}

/// The incidents most like this one, by words and by whom the evidence pointed at, the closest first.
pub fn closest<'a>(gathered: &'a Gathered, suspects: &[(String, Option<String>)]) -> Vec<&'a Similar> {
    let mut found: Vec<(f64, &Similar)> =
        gathered.facts.similar.iter().map(|one| (alike(one, suspects), one)).collect();
    found.retain(|(alike, _)| *alike >= ALIKE);
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| b.1.started_at.cmp(&a.1.started_at)));
    found.into_iter().take(SHOWN).map(|(_, one)| one).collect()
}

fn alike(one: &Similar, suspects: &[(String, Option<String>)]) -> f64 {
    let parts = |of: &[(String, Option<String>)]| -> BTreeSet<String> {
        let metrics =
            of.iter().filter_map(|(service, metric)| Some(format!("{service} {}", metric.as_ref()?)));
        of.iter().map(|(service, _)| service.clone()).chain(metrics).collect()
    };
    (one.alike + SHAPE * shared(&parts(suspects), &parts(&one.suspects))).min(1.0)
}

/// How many similar incidents there are, in words.
pub fn told(similar: &[(i64, crate::ids::EvidenceId)]) -> String {
    match similar.len() {
        0 => "no similar incident before it".to_owned(),
        1 => "1 similar incident before it".to_owned(),
        count => format!("{count} similar incidents before it"),
    }
}

/// The ranking after what people said of similar incidents.
pub fn weigh(gathered: &Gathered, mut proposals: Vec<Proposal>, rows: &mut Rows<'_>) -> Vec<Proposal> {
    let suspects = suspects(&proposals);
    let past: Vec<(f64, &Similar)> =
        closest(gathered, &suspects).into_iter().map(|one| (alike(one, &suspects), one)).collect();
    let mut moved = false;
    for proposal in &mut proposals {
        let Some(service) = proposal.service.clone() else { continue };
        let shift: f64 = past.iter().map(|(alike, one)| alike * one.says_of(&service)).sum();
        if shift == 0.0 {
            continue;
        }
        moved = true;
        nudge(proposal, shift.clamp(-MOST_MOVE, MOST_MOVE));
        cite(proposal, &service, &past, rows);
    }
    if moved {
        normalise(&mut proposals);
        proposals.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    }
    proposals
}

/// Adds `shift` to the log-odds.
fn nudge(proposal: &mut Proposal, shift: f64) {
    let before = proposal.confidence.clamp(0.01, 0.99);
    let odds = (before / (1.0 - before)).ln() + shift;
    let after = (1.0 / (1.0 + (-odds).exp())).min(MOST_CONFIDENT);
    let scale = after / before;
    proposal.confidence = after;
    proposal.lower = (proposal.lower * scale).clamp(0.0, after);
    proposal.upper = (proposal.upper * scale).clamp(after, 1.0);
}

/// Names the incidents that speak for the suspect, and those that speak against it.
fn cite(proposal: &mut Proposal, service: &str, past: &[(f64, &Similar)], rows: &Rows<'_>) {
    for (_, one) in past {
        let Some((_, id)) = rows.similar().iter().find(|(number, _)| *number == one.number) else { continue };
        let said = one.says_of(service);
        let (list, words) = if said > 0.0 {
            (&mut proposal.supporting, "was found to be the cause of")
        } else if said < 0.0 {
            (&mut proposal.contradicting, "was found not to be the cause of")
        } else {
            continue;
        };
        if !list.contains(id) {
            list.push(*id);
            let more = format!("{} {service} {words} INC-{}.", proposal.description, one.number);
            proposal.description = short(more.trim(), super::claim::DESCRIPTION - 1);
        }
    }
}

fn normalise(proposals: &mut [Proposal]) {
    let sum: f64 = proposals.iter().map(|one| one.confidence).sum();
    if sum > MOST_CONFIDENT {
        for one in proposals {
            one.confidence *= MOST_CONFIDENT / sum;
            one.lower *= MOST_CONFIDENT / sum;
            one.upper = (one.upper * MOST_CONFIDENT / sum).max(one.confidence);
        }
    }
}

impl Similar {
    /// What its people said of `service`: positive when it was the cause, negative when it was not.
    pub fn says_of(&self, service: &str) -> f64 {
        let verdict = |word: &str| {
            self.verdicts.iter().any(|said| said.verdict == word && said.service.as_deref() == Some(service))
        };
        if verdict("accepted") || self.names(service) {
            CONFIRMED
        } else if verdict("rejected") {
            -CONFIRMED
        } else if self.verdicts.iter().any(|said| said.verdict == "accepted" && said.service.is_some()) {
            -ELSEWHERE
        } else {
            0.0
        }
    }

    /// The claim that was accepted.
    pub fn accepted(&self) -> Option<&str> {
        self.verdicts.iter().find(|said| said.verdict == "accepted").map(|said| said.claim.as_str())
    }

    /// Whether the cause that was written down names `service`.
    fn names(&self, service: &str) -> bool {
        self.root_cause.as_deref().is_some_and(|cause| names(cause, service))
    }
}

/// Whether a cause in words names `service` as a word of its own.
pub fn names(cause: &str, service: &str) -> bool {
    let (cause, service) = (cause.to_lowercase(), service.to_lowercase());
    let part = |letter: char| letter.is_alphanumeric() || letter == '-' || letter == '_';
    !service.is_empty()
        && cause.match_indices(&service).any(|(at, found)| {
            let before = cause.get(..at).and_then(|text| text.chars().next_back());
            let after = cause.get(at + found.len()..).and_then(|text| text.chars().next());
            !before.is_some_and(part) && !after.is_some_and(part)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ai::evidence::store::Said;

    fn similar(root_cause: Option<&str>, verdicts: &[(&str, &str)]) -> Similar {
        let said = |(service, verdict): &(&str, &str)| Said {
            service: Some((*service).to_owned()),
            verdict: (*verdict).to_owned(),
            claim: format!("{service} broke"),
        };
        Similar {
            number: 7,
            title: "x".to_owned(),
            started_at: outbox::Ts::from_micros(0),
            root_cause: root_cause.map(str::to_owned),
            verdicts: verdicts.iter().map(said).collect(),
            suspects: Vec::new(),
            alike: 1.0,
        }
    }

    #[test]
    fn what_people_said_speaks_for_and_against() {
        assert_eq!(similar(None, &[("db", "accepted")]).says_of("db"), CONFIRMED);
        assert_eq!(similar(None, &[("db", "accepted")]).says_of("cart"), -ELSEWHERE);
        assert_eq!(similar(None, &[("db", "rejected")]).says_of("db"), -CONFIRMED);
        assert_eq!(similar(None, &[("db", "uncertain")]).says_of("db"), 0.0);
        assert_eq!(similar(Some("A report filled Orders-DB."), &[]).says_of("orders-db"), CONFIRMED);
        assert_eq!(similar(Some("A report filled orders-db"), &[]).says_of("orders"), 0.0);
    }

    #[test]
    fn incidents_are_alike_by_words_labels_and_service() {
        let labels = ["team=shop".to_owned(), "severity=critical".to_owned()];
        let alike = |a: &str, b: &str, same| likeness(false, (a, b), (&labels, &labels), same);
        assert_eq!(likeness(true, ("a", "b"), (&[], &[]), false), 1.0);
        assert!(alike("checkout: 14% of requests failing", "checkout: 22% of requests failing", true) > 0.95);
        assert!(alike("checkout: 14% of requests failing", "disk of node-7 is full", false) < 0.4);
    }
}
