//! The states of an incident and the moves between them.

crate::words! {
    /// How far an incident has come.
    pub enum State {
        /// Nobody has looked yet.
        Detected = "detected",
        /// Somebody has seen it.
        Acknowledged = "acknowledged",
        /// Somebody is looking for the cause.
        Investigating = "investigating",
        /// Users are no longer hurt; the cause remains.
        Mitigated = "mitigated",
        /// It is over.
        Resolved = "resolved",
        /// It is over and written up; closed for good.
        Learned = "learned",
        /// A person found no cause.
        Inconclusive = "inconclusive",
    }
}

impl State {
    /// The states that a person may move an incident to from this one.
    pub fn moves(self) -> &'static [Self] {
        use State::{Acknowledged, Detected, Inconclusive, Investigating, Learned, Mitigated, Resolved};
        match self {
            Detected => &[Acknowledged, Investigating, Mitigated, Resolved, Inconclusive],
            Acknowledged => &[Investigating, Mitigated, Resolved, Inconclusive],
            Investigating => &[Mitigated, Resolved, Inconclusive],
            Mitigated => &[Investigating, Resolved],
            Resolved => &[Investigating, Learned],
            Inconclusive => &[Investigating, Resolved, Learned],
            Learned => &[],
        }
    }

    /// Whether an incident in this state is open: new firings of its key join it.
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Resolved | Self::Learned)
    }
}
