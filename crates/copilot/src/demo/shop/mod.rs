//! The simulated shop: a seeded model that serves every single request through its call graph.
//!
//! Nothing is painted onto the metrics: counters, histograms and gauges all follow from the requests that
//! were served, so latency and errors travel from callee to caller as they do in a real system.

pub mod exposition;
mod fault;
mod random;
mod resources;
mod telemetry;
mod topology;

pub use fault::{Fault, Job};
pub use topology::Service;

use std::collections::BTreeMap;

use fault::Active;
use random::{Dice, Drift};
use resources::{Resources, Strain};
use telemetry::{Outcome, Traffic};
use topology::{Call, PerService};

/// Seconds between two looks at the resources of all services.
const TICK_S: f64 = 1.0;
/// Requests a second that reach the storefront on an average hour.
const VISITORS_PER_S: f64 = 60.0;
/// How much busier the busiest hour of the day is than the average one, as a ratio.
const DAILY_SWING: f64 = 0.2;
/// Seconds a caller waits for an answer.
const CALL_TIMEOUT_S: f64 = 10.0;
/// Mean seconds a call spends on the network and in the client.
const NETWORK_S: f64 = 0.0006;

/// A version of a service that took over at a time.
#[derive(Clone, Copy, Debug)]
pub struct Release {
    /// The service.
    pub service: Service,
    /// Its version from then on.
    pub version: &'static str,
    /// Unix seconds.
    pub at_s: f64,
}

/// The shop, as of a time.
pub struct Model {
    now_s: f64,
    next_tick_s: f64,
    next_visitor_s: f64,
    dice: Dice,
    load: Drift,
    nodes: PerService<Node>,
    edges: BTreeMap<(Service, Service), Traffic>,
    releases: Vec<Release>,
    fault: Option<Active>,
    job: Option<Job>,
    probe_s: f64,
}

struct Node {
    traffic: Traffic,
    resources: Resources,
}

struct Answer {
    latency_s: f64,
    outcome: Outcome,
}

impl Model {
    /// A healthy shop that opens at `start_s` (Unix seconds); the same seed and start give the same shop.
    pub fn new(seed: u64, start_s: f64, releases: Vec<Release>) -> Self {
        let mut edges = BTreeMap::new();
        for client in Service::ALL {
            for call in client.routes().iter().flat_map(|route| route.calls) {
                edges.insert((client, call.to), Traffic::default());
            }
        }
        let node =
            |service: Service| Node { traffic: Traffic::default(), resources: Resources::new(service) };
        Self {
            now_s: start_s,
            next_tick_s: start_s + TICK_S,
            next_visitor_s: start_s,
            dice: Dice::new(seed),
            load: Drift::new(60.0, 0.03),
            nodes: PerService::new(Service::ALL.map(node)),
            edges,
            releases,
            fault: None,
            job: None,
            probe_s: PROBE_MEAN_S,
        }
    }

    /// Serves everything that happens until `until_s` (Unix seconds); a time in the past changes nothing.
    pub fn advance(&mut self, until_s: f64) {
        while self.next_visitor_s.min(self.next_tick_s) <= until_s {
            if self.next_visitor_s <= self.next_tick_s {
                self.now_s = self.next_visitor_s;
                self.serve(Service::Storefront);
                self.next_visitor_s += self.dice.exponential(1.0 / self.visitors_per_s());
            } else {
                self.now_s = self.next_tick_s;
                self.tick();
                self.next_tick_s += TICK_S;
            }
        }
        self.now_s = self.now_s.max(until_s);
    }

    /// The time up to which the model has been advanced, in Unix seconds.
    pub fn now_s(&self) -> f64 {
        self.now_s
    }

    /// Breaks something from now on; what is broken already stays as it is.
    pub fn inject(&mut self, fault: Fault) {
        if self.fault.is_some_and(|active| active.fault == fault) {
            return;
        }
        self.fault = Some(Active { fault, since_s: self.now_s });
        self.releases.extend(fault.release(self.now_s));
    }

    /// Undoes the fault, by going back to the version before it where a release was the fault.
    pub fn recover(&mut self) {
        if let Some(active) = self.fault.take() {
            self.releases.extend(active.fault.rollback(self.now_s));
        }
    }

    /// Lets a job run by the clock.
    pub fn schedule(&mut self, job: Job) {
        self.job = Some(job);
    }

    /// Whether the service answers nobody, scrapes included.
    pub fn is_down(&self, service: Service) -> bool {
        self.fault.is_some_and(|active| active.is_down(service))
    }

