//! Settings: read once, from the flag, the environment, the file and the defaults, in that order.

mod sense;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Deserialize;

/// Every setting with its default and its explanation.
pub const DEFAULT: &str = include_str!("../config.default.toml");

/// Names whose values are never printed. Each may also be read from a file, as may every other.
const SECRETS: [&str; 8] = [
    "database_url",
    "redis_url",
    "master_key",
    "master_key_previous",
    "openai_api_key",
    "azure_openai_api_key",
    "otel_exporter_otlp_headers",
    "otel_exporter_otlp_traces_headers",
];

/// Who may register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    /// The first visitor, who becomes owner; then only by invitation.
    First,
    /// Anybody; each gets a tenant of their own.
    Open,
    /// Nobody.
    Closed,
}

/// The settings in force. `config.default.toml` explains each.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "the commented default file is the documentation, and a test holds the two together"
)]
pub struct Config {
    pub database_url: String,
    pub redis_url: String,
    pub database_connections: u32,
    pub database_wait_s: u64,
    pub data_dir: PathBuf,
    pub master_key: String,
    pub master_key_previous: String,
    pub gateway_listen: String,
    pub auth_listen: String,
    pub incident_listen: String,
    pub ai_listen: String,
    pub integration_listen: String,
    pub websocket_listen: String,
    pub auth_url: String,
    pub incident_url: String,
    pub ai_url: String,
    pub integration_url: String,
    pub websocket_url: String,
    pub public_url: String,
    pub trusted_proxies: String,
    pub registration: Registration,
    pub sockets_per_user: usize,
    pub sockets_per_tenant: usize,
    pub api_requests_per_minute: u32,
    pub tenant_requests_per_minute: u32,
    pub anonymous_requests_per_minute: u32,
    pub searches_per_minute: u32,
    pub analyses_per_minute: u32,
    pub outbound_allow: String,
    pub openai_api_key: String,
    pub openai_base_url: String,
    pub azure_openai_endpoint: String,
    pub azure_openai_api_key: String,
    pub azure_openai_deployment: String,
    pub azure_openai_api_version: String,
    pub llm_model: String,
    pub llm_daily_budget_usd: f64,
    pub llm_prices_file: String,
    pub llm_unlisted_price_usd: f64,
    pub llm_timeout_s: u64,
    pub spool_mib: u64,
    pub commit_queue: usize,
    pub delivery_retention_days: u32,
    pub event_retention_days: u32,
    pub audit_retention_days: u32,
    pub log_level: String,
    pub log_format: String,
    pub otel_exporter_otlp_endpoint: String,
    pub otel_exporter_otlp_traces_endpoint: String,
    pub otel_exporter_otlp_protocol: String,
    pub otel_exporter_otlp_traces_protocol: String,
    pub otel_exporter_otlp_headers: String,
    pub otel_exporter_otlp_traces_headers: String,
    pub otel_exporter_otlp_timeout: u64,
    pub otel_exporter_otlp_traces_timeout: u64,
    pub otel_exporter_otlp_compression: String,
    pub otel_exporter_otlp_traces_compression: String,
    pub otel_sdk_disabled: String,
    pub otel_traces_exporter: String,
    pub otel_service_name: String,
    pub otel_resource_attributes: String,
    pub otel_traces_sampler: String,
    pub otel_traces_sampler_arg: String,
    pub otel_propagators: String,
    pub otel_bsp_schedule_delay: u64,
    pub otel_bsp_max_queue_size: usize,
    pub otel_bsp_max_export_batch_size: usize,
}

/// A setting as `config show` prints it.
#[derive(Debug, PartialEq, Eq)]
pub struct Shown {
    /// The name in the file.
    pub key: String,
    /// The value, or `(hidden)`.
    pub value: String,
    /// `default`, the file, or the variable it came from.
    pub origin: String,
}

/// The variable that sets `key`.
pub fn variable(key: &str) -> String {
    let bare = ["database_url", "redis_url"].contains(&key)
        || ["openai_", "azure_", "otel_"].iter().any(|start| key.starts_with(start));
    if bare { key.to_uppercase() } else { format!("SRE_COPILOT_{}", key.to_uppercase()) }
}

/// Reads the settings; `env` looks a variable up, so that tests need no real environment.
///
/// # Errors
/// When the file can't be read, holds an unknown key (the message names the line), or a value does not fit.
pub fn load(
    file: Option<&Path>,
    env: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<(Config, Vec<Shown>)> {
    let mut table: toml::Table = DEFAULT.parse().context("the compiled-in settings")?;
    let mut origins: BTreeMap<String, String> = BTreeMap::new();
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        for (key, value) in read_file(path, &text, &table)? {
            origins.insert(key.clone(), path.display().to_string());
            table.insert(key, value);
        }
    }
    let keys: Vec<String> = table.keys().cloned().collect();
    for key in keys {
        if let Some((value, origin)) = from_env(&key, &env)? {
            let typed = typed(table.get(&key), &value).with_context(|| format!("{origin}={value:?}"))?;
            table.insert(key.clone(), typed);
            origins.insert(key, origin);
        }
    }
    let shown = table.iter().map(|(key, value)| show(key, value, origins.get(key))).collect();
    let config: Config = match table.clone().try_into() {
        Ok(config) => config,
        Err(error) => return Err(misfit(&table, &origins).unwrap_or_else(|| error.into())),
    };
    config.makes_sense()?;
    Ok((config, shown))
}

