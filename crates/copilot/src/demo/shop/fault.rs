//! What can break.

use super::Release;
use super::topology::Service;

/// Seconds from a release until its instances take requests.
const ROLLOUT_S: f64 = 3.0;
/// Seconds a fault takes from its first effect to its full one.
const RAMP_S: f64 = 4.0;
/// Requests that the bad release fails, as a ratio.
const BAD_RELEASE_ERROR_RATIO: f64 = 0.14;
/// Requests that fail while stock can't be reserved, as a ratio.
const STOCK_ERROR_RATIO: f64 = 0.22;
/// How many times longer a payment takes while the acquirer is slow.
const SLOW_ACQUIRER: f64 = 9.0;
/// How many times longer the slow release works on a request.
const SLOW_RELEASE: f64 = 70.0;
/// How many times longer a service works whose processor somebody else uses.
const STARVED: f64 = 140.0;
/// How often the release without a limit on retries asks its database for one thing.
const RETRIES: usize = 20;
/// How many times more visitors a campaign brings.
const SURGE: f64 = 8.0;
/// Seconds a leak takes to fill the memory.
pub(super) const LEAK_S: f64 = 1540.0;
/// MiB that the leak holds then.
const LEAK_MIB: f64 = 820.0;
/// The share of the leak from which collecting garbage leaves little time for requests.
const LEAK_FELT: f64 = 0.985;

/// Something that breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Version v2.41.0 of `checkout` fails one request in seven, at once and before it calls anybody.
    BadRelease,
    /// A reporting job takes the connections and the processor of `orders-db`.
    SaturatedDatabase,
    /// The card acquirer behind `payments` answers late.
    SlowAcquirer,
    /// `inventory` fails to reserve stock in one request of five; nobody changed anything.
    FailingStock,
    /// `cart` has leaked memory for half an hour, and has none left.
    Leak,
    /// `redis-cache` is gone: it refuses connections and answers no scrape.
    CacheDown,
    /// Version v2.8.0 of `orders` repeats queries without a limit and drowns its database.
    RetryStorm,
    /// Something on the machine of `inventory` takes the processor away from it.
    NoisyNeighbour,
    /// A campaign brings eight times the visitors.
    Surge,
    /// Version v1.19.0 of `catalog` takes long for a page.
    SlowRelease,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 10] = [
        Self::BadRelease,
        Self::SaturatedDatabase,
        Self::SlowAcquirer,
        Self::FailingStock,
        Self::Leak,
        Self::CacheDown,
        Self::RetryStorm,
        Self::NoisyNeighbour,
        Self::Surge,
        Self::SlowRelease,
    ];

    /// The service that is at fault.
    pub const fn service(self) -> Service {
        match self {
            Self::BadRelease => Service::Checkout,
            Self::SaturatedDatabase => Service::OrdersDb,
            Self::SlowAcquirer => Service::Payments,
            Self::FailingStock | Self::NoisyNeighbour => Service::Inventory,
            Self::Leak => Service::Cart,
            Self::CacheDown => Service::RedisCache,
            Self::RetryStorm => Service::Orders,
            Self::Surge => Service::Storefront,
            Self::SlowRelease => Service::Catalog,
        }
    }

    /// The version that brought it, when a release did.
    pub const fn version(self) -> Option<&'static str> {
        match self {
            Self::BadRelease => Some("v2.41.0"),
            Self::RetryStorm => Some("v2.8.0"),
            Self::SlowRelease => Some("v1.19.0"),
            _ => None,
        }
    }

    pub(super) fn release(self, at_s: f64) -> Option<Release> {
        self.version().map(|version| Release { service: self.service(), version, at_s })
    }

    pub(super) fn rollback(self, at_s: f64) -> Option<Release> {
        let service = self.service();
        self.release(at_s).map(|release| Release { version: service.profile().version, ..release })
    }
}

/// A fault and when it began.
#[derive(Clone, Copy)]
pub(super) struct Active {
    pub fault: Fault,
    pub since_s: f64,
}

