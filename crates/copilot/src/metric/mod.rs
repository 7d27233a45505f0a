//! What the product says of itself on `/metrics`: one table of all metrics, described and begun at the start.

mod look;
mod page;
mod table;

use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
pub use look::{look, queues};
pub use page::page;
pub use table::{Kind, Metric, TABLE};

/// How often samples are put into their buckets: until then, or until somebody scrapes, each takes memory of its own.
const UPKEEP: Duration = Duration::from_secs(5);

/// Has everything recorded that is counted in this process from now on, and says that it runs these `services`.
///
/// # Errors
/// When something else records already.
pub fn record(config: &Config, services: &str) -> anyhow::Result<PrometheusHandle> {
    let handle = builder()?.install_recorder()?;
    begin();
    metrics::gauge!("sre_copilot_build_info", "version" => env!("CARGO_PKG_VERSION"),
        "database" => crate::db::kind(config), "services" => services.to_owned())
    .set(1.0);
    Ok(handle)
}

/// Puts samples into their buckets until `halt`, whether anybody scrapes or not.
pub async fn keep_up(handle: PrometheusHandle, halt: CancellationToken) {
    keep_up_every(UPKEEP, &handle, &halt).await;
}

async fn keep_up_every(time: Duration, handle: &PrometheusHandle, halt: &CancellationToken) {
    let mut ticks = tokio::time::interval(time);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while halt.run_until_cancelled(ticks.tick()).await.is_some() {
        handle.run_upkeep();
    }
}

fn builder() -> anyhow::Result<PrometheusBuilder> {
    TABLE.iter().try_fold(PrometheusBuilder::new(), |builder, metric| match metric.kind {
        Kind::Histogram(bounds) => {
            Ok(builder.set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), bounds)?)
        }
        Kind::Counter | Kind::Gauge => Ok(builder),
    })
}

/// Describes every metric, and begins what is there from the start.
fn begin() {
    for Metric { name, kind, help, labels, .. } in TABLE.iter().copied() {
        match kind {
            Kind::Gauge => metrics::describe_gauge!(name, help),
            Kind::Histogram(_) => metrics::describe_histogram!(name, help),
            Kind::Counter => {
                metrics::describe_counter!(name, help);
                for labels in series(labels) {
                    metrics::counter!(name, &labels).increment(0);
                }
            }
        }
    }
}

/// Every series of a metric whose labels have known values; none when one is open.
fn series(
    labels: &'static [(&'static str, &'static [&'static str])],
) -> Vec<Vec<(&'static str, &'static str)>> {
    labels.iter().fold(vec![Vec::new()], |series, (name, values)| {
        let with = |value: &&'static str, one: &Vec<_>| [one.as_slice(), &[(*name, *value)]].concat();
        series.iter().flat_map(|one| values.iter().map(move |value| with(value, one))).collect()
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn every_metric_is_described_and_counters_begin_at_0() {
        let recorder = builder().unwrap().build_recorder();
        metrics::with_local_recorder(&recorder, begin);
        let text = recorder.handle().render();
        for line in [
            "# HELP sre_copilot_panics_total Panics that were caught, in requests and in background work.",
            "sre_copilot_panics_total 0",
            "sre_copilot_internal_errors_total 0",
            "sre_copilot_webhook_refusals_total{status=\"503\"} 0",
            "sre_copilot_analyses_total{status=\"failed\",engine=\"statistical\"} 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(!text.contains("sre_copilot_redis"), "what is open, and what may mean nothing, is not begun");
    }

    #[test]
    fn bounds_reach_what_a_model_may_take() {
        for metric in TABLE {
            let Kind::Histogram(bounds) = metric.kind else { continue };
            assert!(bounds.is_sorted_by(|one, next| one < next), "{}", metric.name);
            if metric.unit == "seconds" {
                assert!(bounds.iter().any(|bound| (5.1..60.0).contains(bound)), "{}", metric.name);
                assert!(bounds.last().is_some_and(|last| *last > 60.0), "{}", metric.name);
            }
        }
    }

    /// Set where the memory of the process is measured.
    const MEASURED: &str = "SRE_COPILOT_TEST_MEASURED";

    #[tokio::test]
    async fn what_nobody_scrapes_is_let_go() {
        if std::env::var_os(MEASURED).is_some() {
            return memory_stays().await;
        }
        // In a process of its own: other tests take memory too.
        let mut measured = Command::new(std::env::current_exe().unwrap());
        measured.args(["--exact", "metric::tests::what_nobody_scrapes_is_let_go"]).env(MEASURED, "1");
        let output = measured.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }

    async fn memory_stays() {
        const SAMPLES: usize = 4_000_000;
        let recorder = builder().unwrap().build_recorder();
        let samples =
            metrics::with_local_recorder(&recorder, || metrics::histogram!("sre_copilot_commit_requests"));
        let (handle, halt, before) = (recorder.handle(), CancellationToken::new(), resident());
        let record = async {
            for _ in 0..SAMPLES / 20_000 {
                (0..20_000).for_each(|_| samples.record(1.0));
                tokio::task::yield_now().await;
            }
            halt.cancel();
        };
        tokio::join!(keep_up_every(Duration::from_millis(1), &handle, &halt), record);
        // A sample that waits takes at least its value and its time: 16 bytes.
        let grown = resident().saturating_sub(before);
        assert!(grown < SAMPLES * 16 / 4, "{grown} bytes");
        assert!(handle.render().contains(&format!("sre_copilot_commit_requests_count {SAMPLES}")));
    }

    /// The memory of this process, in bytes.
    fn resident() -> usize {
        let pages: usize =
            std::fs::read_to_string("/proc/self/statm").unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        pages * 4096
    }
}
