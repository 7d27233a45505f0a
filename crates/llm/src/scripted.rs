//! A provider that says what a test wrote for it, and remembers what it was asked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout_at},
};

use crate::{failure::Failure, reply::Reply, request::Request};

/// A scripted model. Clones share the script and the journal, so a test keeps one and gives one away.
#[derive(Debug, Clone)]
pub struct Scripted {
    model: String,
    shared: Arc<Played>,
}

/// What answers when the queue is empty.
type Otherwise = fn(&Request) -> Result<Reply, Failure>;

#[derive(Debug)]
struct Played {
    script: Mutex<Script>,
    /// One permit per call that may go on once it is held.
    releases: Semaphore,
}

#[derive(Debug, Default)]
struct Script {
    queue: VecDeque<Step>,
    otherwise: Option<Otherwise>,
    journal: Vec<Request>,
    in_flight: usize,
    most_in_flight: usize,
}

#[derive(Debug)]
struct Step {
    pace: Pace,
    outcome: Result<Reply, Failure>,
}

#[derive(Debug)]
enum Pace {
    AtOnce,
    After(Duration),
    WhenReleased,
}

impl Scripted {
    /// A script without answers, under the name of a model.
    pub fn new(model: impl Into<String>) -> Self {
        let shared = Played { script: Mutex::default(), releases: Semaphore::new(0) };
        Self { model: model.into(), shared: Arc::new(shared) }
    }

    /// Queues an outcome for the next call that has none yet.
    pub fn then(&self, outcome: Result<Reply, Failure>) {
        self.push(Pace::AtOnce, outcome);
    }

    /// Queues an outcome that takes its time, so that deadlines can be tested on a paused clock.
    pub fn then_after(&self, wait: Duration, outcome: Result<Reply, Failure>) {
        self.push(Pace::After(wait), outcome);
    }

    /// Queues an outcome that comes only after [`Scripted::release`].
    pub fn then_when_released(&self, outcome: Result<Reply, Failure>) {
        self.push(Pace::WhenReleased, outcome);
    }

    /// Lets one held call go on, now or when it comes.
    pub fn release(&self) {
        self.shared.releases.add_permits(1);
    }

    /// Answers every call for which nothing is queued; without it, such a call finds the model unavailable.
    pub fn otherwise(&self, answer: Otherwise) {
        self.script().otherwise = Some(answer);
    }

    /// Every request so far, in order.
    pub fn journal(&self) -> Vec<Request> {
        self.script().journal.clone()
    }

    /// How many calls were in flight at once at most.
    pub fn most_in_flight(&self) -> usize {
        self.script().most_in_flight
    }

    pub(crate) fn model(&self) -> &str {
        &self.model
    }

    pub(crate) async fn complete(&self, request: &Request, deadline: Instant) -> Result<Reply, Failure> {
        let step = self.begin(request);
        let _flight = Flight(self);
        let play = async {
            match step.pace {
                Pace::AtOnce => {}
                Pace::After(wait) => sleep(wait).await,
                Pace::WhenReleased => {
                    // The semaphore is never closed, so there is nothing to do about an error.
                    if let Ok(permit) = self.shared.releases.acquire().await {
                        permit.forget();
                    }
                }
            }
            step.outcome
        };
        timeout_at(deadline, play).await.unwrap_or(Err(Failure::Timeout))
    }

    fn begin(&self, request: &Request) -> Step {
        let mut script = self.script();
        script.journal.push(request.clone());
        script.in_flight += 1;
        script.most_in_flight = script.most_in_flight.max(script.in_flight);
        let otherwise = script.otherwise;
        script.queue.pop_front().unwrap_or_else(|| Step {
            pace: Pace::AtOnce,
            outcome: otherwise.map_or(Err(Failure::Unavailable { status: None }), |answer| answer(request)),
        })
    }

    fn push(&self, pace: Pace, outcome: Result<Reply, Failure>) {
        self.script().queue.push_back(Step { pace, outcome });
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.shared.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call in flight, which ends also when its future is dropped.
struct Flight<'a>(&'a Scripted);

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let mut script = self.0.script();
        script.in_flight = script.in_flight.saturating_sub(1);
    }
}
