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
fn a_setting_of_opentelemetry_that_makes_no_sense_ends_the_start_with_one_line() {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
    for wrong in [("OTEL_TRACES_SAMPLER", "sometimes"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")] {
        let output = run(&["serve"], &[endpoint, wrong]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.lines().count() == 1 && said.contains(wrong.0) && said.contains(wrong.1), "{said}");
    }
}

#[test]
fn settings_of_opentelemetry_are_shown_and_its_headers_are_hidden() {
    let set = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a-secret"),
    ];
    let output = run(&["config", "show"], &set);
    let shown = String::from_utf8(output.stdout).unwrap();
    let line =
        |key: &str| shown.lines().find(|line| line.starts_with(&format!("{key} "))).unwrap().to_owned();
    assert!(line("otel_exporter_otlp_endpoint").ends_with("(OTEL_EXPORTER_OTLP_ENDPOINT)"), "{shown}");
    assert!(line("otel_exporter_otlp_headers").contains("(hidden)"), "{shown}");
    assert!(!shown.contains("a-secret"), "{shown}");
}

#[test]
fn an_unknown_parameter_of_the_database_is_told_by_its_name_alone() {
    // Nobody listens there.
    let url = "postgres://someone:a-password@127.0.0.1:1/x?channel_secret=a-secret&sslmode=disable";
    let variables =
        [("DATABASE_URL", url), ("SRE_COPILOT_LOG_LEVEL", "trace"), ("SRE_COPILOT_DATABASE_WAIT_S", "0")];
    let output = run(&["serve"], &variables);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.matches("channel_secret").count(), 1, "{said}");
    assert!(!said.contains("a-secret") && !said.contains("a-password"), "{said}");
}
