//! Settings from every place.

use super::*;

#[test]
fn a_public_url_is_one() {
    for (url, good) in [
        ("https://sre.example.com/", true),
        ("http://[::1]:8500", true),
        ("notaurl", false),
        ("ftp://x", false),
        ("https://x/below", false),
        ("https://x/?a=b", false),
    ] {
        let read = load(None, |name| (name == "SRE_COPILOT_PUBLIC_URL").then(|| url.to_owned()));
        assert_eq!(read.is_ok(), good, "{url}");
    }
}

#[test]
fn an_empty_environment_is_enough() {
    let config = Config::defaults().unwrap();
    assert_eq!(config.public_url(), "http://127.0.0.1:8500");
    assert_eq!(config.registration, Registration::First);
}

#[test]
fn the_environment_wins_over_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("sre.toml");
    std::fs::write(&file, "llm_model = \"from-file\"\nllm_daily_budget_usd = 2\n").unwrap();
    let env = |name: &str| (name == "SRE_COPILOT_LLM_MODEL").then(|| "from-env".to_owned());
    let (config, shown) = load(Some(&file), env).unwrap();
    assert_eq!((config.llm_model.as_str(), config.llm_daily_budget_usd), ("from-env", 2.0));
    let origin = |key: &str| shown.iter().find(|row| row.key == key).map(|row| row.origin.clone()).unwrap();
    assert_eq!(origin("llm_model"), "SRE_COPILOT_LLM_MODEL");
    assert_eq!(origin("llm_daily_budget_usd"), file.display().to_string());
    assert_eq!(origin("data_dir"), "default");
}

#[test]
fn a_misspelt_variable_is_noticed() {
    let (_, known) = load(None, |_| None).unwrap();
    let names = ["SRE_COPILOT_LOG_LEVLE", "SRE_COPILOT_LOG_LEVEL", "SRE_COPILOT_MASTER_KEY_FILE", "PATH"];
    let links = ["SRE_COPILOT_SERVICE_HOST", "SRE_COPILOT_GATEWAY_PORT_8500_TCP"];
    let all = names.into_iter().chain(links).map(str::to_owned);
    let otel = ["OTEL_SERVICE_NAME", "OTEL_METRICS_EXPORTER", "OTEL_EXPORTER_OTLP_HEADERS_FILE"];
    let strange = unknown_variables(all.chain(otel.map(str::to_owned)), &known);
    assert_eq!(strange, ["SRE_COPILOT_LOG_LEVLE", "OTEL_METRICS_EXPORTER"]);
}

#[test]
fn a_word_that_is_no_choice_is_told_with_its_variable() {
    let env = |name: &str| (name == "SRE_COPILOT_REGISTRATION").then(|| "maybe".to_owned());
    let error = load(None, env).unwrap_err().to_string();
    let expected = "SRE_COPILOT_REGISTRATION: registration = \"maybe\": unknown variant `maybe`, expected";
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn an_unknown_key_names_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("sre.toml");
    std::fs::write(&file, "log_level = \"info\"\nlog_colour = \"red\"\n").unwrap();
    let error = load(Some(&file), |_| None).unwrap_err().to_string();
    assert!(error.ends_with("sre.toml:2: unknown setting `log_colour`"), "{error}");
}

#[test]
fn a_file_that_is_no_toml_tells_the_line_and_none_of_its_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("sre.toml");
    for slip in ["openai_api_key = \"sk-VERYSECRET", "master_key = VERYSECRET=", "llm_model = VERYSECRET"] {
        std::fs::write(&file, format!("log_level = \"info\"\n{slip}\n")).unwrap();
        let error = format!("{:#}", load(Some(&file), |_| None).unwrap_err());
        assert!(error.contains("sre.toml:2: ") && !error.contains("VERYSECRET"), "{error}");
    }
}

#[test]
fn a_key_is_found_in_its_own_line_and_an_address_shows_no_password() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("sre.toml");
    std::fs::write(&file, "log_level = \"info\"\n\"log\" = 1\n").unwrap();
    let error = load(Some(&file), |_| None).unwrap_err().to_string();
    assert!(error.ends_with("sre.toml:2: unknown setting `log`"), "{error}");
    let url = "https://user:hush@proxy.example/v1".to_owned();
    let env = |name: &str| (name == "OPENAI_BASE_URL").then(|| url.clone());
    let (_, shown) = load(None, env).unwrap();
    let row = shown.into_iter().find(|row| row.key == "openai_base_url").unwrap();
    assert_eq!(row.value, "\"https://hidden@proxy.example/v1\"");
}

#[test]
fn what_no_type_tells_is_looked_at() {
    for (name, value) in [
        ("SRE_COPILOT_AUTH_URL", "ftp://x"),
        ("SRE_COPILOT_AI_URL", "http://a:1,http://b:2/path"),
        ("SRE_COPILOT_SOCKETS_PER_USER", "0"),
        ("SRE_COPILOT_SPOOL_MIB", "9223372036854775807"),
        ("SRE_COPILOT_COMMIT_QUEUE", "0"),
        ("SRE_COPILOT_OUTBOUND_ALLOW", "zzz"),
        ("SRE_COPILOT_LLM_DAILY_BUDGET_USD", "-1"),
        ("SRE_COPILOT_LOG_FORMAT", "xml"),
        ("SRE_COPILOT_DATABASE_CONNECTIONS", "3"),
    ] {
        let error = load(None, |asked| (asked == name).then(|| value.to_owned())).unwrap_err().to_string();
        assert!(error.starts_with(&name["SRE_COPILOT_".len()..].to_lowercase()), "{error}");
    }
}

#[test]
fn a_secret_is_read_from_a_file_and_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("key");
    std::fs::write(&file, "sk-123\n").unwrap();
    let env = |name: &str| (name == "OPENAI_API_KEY_FILE").then(|| file.display().to_string());
    let (config, shown) = load(None, env).unwrap();
    assert_eq!(config.openai_api_key, "sk-123");
    assert!(shown.iter().any(|row| row.key == "openai_api_key" && row.value == "(hidden)"));
}
