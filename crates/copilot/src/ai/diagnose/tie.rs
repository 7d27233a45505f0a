//! What ties a suspect to the service that raised the alarm. Things break at the same time for no common reason; a cause in
//! another service needs a way in which it reached this one.

use std::collections::{BTreeMap, BTreeSet};

use crate::ai::evidence::Gathered;

/// How sure one may be of a cause elsewhere, when the metrics don't know the service of the alarm.
const STRANGE: f64 = 0.3;

/// And when they know calls of both, but no way from one to the other.
const APART: f64 = 0.5;

/// Why a suspect may have nothing to do with the alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loose<'a> {
    /// Nothing was measured of this service, which raised the alarm, nor of what its alert watches.
    Strange(&'a str),
    /// No calls lead from it to the suspect or back, over however many others.
    Apart(&'a str),
}

impl Loose<'_> {
    /// How sure one may be all the same.
    pub fn cap(self) -> f64 {
        match self {
            Self::Strange(_) => STRANGE,
            Self::Apart(_) => APART,
        }
    }

    /// In words.
    pub fn told(self, suspect: &str) -> String {
        match self {
            Self::Strange(own) => format!(
                "Nothing ties it to {own}: these metrics don't know {own}, so the two may only have happened at the \
                 same time."
            ),
            Self::Apart(own) => format!(
                "No call that is known leads from {own} to {suspect} or back, so the two may only have happened at \
                 the same time."
            ),
        }
    }
}

/// Why `suspect` may have nothing to do with the alarm; `None` when something ties them, or nothing is known of it.
pub fn loose<'a>(gathered: &'a Gathered, suspect: &str) -> Option<Loose<'a>> {
    let own = gathered.facts.service().filter(|own| *own != suspect)?;
    let metrics = &gathered.metrics;
    let known = |service: &str| metrics.graph.iter().any(|(from, to)| from == service || to == service);
    let measured = |service: &str| {
        metrics.measured.iter().any(|one| one.service == service || one.peer.as_deref() == Some(service))
    };
    let watched = metrics.symptoms.iter().any(|symptom| !symptom.lines.is_empty());
    if !watched && !measured(own) && !known(own) {
        return Some(Loose::Strange(own));
    }
    let apart = known(own) && known(suspect) && !connected(&metrics.graph, own, suspect);
    apart.then_some(Loose::Apart(own))
}

/// Whether calls lead from one to the other, in whichever direction.
fn connected(graph: &BTreeSet<(String, String)>, from: &str, to: &str) -> bool {
    let mut beside: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (caller, callee) in graph {
        beside.entry(caller).or_default().push(callee);
        beside.entry(callee).or_default().push(caller);
    }
    let (mut seen, mut next) = (BTreeSet::from([from]), vec![from]);
    while let Some(at) = next.pop() {
        next.extend(beside.get(at).into_iter().flatten().filter(|other| seen.insert(*other)));
    }
    seen.contains(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_connect_in_either_direction_and_over_others() {
        let calls = [("shop", "cart"), ("cart", "db"), ("admin", "db"), ("mail", "queue")];
        let graph = calls.map(|(from, to)| (from.to_owned(), to.to_owned())).into_iter().collect();
        for (from, to, tied) in
            [("shop", "db", true), ("db", "shop", true), ("shop", "admin", true), ("shop", "queue", false)]
        {
            assert_eq!(connected(&graph, from, to), tied, "{from} {to}");
        }
    }
}
