//! Rules R1 to R10 again, written from their text alone: slow, plain and obviously right.
//!
//! Times are whole seconds of a virtual clock. A history is a list of steps in the order of the inbox;
//! what falls due between two of them happens at its own time, before the later one.

pub mod generate;
pub mod history;
mod kills;
mod product;
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use history::{Alert, By, Incident, State, Statement, Step, What, World};

/// How long a firing that looks like an echo of what was just closed is held, in seconds.
pub const HOLD: i64 = 60;
/// How long a resolved statement waits for the firing it overtook, in seconds.
pub const TOMB: i64 = 60;
/// How long an incident that was resolved automatically can come back, in seconds.
pub const REOPEN: i64 = 30 * 60;
/// How far a sender's clock may be ahead, in seconds.
pub const SKEW: i64 = 60 * 60;
/// The stretch in which openings and closings are counted, in seconds.
pub const FLAP_WINDOW: i64 = 15 * 60;
/// Openings and closings in that stretch that make an alert flap.
pub const FLAPS: usize = 5;
/// Silence that makes an open incident stale, in seconds: 1.5 times 4 h, and 5 min.
pub const STALE: i64 = 6 * 60 * 60 + 5 * 60;

/// Runs `history` from an empty world.
pub fn run(history: &[Step]) -> World {
    let mut model = Model::default();
    for step in history {
        model.pass_time(step.at);
        match &step.what {
            What::Body(statements) => model.body(step.at, statements),
            What::Tick => {}
            What::Acknowledge(key) => model.person(*key, step.at, State::Acknowledged),
            What::Resolve(key) => model.person(*key, step.at, State::Resolved),
            What::Learn(key) => model.person(*key, step.at, State::Learned),
            What::Merge(from, into) => model.merge(*from, *into, step.at),
        }
    }
    model.world(history.last().map_or(0, |step| step.at))
}

#[derive(Default)]
struct Model {
    keys: BTreeMap<u8, Key>,
    cases: Vec<Case>,
    /// The case that a merge sends an incident key to.
    redirects: BTreeMap<u8, usize>,
}

/// What is known of an alert key.
#[derive(Default)]
struct Key {
    incident: u8,
    /// When the open episode started, by the sender.
    open: Option<i64>,
    /// The case of each episode.
    episodes: Vec<usize>,
    ended: usize,
    /// The case of the newest episode.
    case: usize,
    /// When the last closed episode ended, by the sender, and when that was received.
    last: Option<(i64, i64)>,
    /// Resolved statements that found nothing open: start, end, received.
    tombs: Vec<(i64, i64, i64)>,
    /// A firing that waits: start, due.
    held: Option<(i64, i64)>,
    transitions: Vec<i64>,
    flapping_until: Option<i64>,
    last_statement: i64,
}

/// An incident, open until it is resolved or learned.
struct Case {
    key: u8,
    state: State,
    resolved: Option<(By, i64)>,
    merged: bool,
    alerts: BTreeSet<u8>,
}

impl Case {
    fn open(&self) -> bool {
        !matches!(self.state, State::Resolved | State::Learned)
    }

    fn can_return(&self, now: i64) -> bool {
        let recently = matches!(self.resolved, Some((By::Source, at)) if now - at <= REOPEN);
        self.state == State::Resolved && !self.merged && recently
    }
}

impl Model {
    /// Everything that falls due up to `now`, in its own time; holds before the end of flapping.
    fn pass_time(&mut self, now: i64) {
        loop {
            let holds = self.keys.iter().filter_map(|(id, key)| Some((key.held?.1, 0, *id)));
            let flaps = self.keys.iter().filter_map(|(id, key)| Some((key.flapping_until?, 1, *id)));
            let Some((at, kind, id)) = holds.chain(flaps).filter(|due| due.0 <= now).min() else { return };
            let key = self.keys.get_mut(&id).unwrap();
            if kind == 0 {
                let (starts, _) = key.held.take().unwrap();
                self.begin(id, at, starts);
            } else {
                key.flapping_until = None;
                let case = key.case;
                self.settle(case, at);
            }
        }
    }