impl Active {
    /// Failures that the fault adds to a service's own, as a ratio.
    pub fn added_error_ratio(self, service: Service, now_s: f64) -> f64 {
        if service != self.fault.service() {
            return 0.0;
        }
        match self.fault {
            Fault::BadRelease => BAD_RELEASE_ERROR_RATIO * self.rolled_out(now_s),
            Fault::FailingStock => STOCK_ERROR_RATIO * self.strength(now_s),
            Fault::Leak => 0.2 * self.out_of_memory(now_s),
            _ => 0.0,
        }
    }

    /// How much of a service's processor and connections the fault takes, as a ratio.
    pub fn hog_ratio(self, service: Service, now_s: f64) -> f64 {
        match self.fault {
            Fault::SaturatedDatabase if service == Service::OrdersDb => self.strength(now_s),
            Fault::Leak if service == Service::Cart => 0.6 * self.out_of_memory(now_s),
            _ => 0.0,
        }
    }

    /// How many times longer a service's own work takes.
    pub fn slowdown(self, service: Service, now_s: f64) -> f64 {
        if service != self.fault.service() {
            return 1.0;
        }
        let (times, strength) = match self.fault {
            Fault::SlowAcquirer => (SLOW_ACQUIRER, self.strength(now_s)),
            Fault::NoisyNeighbour => (STARVED, self.strength(now_s)),
            Fault::SlowRelease => (SLOW_RELEASE, self.rolled_out(now_s)),
            _ => return 1.0,
        };
        1.0 + (times - 1.0) * strength
    }

    /// How often `client` asks `server` for one thing.
    pub fn repeats(self, client: Service, server: Service, now_s: f64) -> usize {
        let storm = self.fault == Fault::RetryStorm && self.rolled_out(now_s) > 0.5;
        if storm && client == Service::Orders && server == Service::OrdersDb { RETRIES } else { 1 }
    }

    /// How many times more visitors come.
    pub fn visitors(self, now_s: f64) -> f64 {
        if self.fault == Fault::Surge { 1.0 + (SURGE - 1.0) * self.strength(now_s) } else { 1.0 }
    }

    /// Memory that the service holds beyond what it needs, in MiB.
    pub fn leaked_mib(self, service: Service, now_s: f64) -> f64 {
        if self.fault == Fault::Leak && service == Service::Cart {
            LEAK_MIB * self.leaked(now_s)
        } else {
            0.0
        }
    }

    /// Seconds in each second for which a service wanted a processor and got none.
    pub fn starved(self, service: Service, now_s: f64) -> f64 {
        let starved = self.fault == Fault::NoisyNeighbour && service == self.fault.service();
        if starved { 0.9 * self.strength(now_s) } else { 0.0 }
    }

    /// Whether the service is gone.
    pub fn is_down(self, service: Service) -> bool {
        self.fault == Fault::CacheDown && service == self.fault.service()
    }

    fn leaked(self, now_s: f64) -> f64 {
        ((now_s - self.since_s) / LEAK_S).clamp(0.0, 1.0)
    }

    fn out_of_memory(self, now_s: f64) -> f64 {
        ((self.leaked(now_s) - LEAK_FELT) / (1.0 - LEAK_FELT)).clamp(0.0, 1.0)
    }

    fn rolled_out(self, now_s: f64) -> f64 {
        self.strength(now_s - ROLLOUT_S)
    }

    fn strength(self, now_s: f64) -> f64 {
        ((now_s - self.since_s) / RAMP_S).clamp(0.0, 1.0)
    }
}

/// A job that runs by the clock, harmless as far as anybody knows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Job {
    /// The database it works on.
    pub service: Service,
    /// Seconds from one run to the next.
    pub every_s: f64,
    /// Seconds that a run takes.
    pub takes_s: f64,
    /// The beginning of one of its runs, in Unix seconds.
    pub at_s: f64,
}

impl Job {
    /// How much of the service's processor and connections it takes, as a ratio.
    pub(super) fn hog_ratio(self, service: Service, now_s: f64) -> f64 {
        let into = (now_s - self.at_s).rem_euclid(self.every_s);
        if service == self.service && into < self.takes_s { 1.0 } else { 0.0 }
    }
}
