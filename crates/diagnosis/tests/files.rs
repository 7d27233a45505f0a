//! Reading cases: labels are never read, bad input is named, and what is read is what was written.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::path::{Path, PathBuf};

use diagnosis::case_files::read_case;
use diagnosis::files::{read_file, read_metrics};
use diagnosis::{Onset, diagnose_file, evaluate};

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
    let without = read_case(&path);
    std::fs::write(path.join("case.json"), format!("{{{known}, {labels}}}")).unwrap();
    let with = read_case(&path);
    assert_eq!(format!("{without:?}"), format!("{with:?}"));
    assert_eq!(without.case.onset, Onset::Known(20.0));
    assert_eq!(without.case.changes[0].new_instances, ["db-1"]);
}

const LABELS: [&str; 8] = [
    "fault",
    "fault_detail",
    "root_cause_service",
    "root_cause_services",
    "root_cause_metric",
    "root_cause_instance",
    "published_baseline_top1",
    "source",
];

/// One JSON object with every label gone or made wrong.
fn without_labels(text: &str, scramble: bool) -> String {
    let mut known: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).unwrap();
    for label in LABELS {
        let old = known.remove(label);
        if scramble && old.is_some() {
            known.insert(label.to_owned(), "nothing-of-the-kind".into());
        }
    }
    serde_json::to_string(&known).unwrap()
}

fn copy_without_labels(from: &Path, to: &Path, scramble: bool) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            copy_without_labels(&path, &target, scramble);
        } else if name == "case.json" {
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&target, without_labels(&text, scramble)).unwrap();
        } else if name.ends_with(".jsonl.gz") {
            let unpacked = flate2::read::MultiGzDecoder::new(std::fs::File::open(&path).unwrap());
            let text = std::io::read_to_string(unpacked).unwrap();
            let lines: Vec<String> = text.lines().map(|line| without_labels(line, scramble)).collect();
            std::fs::write(&target, lines.join("\n")).unwrap(); // not packed: the reader looks at the bytes
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

/// The lines that `eval` writes for a folder.
fn lines_of(dir: &Path) -> Vec<String> {
    evaluate(dir).unwrap().map(|e| serde_json::to_string(&e.unwrap().prediction).unwrap()).collect()
}

#[test]
fn predictions_are_the_same_without_labels_and_with_wrong_ones() {
    let carried = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let expected = lines_of(&carried);
    assert!(expected.len() > 15);
    for scramble in [false, true] {
        let path = folder(if scramble { "scrambled" } else { "stripped" });
        copy_without_labels(&carried, &path, scramble);
        assert_eq!(lines_of(&path), expected);
    }
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
    let line = diagnose_file(&path.join("m.csv"), None, None).unwrap().prediction;
    let json = serde_json::to_value(&line).unwrap();
    let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys.len(), 4, "{keys:?}");
    for key in ["case_id", "ranking", "metric_ranking", "confidence"] {
        assert!(keys.contains(&key), "{key}");
    }
}

#[test]
fn a_case_is_diagnosed_alike_alone_and_in_its_folder() {
    let path = folder("alike");
    let about = r#"{"case_id": "one", "inject_time": 20, "candidates": ["web", "db"], "graph": [["web", "db"]],
        "entry_service": "web", "target_metric": "web|latency_p90", "aliases": {"db": "db"}}"#;
    write_case(&path, "one", about, Some(METRICS));
    let evaluated = evaluate(&path).unwrap().next().unwrap().unwrap().prediction;
    let (case, metrics) = (path.join("one/case.json"), path.join("one/metrics.csv"));
    let file = read_file(&metrics, Some(20.0), Some(&case)).unwrap();
    assert_eq!(file.case.entry.as_deref(), Some("web"));
    assert!(file.case.target.is_some());
    let alone = diagnose_file(&metrics, Some(20.0), Some(&case)).unwrap().prediction;
    assert_eq!(alone, evaluated);
}

/// Writes a case folder.
fn write_case(dir: &Path, name: &str, about: &str, metrics: Option<&str>) {
    std::fs::create_dir(dir.join(name)).unwrap();
    std::fs::write(dir.join(name).join("case.json"), about).unwrap();
    if let Some(text) = metrics {
        std::fs::write(dir.join(name).join("metrics.csv"), text).unwrap();
    }
}

