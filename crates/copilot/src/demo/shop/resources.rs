//! Processor, memory, connections and queues of one service, and how scarcity slows it down.

use super::random::{Dice, Drift};
use super::topology::{Kind, Profile, Service};

/// Connections a database accepts.
pub(super) const POOL_MAX: f64 = 40.0;
/// Connections that back-office jobs of a healthy shop hold at any time.
const POOL_BACKGROUND: f64 = 4.0;
/// Of a saturated processor this much is used; the rest is lost in switching.
const CPU_CEILING: f64 = 0.975;
/// At this use of the free connections the queue no longer grows, because callers give up.
const POOL_CEILING: f64 = 0.75;
/// Memory that a request in flight holds.
const MIB_PER_REQUEST: f64 = 0.4;
/// Parcel labels that the printer makes in a second.
const LABELS_PER_S: f64 = 14.0;

/// The resources of one service, looked at once a tick.
pub(super) struct Resources {
    service: Service,
    profile: Profile,
    memory: Drift,
    jobs: Drift,
    recent: Recent,
    /// Processor seconds used since the start.
    pub cpu_seconds: f64,
    /// Seconds it wanted a processor and got none, since the start.
    pub throttled_seconds: f64,
    /// Resident memory in bytes.
    pub memory_bytes: f64,
    /// Requests in flight.
    pub in_flight: f64,
    /// Connections in use, for a database.
    pub connections: f64,
    /// Clients waiting for a connection, for a database.
    pub waiting_clients: f64,
    /// Labels waiting for the printer, for shipping.
    pub queued_labels: f64,
    utilisation: f64,
    requests_per_s: f64,
    wait_s: f64,
}

/// What a fault does to a service's resources.
#[derive(Clone, Copy, Default)]
pub(super) struct Strain {
    /// How much of the processor and of the connections something that is no request has taken, from 0 to 1.
    pub hog: f64,
    /// Memory held for nothing, in MiB.
    pub leaked_mib: f64,
    /// Seconds in each second for which it wanted a processor and got none.
    pub starved: f64,
}

/// What was served since the last tick.
#[derive(Default)]
struct Recent {
    requests: f64,
    busy_s: f64,
}

impl Resources {
    pub fn new(service: Service) -> Self {
        let profile = service.profile();
        Self {
            service,
            profile,
            memory: Drift::new(120.0, 0.015),
            jobs: Drift::new(30.0, 0.7),
            recent: Recent::default(),
            cpu_seconds: 0.0,
            throttled_seconds: 0.0,
            memory_bytes: mib(profile.memory_mib),
            in_flight: 0.0,
            connections: 0.0,
            waiting_clients: 0.0,
            queued_labels: 0.0,
            utilisation: profile.idle_cores / profile.cores,
            requests_per_s: 0.0,
            wait_s: 0.0,
        }
    }

    /// What the service costs when nothing is wrong.
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// A request was served.
    pub fn served(&mut self, latency_s: f64) {
        self.recent.requests += 1.0;
        self.recent.busy_s += latency_s;
    }

    /// How many times longer its own work takes than on an idle processor (processor sharing, 1 / (1 - u)).
    pub fn slowdown(&self) -> f64 {
        1.0 / (1.0 - self.utilisation.min(CPU_CEILING))
    }

    /// Mean seconds a request waits for a connection.
    pub const fn wait_s(&self) -> f64 {
        self.wait_s
    }

    /// Looks at what was served in the last `seconds`, under a `strain`.
    pub fn tick(&mut self, seconds: f64, strain: Strain, dice: &mut Dice) {
        let hog = strain.hog;
        let recent = std::mem::take(&mut self.recent);
        self.memory.step(seconds, dice);
        self.jobs.step(seconds, dice);
        let cpu_s = recent.requests * self.profile.cpu_s * (1.0 + 0.05 * dice.normal());
        let wanted = cpu_s.max(0.0) / seconds + self.profile.idle_cores + hog * self.profile.cores;
        let used = wanted.min(self.profile.cores * CPU_CEILING);
        self.cpu_seconds += used * seconds;
        self.utilisation = smooth(self.utilisation, used / self.profile.cores);
        self.requests_per_s = smooth(self.requests_per_s, recent.requests / seconds);
        // Little's law: requests in flight are the seconds of work that arrived in a second.
        self.in_flight = smooth(self.in_flight, recent.busy_s / seconds);
        self.memory_bytes =
            mib(self.profile.memory_mib * (1.0 + self.memory.value()) + self.in_flight * MIB_PER_REQUEST)
                + mib(strain.leaked_mib);
        // A busy service waits for its processor now and then, a starved one most of the time.
        let waits = 0.002 * used / self.profile.cores * (1.0 + 0.3 * dice.normal()).max(0.0);
        self.throttled_seconds += (waits + strain.starved) * seconds;
        match self.service.kind() {
            Kind::Database => self.tick_pool(hog),
            Kind::Http | Kind::Cache => {}
        }
        if self.service == Service::Shipping {
            let printed = LABELS_PER_S * seconds * (1.0 + 0.2 * dice.normal());
            self.queued_labels = (self.queued_labels + recent.requests - printed).max(0.0);
        }
    }

    /// A queue of one kind of customer for the connections that jobs have left (M/M/1 with rate c/s).
    fn tick_pool(&mut self, hog: f64) {
        let jobs = (POOL_BACKGROUND + self.jobs.value()).max(0.0) + hog * (POOL_MAX - POOL_BACKGROUND) * 0.88;
        let free = (POOL_MAX - jobs).max(1.0);
        let query_s = self.profile.median_s * self.slowdown();
        let load = (self.requests_per_s * query_s / free).min(POOL_CEILING);
        // With many free connections nobody waits, however the mean comes out.
        self.wait_s = if load < 0.2 { 0.0 } else { query_s * load / (1.0 - load) };
        self.waiting_clients = self.requests_per_s * self.wait_s;
        self.connections = (jobs + self.requests_per_s * query_s).min(POOL_MAX);
    }
}

/// Half of the old and half of the new: gauges of real programs are short averages too.
const fn smooth(old: f64, new: f64) -> f64 {
    0.5 * old + 0.5 * new
}

const fn mib(mib: f64) -> f64 {
    mib * 1_048_576.0
}
