//! Whatever the numbers are, the engine answers, and its probabilities are probabilities.

use std::collections::BTreeMap;

use diagnosis::{Case, Change, Direction, FiringAlert, Kind, Onset, Series, Signal, diagnose};
use proptest::prelude::*;

const METRICS: [&str; 12] = [
    "latency_p90",
    "latency_p90_to:b",
    "latency_p90_from:a",
    "gap_from:c",
    "calls_to:c",
    "errors_log",
    "availability_avg",
    "cpu_rate",
    "mem_mi",
    "requests_sum",
    "log_lines",
    "whatever",
];

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -10.0..1000.0,
        1 => prop_oneof![
            Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(0.0), Just(-0.0),
            Just(f64::MAX), Just(f64::MIN), Just(f64::MIN_POSITIVE), Just(1e300), Just(-1e300),
        ],
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![Just("a"), Just("b"), Just("c"), Just("c2"), Just("")].prop_map(str::to_owned)
}

fn one_series(rows: usize) -> impl Strategy<Value = Series> {
    // some series are shorter or longer than the times: a live source may hand in either
    let length = prop_oneof![8 => Just(rows), 1 => 0..=rows, 1 => Just(rows + 3)];
    let values = length.prop_flat_map(|n| {
        prop_oneof![
            3 => prop::collection::vec(value(), n),
            1 => value().prop_map(move |v| vec![v; n]),
        ]
    });
    (name(), prop::option::of(name()), prop::sample::select(&METRICS[..]), values).prop_map(
        |(service, instance, metric, values)| Series { instance, ..Series::new(&service, metric, values) },
    )
}

fn alert() -> impl Strategy<Value = FiringAlert> {
    let signal = prop_oneof![
        Just(Signal::Log),
        any::<bool>().prop_map(|failing| Signal::Call { caller: Some("a".to_owned()), failing }),
        Just(Signal::Metric { metric: "mem_rss".to_owned(), kind: Kind::Memory, direction: Direction::Up }),
    ];
    (name(), signal).prop_map(|(component, signal)| FiringAlert { component, signal })
}

fn case() -> impl Strategy<Value = Case> {
    let about = (0usize..60).prop_flat_map(|rows| {
        let times = prop_oneof![
            6 => Just((0..rows).map(|r| 1e9 + 15.0 * r as f64).collect::<Vec<f64>>()),
            1 => prop::collection::vec(value(), rows),
        ];
        (times, prop::collection::vec(one_series(rows), 0..12))
    });
    let onset = prop_oneof![
        (0.0..1200.0).prop_map(|s| Onset::Known(1e9 + s)),
        (0.0..1200.0).prop_map(|s| Onset::Near(1e9 + s)),
        value().prop_map(Onset::Known),
        value().prop_map(Onset::Near),
    ];
    let changes = prop::collection::vec(
        (value(), name()).prop_map(|(time, service)| Change { time, service, ..Change::default() }),
        0..3,
    );
    let graph = prop::collection::vec((name(), name()), 0..8);
    let names = prop::collection::vec(name(), 0..4);
    let alerts = prop::collection::vec(alert(), 0..6);
    (about, onset, graph, names, changes, alerts, prop::option::of(name())).prop_map(
        |((times, series), onset, graph, candidates, changes, alerts, entry)| Case {
            times,
            series,
            onset,
            noticed: None,
            graph,
            candidates,
            aliases: BTreeMap::from([("c2".to_owned(), "c".to_owned())]),
            changes,
            alerts,
            entry,
            target: Some(("a".to_owned(), Kind::Latency)),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_answers(case in case()) {
        let answer = diagnose(&case);
        prop_assert!((0.0..=1.0).contains(&answer.none_of_these), "{}", answer.none_of_these);
        let mut sum = answer.none_of_these;
        for cause in &answer.causes {
            prop_assert!((0.0..=1.0).contains(&cause.probability), "{:?}", cause);
            prop_assert!(cause.lower <= cause.probability && cause.probability <= cause.upper, "{:?}", cause);
            sum += cause.probability;
        }
        prop_assert!((sum - 1.0).abs() < 1e-6, "{sum}");
        prop_assert!(answer.causes.is_sorted_by(|a, b| a.probability >= b.probability));
        prop_assert_eq!(serde_json::to_value(&answer).is_ok(), true);
    }
}
