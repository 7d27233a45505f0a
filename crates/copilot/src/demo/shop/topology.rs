//! Which services there are, what each costs, and who calls whom.

use Service::{
    Cart, Catalog, CatalogDb, Checkout, Inventory, Orders, OrdersDb, Payments, Recommendations, RedisCache,
    Shipping, Storefront,
};

/// A service of the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Where every visitor's request arrives.
    Storefront,
    /// Products and search.
    Catalog,
    /// What else a visitor may like; the storefront can do without.
    Recommendations,
    /// Baskets.
    Cart,
    /// Turns a basket into an order.
    Checkout,
    /// Talks to the card acquirer.
    Payments,
    /// Keeps orders.
    Orders,
    /// Reserves stock.
    Inventory,
    /// Books parcels.
    Shipping,
    /// The database of orders, stock and parcels.
    OrdersDb,
    /// The database of products.
    CatalogDb,
    /// Baskets and products in memory.
    RedisCache,
}

/// What kind of program a service is, which decides the names of its metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Answers HTTP.
    Http,
    /// Answers queries through a pool of connections.
    Database,
    /// Answers cache commands.
    Cache,
}

/// One way through a service, taken by a share of its requests.
pub struct Route {
    /// Weight among the service's routes.
    pub share: f64,
    /// The calls it makes, one after the other.
    pub calls: &'static [Call],
}

/// A call from one service to another.
pub struct Call {
    /// The callee.
    pub to: Service,
    /// How often the route makes it, as a ratio.
    pub probability: f64,
    /// Whether the caller can answer without it.
    pub optional: bool,
}

/// What a service costs when nothing is wrong.
#[derive(Clone, Copy)]
pub struct Profile {
    /// Median seconds of its own work for a request, on an idle processor.
    pub median_s: f64,
    /// Spread of that: the standard deviation of its logarithm.
    pub sigma: f64,
    /// Mean processor seconds for a request.
    pub cpu_s: f64,
    /// Processors used with no request at all.
    pub idle_cores: f64,
    /// Processors it may use.
    pub cores: f64,
    /// Resident memory in MiB with nothing in flight.
    pub memory_mib: f64,
    /// Its own failures among its requests, as a ratio.
    pub error_ratio: f64,
    /// Answers that something does not exist, as a ratio; not a failure.
    pub not_found_ratio: f64,
    /// Its version before any release.
    pub version: &'static str,
}

const fn always(to: Service) -> Call {
    Call { to, probability: 1.0, optional: false }
}

const fn only(calls: &'static [Call]) -> [Route; 1] {
    [Route { share: 1.0, calls }]
}

const STOREFRONT: [Route; 3] = [
    Route {
        share: 0.60,
        calls: &[always(Catalog), Call { to: Recommendations, probability: 0.5, optional: true }],
    },
    Route { share: 0.21, calls: &[always(Cart)] },
    Route { share: 0.19, calls: &[always(Checkout)] },
];
const CATALOG: [Route; 1] =
    only(&[always(RedisCache), Call { to: CatalogDb, probability: 0.15, optional: false }]);
const RECOMMENDATIONS: [Route; 1] = only(&[always(Catalog)]);
const CART: [Route; 1] = only(&[always(RedisCache)]);
const CHECKOUT: [Route; 1] = only(&[always(Cart), always(Inventory), always(Payments), always(Orders)]);
const ORDERS: [Route; 1] =
    only(&[always(OrdersDb), always(OrdersDb), Call { to: Shipping, probability: 0.9, optional: false }]);
const ORDERS_DB_ONLY: [Route; 1] = only(&[always(OrdersDb)]);

impl Service {
    /// Every service, callers first.
    pub const ALL: [Self; 12] = [
        Storefront,
        Catalog,
        Recommendations,
        Cart,
        Checkout,
        Payments,
        Orders,
        Inventory,
        Shipping,
        OrdersDb,
        CatalogDb,
        RedisCache,
    ];