    /// The order inside a body is not time: firing first, then what ended after that firing began.
    fn body(&mut self, now: i64, statements: &[Statement]) {
        for statement in statements.iter().filter(|statement| statement.firing) {
            self.note(now, statement);
            self.firing(statement.alert, now, starts(statement, now));
        }
        for statement in statements.iter().filter(|statement| !statement.firing) {
            self.note(now, statement);
            let ends = ends(statement, now);
            let same = |other: &Statement| other.firing && other.alert == statement.alert;
            let newer = |other: &Statement| same(other) && starts(other, now) > ends;
            if !statements.iter().any(newer) {
                self.resolved(statement.alert, now, starts(statement, now), ends);
            }
        }
    }

    fn note(&mut self, now: i64, statement: &Statement) {
        let key = self.keys.entry(statement.alert).or_default();
        key.incident = statement.incident;
        key.last_statement = now;
        key.tombs.retain(|(_, _, received)| now - received <= TOMB);
    }

    fn firing(&mut self, id: u8, now: i64, s: i64) {
        let key = self.keys.get_mut(&id).unwrap();
        if let Some(open) = &mut key.open {
            // R1
            *open = s.min(*open);
            self.disagree(id, now);
            return;
        }
        let unseen = key.last.is_none_or(|(e, _)| s > e);
        let overtaken = key.tombs.iter().copied().find(|(start, _, _)| *start == s);
        match (overtaken, key.last) {
            // R2
            (Some((_, e, received)), _) if unseen => {
                self.begin(id, now, s);
                self.end(id, now, e, received);
            }
            // R4
            (_, Some((_, closed))) if !unseen && now - closed < HOLD => {
                let s = key.held.map_or(s, |(held, _)| held.min(s));
                key.held = Some((s, closed + HOLD));
            }
            // R3 and R5
            _ => self.begin(id, now, s),
        }
    }

    fn resolved(&mut self, id: u8, now: i64, s: i64, e: i64) {
        let key = self.keys.get_mut(&id).unwrap();
        match key.open {
            // R6
            Some(open) if e >= open => self.end(id, now, e, now),
            // R7
            Some(_) => {}
            // R8, and the other resolved that R4 waits for
            None => {
                key.held = None;
                key.tombs.push((s, e, now));
            }
        }
    }

    /// A new episode: it joins the open incident, brings back the last one, or opens another.
    fn begin(&mut self, id: u8, now: i64, s: i64) {
        let key = self.keys.get_mut(&id).unwrap();
        key.open = Some(s);
        key.held = None;
        let incident = key.incident;
        let case = self.place(incident, now);
        self.keys.get_mut(&id).unwrap().episodes.push(case);
        self.attach(id, case);
        self.transition(id, now);
    }

    fn place(&mut self, key: u8, now: i64) -> usize {
        let own = self.open_of(key).or_else(|| self.cases.iter().rposition(|case| case.key == key));
        for at in [self.redirects.get(&key).copied(), own].into_iter().flatten() {
            if self.cases[at].open() {
                return at;
            }
            if self.cases[at].can_return(now) {
                (self.cases[at].state, self.cases[at].resolved) = (State::Investigating, None);
                return at;
            }
            self.redirects.remove(&key);
        }
        let (state, alerts) = (State::Detected, BTreeSet::new());
        self.cases.push(Case { key, state, resolved: None, merged: false, alerts });
        self.cases.len() - 1
    }

    fn open_of(&self, key: u8) -> Option<usize> {
        self.cases.iter().position(|case| case.key == key && case.open())
    }

    fn attach(&mut self, id: u8, case: usize) {
        self.keys.get_mut(&id).unwrap().case = case;
        self.cases[case].alerts.insert(id);
    }

    /// The end of the open episode: at `e` by the sender, said by a statement received at `closed`.
    fn end(&mut self, id: u8, now: i64, e: i64, closed: i64) {
        let key = self.keys.get_mut(&id).unwrap();
        key.open = None;
        key.ended += 1;
        key.last = Some((e, closed));
        let case = key.case;
        self.transition(id, now);
        self.settle(case, now);
    }

    /// R9
    fn transition(&mut self, id: u8, now: i64) {
        let key = self.keys.get_mut(&id).unwrap();
        key.transitions.retain(|at| now - at < FLAP_WINDOW);
        key.transitions.push(now);
        if key.transitions.len() >= FLAPS || key.flapping_until.is_some() {
            key.flapping_until = Some(now + FLAP_WINDOW);
        }
    }

