//! Seeded chance: the same seed rolls the same shop.

use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};

use super::topology::{Call, Route};

/// The model's only source of chance.
pub(super) struct Dice(SmallRng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(SmallRng::seed_from_u64(seed))
    }

    /// True with that probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        probability >= 1.0 || self.0.random::<f64>() < probability
    }

    /// A draw from the standard normal distribution (Box and Muller, 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.above_zero().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.0.random::<f64>()).cos()
    }

    /// A draw whose logarithm is normal, by its median and the standard deviation of its logarithm.
    pub fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        median * (sigma * self.normal()).exp()
    }

    /// A draw from the exponential distribution with that mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * self.above_zero().ln()
    }

    /// The calls of one of the routes, by their shares; none for a service that calls nobody.
    pub fn choose_calls(&mut self, routes: &'static [Route]) -> &'static [Call] {
        let Some((last, others)) = routes.split_last() else { return &[] };
        if others.is_empty() {
            return last.calls;
        }
        let mut left = self.0.random::<f64>() * routes.iter().map(|route| route.share).sum::<f64>();
        for route in others {
            left -= route.share;
            if left < 0.0 {
                return route.calls;
            }
        }
        last.calls
    }

    fn above_zero(&mut self) -> f64 {
        1.0 - self.0.random::<f64>()
    }
}

/// A value that wanders around zero and comes back to it (an Ornstein-Uhlenbeck process).
pub(super) struct Drift {
    value: f64,
    memory_s: f64,
    deviation: f64,
}

impl Drift {
    /// Forgets where it was in about `memory_s` seconds, and has that standard deviation.
    pub const fn new(memory_s: f64, deviation: f64) -> Self {
        Self { value: 0.0, memory_s, deviation }
    }

    pub fn step(&mut self, seconds: f64, dice: &mut Dice) {
        let keep = (-seconds / self.memory_s).exp();
        self.value = keep * self.value + self.deviation * (1.0 - keep * keep).sqrt() * dice.normal();
    }

    pub const fn value(&self) -> f64 {
        self.value
    }
}
