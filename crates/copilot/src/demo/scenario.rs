//! What the demo breaks, and which changes its people report.

use std::fmt;
use std::str::FromStr;

use super::shop::{Fault, Release, Service};

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
    pub const ALL: [Self; 3] = [Self::BadDeploy, Self::SaturatedDatabase, Self::FlappingAlert];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadDeploy => "bad-deploy",
            Self::SaturatedDatabase => "saturated-database",
            Self::FlappingAlert => "flapping-alert",
        }
    }

    /// One line that tells what is going to happen, without the answer.
    pub const fn description(self) -> &'static str {
        match self {
            Self::BadDeploy => "checkout is released, and some of its requests begin to fail",
            Self::SaturatedDatabase => "the storefront becomes slow, and the reason is not in the storefront",
            Self::FlappingAlert => "an alert keeps coming and going, and nothing is wrong",
        }
    }

    /// What breaks in the shop, if anything.
    pub const fn fault(self) -> Option<Fault> {
        match self {
            Self::BadDeploy => Some(Fault::BadRelease),
            Self::SaturatedDatabase => Some(Fault::SaturatedDatabase),
            Self::FlappingAlert => None,
        }
    }

    /// The service whose alert will fire.
    pub const fn alerting_service(self) -> Service {
        match self {
            Self::BadDeploy => Service::Checkout,
            Self::SaturatedDatabase | Self::FlappingAlert => Service::Storefront,
        }
    }

    /// The change that people report when the fault begins, if they know of one.
    pub const fn change(self, fault_at_s: f64) -> Option<Change> {
        match self {
            Self::BadDeploy => Some(Change {
                service: Service::Checkout,
                kind: ChangeKind::Deploy,
                summary: "checkout v2.41.0: new voucher rules",
                version: Some("v2.41.0"),
                at_s: fault_at_s,
            }),
            Self::SaturatedDatabase | Self::FlappingAlert => None,
        }
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
        assert_eq!(
            error,
            "no scenario is called \"full-disk\"; there are bad-deploy, saturated-database, flapping-alert"
        );
    }

    #[test]
    fn the_reported_change_is_what_the_shop_runs() {
        let change = Scenario::BadDeploy.change(100.0).unwrap();
        assert_eq!(change.service, Fault::BadRelease.service());
        assert_eq!(earlier_releases(10_000.0).len(), 1);
    }
}
