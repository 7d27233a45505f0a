//! Histories that are hard on the rules: duplicates, swaps, echoes, and steps of time around each limit.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::history::{Statement, Step, What};

/// Statements of one history.
const STATEMENTS: usize = 12;

/// Steps of time, in seconds: below, at and above what the rules compare with.
const PAUSES: [i64; 13] = [0, 0, 0, 1, 10, 30, 55, 60, 61, 300, 900, 1801, 23_000];

/// When a history begins, so that a sender may speak of what was before.
pub const BEGIN: i64 = 1_000_000;

/// The incident key of each alert key: the first and the last alert share one.
pub const INCIDENT_OF: [u8; 3] = [0, 1, 0];

/// One draw, before it is known what came before it.
#[derive(Clone, Debug)]
enum Draft {
    /// An alert that fires: anew, so many seconds ago, or, if the flag is set, as it did the last time.
    Firing(u8, i64, bool),
    /// An alert that ended so many seconds ago; no time means that the sender names none.
    Resolved(u8, Option<i64>),
    /// An earlier statement again, word for word.
    Again(Index),
    /// Nothing.
    Tick,
    /// Somebody moves an incident.
    Person(What),
}

/// Histories of at most twelve statements over three alert keys and two incident keys.
pub fn history() -> impl Strategy<Value = Vec<Step>> {
    let drafts = prop::collection::vec((select(&PAUSES[..]), draft(), any::<bool>()), 1..=STATEMENTS);
    let swaps = prop::collection::vec(any::<Index>(), 0..=2);
    (drafts, swaps).prop_map(|(drafts, swaps)| {
        let mut steps = steps(drafts);
        for swap in swaps {
            if steps.len() > 1 {
                let at = swap.index(steps.len() - 1);
                let earlier = steps[at].what.clone();
                steps[at].what = std::mem::replace(&mut steps[at + 1].what, earlier);
            }
        }
        steps
    })
}

fn draft() -> impl Strategy<Value = Draft> {
    let alert = 0..INCIDENT_OF.len() as u8;
    let incident = 0..2_u8;
    let ago = || select(vec![0, 1, 10, 55, 61, 300]);
    prop_oneof![
        6 => (alert.clone(), ago(), any::<bool>()).prop_map(|(alert, ago, same)| Draft::Firing(alert, ago, same)),
        5 => (alert, prop::option::weighted(0.8, ago())).prop_map(|(alert, ago)| Draft::Resolved(alert, ago)),
        3 => any::<Index>().prop_map(Draft::Again),
        1 => Just(Draft::Tick),
        1 => incident.clone().prop_map(|incident| Draft::Person(What::Acknowledge(incident))),
        1 => incident.clone().prop_map(|incident| Draft::Person(What::Resolve(incident))),
        1 => incident.clone().prop_map(|incident| Draft::Person(What::Learn(incident))),
        1 => incident.prop_map(|from| Draft::Person(What::Merge(from, 1 - from))),
    ]
}

/// Dates the drafts; statements that come at once share a body if their flag is set.
fn steps(drafts: Vec<(i64, Draft, bool)>) -> Vec<Step> {
    let mut now = BEGIN;
    let mut last_start = [None; INCIDENT_OF.len()];
    let mut said: Vec<Statement> = Vec::new();
    let mut steps: Vec<Step> = Vec::new();
    for (pause, draft, joined) in drafts {
        now += pause;
        let statement = match draft {
            Draft::Tick => None,
            Draft::Person(what) => {
                steps.push(Step { at: now, what });
                continue;
            }
            Draft::Again(which) => (!said.is_empty()).then(|| said[which.index(said.len())].clone()),
            Draft::Firing(alert, ago, same) => {
                let last = &mut last_start[usize::from(alert)];
                let starts = last.filter(|_| same).unwrap_or(now - ago);
                *last = Some(starts);
                Some(statement(alert, true, Some(starts), None))
            }
            Draft::Resolved(alert, ago) => {
                let starts = *last_start[usize::from(alert)].get_or_insert(now - 300);
                Some(statement(alert, false, Some(starts), ago.map(|ago| now - ago)))
            }
        };
        said.extend(statement.clone());
        match (statement, steps.last_mut()) {
            (Some(statement), Some(Step { at, what: What::Body(body) })) if joined && *at == now => {
                body.push(statement);
            }
            (Some(statement), _) => steps.push(Step { at: now, what: What::Body(vec![statement]) }),
            (None, _) => steps.push(Step { at: now, what: What::Tick }),
        }
    }
    steps
}

/// What the sender of `alert` says.
pub fn statement(alert: u8, firing: bool, starts: Option<i64>, ends: Option<i64>) -> Statement {
    Statement { alert, incident: INCIDENT_OF[usize::from(alert)], firing, starts, ends }
}
