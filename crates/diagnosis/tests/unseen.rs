//! Systems that nobody has seen: made at random, with the names and units of other worlds. The cause must be found whatever
//! things are called and counted in, and what says nothing must change nothing.

#![expect(clippy::indexing_slicing, reason = "made systems, whose vectors are as long as they have services")]

use std::collections::BTreeMap;

use diagnosis::{Case, Change, Diagnosis, Kind, Onset, Series, diagnose};

const ROWS: usize = 160;
const START: usize = 130;
const STEP: f64 = 15.0;

/// A repeatable source of numbers in 0..1 (Steele, Lea, Flood: SplitMix64, 2014).
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, count: usize) -> usize {
        ((self.next() * count as f64) as usize).min(count - 1)
    }
}

/// How a world writes a level down.
#[derive(Clone, Copy)]
enum Form {
    /// As it is, times a unit.
    Gauge(f64),
    /// Summed up since the process started.
    Counter,
    /// A share of failures as a share of successes, times a unit.
    Inverted(f64),
}
use Form::{Counter, Gauge, Inverted};

/// A world's names for duration (seconds), failed share, requests a second, cores and bytes.
type Naming = (&'static str, [(&'static str, Form); 5]);

const WORLDS: [Naming; 7] = [
    (
        "Istio and cAdvisor",
        [
            ("istio_request_duration_milliseconds_p95", Gauge(1e3)),
            ("istio_request_failures_ratio", Gauge(1.0)),
            ("istio_requests_total", Counter),
            ("container_cpu_usage_seconds_total", Counter),
            ("container_memory_working_set_bytes", Gauge(1.0)),
        ],
    ),
    (
        "OpenTelemetry",
        [
            ("http.server.request.duration", Gauge(1.0)),
            ("http.server.errors", Gauge(1.0)),
            ("http.server.requests_total", Counter),
            ("process.cpu.utilization", Gauge(1.0)),
            ("process.memory.usage", Gauge(1.0)),
        ],
    ),
    (
        "Micrometer",
        [
            ("http_server_requests_seconds_max", Gauge(1.0)),
            ("http_server_requests_failed_ratio", Gauge(1.0)),
            ("http_server_requests_seconds_count", Counter),
            ("process_cpu_usage", Gauge(1.0)),
            ("jvm_memory_used_bytes", Gauge(1.0)),
        ],
    ),
    (
        "Go",
        [
            ("request_time_ms", Gauge(1e3)),
            ("request_errors_percent", Gauge(100.0)),
            ("requests_per_second", Gauge(1.0)),
            ("process_cpu_seconds_total", Counter),
            ("go_memstats_heap_inuse_bytes", Gauge(1.0)),
        ],
    ),
    (
        "shares of success",
        [
            ("response_time_avg", Gauge(1e3)),
            ("success_rate", Inverted(100.0)),
            ("throughput", Gauge(60.0)),
            ("cpu_percent", Gauge(100.0)),
            ("mem_mb", Gauge(1e-6)),
        ],
    ),
    (
        "availability from 0 to 1",
        [
            ("latency_us_p99", Gauge(1e6)),
            ("availability", Inverted(1.0)),
            ("rps", Gauge(1.0)),
            ("cpu_millicores", Gauge(1e3)),
            ("memory_rss_kb", Gauge(1e-3)),
        ],
    ),
    (
        "Envoy",
        [
            ("envoy_cluster_upstream_rq_time_server_p90", Gauge(1e3)),
            ("upstream_rq_5xx_share", Gauge(1.0)),
            ("downstream_rq_total", Counter),
            ("container.cpu.usage", Gauge(1.0)),
            ("container.memory.rss", Gauge(1.0)),
        ],
    ),
];

/// What breaks.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Slow,
    Failing,
    Cpu,
    Memory,
}
const FAULTS: [Fault; 4] = [Fault::Slow, Fault::Failing, Fault::Cpu, Fault::Memory];

