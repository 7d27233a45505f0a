//! How long an incident's whole statistical analysis takes against a Prometheus with 10,000 series.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use crate::alertmanager::program;
use crate::api::{self, Account};
use crate::child::{self, Process};
use crate::product::{self, Product};
use crate::report::{Report, median};
use crate::{folder, now};

/// Services, each with the same metrics.
const SERVICES: usize = 100;
/// Seconds between two samples.
const STEP_S: i64 = 15;
/// Samples of each series: one hour.
const SAMPLES: i64 = 240;
/// The last samples, in which two of the services behave otherwise.
const BROKEN: i64 = 20;
/// Instances of a service, each with every metric.
const INSTANCES: usize = 10;
/// Metrics of an instance, and whether each only rises.
const METRICS: [(&str, bool); 10] = [
    ("http_requests_total", true),
    ("http_request_errors_total", true),
    ("http_request_duration_seconds_sum", true),
    ("http_request_duration_seconds_count", true),
    ("process_cpu_seconds_total", true),
    ("process_resident_memory_bytes", false),
    ("go_goroutines", false),
    ("connection_pool_used", false),
    ("queue_depth", false),
    ("cache_hit_ratio", false),
];

/// What to measure.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Three analyses instead of eleven; the figures are not kept.
    #[arg(long)]
    quick: bool,
}

/// Fills a Prometheus, lets the product explain incidents, and reports how long each took.
///
/// # Errors
/// When something can't be started, or an analysis fails.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let folder = folder::create()?;
    let mut report = Report::begin("explain", "An incident's analysis against 10,000 series", options.quick)?;
    let (mut prometheus, address) = prometheus(folder.path())?;
    prometheus.wait_until(|| api::answers(&address, "/-/ready"))?;
    let product = Product::start(&product::binary(), folder.path(), &[])?;
    let account = Account::register(&product.gateway)?;
    let path = format!("/api/v1/projects/{}/integrations", account.project);
    let body = json!({"kind": "prometheus", "name": "bench", "url": format!("http://{address}")});
    account.call("POST", &path, Some(&body))?;
    let before = child::tree_cpu_seconds(product.process.id());
    let runs = if options.quick { 3 } else { 11 };
    let (mut seconds, mut evidence) = (Vec::new(), 0);
    let mut last = Value::Null;
    for run in 0..runs {
        let (took, said, found) = explain(&account, &format!("service-{}", run % 2 * 50 + 7))?;
        seconds.push(took);
        evidence = evidence.max(found);
        last = said;
    }
    anyhow::ensure!(evidence > 0, "no analysis found anything in Prometheus: {last}");
    let cpu = (child::tree_cpu_seconds(product.process.id()) - before) / f64::from(runs as u32);
    seconds.sort_by(f64::total_cmp);
    let worst = seconds.last().copied().unwrap_or(0.0);
    report.table(&[
        ["analyses", "goal", "median", "worst", "CPU each", "rows of evidence", "peak memory"]
            .map(str::to_owned)
            .to_vec(),
        vec![
            runs.to_string(),
            "3 s".to_owned(),
            format!("{:.2} s", median(seconds)),
            format!("{worst:.2} s"),
            format!("{cpu:.2} s"),
            evidence.to_string(),
            format!("{:.0} MiB", child::peak_resident_mib(product.process.id())),
        ],
    ])?;
    report.line(&format!(
        "{SERVICES} services with {INSTANCES} instances of {} metrics, one hour at {STEP_S} s; from the request to \
         the end of the analysis, Prometheus on the same machine.",
        METRICS.len()
    ))?;
    report.end()
}

/// Opens an incident of `service` and waits for its analysis: seconds, and rows of evidence.
fn explain(account: &Account, service: &str) -> anyhow::Result<(f64, Value, usize)> {
    let body = json!({"title": format!("Errors on {service}"), "service_name": service, "severity": "high"});
    let begun = std::time::Instant::now();
    let id = api::text(&account.call("POST", "/api/v1/incidents", Some(&body))?, "/id")?;
    let path = format!("/api/v1/incidents/{id}/hypotheses");
    loop {
        let stored = account.call("GET", &path, None)?;
        let status = stored.pointer("/analysis/status").and_then(Value::as_str).unwrap_or("queued");
        match status {
            "queued" | "running" => child::pause(std::time::Duration::from_millis(5)),
            "failed" => bail!("the analysis failed: {stored}"),
            _ => break,
        }
        if begun.elapsed().as_secs() > 60 {
            bail!("the analysis did not end within a minute: {stored}");
        }
    }
    let took = begun.elapsed().as_secs_f64();
    let rows = account.call("GET", &format!("/api/v1/incidents/{id}/evidence?limit=200"), None)?;
    let stored = account.call("GET", &path, None)?;
    Ok((took, stored, rows.pointer("/items").and_then(Value::as_array).map_or(0, Vec::len)))
}

/// A Prometheus with an hour of history that ends now.
fn prometheus(folder: &Path) -> anyhow::Result<(Process, String)> {
    let (text, data) = (folder.join("history"), folder.join("prometheus"));
    write_history(&text).context("writing the history")?;
    let mut tool = Command::new(program(&["promtool"])?);
    tool.args(["tsdb", "create-blocks-from", "openmetrics", "--quiet"]).arg(&text).arg(&data);
    let made = tool.output().context("promtool")?;
    if !made.status.success() {
        bail!("promtool: {}", String::from_utf8_lossy(&made.stderr));
    }
    std::fs::remove_file(&text)?;
    let (configuration, address) = (folder.join("prometheus.yml"), folder::free_address()?);
    std::fs::write(&configuration, "global:\n  scrape_interval: 15s\n")?;
    let mut command = Command::new(program(&["prometheus"])?);
    command.arg(format!("--config.file={}", configuration.display()));
    command.arg(format!("--storage.tsdb.path={}", data.display()));
    command.arg(format!("--web.listen-address={address}")).arg("--log.level=warn");
    Ok((Process::start("Prometheus", &mut command, &folder.join("prometheus.log"))?, address))
}

/// Every series with its samples, in the order that OpenMetrics asks for.
fn write_history(path: &Path) -> anyhow::Result<()> {
    let mut out = std::io::BufWriter::new(std::fs::File::create(path)?);
    let end = now().as_second() / STEP_S * STEP_S;
    let mut noise = 1_u64;
    for (metric, rises) in METRICS {
        let kind = if rises && metric.ends_with("_total") { "counter" } else { "gauge" };
        writeln!(out, "# TYPE {} {kind}", metric.trim_end_matches("_total"))?;
        for service in 0..SERVICES {
            for instance in 0..INSTANCES {
                let mut value = 1_000.0;
                for sample in 0..SAMPLES {
                    // Knuth's generator (MMIX), of which the upper bits are good.
                    noise =
                        noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let broken = service % 50 == 7 && sample > SAMPLES - BROKEN;
                    let step = if broken { 20.0 } else { 1.0 } * (noise >> 40) as f64 / (1_u64 << 24) as f64;
                    value = if rises { value + 10.0 * step } else { 1_000.0 + 100.0 * step };
                    let at = end - (SAMPLES - sample) * STEP_S;
                    writeln!(
                        out,
                        "{metric}{{service=\"service-{service}\",instance=\"10.0.{service}.{instance}:8080\",job=\"shop\"}} {value:.3} {at}"
                    )?;
                }
            }
        }
    }
    writeln!(out, "# EOF")?;
    Ok(out.flush()?)
}
