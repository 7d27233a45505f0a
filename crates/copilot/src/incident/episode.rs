//! The rules that turn an alert's statements into episodes (R1 to R9), pure and with the time passed in.
//!
//! Order is the order of acceptance; the sender's times only describe. The rules lean to *open*: a false
//! reopening is a nuisance, a hidden outage is a failure.

use outbox::{Ts, sabotage};

/// How long a firing that looks like an echo of the last episode is held back, in seconds (R4).
pub const HOLD_S: i64 = 60;

/// How long a resolution without an episode is remembered, in seconds (R2, R8).
pub const TOMB_S: i64 = 60;

/// Resolutions without an episode that are remembered of one alert; the oldest go first.
const TOMBS: usize = 64;

/// How long after the source resolved it an incident is reopened rather than followed by another, in seconds (R5).
pub const REOPEN_S: i64 = 30 * 60;

/// Openings and closings within [`FLAP_WINDOW_S`] that make an alert flap (R9).
pub const FLAP_TRANSITIONS: usize = 5;

/// The window in which they are counted, and the quiet time that ends the flapping, in seconds (R9).
pub const FLAP_WINDOW_S: i64 = 15 * 60;

/// An episode that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// When it began, by the sender; the earliest that was said.
    pub starts_at: Ts,
    /// When we accepted it.
    pub opened_at: Ts,
}

/// The last episode that was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// When it began, by the sender.
    pub starts_at: Ts,
    /// When it ended, by the sender.
    pub ends_at: Ts,
    /// When we accepted its end.
    pub closed_at: Ts,
}

/// A resolution that found nothing open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tomb {
    /// When the resolved episode began, by the sender.
    pub starts_at: Ts,
    /// When it ended, by the sender.
    pub ends_at: Ts,
    /// When we accepted it.
    pub at: Ts,
}

impl Tomb {
    fn is_kept(&self, now: Ts) -> bool {
        now <= self.at.plus_seconds(TOMB_S)
    }
}

/// A firing that waits to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// When it began, by the sender.
    pub starts_at: Ts,
    /// When it is believed, unless a resolution comes first.
    pub until: Ts,
}

/// What is remembered of one alert key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Track {
    /// The open episode.
    pub open: Option<Open>,
    /// The last closed one.
    pub last: Option<Closed>,
    /// The resolutions that found nothing open within the last [`TOMB_S`], oldest first.
    pub tombs: Vec<Tomb>,
    /// A firing that waits.
    pub held: Option<Held>,
    /// When episodes opened and closed within the last [`FLAP_WINDOW_S`].
    pub transitions: Vec<Ts>,
    /// Until when the alert counts as flapping, if nothing more happens.
    pub flapping_until: Option<Ts>,
}

/// What time alone brought about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// R4: a hold ran out, and an episode began.
    Believed {
        /// When it began, by the sender.
        starts_at: Ts,
        /// When it counts as accepted: the end of the hold.
        at: Ts,
    },
    /// R9: the alert was quiet for long enough.
    Calm,
}

/// What a statement did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// R1: the open episode was confirmed.
    Refreshed,
    /// R3, R5: an episode began.
    Opened {
        /// When it began, by the sender.
        starts_at: Ts,
        /// When it counts as accepted: now, or the end of the hold.
        at: Ts,
    },
    /// R2: an episode that was over before we heard of it.
    OpenedClosed {
        /// When it began, by the sender.
        starts_at: Ts,
        /// When it ended, by the sender.
        ends_at: Ts,
    },
    /// R4: believed later, unless a resolution comes first.
    Held,
    /// R6: the open episode ended.
    Closed {
        /// When it ended, by the sender.
        ends_at: Ts,
    },
    /// R7: the resolution speaks of an older episode.
    Older,
    /// R8: the resolution found nothing open, and is remembered.
    NothingOpen,
    /// R4: the resolution ended a hold.
    HoldEnded,
}

impl Track {
    /// Whether the alert opens and closes too often to be believed (R9).
    pub fn is_flapping(&self) -> bool {
        self.flapping_until.is_some()
    }

    /// Does what was due first by `now` without any statement; a hold before the end of flapping.
    pub fn due(&mut self, now: Ts) -> Option<Due> {
        let held = self.held.filter(|held| held.until <= now);
        let calm = self.flapping_until.filter(|until| *until <= now);
        match (held, calm) {
            (Some(held), calm) if calm.is_none_or(|calm| held.until <= calm) => {
                self.begin(held.starts_at, held.until);
                Some(Due::Believed { starts_at: held.starts_at, at: held.until })
            }
            (_, Some(_)) => {
                self.flapping_until = None;
                Some(Due::Calm)
            }
            _ => None,
        }
    }

