//! What OpenTelemetry's own variables ask for, as far as traces by OTLP are concerned.
//!
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>. A value that makes no sense ends the start,
//! where the specification would warn and go on: a person who set it wants to know.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchConfig, BatchConfigBuilder, Sampler};

use crate::config::{Config, is_http, variable};

/// Spans that may wait at most, whatever is set: each takes about a kilobyte.
const MOST_WAITING: usize = 65_536;

/// Where traces go, which and how.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) endpoint: String,
    pub(super) headers: HashMap<String, String>,
    pub(super) timeout: Duration,
    pub(super) gzip: bool,
    pub(super) sampler: Sampler,
    pub(super) propagates: bool,
    pub(super) resource: Resource,
    pub(super) batches: BatchConfig,
}

impl Settings {
    /// Reads them; `None` when traces are off.
    ///
    /// # Errors
    /// When one makes no sense.
    pub(super) fn read(config: &Config) -> anyhow::Result<Option<Self>> {
        let off = match config.otel_sdk_disabled.to_ascii_lowercase().as_str() {
            "true" => true,
            "" | "false" => false,
            other => return Err(misfit("otel_sdk_disabled", other, "true or false")),
        };
        let exported = choice("otel_traces_exporter", &config.otel_traces_exporter, &["otlp", "none"])?;
        let Some(endpoint) = endpoint(config).filter(|_| !off && exported == "otlp") else { return Ok(None) };
        if !is_http(&endpoint) {
            let own = ("otel_exporter_otlp_traces_endpoint", &*config.otel_exporter_otlp_traces_endpoint);
            let (key, value) =
                own_or(own, ("otel_exporter_otlp_endpoint", &config.otel_exporter_otlp_endpoint));
            return Err(misfit(key, value, "an http:// or https:// URL"));
        }
        protocol(config)?;
        let (key, headers) = own_or(
            ("otel_exporter_otlp_traces_headers", &config.otel_exporter_otlp_traces_headers),
            ("otel_exporter_otlp_headers", &config.otel_exporter_otlp_headers),
        );
        Ok(Some(Self {
            endpoint,
            headers: named_headers(key, headers)?,
            timeout: timeout(config)?,
            gzip: gzip(config)?,
            sampler: sampler(&config.otel_traces_sampler, &config.otel_traces_sampler_arg)?,
            propagates: propagates(&config.otel_propagators)?,
            resource: resource(config)?,
            batches: batches(config)?,
        }))
    }
}

/// The full address: a general one is the base of every signal's.
fn endpoint(config: &Config) -> Option<String> {
    let (own, base) = (&config.otel_exporter_otlp_traces_endpoint, &config.otel_exporter_otlp_endpoint);
    if !own.is_empty() {
        return Some(own.clone());
    }
    (!base.is_empty()).then(|| format!("{}/v1/traces", base.trim_end_matches('/')))
}

/// The traces' own setting, or else the one of all signals, with its key.
fn own_or<'a>(own: (&'static str, &'a str), of_all: (&'static str, &'a str)) -> (&'static str, &'a str) {
    if own.1.is_empty() { of_all } else { own }
}

fn protocol(config: &Config) -> anyhow::Result<()> {
    let (key, protocol) = own_or(
        ("otel_exporter_otlp_traces_protocol", &config.otel_exporter_otlp_traces_protocol),
        ("otel_exporter_otlp_protocol", &config.otel_exporter_otlp_protocol),
    );
    match protocol {
        "http/protobuf" => Ok(()),
        "grpc" => bail!(
            "{} is \"grpc\", which is not spoken here; set http/protobuf, and as the endpoint the collector's port for \
             OTLP over HTTP, mostly 4318",
            variable(key)
        ),
        other => Err(misfit(key, other, "http/protobuf")),
    }
}

fn gzip(config: &Config) -> anyhow::Result<bool> {
    let (key, compression) = own_or(
        ("otel_exporter_otlp_traces_compression", &config.otel_exporter_otlp_traces_compression),
        ("otel_exporter_otlp_compression", &config.otel_exporter_otlp_compression),
    );
    Ok(choice(key, compression, &["none", "gzip"])? == "gzip")
}

