//! What is said of settings at the start, and what is not.

use std::process::{Command, Output};

fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let folder = crate::world::folder();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sre-copilot"));
    command.args(arguments).env_clear().env("SRE_COPILOT_DATA_DIR", folder.path());
    for service in ["GATEWAY", "AUTH", "INCIDENT", "AI", "INTEGRATION", "WEBSOCKET"] {
        command.env(format!("SRE_COPILOT_{service}_LISTEN"), "127.0.0.1:0");
    }
    command.envs(variables.iter().copied()).output().unwrap()
}

#[test]
fn an_unknown_parameter_of_the_database_is_told_by_its_name_alone() {
    // Nobody listens there.
    let url = "postgres://someone:a-password@127.0.0.1:1/x?channel_secret=a-secret&sslmode=disable";
    let output = run(&["serve"], &[("DATABASE_URL", url), ("SRE_COPILOT_LOG_LEVEL", "trace")]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("channel_secret"), "{said}");
    assert!(!said.contains("a-secret") && !said.contains("a-password"), "{said}");
}
