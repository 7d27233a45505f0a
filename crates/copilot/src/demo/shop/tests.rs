use super::*;

const START_S: f64 = 1_780_000_000.0;

/// What happened in a shop between two looks.
struct Interval {
    before: Looks,
    after: Looks,
    seconds: f64,
}

/// What each service had counted, and the processor seconds it had used.
type Looks = Vec<(Traffic, f64)>;

fn look(model: &Model) -> Looks {
    let node = |service: Service| {
        let node = model.nodes.get(service);
        (node.traffic.clone(), node.resources.cpu_seconds)
    };
    Service::ALL.map(node).into()
}

impl Interval {
    /// Sixty healthy seconds, and then sixty more, beginning twenty after the fault.
    fn healthy_and_broken(fault: Fault) -> (Self, Self, Model) {
        let mut model = Model::new(11, START_S, Vec::new());
        model.advance(START_S + 10.0);
        let healthy = Self::of(&mut model, 60.0);
        model.inject(fault);
        model.advance(model.now_s() + 20.0);
        let broken = Self::of(&mut model, 60.0);
        (healthy, broken, model)
    }

    fn of(model: &mut Model, seconds: f64) -> Self {
        let before = look(model);
        model.advance(model.now_s() + seconds);
        Self { before, after: look(model), seconds }
    }

    fn rate(&self, service: Service) -> f64 {
        let (before, after) = self.traffic(service);
        (after.count() - before.count()) as f64 / self.seconds
    }

    fn mean_latency_s(&self, service: Service) -> f64 {
        let (before, after) = self.traffic(service);
        (after.sum_s() - before.sum_s()) / (after.count() - before.count()) as f64
    }

    fn error_ratio(&self, service: Service) -> f64 {
        let (before, after) = self.traffic(service);
        let failed = |traffic: &Traffic| {
            let good = traffic.outcome(Outcome::Ok) + traffic.outcome(Outcome::NotFound);
            traffic.count() - good
        };
        (failed(after) - failed(before)) as f64 / (after.count() - before.count()) as f64
    }

    fn cores(&self, service: Service) -> f64 {
        let index = service as usize;
        (self.after[index].1 - self.before[index].1) / self.seconds
    }

    fn traffic(&self, service: Service) -> (&Traffic, &Traffic) {
        (&self.before[service as usize].0, &self.after[service as usize].0)
    }
}

#[test]
fn the_order_of_services_is_that_of_their_slots() {
    for (index, service) in Service::ALL.into_iter().enumerate() {
        assert_eq!(service as usize, index);
        assert_eq!(Service::named(service.name()), Some(service));
    }
    assert_eq!(Service::named("nobody"), None);
}

#[test]
fn a_seed_gives_one_shop_however_it_is_looked_at() {
    let page = |seed: u64, steps: &[f64]| {
        let mut model = Model::new(seed, START_S, Vec::new());
        steps.iter().for_each(|step| model.advance(START_S + step));
        Service::ALL.map(|service| exposition::text(&model, service)).concat()
    };
    assert_eq!(page(7, &[30.0]), page(7, &[0.1, 7.7, 7.7, 3.0, 30.0]));
    assert_ne!(page(7, &[30.0]), page(8, &[30.0]));
    let mut model = Model::new(7, START_S, Vec::new());
    model.advance(START_S + 9.0);
    model.advance(START_S + 3.0);
    assert_eq!(model.now_s(), START_S + 9.0);
}

#[test]
fn counters_only_grow_and_series_are_there_from_the_start() {
    let mut model = Model::new(7, START_S, Vec::new());
    let counters = |model: &Model| -> BTreeMap<String, f64> {
        let mut all = BTreeMap::new();
        for service in Service::ALL {
            let families = exposition::families(model, service);
            for family in families.iter().filter(|family| family.kind != exposition::MetricKind::Gauge) {
                for sample in &family.samples {
                    let name =
                        format!("{} {}{} {}", service.name(), family.name, sample.suffix, sample.labels);
                    all.insert(name, sample.value);
                }
            }
        }
        all
    };
    let mut last = counters(&model);
    assert!(last.values().all(|value| *value == 0.0));
    for second in 1..60 {
        if second == 20 {
            model.inject(Fault::BadRelease);
        }
        model.advance(START_S + f64::from(second));
        let now = counters(&model);
        assert!(now.keys().eq(last.keys()));
        for (name, value) in &now {
            assert!(value >= &last[name], "{name} fell from {} to {value}", last[name]);
        }
        last = now;
    }
}

#[test]
fn what_a_caller_counts_is_what_its_callee_counts() {
    let mut model = Model::new(7, START_S, Vec::new());
    model.advance(START_S + 60.0);
    for callee in Service::ALL {
        let calls: u64 =
            model.edges.iter().filter(|((_, to), _)| *to == callee).map(|(_, traffic)| traffic.count()).sum();
        if callee != Service::Storefront {
            assert_eq!(calls, model.nodes.get(callee).traffic.count(), "{callee:?}");
        }
    }
    let text = exposition::text(&model, Service::Orders);
    let buckets: Vec<u64> = text
        .lines()
        .filter(|line| line.starts_with("http_request_duration_seconds_bucket"))
        .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
        .collect();
    assert!(buckets.is_sorted(), "{buckets:?}");
    assert_eq!(buckets.last(), Some(&model.nodes.get(Service::Orders).traffic.count()));
}