fn timeout(config: &Config) -> anyhow::Result<Duration> {
    let (own, of_all) = (config.otel_exporter_otlp_traces_timeout, config.otel_exporter_otlp_timeout);
    let (key, ms) = if own > 0 {
        ("otel_exporter_otlp_traces_timeout", own)
    } else {
        ("otel_exporter_otlp_timeout", of_all)
    };
    ensure!((1..=600_000).contains(&ms), "{} is {ms}; it takes 1 to 600000 milliseconds", variable(key));
    Ok(Duration::from_millis(ms))
}

fn sampler(name: &str, argument: &str) -> anyhow::Result<Sampler> {
    let ratio = || match argument {
        "" => Ok(Sampler::AlwaysOn),
        text => match text.parse::<f64>() {
            Ok(share) if (0.0..=1.0).contains(&share) => Ok(Sampler::TraceIdRatioBased(share)),
            _ => Err(misfit("otel_traces_sampler_arg", text, "a share from 0 to 1, such as 0.1")),
        },
    };
    let of_parent = |root| Sampler::ParentBased(Box::new(root));
    Ok(match name {
        "always_on" => Sampler::AlwaysOn,
        "always_off" => Sampler::AlwaysOff,
        "traceidratio" => ratio()?,
        "parentbased_always_on" => of_parent(Sampler::AlwaysOn),
        "parentbased_always_off" => of_parent(Sampler::AlwaysOff),
        "parentbased_traceidratio" => of_parent(ratio()?),
        other => {
            let choices = "always_on, always_off, traceidratio or one of them after parentbased_";
            return Err(misfit("otel_traces_sampler", other, choices));
        }
    })
}

/// Whether traces go on from one process to the next. Baggage is passed on as it came, whatever is set.
fn propagates(names: &str) -> anyhow::Result<bool> {
    let mut propagates = false;
    for name in names.split(',').map(str::trim) {
        match name {
            "tracecontext" => propagates = true,
            "baggage" | "none" => {}
            other => return Err(misfit("otel_propagators", other, "tracecontext, baggage or none")),
        }
    }
    Ok(propagates)
}

fn resource(config: &Config) -> anyhow::Result<Resource> {
    let key = "otel_resource_attributes";
    let told = pairs(&config.otel_resource_attributes)
        .with_context(|| misfit(key, &config.otel_resource_attributes, "name=value,name=value"))?;
    let told = told.into_iter().map(|(name, value)| KeyValue::new(name, value));
    let own = [
        KeyValue::new("service.name", "sre-copilot"),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", uuid::Uuid::new_v4().to_string()),
    ];
    let named = Some(&config.otel_service_name).filter(|name| !name.is_empty());
    let named = named.map(|name| KeyValue::new("service.name", name.clone()));
    Ok(Resource::builder_empty().with_attributes(own.into_iter().chain(told).chain(named)).build())
}

fn batches(config: &Config) -> anyhow::Result<BatchConfig> {
    let (waiting, batch) = (config.otel_bsp_max_queue_size, config.otel_bsp_max_export_batch_size);
    let key = variable("otel_bsp_max_queue_size");
    ensure!((1..=MOST_WAITING).contains(&waiting), "{key} is {waiting}; it takes 1 to {MOST_WAITING} spans");
    let key = variable("otel_bsp_max_export_batch_size");
    ensure!((1..=waiting).contains(&batch), "{key} is {batch}; it takes 1 to {waiting} spans, what may wait");
    let (key, delay) = (variable("otel_bsp_schedule_delay"), config.otel_bsp_schedule_delay);
    ensure!((1..=600_000).contains(&delay), "{key} is {delay}; it takes 1 to 600000 milliseconds");
    let batches =
        BatchConfigBuilder::default().with_max_queue_size(waiting).with_max_export_batch_size(batch);
    Ok(batches.with_scheduled_delay(Duration::from_millis(delay)).build())
}

/// Headers of each request; what they say is not repeated in a message.
fn named_headers(key: &'static str, text: &str) -> anyhow::Result<HashMap<String, String>> {
    let wrong = || format!("{} must be name=value,name=value, each value percent-encoded", variable(key));
    let headers = pairs(text).with_context(wrong)?;
    let fits = |(name, value): &(String, String)| {
        axum::http::HeaderName::try_from(name).is_ok() && axum::http::HeaderValue::try_from(value).is_ok()
    };
    ensure!(headers.iter().all(fits), wrong());
    Ok(headers.into_iter().collect())
}

