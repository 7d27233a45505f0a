//! The main job on two replicas of each service over PostgreSQL and Redis, while its parts are killed.

use std::path::Path;
use std::process::Command;

use crate::demo::ONE_SHOP;

#[test]
fn an_incident_is_explained_while_parts_are_killed() {
    let needed = ["/usr/bin/prometheus", "/usr/bin/redis-server", "/usr/sbin/nginx", "/usr/lib/postgresql"];
    if let Some(missing) = needed.iter().find(|program| !Path::new(program).exists()) {
        println!("skipped: {missing} is not installed");
        return;
    }
    let _alone = ONE_SHOP.lock();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/cluster");
    let mut command = Command::new(script);
    command.env("SRE_COPILOT_BINARY", env!("CARGO_BIN_EXE_sre-copilot"));
    let output = command.args(["--once", "--scenario", "bad-deploy"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.contains("checkout began failing"), "{said}");
    let killed = said.lines().filter(|line| line.contains("SIGKILL")).count();
    assert!(killed >= 3, "too few parts were killed for this to prove anything: {said}");
}
