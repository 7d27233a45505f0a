//! Traces: what a request, a webhook's commit and an analysis consist of, sent to a collector by OTLP when one is set.
//!
//! A span is a `tracing` span of the target [`TARGET`], made where the work is done; the log never shows those. Without a
//! collector nobody is interested in the target, and making a span costs a look at a flag.

mod collector;
mod settings;

use std::time::Duration;

use anyhow::Context as _;
use axum::http::{HeaderMap, Method};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{Context, global};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SdkTracerProvider};
use tracing::field::Empty;
use tracing::level_filters::LevelFilter;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

use crate::config::Config;
use collector::Collector;
use settings::Settings;

/// The target of every span that is sent.
pub const TARGET: &str = "spans";

/// Makes a span of ours: its name, then its attributes as [`tracing::info_span`] takes them.
macro_rules! span {
    ($name:literal $(, $($attributes:tt)*)?) => {
        tracing::info_span!(target: $crate::traces::TARGET, $name $(, $($attributes)*)?)
    };
}
pub(crate) use span;

/// The way to the collector.
#[derive(Debug)]
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Opens the way that the settings describe; `None` when they name no collector. Nothing is sent yet.
    ///
    /// # Errors
    /// When a setting makes no sense; the message names it.
    pub fn from_config(config: &Config) -> anyhow::Result<Option<Self>> {
        let Some(settings) = Settings::read(config)? else { return Ok(None) };
        let collector = Collector::new(&settings.endpoint, settings.timeout)?;
        let mut exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(settings.endpoint)
            .with_headers(settings.headers)
            .with_timeout(settings.timeout)
            .with_http_client(collector);
        if settings.gzip {
            exporter = exporter.with_compression(opentelemetry_otlp::Compression::Gzip);
        }
        let exporter = exporter.build().context("the way to the collector of traces")?;
        let batches = BatchSpanProcessor::builder(exporter).with_batch_config(settings.batches).build();
        let provider = SdkTracerProvider::builder()
            .with_sampler(settings.sampler)
            .with_resource(settings.resource)
            .with_span_processor(batches)
            .build();
        if settings.propagates {
            global::set_text_map_propagator(TraceContextPropagator::new());
        }
        Ok(Some(Self(provider)))
    }

    /// What takes up the spans.
    pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("sre-copilot"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            // Nothing but our own spans: what is logged says more than a collector should know.
            .with_filter(Targets::new().with_target(TARGET, LevelFilter::INFO))
    }

    /// Sends what is left, for `at_most` so long, and nothing more after it.
    pub async fn end(self, at_most: Duration) {
        let ended = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(at_most)).await;
        if !matches!(ended, Ok(Ok(()))) {
            tracing::warn!("the last traces could not be delivered in time");
        }
    }
}

/// The span of a request to us, in the trace that its sender began, if any.
pub fn incoming(method: &Method, route: &str, request_id: &str, headers: &HeaderMap) -> Span {
    let span = span!(
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method.as_str(),
        http.route = route,
        http.response.status_code = Empty,
        request_id
    );
    if !span.is_disabled() {
        let begun = global::get_text_map_propagator(|propagator| {
            propagator.extract_with_context(&Context::new(), &HeaderExtractor(headers))
        });
        // It was made just now, so that its parent may still be set.
        let _ = span.set_parent(begun);
    }
    span
}

/// The span of a request of ours to another service at `address`, which goes on with the trace by `headers`.
pub fn outgoing(method: &Method, service: &str, address: &str, headers: &mut HeaderMap) -> Span {
    let span = span!(
        "call",
        otel.name = format!("{method} {service}"),
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = method.as_str(),
        http.response.status_code = Empty,
        server.address = address,
        service.peer.name = service,
        error.type = Empty
    );
    if !span.is_disabled() {
        let context = span.context();
        global::get_text_map_propagator(|propagator| {
            propagator.inject_context(&context, &mut HeaderInjector(headers));
        });
    }
    span
}

/// Notes what a request was answered with. To who asked, 4xx is a failure too.
pub fn answered(span: &Span, status: u16, worst: u16) {
    span.record("http.response.status_code", i64::from(status));
    if status > worst {
        span.record("otel.status_code", "ERROR");
    }
}

/// Notes that a span's work failed, by a word of a closed set.
pub fn failed(span: &Span, how: &str) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", how);
}