/// `name=value,name=value` with percent-encoded values, as W3C Baggage has it.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let members = text.split(',').map(str::trim).filter(|member| !member.is_empty());
    let pair = |member: &str| {
        let (name, value) = member.split_once('=')?;
        let name = name.trim();
        (!name.is_empty()).then_some((name.to_owned(), decoded(value.trim())?))
    };
    members.map(pair).collect()
}

fn decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

/// `value`, if it is one of `choices`.
fn choice<'a>(key: &str, value: &'a str, choices: &[&str]) -> anyhow::Result<&'a str> {
    if choices.contains(&value) { Ok(value) } else { Err(misfit(key, value, &choices.join(" or "))) }
}

fn misfit(key: &str, value: &str, choices: &str) -> anyhow::Error {
    anyhow::anyhow!("{} is {value:?}; it takes {choices}", variable(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(set: &[(&str, &str)]) -> anyhow::Result<Option<Settings>> {
        let set: HashMap<&str, &str> = set.iter().copied().collect();
        let (config, _) = crate::config::load(None, |name| set.get(name).map(|&value| value.to_owned()))?;
        Settings::read(&config)
    }

    const BASE: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/");

    #[test]
    fn traces_are_on_when_a_collector_is_named_and_nothing_turns_them_off() {
        assert!(read(&[]).unwrap().is_none());
        assert_eq!(read(&[BASE]).unwrap().unwrap().endpoint, "http://collector:4318/v1/traces");
        let own = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://other/as/it/is");
        assert_eq!(read(&[BASE, own]).unwrap().unwrap().endpoint, "https://other/as/it/is");
        for off in [("OTEL_SDK_DISABLED", "TRUE"), ("OTEL_TRACES_EXPORTER", "none")] {
            assert!(read(&[BASE, own, off]).unwrap().is_none(), "{off:?}");
        }
    }

    #[test]
    fn what_is_set_is_what_is_done() {
        let set = [
            BASE,
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b%3D, x=y"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
            ("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,deployment.environment.name=a%2Cb"),
            ("OTEL_PROPAGATORS", "baggage"),
        ];
        let told = read(&set).unwrap().unwrap();
        assert_eq!((told.headers["api-key"].as_str(), told.headers["x"].as_str()), ("a b=", "y"));
        assert_eq!((told.timeout, told.gzip, told.propagates), (Duration::from_millis(1500), true, false));
        assert_eq!(format!("{:?}", told.sampler), "ParentBased(TraceIdRatioBased(0.25))");
        let attribute =
            |told: &Settings, name: &'static str| told.resource.get(&name.into()).unwrap().to_string();
        assert_eq!(attribute(&told, "service.name"), "other");
        assert_eq!(attribute(&told, "deployment.environment.name"), "a,b");
        let named = read(&[&set[..], &[("OTEL_SERVICE_NAME", "mine")]].concat()).unwrap().unwrap();
        assert_eq!(attribute(&named, "service.name"), "mine");
        assert_eq!(attribute(&read(&[BASE]).unwrap().unwrap(), "service.name"), "sre-copilot");
    }

    #[test]
    fn what_makes_no_sense_is_told_with_its_name_and_no_secret() {
        for (name, value) in [
            ("OTEL_SDK_DISABLED", "yes"),
            ("OTEL_TRACES_EXPORTER", "console"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a-secret"),
            ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "api key=a-secret"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "key=a-secret%zz"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
            ("OTEL_TRACES_SAMPLER", "sometimes"),
            ("OTEL_TRACES_SAMPLER_ARG", "2"),
            ("OTEL_PROPAGATORS", "tracecontext,b3"),
            ("OTEL_RESOURCE_ATTRIBUTES", "nothing"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4096"),
        ] {
            let ratio = ("OTEL_TRACES_SAMPLER", "traceidratio");
            let set = if name.ends_with("_ARG") {
                vec![BASE, ratio, (name, value)]
            } else {
                vec![BASE, (name, value)]
            };
            let error = format!("{:#}", read(&set).unwrap_err());
            assert!(error.contains(name) && !error.contains("a-secret"), "{error}");
        }
        let error = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318")]).unwrap_err().to_string();
        assert!(error.contains("collector:4318"), "{error}");
    }
}
