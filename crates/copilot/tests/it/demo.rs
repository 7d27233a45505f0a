//! The main job with a real Prometheus and a real Alertmanager: the three stories of the demo.

use std::process::Command;
use std::sync::Mutex;

#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn tell(scenario: &str) -> Option<String> {
    let installed = ["/usr/bin/prometheus", "/usr/bin/prometheus-alertmanager"];
    if !installed.iter().all(|program| std::path::Path::new(program).exists()) {
        println!("skipped: Prometheus and Alertmanager are not installed");
        return None;
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_sre-copilot"));
    let output = command.args(["demo", "--once", "--scenario", scenario]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    Some(said)
}

/// One shop at a time: each brings a Prometheus and an Alertmanager of its own, on a small machine.
pub static ONE_SHOP: Mutex<()> = Mutex::new(());

/// One after the other: each runs a Prometheus and an Alertmanager of its own, on a small machine.
#[test]
fn each_story_ends_with_an_honest_answer() {
    let _alone = ONE_SHOP.lock();
    if let Some(said) = tell("bad-deploy") {
        assert!(said.contains("INC-1"), "{said}");
        assert!(said.contains("checkout began failing"), "{said}");
        assert!(said.contains("v2.41.0"), "{said}");
        assert!(!said.contains("0% against 0%"), "a claim cites what did not move: {said}");
    }
    if let Some(said) = tell("saturated-database") {
        let claim = said.lines().find(|line| line.contains(" after ")).unwrap_or_default();
        assert!(claim.contains("orders-db"), "the messenger was blamed: {said}");
    }
    if let Some(said) = tell("flapping-alert") {
        assert!(said.contains("Not enough evidence"), "{said}");
    }
}
