//! `diagnose` and `eval`, which need no server: what they can't answer they say, and exit with 1.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_sre-copilot")).args(arguments).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// A file of two services, of which one gets slow half way.
fn metrics(path: &Path) {
    let row = |n: i32| format!("{},{},20\n", 1_000_000 + n * 15, if n < 60 { 10 } else { 900 });
    let rows: String = (0..120).map(row).collect();
    fs::write(path, format!("time,cart|latency,front|latency\n{rows}")).unwrap();
}

#[test]
fn a_time_that_the_file_does_not_have_is_refused() {
    let folder = crate::world::folder();
    let (file, empty) = (folder.path().join("metrics.csv"), folder.path().join("empty.csv"));
    metrics(&file);
    fs::write(&empty, "time,cart|latency\n").unwrap();
    let (file, empty) = (file.to_str().unwrap(), empty.to_str().unwrap());
    let (code, said, _) = run(&["diagnose", "--metrics", file, "--at", "1000900"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with(" 1.") && said.lines().next().unwrap().ends_with("cart"), "{said}");
    for at in ["5", "9999999999", "1000900000"] {
        let (code, said, why) = run(&["diagnose", "--metrics", file, "--at", at, "-o", "json"]);
        assert_eq!((code, said.as_str()), (Some(1), ""));
        assert!(why.contains("1000000 to 1001785"), "{why}");
    }
    let (code, said, why) = run(&["diagnose", "--metrics", empty]);
    assert_eq!((code, said.as_str()), (Some(1), ""), "{why}");
}

#[test]
fn a_case_that_is_read_in_part_has_a_line_and_is_no_success() {
    let folder = crate::world::folder();
    for (case, text) in [("a", "{\"inject_time\": 1000900}"), ("b", "{")] {
        let case = folder.path().join("cases").join(case);
        fs::create_dir_all(&case).unwrap();
        fs::write(case.join("case.json"), text).unwrap();
        metrics(&case.join("metrics.csv"));
    }
    let (cases, out) = (folder.path().join("cases"), folder.path().join("out.jsonl"));
    let (code, _, why) = run(&["eval", cases.to_str().unwrap(), "--predictions", out.to_str().unwrap()]);
    assert_eq!(code, Some(1), "{why}");
    assert!(why.contains("1 only in part"), "{why}");
    assert_eq!(fs::read_to_string(out).unwrap().lines().count(), 2);
    let nothing = folder.path().join("nothing");
    fs::create_dir(&nothing).unwrap();
    let out = folder.path().join("none.jsonl");
    let (code, _, why) = run(&["eval", nothing.to_str().unwrap(), "--predictions", out.to_str().unwrap()]);
    assert_eq!(code, Some(1));
    assert!(!why.contains("0 cases diagnosed") && !out.exists(), "{why}");
}