    /// Applies a firing that began at `starts_at`, accepted at `now`.
    pub fn firing(&mut self, starts_at: Ts, now: Ts) -> Effect {
        if let Some(open) = &mut self.open {
            open.starts_at = open.starts_at.min(starts_at);
            return Effect::Refreshed;
        }
        if let Some(tomb) = self.swapped(starts_at, now) {
            return self.begin_and_end(tomb, now);
        }
        match self.last {
            Some(last)
                if starts_at <= last.ends_at
                    && now < last.closed_at.plus_seconds(HOLD_S)
                    && !sabotage::broken("no-hold") =>
            {
                let until = last.closed_at.plus_seconds(HOLD_S);
                let earlier = self.held.map_or(starts_at, |held| held.starts_at.min(starts_at));
                self.held = Some(Held { starts_at: earlier, until });
                Effect::Held
            }
            _ => self.begin(starts_at, now),
        }
    }

    /// Applies a resolution of the episode that began at `starts_at` and ended at `ends_at`, accepted at `now`.
    pub fn resolved(&mut self, starts_at: Ts, ends_at: Ts, now: Ts) -> Effect {
        if let Some(open) = self.open {
            if ends_at < open.starts_at {
                return Effect::Older;
            }
            self.open = None;
            self.last = Some(Closed { starts_at: open.starts_at, ends_at, closed_at: now });
            self.transition(now);
            return Effect::Closed { ends_at };
        }
        // The firing of this very occurrence may still be on its way, also when it ends a hold.
        self.tombs.retain(|tomb| tomb.is_kept(now));
        if self.tombs.len() >= TOMBS {
            self.tombs.remove(0);
        }
        self.tombs.push(Tomb { starts_at, ends_at, at: now });
        if self.held.take().is_some() { Effect::HoldEnded } else { Effect::NothingOpen }
    }

    /// The remembered resolution of exactly this occurrence, if it overtook its firing (R2).
    ///
    /// A firing that the last episode may already have covered is not one: a revival repeats its start (R4).
    fn swapped(&self, starts_at: Ts, now: Ts) -> Option<Tomb> {
        let unseen = self.last.is_none_or(|last| starts_at > last.ends_at);
        let is_this = |tomb: &&Tomb| unseen && tomb.starts_at == starts_at && tomb.is_kept(now);
        self.tombs.iter().find(is_this).copied()
    }

    fn begin(&mut self, starts_at: Ts, at: Ts) -> Effect {
        self.open = Some(Open { starts_at, opened_at: at });
        self.held = None;
        self.transition(at);
        Effect::Opened { starts_at, at }
    }

    /// The episode is closed when its end was accepted, not when its firing was: a hold is no longer for the swap (R4).
    fn begin_and_end(&mut self, tomb: Tomb, now: Ts) -> Effect {
        let Tomb { starts_at, ends_at, at } = tomb;
        self.held = None;
        self.last = Some(Closed { starts_at, ends_at, closed_at: at });
        self.transition(now);
        self.transition(now);
        Effect::OpenedClosed { starts_at, ends_at }
    }

