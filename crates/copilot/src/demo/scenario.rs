//! What the demo breaks, and which changes its people report.

use std::fmt;
use std::str::FromStr;

use super::shop::{Fault, Job, Release, Service};

/// A story the demo tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scenario {
    /// A release of `checkout` fails one request in seven.
    #[default]
    BadDeploy,
    /// `orders-db` is saturated; the alert comes from `storefront`, four calls away.
    SaturatedDatabase,
    /// A new alert rule sits on the mean of a noisy probe; nothing is wrong.
    FlappingAlert,
    /// The card acquirer behind `payments` answers late.
    SlowAcquirer,
    /// `inventory` begins to fail, and nobody changed anything.
    FailingStock,
    /// `cart` leaks memory for half an hour until there is none left.
    MemoryLeak,
    /// `redis-cache` is gone, and everything that needs it fails.
    CacheDown,
    /// A release of `orders` repeats its queries without a limit.
    RetryStorm,
    /// Another program takes the processor away from `inventory`.
    NoisyNeighbour,
    /// Eight times the visitors.
    TrafficSurge,
    /// A release of `catalog` takes long for a page.
    SlowRelease,
    /// A job slows `catalog-db` every five minutes, as it always did; a new alert rule notices.
    PeriodicJob,
}

/// A name that no scenario has.
#[derive(Debug, thiserror::Error)]
#[error("no scenario is called {0:?}; there are {list}", list = Scenario::ALL.map(Scenario::name).join(", "))]
pub struct UnknownScenario(String);

/// Something that people changed in the shop, to be reported as a change event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// The service that was changed.
    pub service: Service,
    /// What kind of change.
    pub kind: ChangeKind,
    /// One line for a person.
    pub summary: &'static str,
    /// The new version, for a deployment.
    pub version: Option<&'static str>,
    /// When, in Unix seconds.
    pub at_s: f64,
}

/// What kind of change it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// A new version.
    Deploy,
    /// The same version with other settings.
    Config,
}

impl ChangeKind {
    /// The kind as the API spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Config => "config",
        }
    }
}

