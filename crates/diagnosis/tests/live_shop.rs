//! A small shop with a known call graph: the cause must come first, and where there is none, none must be named.

use diagnosis::{
    Case, Change, Diagnosis, Direction, FiringAlert, Kind, Onset, Series, Signal, Statement, diagnose,
};

const ROWS: usize = 120;
const STEP: f64 = 15.0;
const START: usize = 100;

/// A wobble without a random generator: two incommensurable waves.
fn wobble(row: usize, salt: usize) -> f64 {
    let x = row as f64 + 17.0 * salt as f64;
    1.0 + 0.05 * (x * 0.7).sin() + 0.05 * (x * 2.3).cos()
}

fn series(service: &str, metric: &str, level: f64, during: f64, salt: usize) -> Series {
    let values = (0..ROWS).map(|row| wobble(row, salt) * if row >= START { during } else { level }).collect();
    Series::new(service, metric, values)
}

/// web -> checkout -> orders -> database, web -> catalogue -> database, checkout -> payment
fn shop() -> Case {
    let calls = [
        ("web", "checkout"),
        ("web", "catalogue"),
        ("checkout", "orders"),
        ("checkout", "payment"),
        ("orders", "database"),
        ("catalogue", "database"),
    ];
    let mut case = Case {
        times: (0..ROWS).map(|row| 1.7e9 + STEP * row as f64).collect(),
        onset: Onset::Known(1.7e9 + STEP * START as f64),
        graph: calls.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
        entry: Some("web".to_owned()),
        target: Some(("web".to_owned(), Kind::Latency)),
        ..Case::default()
    };
    for (salt, (name, latency)) in SERVICES.into_iter().enumerate() {
        case.series.push(series(name, "latency_p90", latency, latency, salt));
        case.series.push(series(name, "errors_ratio", 0.001, 0.001, salt + 10));
        case.series.push(series(name, "requests_rate", 20.0, 20.0, salt + 20));
        case.series.push(series(name, "cpu_share", 0.2, 0.2, salt + 30));
        case.series.push(series(name, "memory_bytes", 2e8, 2e8, salt + 40));
    }
    case
}

const SERVICES: [(&str, f64); 6] = [
    ("web", 0.2),
    ("checkout", 0.15),
    ("catalogue", 0.05),
    ("orders", 0.08),
    ("payment", 0.03),
    ("database", 0.01),
];

fn set(case: &mut Case, service: &str, metric: &str, during: f64) {
    for one in case.series.iter_mut().filter(|s| s.service == service && s.metric == metric) {
        for (row, value) in one.values.iter_mut().enumerate().skip(START) {
            *value = wobble(row, 3) * during;
        }
    }
}

fn first(diagnosis: &Diagnosis) -> &str {
    diagnosis.causes.first().map_or("", |cause| &cause.service)
}

#[test]
fn a_saturated_database_comes_before_its_slow_callers() {
    let mut case = shop();
    for (service, during) in
        [("web", 1.2), ("checkout", 1.1), ("catalogue", 0.9), ("orders", 1.0), ("database", 0.9)]
    {
        set(&mut case, service, "latency_p90", during);
    }
    set(&mut case, "database", "cpu_share", 0.97);
    let answer = diagnose(&case);
    assert_eq!(first(&answer), "database", "{:#?}", answer.causes);
    assert!(answer.causes[0].probability > 0.6, "{}", answer.causes[0].probability);
    let explained = answer.causes.iter().find(|c| c.service == "orders").unwrap();
    let database = Statement::ExplainedByCallee { callee: "database".to_owned() };
    assert!(explained.findings_against.iter().any(|f| f.statement == database), "{explained:#?}");
}

#[test]
fn a_database_without_resource_metrics_still_comes_first() {
    let mut case = shop();
    for (service, during) in
        [("web", 1.2), ("checkout", 1.1), ("catalogue", 0.9), ("orders", 1.0), ("database", 0.9)]
    {
        set(&mut case, service, "latency_p90", during);
    }
    case.series.retain(|s| s.service != "database" || s.metric == "latency_p90");
    assert_eq!(first(&diagnose(&case)), "database");
}

#[test]
fn a_bad_deployment_is_named_with_its_change() {
    let mut case = shop();
    case.target = Some(("web".to_owned(), Kind::Errors));
    for service in ["web", "checkout", "payment"] {
        set(&mut case, service, "errors_ratio", 0.2);
    }
    let at = case.onset.time();
    let change = |time: f64, service: &str| Change {
        time,
        service: service.to_owned(),
        what: Some("version 1.4.2".to_owned()),
        new_instances: Vec::new(),
    };
    case.changes = vec![change(at - 3000.0, "catalogue"), change(at - 60.0, "payment")];
    let answer = diagnose(&case);
    assert_eq!(first(&answer), "payment");
    let says_so = |s: &Statement| matches!(s, Statement::ChangeBefore { last: true, .. });
    assert!(answer.causes[0].findings_for.iter().any(|f| says_so(&f.statement)), "{:#?}", answer.causes[0]);
}

