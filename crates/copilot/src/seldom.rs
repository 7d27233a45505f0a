//! Telling of what goes on and on once in a while, not each time that it is noticed.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often it is told.
const EVERY: Duration = Duration::from_secs(10);

/// When it was last told, and how often it was noticed since.
#[derive(Debug, Default)]
pub struct Seldom(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    at: Option<Instant>,
    untold: u64,
}

impl Seldom {
    /// Something that was never told.
    pub const fn new() -> Self {
        Self(Mutex::new(Told { at: None, untold: 0 }))
    }

    /// Counts one more; says how many there were, this one included, when it is time to tell.
    pub fn notice(&self, now: Instant) -> Option<u64> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.untold += 1;
        if told.at.is_some_and(|at| now.duration_since(at) < EVERY) {
            return None;
        }
        told.at = Some(now);
        Some(std::mem::take(&mut told.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_at_once_and_the_others_together() {
        let (outage, begin) = (Seldom::new(), Instant::now());
        assert_eq!(outage.notice(begin), Some(1));
        for milliseconds in [1, 5_000, 9_999] {
            assert_eq!(outage.notice(begin + Duration::from_millis(milliseconds)), None);
        }
        assert_eq!(outage.notice(begin + EVERY), Some(4));
        assert_eq!(outage.notice(begin + 3 * EVERY), Some(1));
    }
}
