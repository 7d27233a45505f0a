//! What goes into the model, and what comes out.

use std::collections::BTreeMap;

/// Something that happens at `at`.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub at: i64,
    pub what: What,
}

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// One webhook request.
    Body(Vec<Statement>),
    /// Nothing; timers that are due run.
    Tick,
    /// A person acknowledges the newest incident of an incident key.
    Acknowledge(u8),
    /// A person resolves it.
    Resolve(u8),
    /// A person closes it for good.
    Learn(u8),
    /// A person merges it into the newest incident of another key.
    Merge(u8, u8),
}

/// What a sender says of one alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub alert: u8,
    pub incident: u8,
    pub firing: bool,
    pub starts: Option<i64>,
    pub ends: Option<i64>,
}

/// Where a history ends.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct World {
    /// By alert key.
    pub alerts: BTreeMap<u8, Alert>,
    /// By incident key, oldest first.
    pub incidents: BTreeMap<u8, Vec<Incident>>,
}

/// One alert key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alert {
    pub open: bool,
    /// Episodes that began, each with one event.
    pub episodes: usize,
    /// Episodes that ended, each with one event.
    pub ended: usize,
    pub flapping: bool,
}

/// One incident.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    pub state: State,
    pub open: bool,
    pub resolved: Option<By>,
    pub alert_count: usize,
    pub open_alert_count: usize,
    pub flapping: bool,
    pub stale: bool,
}

/// The states a history can reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum State {
    Detected,
    Acknowledged,
    Investigating,
    Resolved,
    Learned,
}

/// Who resolved an incident.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum By {
    Source,
    Hand,
}
