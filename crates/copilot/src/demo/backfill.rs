//! An hour of the shop's past, so that the first alert already has a baseline.
//!
//! The past is written as [OpenMetrics](https://prometheus.io/docs/specs/om/open_metrics_spec/) and turned into
//! blocks by `promtool tsdb create-blocks-from openmetrics` before Prometheus starts. The blocks end at their
//! last sample, so Prometheus takes every later one from its scrapes, of the same series.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::process::Command;

use super::configuration;
use super::shop::exposition::{self, Family, MetricKind};
use super::shop::{Model, Service};

/// How much past there is.
pub const HISTORY_S: f64 = 3_600.0;
/// Seconds between two samples of the past: short enough for `rate()` over the alert rules' 20 s.
const STEP_S: f64 = 5.0;
/// `promtool` needs about a second.
const PROMTOOL_LIMIT: Duration = Duration::from_secs(60);

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Time series.
    pub series: usize,
    /// Samples of all of them.
    pub samples: usize,
}

/// The past as it is collected: values by family, suffix and labels.
#[derive(Default)]
pub struct History {
    times_s: Vec<f64>,
    families: BTreeMap<&'static str, FamilyHistory>,
}

struct FamilyHistory {
    kind: MetricKind,
    help: &'static str,
    series: BTreeMap<(&'static str, String), Vec<(usize, f64)>>,
}

impl History {
    /// Lives through the hour that ends at `end_s`, from the model's opening on.
    pub fn collect(model: &mut Model, end_s: f64) -> Self {
        let mut history = Self::default();
        let steps = (HISTORY_S / STEP_S) as u32;
        for step in (0..steps).rev() {
            model.advance(end_s - f64::from(step) * STEP_S);
            history.take(model);
        }
        history
    }

    /// The number of series and samples.
    pub fn summary(&self) -> Summary {
        let series = || self.families.values().flat_map(|family| family.series.values());
        Summary { series: series().count(), samples: series().map(Vec::len).sum() }
    }

    /// The whole past in OpenMetrics text, times with milliseconds.
    pub fn openmetrics(&self) -> String {
        let mut text = String::with_capacity(self.summary().samples * 128);
        // Writing to a string cannot fail.
        for (name, family) in &self.families {
            let _ = writeln!(text, "# TYPE {name} {}", exposition::kind_name(family.kind));
            let _ = writeln!(text, "# HELP {name} {}", family.help);
            for ((suffix, labels), values) in &family.series {
                for (at, value) in values {
                    let time_s = self.times_s.get(*at).copied().unwrap_or_default();
                    let _ = writeln!(text, "{name}{suffix}{{{labels}}} {value} {time_s:.3}");
                }
            }
        }
        text.push_str("# EOF\n");
        text
    }

    fn take(&mut self, model: &Model) {
        let at = self.times_s.len();
        self.times_s.push(model.now_s());
        for service in Service::ALL {
            let target = configuration::target_labels(service);
            for family in exposition::families(model, service) {
                self.take_family(at, &target, family);
            }
            let up = exposition::Sample { suffix: "", labels: String::new(), value: 1.0 };
            let help = "Whether the last scrape worked.";
            self.take_family(
                at,
                &target,
                Family { name: "up", kind: MetricKind::Gauge, help, samples: vec![up] },
            );
        }
    }

    fn take_family(&mut self, at: usize, target: &str, family: Family) {
        let empty = FamilyHistory { kind: family.kind, help: family.help, series: BTreeMap::new() };
        let series = &mut self.families.entry(family.name).or_insert(empty).series;
        for sample in family.samples {
            let separator = if sample.labels.is_empty() { "" } else { "," };
            let labels = format!("{}{separator}{target}", sample.labels);
            series.entry((sample.suffix, labels)).or_default().push((at, sample.value));
        }
    }
}

/// Writes the past into `blocks`, Prometheus' data folder; `text` is a file for the way there.
///
/// # Errors
/// When a file cannot be written, or with `promtool`'s own words when it refuses.
pub async fn write_blocks(
    promtool: &Path,
    history: String,
    text: &Path,
    blocks: &Path,
) -> anyhow::Result<()> {
    tokio::fs::write(text, history).await.with_context(|| format!("can't write {}", text.display()))?;
    let run = Command::new(promtool)
        .args(["tsdb", "create-blocks-from", "openmetrics", "--quiet"])
        .args([text, blocks])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(PROMTOOL_LIMIT, run)
        .await
        .with_context(|| format!("promtool took longer than {} s", PROMTOOL_LIMIT.as_secs()))?
        .with_context(|| format!("can't run {}", promtool.display()))?;
    if !output.status.success() {
        bail!("promtool can't write blocks: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    tokio::fs::remove_file(text).await.with_context(|| format!("can't remove {}", text.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_is_well_formed_and_ends_now() {
        let end_s = 1_780_000_000.5;
        let mut model = Model::new(7, end_s - HISTORY_S, Vec::new());
        let history = History::collect(&mut model, end_s);
        let summary = history.summary();
        assert!(summary.series > 500, "{summary:?}");
        assert_eq!(history.times_s.len(), 720);
        let text = history.openmetrics();
        assert!(text.ends_with("# EOF\n"));
        assert_eq!(text.lines().filter(|line| !line.starts_with('#')).count(), summary.samples);
        let last = text.lines().find(|line| line.ends_with(" 1780000000.500")).unwrap();
        assert!(last.contains("job=\"shop\""), "{last}");
        assert_eq!(model.now_s(), end_s);
    }
}