#[test]
fn nothing_deviates_so_none_of_these_dominates() {
    let answer = diagnose(&shop());
    assert!(answer.none_of_these > 0.8, "{}", answer.none_of_these);
    assert!(answer.causes[0].probability < 0.1, "{}", answer.causes[0].probability);
}

#[test]
fn no_samples_no_answer() {
    let answer = diagnose(&Case::default());
    assert!(answer.causes.is_empty());
    assert_eq!(answer.none_of_these, 1.0);
}

#[test]
fn probabilities_add_up() {
    let mut case = shop();
    set(&mut case, "payment", "latency_p90", 3.0);
    let answer = diagnose(&case);
    let sum: f64 = answer.causes.iter().map(|c| c.probability).sum::<f64>() + answer.none_of_these;
    assert!((sum - 1.0).abs() < 1e-9, "{sum}");
    for cause in &answer.causes {
        assert!(cause.lower <= cause.probability && cause.probability <= cause.upper);
    }
}

#[test]
fn the_start_is_found_when_only_the_alarm_is_known() {
    let mut case = shop();
    for service in ["web", "checkout", "payment"] {
        set(&mut case, service, "latency_p90", 3.0);
    }
    case.onset = Onset::Near(1.7e9 + STEP * (START + 15) as f64);
    let answer = diagnose(&case);
    assert_eq!(first(&answer), "payment");
    assert!((answer.onset - (1.7e9 + STEP * START as f64)).abs() <= STEP, "{}", answer.onset);
}

#[test]
fn a_flapping_alert_without_a_cause_blames_nobody() {
    let mut case = shop();
    let signal = Signal::Metric { metric: "cpu_share".to_owned(), kind: Kind::Cpu, direction: Direction::Up };
    case.alerts = vec![FiringAlert { component: "payment".to_owned(), signal }];
    let answer = diagnose(&case);
    assert!(answer.none_of_these > 0.6, "{}", answer.none_of_these);
    assert!(
        answer.causes.iter().all(|c| c.probability < 0.35),
        "{:?}",
        answer.causes.first().map(|c| c.probability)
    );
}

#[test]
fn a_change_alone_is_not_a_cause() {
    let mut case = shop();
    let time = case.onset.time() - 60.0;
    case.changes = vec![Change { time, service: "payment".to_owned(), ..Change::default() }];
    let answer = diagnose(&case);
    assert!(answer.none_of_these > 0.6, "{}", answer.none_of_these);
}

#[test]
fn the_new_instances_of_a_bad_version_betray_it() {
    let mut case = shop();
    for service in ["web", "checkout"] {
        set(&mut case, service, "latency_p90", 0.6);
    }
    let at = case.onset.time();
    // the instances of orders are all busy; of payment's only the new one is
    for (service, old, new) in [("payment", 0.2, 0.9), ("orders", 0.9, 0.9), ("catalogue", 0.2, 0.2)] {
        for (instance, during) in [("old", old), ("new", new)] {
            let mut one = series(service, "cpu_share", 0.2, during, instance.len());
            one.instance = Some(instance.to_owned());
            if instance == "new" {
                one.values.iter_mut().take(START - 4).for_each(|v| *v = f64::NAN);
            }
            case.series.push(one);
        }
        let new_instances = vec!["new".to_owned()];
        case.changes.push(Change { time: at - 60.0, service: service.to_owned(), what: None, new_instances });
    }
    let answer = diagnose(&case);
    let of = |name: &str| answer.causes.iter().find(|c| c.service == name).map_or(0.0, |c| c.probability);
    assert!(of("payment") > 2.0 * of("orders"), "{} {}", of("payment"), of("orders"));
}

#[test]
fn alerts_alone_rank_the_instance_whose_resource_ran_out() {
    let alert = |component: &str, metric: &str, kind: Kind| FiringAlert {
        component: component.to_owned(),
        signal: Signal::Metric { metric: metric.to_owned(), kind, direction: Direction::Up },
    };
    let case = Case {
        candidates: ["web", "orders", "database"].map(str::to_owned).to_vec(),
        alerts: vec![
            alert("web-0", "p95", Kind::Latency),
            alert("orders-0", "p95", Kind::Latency),
            alert("database-0", "p95", Kind::Latency),
            alert("database-0", "memory_used", Kind::Memory),
            alert("database-0", "cpu_used", Kind::Cpu),
        ],
        ..Case::default()
    };
    let answer = diagnose(&case);
    assert_eq!(first(&answer), "database");
    assert!(answer.none_of_these > 0.2, "few alerts and no series: {}", answer.none_of_these);
}