/// A tree of calls over `services` services, one of them broken, measured as `naming` does.
fn system(seed: u64, services: usize, naming: &Naming, fault: Fault) -> (Case, String) {
    let mut draw = Draw(seed);
    let names: Vec<String> =
        (0..services).map(|i| format!("{}{i}", ["ax", "bo", "cu"][draw.below(3)])).collect();
    let parent: Vec<usize> = (0..services).map(|i| if i == 0 { 0 } else { draw.below(i.min(8)) }).collect();
    let cause = 1 + draw.below(services - 1);
    let mut suffers = vec![0.0; services];
    let (mut at, mut share) = (cause, 1.0);
    loop {
        suffers[at] = share;
        if at == 0 {
            break;
        }
        (at, share) = (parent[at], share * 0.8);
    }
    let mut case = Case {
        times: (0..ROWS).map(|row| 1.7e9 + STEP * row as f64).collect(),
        onset: Onset::Known(1.7e9 + STEP * START as f64),
        graph: (1..services).map(|i| (names[parent[i]].clone(), names[i].clone())).collect(),
        entry: Some(names[0].clone()),
        ..Case::default()
    };
    for (i, name) in names.iter().enumerate() {
        let scale = 0.5 + draw.next();
        let hit = |what: Fault| if fault == what { suffers[i] } else { 0.0 };
        let own = |what: Fault| if fault == what && i == cause { 1.0 } else { 0.0 };
        let slow = 2.0 * hit(Fault::Slow) + 0.5 * (hit(Fault::Cpu) + hit(Fault::Memory));
        // level before, and what is added to it in the incident
        let levels = [
            (0.05 * scale, 0.05 * slow),
            (0.002, 0.2 * hit(Fault::Failing)),
            (50.0 * scale, 0.0),
            (0.2 * scale, 0.6 * own(Fault::Cpu)),
            (2e8 * scale, 4e8 * own(Fault::Memory)),
        ];
        for ((metric, form), (before, added)) in naming.1.into_iter().zip(levels) {
            let values = measured(form, before, added, &mut draw);
            case.series.push(Series::new(name, metric, values));
        }
        if i > 0 && seed.is_multiple_of(2) {
            // half of the systems also measure calls, at their callers
            let slow = 0.05 * 2.0 * hit(Fault::Slow);
            let values = measured(Gauge(1e3), 0.06 * scale, slow, &mut draw);
            case.series.push(Series::new(&names[parent[i]], &format!("latency_p90_to:{name}"), values));
        }
    }
    (case, names[cause].clone())
}

fn measured(form: Form, before: f64, added: f64, draw: &mut Draw) -> Vec<f64> {
    let mut sum = 1e4 * draw.next();
    let mut one = |row: usize| {
        let level = (before + if row >= START { added } else { 0.0 }) * (0.9 + 0.2 * draw.next());
        match form {
            Gauge(unit) => level * unit,
            Inverted(unit) => (1.0 - level) * unit,
            Counter => {
                sum += level * STEP;
                sum
            }
        }
    };
    (0..ROWS).map(&mut one).collect()
}

fn first(diagnosis: &Diagnosis) -> &str {
    diagnosis.causes.first().map_or("", |cause| &cause.service)
}

/// Share of systems whose cause is first.
fn found(naming: &Naming, services: usize, systems: u64, prepare: impl Fn(&mut Case)) -> f64 {
    let mut right = 0;
    for seed in 0..systems {
        let fault = FAULTS[seed as usize % FAULTS.len()];
        let (mut case, cause) = system(seed + 1, services, naming, fault);
        prepare(&mut case);
        right += usize::from(first(&diagnose(&case)) == cause);
    }
    right as f64 / systems as f64
}

#[test]
fn every_world_is_understood() {
    for naming in &WORLDS {
        let kinds: Vec<Kind> = naming.1.iter().map(|(metric, _)| Kind::of_metric(metric)).collect();
        let failures = if matches!(naming.1[1].1, Inverted(_)) { Kind::Success } else { Kind::Errors };
        assert_eq!(kinds, [Kind::Latency, failures, Kind::Traffic, Kind::Cpu, Kind::Memory], "{}", naming.0);
        let share = found(naming, 12, 40, |_| {});
        assert!(share >= 0.95, "{}: {share}", naming.0);
    }
}

#[test]
fn few_services_many_services_and_missing_metrics_change_little() {
    let world = &WORLDS[0];
    for (services, systems) in [(2, 12), (4, 12), (200, 8)] {
        let share = found(world, services, systems, |_| {});
        assert!(share >= 0.9, "{services} services: {share}");
    }
    for missing in [
        "istio_request_duration_milliseconds_p95",
        "istio_requests_total",
        "container_cpu_usage_seconds_total",
    ] {
        let share = found(world, 12, 24, |case| case.series.retain(|series| series.metric != missing));
        let floor = if missing == "istio_requests_total" { 0.95 } else { 0.7 };
        assert!(share >= floor, "without {missing}: {share}");
    }
    let share = found(world, 12, 24, |case| case.graph.clear());
    assert!(share >= 0.7, "without a graph: {share}");
}

/// Two answers are the same but for names and the last digits.
fn assert_same(a: &Diagnosis, b: &Diagnosis, rename: &BTreeMap<String, String>, what: &str) {
    assert_eq!(a.causes.len(), b.causes.len(), "{what}");
    assert!((a.none_of_these - b.none_of_these).abs() < 1e-6, "{what}");
    let of = |answer: &Diagnosis| -> BTreeMap<String, f64> {
        answer.causes.iter().map(|cause| (cause.service.clone(), cause.probability)).collect()
    };
    let b = of(b);
    for (service, probability) in of(a) {
        let other = b.get(rename.get(&service).unwrap_or(&service)).copied();
        assert!(
            other.is_some_and(|p| (p - probability).abs() < 1e-6),
            "{what}: {service} {probability} {other:?}"
        );
    }
}

