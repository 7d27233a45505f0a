//! Reading cases: labels are never read, bad input is named, and what is read is what was written.

use std::path::{Path, PathBuf};

use diagnosis::files::{read_case, read_file, read_metrics};
use diagnosis::{Onset, cases, diagnose_file, evaluate};

/// A folder of this test, emptied.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    drop(std::fs::remove_dir_all(&path)); // absent on the first run
    assert!(std::fs::create_dir_all(&path).is_ok(), "{}", path.display());
    path
}

const METRICS: &str = "time,web|latency_p90,db#db-0|cpu_rate\n10,0.1,1\n20,,2\n30,0.3,NaN\n";

#[test]
fn labels_are_never_read() {
    let path = folder("labels");
    std::fs::write(path.join("metrics.csv"), METRICS).unwrap();
    let known = r#""case_id": "x", "dataset": "d", "inject_time": 20, "graph": [["web", "db"]],
        "candidates": ["web", "db"], "changes": [{"time": 5, "service": "db", "new_instances": ["db-1"]}]"#;
    // each label has a value of a type that would fail if anything looked at it
    let labels = r#""fault": [1], "fault_detail": {}, "root_cause_service": 7, "root_cause_services": {"a": 1},
        "root_cause_metric": [], "root_cause_instance": {}, "published_baseline_top1": "?", "source": 3"#;
    std::fs::write(path.join("case.json"), format!("{{{known}}}")).unwrap();
    let without = read_case(&path).unwrap();
    std::fs::write(path.join("case.json"), format!("{{{known}, {labels}}}")).unwrap();
    let with = read_case(&path).unwrap();
    assert_eq!(format!("{without:?}"), format!("{with:?}"));
    assert_eq!(without.case.onset, Onset::Known(20.0));
    assert_eq!(without.case.changes[0].new_instances, ["db-1"]);
}

#[test]
fn a_table_is_read_as_it_is() {
    let path = folder("table").join("m.csv");
    std::fs::write(&path, METRICS).unwrap();
    let (times, series) = read_metrics(&path).unwrap();
    assert_eq!(times, [10.0, 20.0, 30.0]);
    assert_eq!(series[0].service, "web");
    assert!(series[0].values[1].is_nan());
    assert_eq!((series[1].service.as_str(), series[1].instance.as_deref()), ("db", Some("db-0")));
    assert_eq!(series[1].column(), "db#db-0|cpu_rate");
}

#[test]
fn rows_are_put_in_order_of_time() {
    let path = folder("order").join("m.csv");
    std::fs::write(&path, "time,a|cpu\n30,3\n10,1\n20,2\n").unwrap();
    let (times, series) = read_metrics(&path).unwrap();
    assert_eq!((times, series[0].values.clone()), (vec![10.0, 20.0, 30.0], vec![1.0, 2.0, 3.0]));
}

#[test]
fn what_is_wrong_is_named() {
    let path = folder("wrong").join("m.csv");
    let table = [
        ("", "expected a time column"),
        ("time\n1\n", "expected a time column"),
        ("time,cpu\n1,2\n", "\"cpu\" is not named"),
        ("time,a|cpu\n1,2\n2,x\n", "line 3, column \"a|cpu\": \"x\" is not a number"),
        ("time,a|cpu\n,2\n", "line 2: the time is missing"),
        ("time,a|cpu\n1,2,3\n", "m.csv"),
    ];
    for (text, expected) in table {
        std::fs::write(&path, text).unwrap();
        let said = read_metrics(&path).unwrap_err().to_string();
        assert!(said.contains(expected), "{text:?}: {said}");
    }
    assert!(read_metrics(Path::new("absent.csv")).unwrap_err().to_string().contains("absent.csv"));
}

#[test]
fn a_topology_names_calls_and_candidates() {
    let path = folder("topology");
    std::fs::write(path.join("m.csv"), METRICS).unwrap();
    std::fs::write(path.join("t.json"), r#"{"graph": [["web", "db"]], "candidates": ["db"]}"#).unwrap();
    let file = read_file(&path.join("m.csv"), Some(20.0), Some(&path.join("t.json"))).unwrap();
    assert_eq!(file.case_id, "m");
    assert_eq!(file.case.candidates, ["db"]);
    assert_eq!(file.case.onset, Onset::Known(20.0));
    let (_, line) = diagnose_file(&path.join("m.csv"), None, None).unwrap();
    let json = serde_json::to_value(&line).unwrap();
    let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys.len(), 4, "{keys:?}");
    for key in ["case_id", "ranking", "metric_ranking", "confidence"] {
        assert!(keys.contains(&key), "{key}");
    }
}

#[test]
fn a_bad_case_does_not_hide_the_good_ones() {
    let path = folder("mixed");
    for (name, text) in [("a", "{"), ("b", r#"{"case_id": "b", "candidates": ["web", "db"]}"#)] {
        std::fs::create_dir(path.join(name)).unwrap();
        std::fs::write(path.join(name).join("case.json"), text).unwrap();
        std::fs::write(path.join(name).join("metrics.csv"), METRICS).unwrap();
    }
    let found: Vec<_> = cases(&path).unwrap().collect();
    assert_eq!(found.len(), 2);
    assert!(found[0].as_ref().unwrap_err().to_string().contains("case.json"));
    let predicted: Vec<_> = evaluate(&path).unwrap().filter_map(Result::ok).map(|p| p.case_id).collect();
    assert_eq!(predicted, ["b"]);
}