/// Variables that look like settings and are none: a misspelt one is better told than ignored. No error, because
/// Kubernetes puts addresses of services into every container under such names (`SRE_COPILOT_SERVICE_HOST`, `…_PORT_…`).
pub fn unknown_variables(names: impl Iterator<Item = String>, known: &[Shown]) -> Vec<String> {
    let known: Vec<String> = known.iter().map(|row| variable(&row.key)).collect();
    let is_link = |rest: &str| ["SERVICE_", "PORT"].iter().any(|part| rest.contains(part));
    let strange = |name: &String| {
        (name.starts_with("OTEL_") || name.strip_prefix("SRE_COPILOT_").is_some_and(|rest| !is_link(rest)))
            && !known
                .iter()
                .any(|known| name.strip_prefix(known).is_some_and(|rest| matches!(rest, "" | "_FILE")))
    };
    names.filter(strange).collect()
}

/// Whether it is an `http://` or `https://` URL of a host.
pub fn is_http(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// What is wrong with the first setting that can't be used, and where it was set.
fn misfit(table: &toml::Table, origins: &BTreeMap<String, String>) -> Option<anyhow::Error> {
    origins.iter().find_map(|(key, origin)| {
        let mut one: toml::Table = DEFAULT.parse().ok()?;
        one.insert(key.clone(), table.get(key)?.clone());
        let why = one.try_into::<Config>().err()?;
        let value = table.get(key).map(ToString::to_string).unwrap_or_default();
        Some(anyhow::anyhow!("{origin}: {key} = {value}: {}", why.message()))
    })
}

/// The keys of a settings file, checked against the known ones.
fn read_file(path: &Path, text: &str, known: &toml::Table) -> anyhow::Result<toml::Table> {
    let table: toml::Table = text.parse().map_err(|error| unreadable(path, text, &error))?;
    for (key, value) in &table {
        let line = text.lines().position(|line| names(line, key)).map_or(1, |at| at + 1);
        match known.get(key) {
            None => bail!("{}:{line}: unknown setting `{key}`", path.display()),
            Some(default) if !fits(default, value) => {
                bail!("{}:{line}: `{key}` must be {}", path.display(), kind(default));
            }
            Some(_) => {}
        }
    }
    Ok(table)
}

/// What is wrong with a file, without what is in it: it may be a secret.
fn unreadable(path: &Path, text: &str, error: &toml::de::Error) -> anyhow::Error {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    anyhow::anyhow!("{}:{line}: {}", path.display(), error.message())
}

/// Whether a line of the file sets `key`.
fn names(line: &str, key: &str) -> bool {
    let rest = line.trim_start().trim_start_matches(['"', '\'']).strip_prefix(key);
    rest.is_some_and(|rest| rest.trim_start_matches(['"', '\'']).trim_start().starts_with('='))
}

fn kind(value: &toml::Value) -> &'static str {
    match value {
        toml::Value::Integer(_) => "a whole number",
        toml::Value::Float(_) => "a number",
        _ => "a text in quotation marks",
    }
}

/// Whether a value may stand where `default` stands; a whole number is a number.
fn fits(default: &toml::Value, value: &toml::Value) -> bool {
    default.same_type(value) || (default.is_float() && value.is_integer())
}

/// The value of `key` in the environment, from `NAME` or from the file that `NAME_FILE` names.
fn from_env(key: &str, env: &impl Fn(&str) -> Option<String>) -> anyhow::Result<Option<(String, String)>> {
    let name = variable(key);
    if let Some(value) = env(&name) {
        return Ok(Some((value, name)));
    }
    let name = format!("{name}_FILE");
    let Some(path) = env(&name) else { return Ok(None) };
    let value =
        std::fs::read_to_string(&path).with_context(|| format!("reading {path}, which {name} names"))?;
    Ok(Some((value.trim_end_matches(['\r', '\n']).to_owned(), name)))
}

/// `text` as a value of the same type as `default`.
fn typed(default: Option<&toml::Value>, text: &str) -> anyhow::Result<toml::Value> {
    Ok(match default {
        Some(toml::Value::Integer(_)) => {
            toml::Value::Integer(text.trim().parse().context("a whole number is needed")?)
        }
        Some(toml::Value::Float(_)) => toml::Value::Float(text.trim().parse().context("a number is needed")?),
        _ => toml::Value::String(text.to_owned()),
    })
}

fn show(key: &str, value: &toml::Value, origin: Option<&String>) -> Shown {
    let empty = value.as_str().is_some_and(str::is_empty);
    let value = if SECRETS.contains(&key) && !empty { "(hidden)".to_owned() } else { bare(value) };
    Shown { key: key.to_owned(), value, origin: origin.cloned().unwrap_or_else(|| "default".to_owned()) }
}

/// The value as it is written, without what signs in at an address.
fn bare(value: &toml::Value) -> String {
    let url = value.as_str().and_then(|text| url::Url::parse(text).ok());
    match url.filter(|url| url.password().is_some() || (url.has_host() && !url.username().is_empty())) {
        Some(mut url) => {
            let cut = url.set_username("hidden").and_then(|()| url.set_password(None));
            cut.map_or_else(|()| "(hidden)".to_owned(), |()| format!("{:?}", url.as_str()))
        }
        None => value.to_string(),
    }
}

impl Config {
    /// The defaults alone, as with an empty environment.
    ///
    /// # Errors
    /// When the compiled-in file is broken; a test holds that it is not.
    pub fn defaults() -> anyhow::Result<Self> {
        load(None, |_| None).map(|(config, _)| config)
    }

    /// The URL people use, without a trailing slash.
    pub fn public_url(&self) -> String {
        if self.public_url.is_empty() {
            format!("http://{}", self.gateway_listen)
        } else {
            self.public_url.trim_end_matches('/').to_owned()
        }
    }

    /// Whether webhooks wait on the disk while the database is away.
    pub fn has_spool(&self) -> bool {
        self.spool_mib > 0 && self.database_url.starts_with("postgres")
    }

    /// Whether cookies may only travel over TLS.
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

#[cfg(test)]
mod tests;