#[test]
fn every_case_has_its_line_whatever_is_wrong_with_it() {
    let path = folder("mixed");
    let good = r#"{"case_id": "good", "candidates": ["web", "db"]}"#;
    let nulls = r#"{"case_id": "nulls", "dataset": null, "inject_time": null, "detect_time": null, "candidates": null,
        "aliases": null, "graph": null, "changes": null, "entry_service": null, "target_metric": null}"#;
    let odd = r#"{"case_id": "odd", "inject_time": "20", "candidates": ["db", 7, "absent"], "aliases": {"web": 3},
        "graph": [["web", "db", 12], ["web"], 5], "changes": [{"time": null}, 3], "target_metric": "latency"}"#;
    write_case(&path, "a-not-json", "{", Some(METRICS));
    write_case(&path, "b-good", good, Some(METRICS));
    write_case(&path, "c-nulls", nulls, Some(METRICS));
    write_case(&path, "d-odd", odd, Some(METRICS));
    write_case(&path, "e-empty", &good.replace("good", "empty"), Some(""));
    write_case(&path, "f-header", &good.replace("good", "header"), Some("time,web|cpu\n"));
    write_case(&path, "g-absent", &good.replace("good", "no-metrics"), None);
    write_case(&path, "h-words", &good.replace("good", "words"), Some("time,web|cpu\n1,many\n"));
    let found: Vec<_> = evaluate(&path).unwrap().map(Result::unwrap).collect();
    let names: Vec<&str> = found.iter().map(|e| e.prediction.case_id.as_str()).collect();
    let expected = ["a-not-json", "good", "nulls", "odd", "empty", "header", "no-metrics", "words"];
    assert_eq!(names, expected);
    let unread: Vec<bool> = found.iter().map(|e| e.unread.is_some()).collect();
    assert_eq!(unread, [true, false, false, false, true, false, true, true]);
    for one in &found {
        let line = &one.prediction;
        assert_eq!(line.ranking.len(), line.confidence.len(), "{line:?}");
        assert!(line.confidence.iter().all(|c| (0.0..=1.0).contains(c)), "{line:?}");
    }
    let mut ranked = found[3].prediction.ranking.clone();
    ranked.sort();
    assert_eq!(ranked, ["absent", "db"]);
    assert!(found[0].unread.as_ref().unwrap().to_string().contains("case.json"));
}

#[test]
fn a_bad_line_of_alerts_costs_no_other() {
    let path = folder("alerts");
    let lines = [
        r#"{"case_id": "one", "candidates": ["a", "b"], "alerts": [{"kind": "log", "component": "a"},
            {"kind": "metric", "component": "a"}, {"kind": "smell"}, 4]}"#,
        "not json",
        r#"{"candidates": ["a"]}"#,
        r#"{"case_id": "two", "alerts": null}"#,
    ];
    std::fs::write(path.join("x.jsonl.gz"), lines.map(|l| l.replace('\n', " ")).join("\n")).unwrap();
    let found: Vec<_> = evaluate(&path).unwrap().collect();
    assert_eq!(found.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, false, true]);
    assert_eq!(found[0].as_ref().unwrap().prediction.ranking, ["a", "b"]);
}

#[test]
fn a_change_between_onset_and_alarm_counts_and_one_after_it_does_not() {
    let path = folder("alarm");
    let rows: String = (0..60).map(|i| format!("{},1,1\n", 1000 + 15 * i)).collect();
    let metrics = format!("time,web|cpu,db|cpu\n{rows}");
    for (name, time, first) in [("before", 1700, "db"), ("after", 1760, "web")] {
        let about = format!(
            r#"{{"case_id": "{name}", "inject_time": 1600, "detect_time": 1750, "candidates": ["web", "db"],
                "changes": [{{"time": {time}, "service": "db"}}, {{"time": 1500, "service": "web"}}]}}"#
        );
        write_case(&path, name, &about, Some(&metrics));
        let line = evaluate(&path.join(name)).unwrap().next().unwrap().unwrap().prediction;
        assert_eq!(line.ranking[0], first, "{name}");
    }
}
