//! Which address is asked with which key, and what is not accepted as a configuration.

use std::process::Command;

use axum::http::HeaderMap;
use llm::{Config, ConfigError, Provider};

use crate::stub::{KEY, Stub, good, install_crypto, prompt, provider, soon};

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn azure(endpoint: &str, deployment: &str, version: &str) -> Config {
    Config {
        azure_endpoint: some(endpoint),
        azure_key: some(KEY),
        azure_deployment: some(deployment),
        azure_api_version: some(version),
        model: "gpt-4o-mini".to_owned(),
        ..Config::default()
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn azure_is_asked_on_the_path_its_settings_mean() {
    let stub = Stub::start().await;
    let v1 = "/openai/v1/chat/completions";
    let chat = "chat/completions?api-version";
    for (name, suffix, deployment, version, path) in [
        ("dated", "", "mini", "2024-10-21", format!("/openai/deployments/mini/{chat}=2024-10-21")),
        ("slash", "/", "mini", "2024-10-21", format!("/openai/deployments/mini/{chat}=2024-10-21")),
        ("openai", "/openai/", "mini", "2024-10-21", format!("/openai/deployments/mini/{chat}=2024-10-21")),
        ("climb", "", "../../x", "2024-10-21", format!("/openai/deployments/..%2F..%2Fx/{chat}=2024-10-21")),
        (
            "odd",
            "",
            "a b?c#d%2e",
            "x&y=1",
            format!("/openai/deployments/a%20b%3Fc%23d%252e/{chat}=x%26y%3D1"),
        ),
        ("undated", "", "mini", "", v1.to_owned()),
        ("shape", "/openai/v1/", "mini", "", v1.to_owned()),
        ("shape-wins", "/openai/v1", "mini", "2024-10-21", v1.to_owned()),
        ("v1", "", "../x", "v1", v1.to_owned()),
        ("preview", "", "mini", "preview", format!("{v1}?api-version=preview")),
    ] {
        stub.plan(name, vec![good("{}")]);
        let config = azure(&format!("{}/{name}{suffix}", stub.base), deployment, version);
        provider(&config).complete(&prompt(), soon()).await.unwrap();
        let [asked] = &stub.asked(name)[..] else { panic!("{name}: not one request") };
        assert_eq!(asked.path, format!("/{name}{path}"));
        let model = asked.body.get("model").and_then(|model| model.as_str());
        assert_eq!(model, path.starts_with(v1).then_some(deployment), "{name}");
        assert_eq!(header(&asked.headers, "api-key"), Some(KEY), "{name}");
        assert_eq!(header(&asked.headers, "authorization"), None, "{name}");
    }
}

#[tokio::test]
async fn an_openai_endpoint_gets_its_key_as_a_bearer_or_none() {
    let stub = Stub::start().await;
    let bearer = format!("Bearer {KEY}");
    for (name, key, suffix, sent) in [
        ("key", some(KEY), "/v1", Some(bearer.as_str())),
        ("blanks", some(&format!(" {KEY}\n")), "/v1/", Some(bearer.as_str())),
        ("none", None, "/v1", None),
        ("empty", some(""), "/v1", None),
    ] {
        stub.plan(name, vec![good("{}")]);
        let base = format!("{}/{name}{suffix}", stub.base);
        let model = "../gpt?x".to_owned();
        let config = Config { openai_api_key: key, openai_base_url: Some(base), model, ..Config::default() };
        provider(&config).complete(&prompt(), soon()).await.unwrap();
        let [asked] = &stub.asked(name)[..] else { panic!("{name}: not one request") };
        assert_eq!(asked.path, format!("/{name}/v1/chat/completions"));
        assert_eq!(asked.body["model"], "../gpt?x");
        assert_eq!(header(&asked.headers, "authorization"), sent, "{name}");
        assert_eq!(header(&asked.headers, "api-key"), None, "{name}");
    }
}

/// The test above passes as well in a process whose environment names proxies that lead nowhere.
#[test]
fn a_proxy_of_the_environment_is_not_used() {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "addresses::an_openai_endpoint_gets_its_key_as_a_bearer_or_none"]);
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(name, "http://127.0.0.1:1");
    }
    let output = child.env_remove("NO_PROXY").env_remove("no_proxy").output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
}

#[test]
fn without_settings_there_is_no_provider() {
    let empty = Config { openai_api_key: some(" "), azure_endpoint: some(""), ..Config::default() };
    for config in [Config::default(), empty, Config { azure_api_version: some("v1"), ..Config::default() }] {
        assert!(Provider::from_config(&config).unwrap().is_none());
    }
}

#[test]
fn wrong_settings_are_named_and_no_key_is_shown() {
    install_crypto();
    let openai = |base: &str| Config {
        openai_api_key: some(KEY),
        openai_base_url: some(base),
        model: "m".to_owned(),
        ..Config::default()
    };
    let resource = "https://x.openai.azure.com";
    let healthy = || azure(resource, "mini", "");
    for (config, expected) in [
        (Config { openai_api_key: some(KEY), ..healthy() }, "both an OpenAI and an Azure endpoint"),
        (Config { azure_key: None, ..healthy() }, "without the Azure key"),
        (Config { azure_endpoint: None, ..healthy() }, "without the Azure endpoint"),
        (Config { azure_deployment: some(" "), ..healthy() }, "without the Azure deployment"),
        (Config { model: " ".to_owned(), ..healthy() }, "without a model"),
        (
            Config { azure_key: some("a\nb"), ..healthy() },
            "the key of the model endpoint contains characters",
        ),
        (azure(resource, "..", ""), "the Azure deployment of the model endpoint is not a name"),
        (azure(resource, "a\u{7}b", ""), "contains a control character"),
        (
            azure("x.openai.azure.com", "mini", ""),
            "the Azure endpoint of the model endpoint is not an address",
        ),
        (azure(&format!("{resource}/?api-version=1"), "mini", ""), "contains a query or a fragment"),
        (openai("file:///etc/passwd"), "does not begin with http:// or https://"),
        (openai(&format!("https://user:{KEY}@host/v1")), "contains a user name or a password"),
        (Config { openai_api_key: None, ..openai("https://api.openai.com/v1") }, "without an API key"),
    ] {
        let error: ConfigError = Provider::from_config(&config).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!format!("{error} {error:?} {config:?}").contains(KEY));
    }
}

#[test]
fn a_provider_describes_itself_without_its_key() {
    install_crypto();
    let openai = Config { openai_api_key: some(KEY), model: "gpt-5-mini".to_owned(), ..Config::default() };
    for (config, description) in [
        (openai, "gpt-5-mini at api.openai.com (OpenAI protocol)"),
        (azure("https://x.openai.azure.com", "mini", ""), "gpt-4o-mini at x.openai.azure.com (Azure OpenAI)"),
    ] {
        let provider = provider(&config);
        assert_eq!(provider.describe(), description);
        assert_eq!(provider.model(), config.model);
        assert!(!format!("{provider:?}").contains(KEY));
    }
}
