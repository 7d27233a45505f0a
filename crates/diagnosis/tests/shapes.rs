//! Shapes of incidents on made series: what happens every day, what has been coming for hours, several faults, an unknown
//! start, resets, pods that are gone, and nothing at all.

use diagnosis::{Case, Change, Onset, Series, diagnose};

/// A repeatable number in 0..1 for a series and a row.
fn noise(series: usize, row: usize) -> f64 {
    let mut x = (series as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        ^ (row as u64).wrapping_mul(0xD1B5_4A32_D192_ED03);
    x = (x ^ (x >> 31)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((x ^ (x >> 29)) >> 11) as f64 / (1_u64 << 53) as f64
}

const SERVICES: [&str; 5] = ["web", "cart", "stock", "mail", "batch"];

/// A small shop: web calls cart and mail, cart calls stock; batch stands alone. CPU, memory and latency of each, noisy.
fn shop(rows: usize, step: f64) -> Case {
    let mut case = Case {
        times: (0..rows).map(|row| 1_700_006_400.0 + step * row as f64).collect(),
        graph: [("web", "cart"), ("web", "mail"), ("cart", "stock")]
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .to_vec(),
        entry: Some("web".to_owned()),
        ..Case::default()
    };
    for service in SERVICES {
        for (metric, level) in [("cpu_share", 0.2), ("memory_bytes", 2e8), ("latency_p90", 0.05)] {
            let place = case.series.len();
            let values = (0..rows).map(|row| level * (0.95 + 0.1 * noise(place, row))).collect();
            case.series.push(Series::new(service, metric, values));
        }
    }
    case
}

/// Changes one series from row to row.
fn shape(case: &mut Case, service: &str, metric: &str, of: impl Fn(usize, f64) -> f64) {
    let one = case.series.iter_mut().find(|s| s.service == service && s.metric == metric);
    let values = one.into_iter().flat_map(|series| series.values.iter_mut());
    values.enumerate().for_each(|(row, value)| *value = of(row, *value));
}

fn ranking(case: &Case) -> Vec<String> {
    diagnose(case).causes.into_iter().map(|cause| cause.service).collect()
}

#[test]
fn a_job_of_every_night_is_not_the_cause_of_what_happens_tonight() {
    let rows = 3 * 288 + 16;
    let mut case = shop(rows, 300.0);
    // midnight of the fourth day and a bit: batch runs for 100 minutes from midnight on, each day
    shape(&mut case, "batch", "cpu_share", |row, v| if row % 288 < 20 { 5.0 * v } else { v });
    shape(&mut case, "batch", "memory_bytes", |row, v| if row % 288 < 20 { 3.0 * v } else { v });
    shape(&mut case, "stock", "cpu_share", |row, v| if row >= 3 * 288 + 10 { 1.3 * v } else { v });
    case.onset = Onset::Known(case.times[3 * 288 + 10]);
    assert_eq!(ranking(&case)[0], "stock");
    // the incident starts together with the job: only the earlier nights tell them apart
    shape(&mut case, "stock", "cpu_share", |row, v| if row >= 3 * 288 { 1.3 * v } else { v });
    case.onset = Onset::Known(case.times[3 * 288]);
    assert_eq!(ranking(&case)[0], "stock");
}

#[test]
fn a_leak_of_hours_is_found_although_the_past_is_full_of_it() {
    let rows = 480;
    let mut case = shop(rows, 60.0);
    shape(&mut case, "cart", "memory_bytes", |row, v| v * (1.0 + row as f64 / 200.0));
    // at the end web is slow, and both services that it calls are a little
    for (service, by) in [("web", 1.5), ("mail", 1.4), ("cart", 1.4)] {
        shape(&mut case, service, "latency_p90", |row, v| if row >= rows - 10 { by * v } else { v });
    }
    case.onset = Onset::Near(case.times[rows - 1]);
    assert_eq!(ranking(&case)[0], "cart");
    // and only the leak says which
    shape(&mut case, "cart", "memory_bytes", |row, v| v / (1.0 + row as f64 / 200.0));
    shape(&mut case, "mail", "memory_bytes", |row, v| v * (1.0 + row as f64 / 200.0));
    assert_eq!(ranking(&case)[0], "mail");
}

#[test]
fn a_leak_that_is_felt_nowhere_yet_is_said() {
    let mut case = shop(480, 60.0);
    case.onset = Onset::Near(case.times[479]);
    assert!(diagnose(&case).none_of_these > 0.5);
    shape(&mut case, "cart", "memory_bytes", |row, v| v * (1.0 + row as f64 / 200.0));
    let answer = diagnose(&case);
    assert_eq!(answer.causes[0].service, "cart");
    assert!(answer.none_of_these < 0.3, "{}", answer.none_of_these);
}

#[test]
fn two_faults_at_once_are_the_first_two() {
    let mut case = shop(240, 15.0);
    let late = |by: f64| move |row: usize, v: f64| if row >= 200 { by * v } else { v };
    shape(&mut case, "stock", "cpu_share", late(4.0));
    shape(&mut case, "mail", "memory_bytes", late(3.0));
    for service in ["stock", "cart", "mail", "web"] {
        shape(&mut case, service, "latency_p90", late(5.0));
    }
    case.onset = Onset::Known(case.times[200]);
    let mut first = ranking(&case)[..2].to_vec();
    first.sort();
    assert_eq!(first, ["mail", "stock"]);
}

#[test]
fn the_start_is_found_where_only_the_alarm_is_known() {
    let mut case = shop(240, 15.0);
    let late = |by: f64| move |row: usize, v: f64| if row >= 200 { by * v } else { v };
    for service in ["stock", "cart", "web"] {
        shape(&mut case, service, "latency_p90", late(3.0));
    }
    case.onset = Onset::Near(case.times[230]);
    let answer = diagnose(&case);
    assert!((answer.onset - case.times[200]).abs() <= 30.0, "{}", answer.onset - case.times[200]);
    assert_eq!(answer.causes[0].service, "stock");
}

#[test]
fn a_counter_that_starts_again_is_no_incident() {
    let mut case = shop(240, 15.0);
    for (place, service) in SERVICES.into_iter().enumerate() {
        // stock has counted for long, mail was restarted in the incident
        let mut count = if service == "stock" { 1e6 } else { 1e3 };
        let mut values: Vec<f64> = Vec::new();
        for row in 0..240 {
            let by = if service == "stock" && row >= 200 { 1.5 } else { 1.0 };
            count = if service == "mail" && row == 210 { 0.0 } else { count };
            count += by * (50.0 + 10.0 * noise(40 + place, row));
            values.push(count);
        }
        case.series.push(Series::new(service, "cpu_seconds_total", values));
    }
    case.onset = Onset::Known(case.times[200]);
    assert_eq!(ranking(&case)[0], "stock");
}

#[test]
fn an_instance_that_is_gone_or_unlike_its_siblings_points_at_its_service() {
    let pods = |service: &str, of: &dyn Fn(usize, usize) -> f64| -> Vec<Series> {
        let pod = |k: usize| {
            let values = (0..240).map(|row| 0.2 * (0.95 + 0.1 * noise(60 + k, row)) * of(k, row)).collect();
            Series { instance: Some(format!("{service}-{k}")), ..Series::new(service, "cpu_share", values) }
        };
        (0..3).map(pod).collect()
    };
    let base = || {
        let mut case = shop(240, 15.0);
        case.series.retain(|s| s.metric == "latency_p90");
        case.onset = Onset::Known(case.times[200]);
        case
    };
    for (one, all) in [("cart", "mail"), ("mail", "cart")] {
        // every pod of one service works somewhat harder, and only one pod of the other
        let mut unlike = base();
        unlike.series.extend(pods(all, &|_, row| if row >= 200 { 1.6 } else { 1.0 }));
        unlike.series.extend(pods(one, &|k, row| if row >= 200 && k == 1 { 1.6 } else { 1.0 }));
        assert_eq!(ranking(&unlike)[0], one);
        // every pod of one service works a little harder, a pod of the other is gone
        let mut gone = base();
        gone.series.extend(pods(all, &|_, row| if row >= 200 { 1.05 } else { 1.0 }));
        gone.series.extend(pods(one, &|k, row| if row >= 200 && k == 0 { f64::NAN } else { 1.0 }));
        assert_eq!(ranking(&gone)[0], one);
    }
}

#[test]
fn of_many_changes_the_one_at_the_start_is_suspected() {
    let mut case = shop(240, 15.0);
    for service in ["cart", "mail", "web"] {
        shape(&mut case, service, "latency_p90", |row, v| if row >= 200 { 3.0 * v } else { v });
    }
    case.onset = Onset::Known(case.times[200]);
    case.noticed = Some(case.times[220]);
    let change = |row: usize, service: &str| Change {
        time: case.times[row],
        service: service.to_owned(),
        ..Change::default()
    };
    for (guilty, innocent) in [("cart", "mail"), ("mail", "cart")] {
        case.changes =
            vec![change(60, "web"), change(100, innocent), change(199, guilty), change(218, "batch")];
        assert_eq!(ranking(&case)[0], guilty);
    }
}

#[test]
fn where_nothing_happened_none_of_these_is_the_answer() {
    let mut case = shop(240, 15.0);
    for onset in [Onset::Known(case.times[200]), Onset::Near(case.times[239])] {
        case.onset = onset;
        let answer = diagnose(&case);
        assert!(answer.none_of_these > 0.5, "{}", answer.none_of_these);
    }
    let empty = diagnose(&Case::default());
    assert_eq!((empty.none_of_these, empty.causes.len()), (1.0, 0));
}