    fn transition(&mut self, at: Ts) {
        self.transitions.retain(|earlier| at < earlier.plus_seconds(FLAP_WINDOW_S));
        self.transitions.push(at);
        if self.is_flapping() || self.transitions.len() >= FLAP_TRANSITIONS {
            self.flapping_until = Some(at.plus_seconds(FLAP_WINDOW_S));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Ts {
        Ts::from_micros(1_700_000_000_000_000).plus_seconds(seconds)
    }

    #[test]
    fn a_revival_is_held_and_then_reopens() {
        let mut track = Track::default();
        track.firing(at(0), at(0));
        track.resolved(at(0), at(30), at(31));
        assert_eq!(track.firing(at(0), at(40)), Effect::Held);
        assert_eq!(track.due(at(90)), None);
        assert_eq!(track.due(at(91)), Some(Due::Believed { starts_at: at(0), at: at(91) }));
    }

    #[test]
    fn an_echo_from_a_second_sender_does_not_reopen() {
        let mut track = Track::default();
        track.firing(at(0), at(0));
        track.resolved(at(0), at(30), at(31));
        assert_eq!(track.firing(at(0), at(41)), Effect::Held);
        assert_eq!(track.resolved(at(0), at(30), at(57)), Effect::HoldEnded);
        assert_eq!(track.due(at(200)), None);
    }

    #[test]
    fn a_pair_that_was_swapped_leaves_no_zombie() {
        let mut track = Track::default();
        assert_eq!(track.resolved(at(0), at(30), at(40)), Effect::NothingOpen);
        assert_eq!(track.firing(at(0), at(95)), Effect::OpenedClosed { starts_at: at(0), ends_at: at(30) });
        assert_eq!(track.resolved(at(200), at(230), at(240)), Effect::NothingOpen);
        assert_eq!(
            track.firing(at(200), at(250)),
            Effect::OpenedClosed { starts_at: at(200), ends_at: at(230) }
        );
    }

    #[test]
    fn a_pair_that_was_swapped_by_more_than_a_minute_opens() {
        let mut track = Track::default();
        track.resolved(at(0), at(30), at(40));
        assert_eq!(track.firing(at(0), at(105)), Effect::Opened { starts_at: at(0), at: at(105) });
    }

    #[test]
    fn a_true_new_firing_opens_at_once() {
        let mut track = Track::default();
        track.firing(at(0), at(0));
        track.resolved(at(0), at(30), at(31));
        assert_eq!(track.firing(at(31), at(32)), Effect::Opened { starts_at: at(31), at: at(32) });
    }

    #[test]
    fn an_old_resolution_closes_nothing() {
        let mut track = Track::default();
        track.firing(at(100), at(100));
        assert_eq!(track.resolved(at(0), at(50), at(101)), Effect::Older);
        assert!(track.open.is_some());
    }

    #[test]
    fn five_transitions_in_a_quarter_of_an_hour_flap_until_it_is_quiet() {
        let mut track = Track::default();
        for round in 0..2 {
            track.firing(at(round * 100), at(round * 100));
            track.resolved(at(round * 100), at(round * 100 + 50), at(round * 100 + 50));
        }
        assert!(!track.is_flapping());
        track.firing(at(200), at(200));
        assert!(track.is_flapping());
        assert_eq!(track.due(at(200 + 899)), None);
        assert_eq!(track.due(at(200 + 900)), Some(Due::Calm));
        assert!(!track.is_flapping());
    }

    #[test]
    fn what_is_a_quarter_of_an_hour_old_no_longer_counts() {
        let flaps = |last: i64| {
            let mut track = Track::default();
            for round in 0..2 {
                track.firing(at(round * 100), at(round * 100));
                track.resolved(at(round * 100), at(round * 100 + 50), at(round * 100 + 50));
            }
            track.firing(at(last), at(last));
            track.is_flapping()
        };
        assert!(flaps(899));
        assert!(!flaps(900));
    }

    #[test]
    fn several_pairs_that_were_swapped_leave_no_zombie() {
        let mut track = Track::default();
        track.resolved(at(0), at(10), at(20));
        track.resolved(at(15), at(25), at(26));
        assert!(matches!(track.firing(at(0), at(30)), Effect::OpenedClosed { .. }));
        assert!(matches!(track.firing(at(15), at(31)), Effect::OpenedClosed { .. }));
        assert_eq!(track.open, None);
    }

    #[test]
    fn a_pair_swapped_around_another_episode_leaves_no_zombie() {
        let mut track = Track::default();
        track.resolved(at(30), at(35), at(36));
        track.firing(at(10), at(37));
        track.resolved(at(10), at(20), at(38));
        assert!(matches!(track.firing(at(30), at(40)), Effect::OpenedClosed { .. }));
    }

    #[test]
    fn a_resolution_that_ends_a_hold_still_waits_for_its_own_firing() {
        let mut track = Track::default();
        track.firing(at(0), at(0));
        track.resolved(at(0), at(30), at(31));
        track.firing(at(0), at(32));
        assert_eq!(track.resolved(at(40), at(45), at(46)), Effect::HoldEnded);
        assert!(matches!(track.firing(at(40), at(50)), Effect::OpenedClosed { .. }));
        assert_eq!(track.open, None);
    }

    #[test]
    fn a_hold_after_a_swapped_pair_counts_from_when_its_end_was_accepted() {
        let mut track = Track::default();
        track.resolved(at(0), at(30), at(31));
        track.firing(at(0), at(81));
        assert_eq!(track.firing(at(0), at(85)), Effect::Held);
        assert_eq!(track.due(at(91)), Some(Due::Believed { starts_at: at(0), at: at(91) }));
    }
}