    /// Its name, as in the label `service`.
    pub const fn name(self) -> &'static str {
        match self {
            Storefront => "storefront",
            Catalog => "catalog",
            Recommendations => "recommendations",
            Cart => "cart",
            Checkout => "checkout",
            Payments => "payments",
            Orders => "orders",
            Inventory => "inventory",
            Shipping => "shipping",
            OrdersDb => "orders-db",
            CatalogDb => "catalog-db",
            RedisCache => "redis-cache",
        }
    }

    /// The service of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }

    /// What kind of program it is.
    pub const fn kind(self) -> Kind {
        match self {
            OrdersDb | CatalogDb => Kind::Database,
            RedisCache => Kind::Cache,
            _ => Kind::Http,
        }
    }

    pub(super) const fn routes(self) -> &'static [Route] {
        match self {
            Storefront => &STOREFRONT,
            Catalog => &CATALOG,
            Recommendations => &RECOMMENDATIONS,
            Cart => &CART,
            Checkout => &CHECKOUT,
            Orders => &ORDERS,
            Inventory | Shipping => &ORDERS_DB_ONLY,
            Payments | OrdersDb | CatalogDb | RedisCache => &[],
        }
    }

    pub(super) const fn profile(self) -> Profile {
        match self {
            Storefront => web(0.006, 0.004, 4.0, 410.0, "v5.12.0"),
            Catalog => Profile { not_found_ratio: 0.01, ..web(0.007, 0.005, 2.0, 350.0, "v1.18.1") },
            Recommendations => web(0.018, 0.012, 2.0, 620.0, "v0.9.4"),
            Cart => web(0.004, 0.003, 1.0, 180.0, "v3.3.0"),
            Checkout => Profile { error_ratio: 0.002, ..web(0.012, 0.008, 2.0, 290.0, "v2.40.3") },
            // Most of a payment is the acquirer's answer, which costs no processor time here.
            Payments => Profile { error_ratio: 0.003, ..web(0.130, 0.006, 1.0, 240.0, "v4.1.7") },
            Orders => web(0.008, 0.006, 2.0, 330.0, "v2.7.1"),
            Inventory => web(0.005, 0.004, 1.0, 260.0, "v1.6.0"),
            Shipping => web(0.009, 0.005, 1.0, 220.0, "v1.2.8"),
            OrdersDb => store(0.003, 0.010, 4.0, 2_900.0, "15.6"),
            CatalogDb => store(0.004, 0.011, 2.0, 1_700.0, "15.6"),
            RedisCache => store(0.0004, 0.0003, 1.0, 760.0, "7.2.4"),
        }
    }
}

const fn web(median_s: f64, cpu_s: f64, cores: f64, memory_mib: f64, version: &'static str) -> Profile {
    let idle_cores = 0.02;
    let (sigma, error_ratio, not_found_ratio) = (0.35, 0.0008, 0.0);
    Profile { median_s, sigma, cpu_s, idle_cores, cores, memory_mib, error_ratio, not_found_ratio, version }
}

const fn store(median_s: f64, cpu_s: f64, cores: f64, memory_mib: f64, version: &'static str) -> Profile {
    Profile {
        idle_cores: 0.04 * cores,
        sigma: 0.45,
        error_ratio: 0.0001,
        ..web(median_s, cpu_s, cores, memory_mib, version)
    }
}

/// One value for each service.
pub(super) struct PerService<T>([T; Service::ALL.len()]);

impl<T> PerService<T> {
    /// The values in the order of [`Service::ALL`].
    pub const fn new(values: [T; Service::ALL.len()]) -> Self {
        Self(values)
    }

    #[expect(clippy::indexing_slicing, reason = "there is a slot for every variant")]
    pub const fn get(&self, service: Service) -> &T {
        &self.0[service as usize]
    }

    #[expect(clippy::indexing_slicing, reason = "there is a slot for every variant")]
    pub const fn get_mut(&mut self, service: Service) -> &mut T {
        &mut self.0[service as usize]
    }
}