    /// Resolves an incident once nothing of it is open and nothing of it flaps.
    fn settle(&mut self, at: usize, now: i64) {
        let busy = |key: &Key| key.case == at && (key.open.is_some() || key.flapping_until.is_some());
        if self.cases[at].open() && !self.keys.values().any(busy) {
            self.cases[at].state = State::Resolved;
            self.cases[at].resolved = Some((By::Source, now));
        }
    }

    /// The source goes on firing although its incident is closed.
    fn disagree(&mut self, id: u8, now: i64) {
        let key = &self.keys[&id];
        let (incident, at) = (key.incident, key.case);
        let case = &self.cases[at];
        let waits = matches!(case.resolved, Some((_, since)) if now - since <= HOLD);
        if case.open() || (case.state == State::Resolved && waits) {
            return;
        }
        if case.state == State::Resolved && self.open_of(case.key).is_none() {
            (self.cases[at].state, self.cases[at].resolved) = (State::Investigating, None);
            return;
        }
        let to = self.place(incident, now);
        *self.keys.get_mut(&id).unwrap().episodes.last_mut().unwrap() = to;
        self.attach(id, to);
    }

    /// Moves that are not legal change nothing.
    fn person(&mut self, key: u8, now: i64, to: State) {
        let Some(case) = self.cases.iter_mut().rfind(|case| case.key == key && !case.merged) else { return };
        let legal = match to {
            State::Acknowledged => case.state == State::Detected,
            State::Resolved => case.open(),
            State::Learned => case.state == State::Resolved,
            State::Detected | State::Investigating => false,
        };
        if legal {
            case.state = to;
            if to == State::Resolved {
                case.resolved = Some((By::Hand, now));
            }
        }
    }

    /// Everything of the newest incident of one key becomes another's, and what will be.
    fn merge(&mut self, from: u8, into: u8, now: i64) {
        let newest = |key| self.cases.iter().rposition(|case| case.key == key && !case.merged);
        let (Some(from), Some(into)) = (newest(from), newest(into)) else { return };
        if [from, into].iter().any(|at| self.cases[*at].state == State::Learned) {
            return;
        }
        // What fires is not put away in what is over.
        if !self.cases[into].open() && self.keys.values().any(|key| key.case == from && key.open.is_some()) {
            return;
        }
        let case = &mut self.cases[from];
        let since = case.resolved.map_or(now, |(_, since)| since);
        (case.state, case.resolved, case.merged) = (State::Resolved, Some((By::Hand, since)), true);
        case.alerts.clear();
        let key = case.key;
        for one in self.keys.values_mut() {
            for case in one.episodes.iter_mut().chain([&mut one.case]) {
                *case = if *case == from { into } else { *case };
            }
        }
        let belongs = |key: &&Key| key.episodes.contains(&into);
        let all = self.keys.iter().filter(|(_, key)| belongs(key)).map(|(id, _)| *id);
        self.cases[into].alerts = all.collect();
        self.redirects.values_mut().filter(|to| **to == from).for_each(|to| *to = into);
        self.redirects.insert(key, into);
    }

    fn world(&self, now: i64) -> World {
        let mut world = World::default();
        for (id, key) in &self.keys {
            let flapping = key.flapping_until.is_some();
            let (open, episodes) = (key.open.is_some(), key.episodes.len());
            world.alerts.insert(*id, Alert { open, episodes, ended: key.ended, flapping });
        }
        for (at, case) in self.cases.iter().enumerate() {
            let keys = || self.keys.values().filter(|key| key.case == at && !key.episodes.is_empty());
            let fires = keys().any(|key| key.open.is_some());
            let silent =
                fires && keys().map(|key| key.last_statement).max().is_some_and(|last| now - last > STALE);
            world.incidents.entry(case.key).or_default().push(Incident {
                state: case.state,
                open: case.open(),
                resolved: case.resolved.map(|(by, _)| by),
                alert_count: case.alerts.len(),
                open_alert_count: keys().filter(|key| key.open.is_some()).count(),
                flapping: keys().any(|key| key.flapping_until.is_some()),
                stale: case.open() && silent,
            });
        }
        world
    }
}

fn starts(statement: &Statement, now: i64) -> i64 {
    statement.starts.filter(|s| *s <= now + SKEW).unwrap_or(now)
}

fn ends(statement: &Statement, now: i64) -> i64 {
    statement.ends.filter(|e| *e <= now).unwrap_or(now).max(starts(statement, now))
}
