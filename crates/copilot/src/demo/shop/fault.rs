//! What can break.

use super::Release;
use super::topology::Service;

/// Seconds from a release until its instances take requests.
const ROLLOUT_S: f64 = 3.0;
/// Seconds a fault takes from its first effect to its full one.
const RAMP_S: f64 = 4.0;
/// Requests that the bad release fails, as a ratio.
const BAD_RELEASE_ERROR_RATIO: f64 = 0.14;

/// Something that breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Version v2.41.0 of `checkout` fails one request in seven, at once and before it calls anybody.
    BadRelease,
    /// A reporting job takes the connections and the processor of `orders-db`.
    SaturatedDatabase,
}

impl Fault {
    /// The service that is at fault.
    pub const fn service(self) -> Service {
        match self {
            Self::BadRelease => Service::Checkout,
            Self::SaturatedDatabase => Service::OrdersDb,
        }
    }

    pub(super) fn release(self, at_s: f64) -> Option<Release> {
        let version = match self {
            Self::BadRelease => "v2.41.0",
            Self::SaturatedDatabase => return None,
        };
        Some(Release { service: self.service(), version, at_s })
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
        match self.fault {
            Fault::BadRelease if service == Service::Checkout => {
                BAD_RELEASE_ERROR_RATIO * self.strength(now_s - ROLLOUT_S)
            }
            Fault::BadRelease | Fault::SaturatedDatabase => 0.0,
        }
    }

    /// How much of a service's processor and connections the fault takes, as a ratio.
    pub fn hog_ratio(self, service: Service, now_s: f64) -> f64 {
        match self.fault {
            Fault::SaturatedDatabase if service == Service::OrdersDb => self.strength(now_s),
            Fault::BadRelease | Fault::SaturatedDatabase => 0.0,
        }
    }

    fn strength(self, now_s: f64) -> f64 {
        ((now_s - self.since_s) / RAMP_S).clamp(0.0, 1.0)
    }
}