#[test]
fn what_says_nothing_changes_nothing() {
    for (seed, naming) in (7..).zip(&WORLDS) {
        for fault in FAULTS {
            let (mut case, _) = system(seed, 12, naming, fault);
            case.changes =
                vec![Change { time: case.times[START - 9], service: "ax1".to_owned(), ..Change::default() }];
            for onset in [case.onset, Onset::Near(case.times[ROWS - 1])] {
                case.onset = onset;
                metamorphoses(&case, naming.0);
            }
        }
    }
}

fn metamorphoses(case: &Case, world: &str) {
    let answer = diagnose(case);
    let none = BTreeMap::new();
    let mut shuffled = case.clone();
    shuffled.series.reverse();
    shuffled.series.rotate_left(5);
    shuffled.graph.reverse();
    assert_same(&answer, &diagnose(&shuffled), &none, &format!("{world}, shuffled"));

    let mut doubled = case.clone();
    doubled.series.extend(case.series.clone());
    doubled.graph.extend(case.graph.clone());
    if matches!(case.onset, Onset::Known(_)) {
        assert_same(&answer, &diagnose(&doubled), &none, &format!("{world}, doubled columns"));
    } else {
        // twice the witnesses make the start more certain, and nobody else the cause
        assert_eq!(first(&answer), first(&diagnose(&doubled)), "{world}, doubled columns");
    }

    let mut later = case.clone();
    let by = 7_654_321.0;
    later.times.iter_mut().for_each(|time| *time += by);
    later.changes.iter_mut().for_each(|change| change.time += by);
    later.onset = match case.onset {
        Onset::Known(time) => Onset::Known(time + by),
        Onset::Near(time) => Onset::Near(time + by),
    };
    assert_same(&answer, &diagnose(&later), &none, &format!("{world}, months later"));

    for (kind, by) in
        [(Kind::Latency, 1e-3), (Kind::Memory, 1.0 / 1_048_576.0), (Kind::Cpu, 1e3), (Kind::Traffic, 60.0)]
    {
        let mut scaled = case.clone();
        let own = scaled.series.iter_mut().filter(|series| series.kind == kind);
        own.flat_map(|series| series.values.iter_mut()).for_each(|value| *value *= by);
        assert_same(&answer, &diagnose(&scaled), &none, &format!("{world}, {kind:?} times {by}"));
    }

    let services: Vec<String> = answer.causes.iter().map(|cause| cause.service.clone()).collect();
    let names: BTreeMap<String, String> = services
        .iter()
        .map(|name| (name.clone(), format!("z/{}", name.chars().rev().collect::<String>())))
        .collect();
    let to = |name: &mut String| name.clone_from(&names[name.as_str()]);
    let mut renamed = case.clone();
    for series in &mut renamed.series {
        to(&mut series.service);
        if let Some((metric, callee)) = series.metric.split_once(':') {
            series.metric = format!("{metric}:{}", names[callee]);
        }
    }
    renamed
        .changes
        .iter_mut()
        .filter(|change| names.contains_key(&change.service))
        .for_each(|c| to(&mut c.service));
    renamed.graph.iter_mut().for_each(|(a, b)| {
        to(a);
        to(b);
    });
    renamed.entry.iter_mut().for_each(to);
    assert_same(&answer, &diagnose(&renamed), &names, &format!("{world}, renamed"));
}

#[test]
fn a_service_that_has_nothing_to_do_with_it_moves_nobody() {
    for (seed, naming) in (3..).zip(&WORLDS) {
        let (case, cause) = system(seed, 12, naming, Fault::Slow);
        let with = {
            let mut more = case.clone();
            let mut draw = Draw(99);
            for (metric, form) in naming.1 {
                let values =
                    measured(form, if matches!(form, Inverted(_)) { 0.002 } else { 0.3 }, 0.0, &mut draw);
                more.series.push(Series::new("bystander", metric, values));
            }
            more
        };
        let (without, with) = (diagnose(&case), diagnose(&with));
        assert_eq!((first(&without), first(&with)), (cause.as_str(), cause.as_str()), "{}", naming.0);
        let moved = (without.causes[0].probability - with.causes[0].probability).abs();
        assert!(moved < 0.02, "{}: {moved}", naming.0);
    }
}

#[test]
fn a_small_percentage_is_a_percentage() {
    // every service fails a little, in per cent: the values alone look like shares
    let failing = |unit: f64| {
        let mut case = system(
            5,
            12,
            &(
                "",
                [
                    ("latency", Gauge(1.0)),
                    ("errors_ratio", Gauge(unit)),
                    ("rps", Gauge(1.0)),
                    ("cpu", Gauge(1.0)),
                    ("mem", Gauge(1.0)),
                ],
            ),
            Fault::Failing,
        )
        .0;
        case.series.retain(|series| series.kind == Kind::Errors);
        case
    };
    assert_same(&diagnose(&failing(1.0)), &diagnose(&failing(100.0)), &BTreeMap::new(), "per cent");
}