impl Scenario {
    /// Every scenario, the default first.
    pub const ALL: [Self; 12] = [
        Self::BadDeploy,
        Self::SaturatedDatabase,
        Self::FlappingAlert,
        Self::SlowAcquirer,
        Self::FailingStock,
        Self::MemoryLeak,
        Self::CacheDown,
        Self::RetryStorm,
        Self::NoisyNeighbour,
        Self::TrafficSurge,
        Self::SlowRelease,
        Self::PeriodicJob,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadDeploy => "bad-deploy",
            Self::SaturatedDatabase => "saturated-database",
            Self::FlappingAlert => "flapping-alert",
            Self::SlowAcquirer => "slow-acquirer",
            Self::FailingStock => "failing-stock",
            Self::MemoryLeak => "memory-leak",
            Self::CacheDown => "cache-down",
            Self::RetryStorm => "retry-storm",
            Self::NoisyNeighbour => "noisy-neighbour",
            Self::TrafficSurge => "traffic-surge",
            Self::SlowRelease => "slow-release",
            Self::PeriodicJob => "periodic-job",
        }
    }

    /// One line that tells what is going to happen, without the answer.
    pub const fn description(self) -> &'static str {
        match self {
            Self::BadDeploy => "checkout is released, and some of its requests begin to fail",
            Self::SaturatedDatabase => "the storefront becomes slow, and the reason is not in the storefront",
            Self::FlappingAlert => "an alert keeps coming and going, and nothing is wrong",
            Self::SlowAcquirer => "buying becomes slow, and nobody changed anything",
            Self::FailingStock => "orders begin to fail, and nobody changed anything",
            Self::MemoryLeak => "something that began half an hour ago comes to its end",
            Self::CacheDown => "many services fail at once",
            Self::RetryStorm => "a release turns on its own database",
            Self::NoisyNeighbour => "the storefront becomes slow, and its services do what they always did",
            Self::TrafficSurge => "a campaign works better than anybody had hoped",
            Self::SlowRelease => "catalog is released, and pages become slow",
            Self::PeriodicJob => "a new alert notices what has been going on for a long time",
        }
    }

    /// What breaks in the shop, if anything.
    pub const fn fault(self) -> Option<Fault> {
        Some(match self {
            Self::BadDeploy => Fault::BadRelease,
            Self::SaturatedDatabase => Fault::SaturatedDatabase,
            Self::SlowAcquirer => Fault::SlowAcquirer,
            Self::FailingStock => Fault::FailingStock,
            Self::MemoryLeak => Fault::Leak,
            Self::CacheDown => Fault::CacheDown,
            Self::RetryStorm => Fault::RetryStorm,
            Self::NoisyNeighbour => Fault::NoisyNeighbour,
            Self::TrafficSurge => Fault::Surge,
            Self::SlowRelease => Fault::SlowRelease,
            Self::FlappingAlert | Self::PeriodicJob => return None,
        })
    }

    /// The service that the first hypothesis should name; none where nothing is wrong.
    pub fn culprit(self) -> Option<Service> {
        self.fault().map(Fault::service)
    }

    /// How many seconds before the shop is looked at the fault began.
    pub const fn begins_before_s(self) -> f64 {
        match self {
            Self::MemoryLeak => 1500.0,
            _ => 0.0,
        }
    }

    /// What runs by the clock, in a shop whose past ends at that time.
    pub fn job(self, history_end_s: f64) -> Option<Job> {
        let at_s = history_end_s + 20.0;
        let job = Job { service: Service::CatalogDb, every_s: 300.0, takes_s: 40.0, at_s };
        (self == Self::PeriodicJob).then_some(job)
    }

    /// The change that people report when the fault begins, if they know of one.
    pub fn change(self, fault_at_s: f64) -> Option<Change> {
        let fault = self.fault()?;
        let summary = match self {
            Self::BadDeploy => "checkout v2.41.0: new voucher rules",
            Self::RetryStorm => "orders v2.8.0: try again when the database is busy",
            Self::SlowRelease => "catalog v1.19.0: prices in every currency",
            _ => return None,
        };
        let (service, version) = (fault.service(), fault.version());
        Some(Change { service, kind: ChangeKind::Deploy, summary, version, at_s: fault_at_s })
    }
}

/// Changes in the shop's last hour that harmed nothing, as every shop has them.
pub fn earlier_changes(history_end_s: f64) -> [Change; 2] {
    [
        Change {
            service: Service::Payments,
            kind: ChangeKind::Config,
            summary: "payments: acquirer timeout 8 s -> 6 s",
            version: None,
            at_s: history_end_s - 43.0 * 60.0,
        },
        Change {
            service: Service::Catalog,
            kind: ChangeKind::Deploy,
            summary: "catalog v1.18.2: faster search suggestions",
            version: Some("v1.18.2"),
            at_s: history_end_s - 24.0 * 60.0,
        },
    ]
}

/// The deployments among those changes, as the shop's services run them.
pub fn earlier_releases(history_end_s: f64) -> Vec<Release> {
    let release = |change: Change| {
        change.version.map(|version| Release { service: change.service, version, at_s: change.at_s })
    };
    earlier_changes(history_end_s).into_iter().filter_map(release).collect()
}

impl fmt::Display for Scenario {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Scenario {
    type Err = UnknownScenario;

    fn from_str(name: &str) -> Result<Self, UnknownScenario> {
        let found = Self::ALL.into_iter().find(|scenario| scenario.name() == name);
        found.ok_or_else(|| UnknownScenario(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_are_told_what_there_is() {
        for scenario in Scenario::ALL {
            assert_eq!(scenario.name().parse::<Scenario>().unwrap(), scenario);
        }
        let error = "full-disk".parse::<Scenario>().unwrap_err().to_string();
        let begins = "no scenario is called \"full-disk\"; there are bad-deploy, saturated-database, ";
        assert!(error.starts_with(begins), "{error}");
    }

    #[test]
    fn the_reported_change_is_what_the_shop_runs() {
        for scenario in Scenario::ALL {
            let version = scenario.fault().and_then(Fault::version);
            assert_eq!(scenario.change(100.0).and_then(|change| change.version), version, "{scenario}");
        }
        assert_eq!(earlier_releases(10_000.0).len(), 1);
    }
}
