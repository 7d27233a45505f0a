//! Times the engine on 1,000 series of 240 points over 100 services in a chain of calls.
#![expect(clippy::print_stdout, reason = "a program that prints a time")]

use std::time::Instant;

use diagnosis::{Case, Onset, Series, diagnose};

const METRICS: [&str; 10] = [
    "latency_p50",
    "latency_p99",
    "errors_ratio",
    "requests_rate",
    "cpu_share",
    "memory_bytes",
    "saturation_pool",
    "net_rx",
    "disk_io",
    "log_lines",
];

fn main() {
    let mut state = 1_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        1.0 + (state >> 40) as f64 / (1_u64 << 24) as f64
    };
    let mut case = Case {
        times: (0..240).map(|row| 1e9 + 15.0 * f64::from(row)).collect(),
        graph: (1..100).map(|i| (format!("s{}", i / 3), format!("s{i}"))).collect(),
        ..Case::default()
    };
    for service in 0..100 {
        for metric in METRICS {
            let values = (0..240).map(|_| noise()).collect();
            case.series.push(Series::new(&format!("s{service}"), metric, values));
        }
    }
    for onset in [Onset::Known(1e9 + 15.0 * 180.0), Onset::Near(1e9 + 15.0 * 239.0)] {
        case.onset = onset;
        let begin = Instant::now();
        for _ in 0..20 {
            std::hint::black_box(diagnose(std::hint::black_box(&case)));
        }
        println!("{onset:?}: {:.2} ms", begin.elapsed().as_secs_f64() * 1e3 / 20.0);
    }
}