#[test]
fn a_bad_release_fails_at_its_own_service_and_starves_those_below() {
    let (healthy, broken, model) = Interval::healthy_and_broken(Fault::BadRelease);
    let ratio = broken.error_ratio(Service::Checkout);
    assert!((0.11..0.18).contains(&ratio), "checkout fails {ratio}");
    assert!(healthy.error_ratio(Service::Checkout) < 0.02);
    // Its caller passes the failures on, diluted below what its own alert would see.
    let above = broken.error_ratio(Service::Storefront);
    assert!((0.015..0.045).contains(&above), "storefront fails {above}");
    for service in [Service::Payments, Service::Orders, Service::Inventory, Service::Cart, Service::OrdersDb]
    {
        assert!(broken.error_ratio(service) < 0.015, "{service:?}");
        let latency = broken.mean_latency_s(service) / healthy.mean_latency_s(service);
        assert!((0.8..1.25).contains(&latency), "{service:?} {latency}");
    }
    assert!(broken.rate(Service::Payments) < 0.92 * broken.rate(Service::Checkout));
    assert!(healthy.rate(Service::Payments) > 0.97 * healthy.rate(Service::Checkout));
    let text = exposition::text(&model, Service::Checkout);
    assert!(text.contains("shop_build_info{version=\"v2.41.0\"} 1\n"), "{text}");
}

#[test]
fn a_saturated_database_slows_all_above_it_and_burns_only_its_own_processor() {
    let (healthy, broken, model) = Interval::healthy_and_broken(Fault::SaturatedDatabase);
    let slower = |service| broken.mean_latency_s(service) / healthy.mean_latency_s(service);
    let above =
        [Service::Orders, Service::Inventory, Service::Shipping, Service::Checkout, Service::Storefront];
    for service in above {
        assert!(slower(service) > 3.0, "{service:?} {}", slower(service));
        // A caller that waits uses no processor, and one in twenty failures would be another alert.
        let cores = broken.cores(service) / healthy.cores(service);
        assert!((0.75..1.25).contains(&cores), "{service:?} {cores}");
        assert!(broken.error_ratio(service) < 0.03, "{service:?} {}", broken.error_ratio(service));
    }
    for service in [Service::Catalog, Service::Payments, Service::Recommendations, Service::CatalogDb] {
        assert!((0.8..1.25).contains(&slower(service)), "{service:?} {}", slower(service));
    }
    // The deepest of them is the worst of them.
    let worst = Service::ALL.into_iter().max_by(|a, b| slower(*a).total_cmp(&slower(*b)));
    assert_eq!(worst, Some(Service::OrdersDb));
    assert!(broken.cores(Service::OrdersDb) > 3.7);
    assert!(healthy.cores(Service::OrdersDb) < 1.0);
    let database = &model.nodes.get(Service::OrdersDb).resources;
    assert!(database.connections > 35.0 && database.waiting_clients > 5.0);
    let other = &model.nodes.get(Service::CatalogDb).resources;
    assert!(other.connections < 10.0 && other.waiting_clients == 0.0);
}

#[test]
fn recovering_gives_back_the_old_version_and_the_old_numbers() {
    for fault in Fault::ALL {
        let (healthy, _, mut model) = Interval::healthy_and_broken(fault);
        model.recover();
        model.advance(model.now_s() + 10.0);
        let after = Interval::of(&mut model, 60.0);
        assert!(after.error_ratio(Service::Checkout) < 0.02);
        let latency = after.mean_latency_s(Service::Checkout) / healthy.mean_latency_s(Service::Checkout);
        assert!((0.8..1.25).contains(&latency), "{fault:?} {latency}");
        assert_eq!(model.version(Service::Checkout), "v2.40.3");
    }
}

#[test]
fn the_probe_crosses_its_mean_again_and_again_in_a_healthy_shop() {
    let mut model = Model::new(7, START_S, Vec::new());
    let mut above = Vec::new();
    for second in (2..=120).step_by(2) {
        model.advance(START_S + f64::from(second));
        above.push(model.probe_s > PROBE_MEAN_S);
    }
    let crossings = above.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!((8..=30).contains(&crossings), "{crossings}");
}

#[test]
fn every_fault_is_felt_where_people_buy_or_look() {
    for fault in Fault::ALL {
        let mut model = Model::new(11, START_S, Vec::new());
        model.advance(START_S + 10.0);
        let healthy = Interval::of(&mut model, 30.0);
        model.inject(fault);
        let ripe_s = if fault == Fault::Leak { fault::LEAK_S } else { 20.0 };
        model.advance(model.now_s() + ripe_s);
        let broken = Interval::of(&mut model, 30.0);
        let felt = [Service::Storefront, Service::Checkout, Service::Cart].map(|service| {
            broken.error_ratio(service) > healthy.error_ratio(service) + 0.05
                || broken.mean_latency_s(service) > 2.0 * healthy.mean_latency_s(service)
        });
        assert!(felt.contains(&true), "{fault:?} is not felt");
    }
}

#[test]
fn a_service_that_is_gone_serves_nobody_and_its_callers_fail_fast() {
    let (_, broken, model) = Interval::healthy_and_broken(Fault::CacheDown);
    assert_eq!(broken.rate(Service::RedisCache), 0.0);
    assert!(broken.error_ratio(Service::Cart) > 0.9);
    assert!(model.is_down(Service::RedisCache) && !model.is_down(Service::Cart));
}
