//! A circuit breaker: an endpoint that fails half of the time is left alone for a while, so that nobody waits for it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::{Failure, Reply};

/// The newest calls that are looked at.
const WINDOW: usize = 20;

/// Failures among them from which on the endpoint is left alone: half.
const MOST_FAILED: usize = WINDOW / 2;

/// How long it is left alone before one call tries it.
const REST: Duration = Duration::from_secs(30);

/// Why no call is made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// Calls that failed, among the newest [`Open::of`].
    pub failed: usize,
    /// The newest calls.
    pub of: usize,
    /// When one is made again.
    pub rest: Duration,
}

/// Counts what became of the newest calls of one endpoint.
#[derive(Debug, Default)]
pub struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failed: VecDeque<bool>,
    open_until: Option<Instant>,
}

impl Breaker {
    /// Whether a call may be made at `now`. After a rest one may, and others wait for what becomes of it.
    ///
    /// # Errors
    /// [`Open`] when it may not.
    pub fn admit(&self, now: Instant) -> Result<(), Open> {
        let mut state = self.state();
        let Some(until) = state.open_until else { return Ok(()) };
        if let Some(rest) = until.checked_duration_since(now).filter(|rest| !rest.is_zero()) {
            let failed = state.failed.iter().filter(|failed| **failed).count();
            return Err(Open { failed, of: state.failed.len(), rest });
        }
        state.open_until = Some(now + REST);
        Ok(())
    }

    /// Notes what became of a call that ended at `now`. An answer that is of no use shows that the endpoint works.
    pub fn note(&self, outcome: &Result<Reply, Failure>, now: Instant) {
        let failed = outcome.as_ref().is_err_and(Failure::is_of_endpoint);
        let mut state = self.state();
        if state.open_until.is_some() && !failed {
            *state = State::default();
            return;
        }
        if state.failed.len() == WINDOW {
            state.failed.pop_front();
        }
        state.failed.push_back(failed);
        let count = state.failed.iter().filter(|failed| **failed).count();
        if failed && count >= MOST_FAILED {
            state.open_until = Some(now + REST);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Result<Reply, Failure> {
        Ok(Reply::of(String::new(), None))
    }

    #[test]
    fn half_of_the_newest_twenty_open_it_and_one_good_answer_closes_it() {
        let (breaker, begin) = (Breaker::default(), Instant::now());
        for _ in 0..10 {
            breaker.note(&answer(), begin);
        }
        for _ in 0..9 {
            breaker.note(&Err(Failure::Timeout), begin);
            assert_eq!(breaker.admit(begin), Ok(()));
        }
        breaker.note(&Err(Failure::Lost), begin);
        assert_eq!(breaker.admit(begin), Err(Open { failed: 10, of: 20, rest: REST }));
        assert!(breaker.admit(begin + REST - Duration::from_millis(1)).is_err());
        assert_eq!(breaker.admit(begin + REST), Ok(()));
        assert!(breaker.admit(begin + REST).is_err(), "one call tries it, not all");
        breaker.note(&Err(Failure::Timeout), begin + REST);
        assert!(breaker.admit(begin + REST).is_err());
        assert_eq!(breaker.admit(begin + 2 * REST), Ok(()));
        breaker.note(&answer(), begin + 2 * REST);
        for _ in 0..9 {
            breaker.note(&Err(Failure::Timeout), begin + 2 * REST);
        }
        assert_eq!(breaker.admit(begin + 2 * REST), Ok(()), "it begins anew");
    }

    #[test]
    fn an_answer_of_no_use_is_an_answer() {
        let (breaker, now) = (Breaker::default(), Instant::now());
        for _ in 0..WINDOW {
            breaker.note(&Err(Failure::Refused { usage: None }), now);
        }
        assert_eq!(breaker.admit(now), Ok(()));
    }
}
