//! When an incident began, where many series move a little all the time and few show it for seconds.

use diagnosis::{Case, Diagnosis, Kind, Onset, Series, diagnose};

const STEP_S: f64 = 5.0;
const ROWS: usize = 721;

/// Noise whose neighbours are alike, as that of rates over windows that overlap.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        let mut uniform = || {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 11) as f64 / (1_u64 << 53) as f64
        };
        (0..12).map(|_| uniform()).sum::<f64>() - 6.0
    }

    /// `rows` values around 1 with the spread, each the mean of the last four rolls; the level swings slowly as well.
    fn series(&mut self, spread: f64) -> Vec<f64> {
        let rolls: Vec<f64> = (0..ROWS + 3).map(|_| self.next()).collect();
        let phase = self.next();
        let swing = |row: usize| (row as f64 / 90.0 + phase).sin();
        let alike = rolls.windows(4).map(|four| four.iter().sum::<f64>() / 2.0);
        alike.enumerate().map(|(row, roll)| 1.0 + spread * (roll + 0.3 * swing(row))).collect()
    }
}

/// A dozen services of which one begins to fail four samples before the alarm, at the last row.
fn fresh(seed: u64) -> Diagnosis {
    let mut noise = Noise(seed);
    let mut case = Case {
        times: (0..ROWS).map(|row| row as f64 * STEP_S).collect(),
        onset: Onset::Near((ROWS - 1) as f64 * STEP_S),
        ..Case::default()
    };
    for service in 0..12 {
        for metric in 0..12 {
            let (kind, scale) = match metric {
                0..6 => (Kind::Errors, 0.005),
                6..9 => (Kind::Traffic, 20.0),
                _ => (Kind::Cpu, 0.3),
            };
            let values = noise.series(0.1).into_iter().map(|v| v.max(0.0) * scale).collect();
            let (service, metric) = (format!("s{service}"), format!("m{metric}"));
            case.series.push(Series { service, instance: None, metric, kind, values });
        }
    }
    let failing = case.series.iter_mut().find(|s| s.service == "s7" && s.kind == Kind::Errors);
    let last = failing.into_iter().flat_map(|s| s.values.iter_mut().skip(ROWS - 4));
    last.zip([0.02, 0.06, 0.1, 0.12]).for_each(|(value, share)| *value = share);
    // Requests in flight are few and whole: between two and three there is nothing to see.
    let values = (0..ROWS).map(|row| if row == 400 || row == 640 { 3.0 } else { 2.0 }).collect();
    let (service, metric) = ("s3".to_owned(), "in_flight".to_owned());
    case.series.push(Series { service, instance: None, metric, kind: Kind::Saturation, values });
    diagnose(&case)
}

#[test]
fn a_fault_of_seconds_is_found_in_the_noise_of_an_hour() {
    for seed in 1..=20 {
        let found = fresh(seed);
        let ago = (ROWS - 1) as f64 * STEP_S - found.onset;
        assert!(ago <= 60.0, "seed {seed}: began {ago} s before the alarm");
        assert_eq!(found.causes.first().map(|first| first.service.as_str()), Some("s7"), "seed {seed}");
        assert!(found.none_of_these < 0.2, "seed {seed}: none of these at {}", found.none_of_these);
    }
}