    fn visitors_per_s(&self) -> f64 {
        let day = (self.now_s / 86_400.0).fract() * std::f64::consts::TAU;
        // Quietest at four in the morning, busiest at four in the afternoon, UTC.
        let daily = 1.0 - DAILY_SWING * (day - std::f64::consts::TAU / 6.0).cos();
        let surge = self.fault.map_or(1.0, |active| active.visitors(self.now_s));
        VISITORS_PER_S * daily * (1.0 + self.load.value()) * surge
    }

    fn version(&self, service: Service) -> &'static str {
        let took_over = |release: &&Release| release.service == service && release.at_s <= self.now_s;
        self.releases
            .iter()
            .rev()
            .find(took_over)
            .map_or(service.profile().version, |release| release.version)
    }

    fn serve(&mut self, service: Service) -> Answer {
        let resources = &self.nodes.get(service).resources;
        let (profile, slowdown, wait_s) = (resources.profile(), resources.slowdown(), resources.wait_s());
        let added = self.fault.map_or(0.0, |active| active.added_error_ratio(service, self.now_s));
        let longer = self.fault.map_or(1.0, |active| active.slowdown(service, self.now_s));
        let mut latency_s = self.dice.lognormal(profile.median_s * slowdown * longer, profile.sigma);
        if wait_s > 0.0 {
            latency_s += self.dice.exponential(wait_s);
        }
        let mut outcome = Outcome::Ok;
        if self.dice.chance(profile.error_ratio + added) {
            outcome = Outcome::Failed;
        } else if self.dice.chance(profile.not_found_ratio) {
            outcome = Outcome::NotFound;
        } else {
            for call in self.dice.choose_calls(service.routes()) {
                if !self.dice.chance(call.probability) {
                    continue;
                }
                let answer = self.call_as_often_as_it_does(service, call);
                latency_s += answer.latency_s;
                if let (Some(failure), false) = (answer.outcome.seen_by_caller(), call.optional) {
                    outcome = failure;
                    break;
                }
            }
        }
        let node = self.nodes.get_mut(service);
        node.traffic.record(outcome, latency_s);
        node.resources.served(latency_s);
        Answer { latency_s, outcome }
    }

    /// The last answer, after as long as all of them took.
    fn call_as_often_as_it_does(&mut self, client: Service, call: &Call) -> Answer {
        let times = self.fault.map_or(1, |active| active.repeats(client, call.to, self.now_s));
        let mut answer = self.call(client, call);
        for _ in 1..times {
            let again = self.call(client, call);
            answer = Answer { latency_s: answer.latency_s + again.latency_s, outcome: again.outcome };
        }
        answer
    }

    fn call(&mut self, client: Service, call: &Call) -> Answer {
        // Where nobody listens, the connection is refused at once and nothing is served.
        let mut answer = if self.is_down(call.to) {
            Answer { latency_s: 0.0, outcome: Outcome::Failed }
        } else {
            self.serve(call.to)
        };
        answer.latency_s += self.dice.exponential(NETWORK_S);
        if answer.latency_s > CALL_TIMEOUT_S {
            answer = Answer { latency_s: CALL_TIMEOUT_S, outcome: Outcome::Timeout };
        }
        if let Some(edge) = self.edges.get_mut(&(client, call.to)) {
            edge.record(answer.outcome, answer.latency_s);
        }
        answer
    }

    fn tick(&mut self) {
        self.load.step(TICK_S, &mut self.dice);
        for service in Service::ALL {
            let fault = self.fault.map_or(0.0, |active| active.hog_ratio(service, self.now_s));
            let job = self.job.map_or(0.0, |job| job.hog_ratio(service, self.now_s));
            let strain = Strain {
                hog: fault.max(job),
                leaked_mib: self.fault.map_or(0.0, |active| active.leaked_mib(service, self.now_s)),
                starved: self.fault.map_or(0.0, |active| active.starved(service, self.now_s)),
            };
            self.nodes.get_mut(service).resources.tick(TICK_S, strain, &mut self.dice);
        }
        self.probe_s = probe_s(self.now_s, &mut self.dice);
    }
}

/// Mean of the synthetic probe, in seconds; the flapping rule's threshold is this very value.
pub const PROBE_MEAN_S: f64 = 0.5;
/// Seconds the probe takes to go round its locations, near ones and far ones.
const PROBE_ROUND_S: f64 = 24.0;

/// What a synthetic log-in from outside takes: it goes round near and far locations, day and night.
fn probe_s(now_s: f64, dice: &mut Dice) -> f64 {
    let round = (now_s / PROBE_ROUND_S).fract() * std::f64::consts::TAU;
    PROBE_MEAN_S + 0.05 * round.sin() + 0.012 * dice.normal()
}

#[cfg(test)]
mod tests;
