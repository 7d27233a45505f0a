//! Rules R1 to R10 again, written from their text alone: slow, plain and obviously right.
//!
//! Times are whole seconds of a virtual clock. A history is a list of steps in the order of the inbox;
//! what falls due between two of them happens at its own time, before the later one.

pub mod generate;
pub mod history;
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
        }
    }
    model.world(history.last().map_or(0, |step| step.at))
}

#[derive(Default)]
struct Model {
    keys: BTreeMap<u8, Key>,
    cases: Vec<Case>,
}

/// What is known of an alert key.
#[derive(Default)]
struct Key {
    incident: u8,
    /// When the open episode started, by the sender.
    open: Option<i64>,
    episodes: usize,
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
    alerts: BTreeSet<u8>,
}

impl Case {
    fn open(&self) -> bool {
        !matches!(self.state, State::Resolved | State::Learned)
    }

    fn can_return(&self, now: i64) -> bool {
        let recently = matches!(self.resolved, Some((By::Source, at)) if now - at <= REOPEN);
        self.state == State::Resolved && recently
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
        key.episodes += 1;
        let incident = key.incident;
        let case = self.place(incident, now);
        self.attach(id, case);
        self.transition(id, now);
    }

    fn place(&mut self, key: u8, now: i64) -> usize {
        if let Some(open) = self.cases.iter().position(|case| case.key == key && case.open()) {
            return open;
        }
        let newest = self.cases.iter().rposition(|case| case.key == key);
        if let Some(at) = newest.filter(|at| self.cases[*at].can_return(now)) {
            (self.cases[at].state, self.cases[at].resolved) = (State::Investigating, None);
            return at;
        }
        self.cases.push(Case { key, state: State::Detected, resolved: None, alerts: BTreeSet::new() });
        self.cases.len() - 1
    }

    fn attach(&mut self, id: u8, case: usize) {
        self.keys.get_mut(&id).unwrap().case = case;
        self.cases[case].alerts.insert(id);
    }

    /// The end of the open episode: at `e` by the sender, said by a statement received at `closed`.
    fn end(&mut self, id: u8, now: i64, e: i64, closed: i64) {
        let key = self.keys.get_mut(&id).unwrap();
        key.open = None;
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

    /// The source goes on firing although a person closed the incident.
    fn disagree(&mut self, id: u8, now: i64) {
        let key = &self.keys[&id];
        let (incident, at) = (key.incident, key.case);
        match (self.cases[at].state, self.cases[at].resolved) {
            (State::Resolved, Some((By::Hand, since))) if now - since > HOLD => {
                let open = self.cases.iter().rposition(|case| case.key == incident && case.open());
                if let Some(open) = open {
                    return self.attach(id, open);
                }
                (self.cases[at].state, self.cases[at].resolved) = (State::Investigating, None);
            }
            (State::Learned, _) => {
                let case = self.place(incident, now);
                self.attach(id, case);
            }
            _ => {}
        }
    }

    /// Moves that are not legal change nothing.
    fn person(&mut self, key: u8, now: i64, to: State) {
        let Some(case) = self.cases.iter_mut().rfind(|case| case.key == key) else { return };
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

    fn world(&self, now: i64) -> World {
        let mut world = World::default();
        for (id, key) in &self.keys {
            let flapping = key.flapping_until.is_some();
            world.alerts.insert(*id, Alert { open: key.open.is_some(), episodes: key.episodes, flapping });
        }
        for (at, case) in self.cases.iter().enumerate() {
            let keys = || self.keys.values().filter(|key| key.case == at && key.episodes > 0);
            let silent = keys().map(|key| key.last_statement).max().is_some_and(|last| now - last > STALE);
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
