//! An hour of the shop's past, so that the first alert already has a baseline.
//!
//! The past is written as [OpenMetrics](https://prometheus.io/docs/specs/om/open_metrics_spec/) and turned into
//! blocks by `promtool tsdb create-blocks-from openmetrics` before Prometheus starts. The blocks end at their
//! last sample, so Prometheus takes every later one from its scrapes, of the same series.
//!
//! A hole between the last block and the first scrape would show as a dip of every rate just before the fault.
//! So the past reaches a few seconds ahead, to about the time of the first scrape.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::process::Command;

use super::configuration;
use super::shop::exposition::{self, Family, Labels, MetricKind, Sample};
use super::shop::{Model, Service};

/// How much past there is.
pub const HISTORY_S: f64 = 3_600.0;
/// Seconds between two samples of the past: short enough for `rate()` over the alert rules' 20 s.
const STEP_S: f64 = 5.0;
/// Seconds from the end of the collecting to the first scrape: writing the text and the blocks takes two or
/// three, and Prometheus discovers its targets about five after it is ready. Too long a time costs nothing but
/// the first scrapes, which Prometheus drops as too old.
pub const AHEAD_S: f64 = 10.0;
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

/// The past as it is collected.
#[derive(Default)]
pub struct History {
    times_s: Vec<f64>,
    families: BTreeMap<&'static str, FamilyHistory>,
}

struct FamilyHistory {
    kind: MetricKind,
    help: &'static str,
    /// For each series the number of its first time, and its values from then on.
    series: BTreeMap<(&'static str, Labels, Service), (usize, Vec<f64>)>,
}

impl History {
    /// Lives on until `end_s` says that it is over.
    pub fn collect(&mut self, model: &mut Model, end_s: impl Fn() -> f64) {
        while model.now_s() + STEP_S <= end_s() {
            model.advance(model.now_s() + STEP_S);
            self.take(model);
        }
    }

    /// The number of series and samples.
    pub fn summary(&self) -> Summary {
        let series = || self.families.values().flat_map(|family| family.series.values());
        Summary { series: series().count(), samples: series().map(|(_, values)| values.len()).sum() }
    }

    /// Writes all of it as OpenMetrics text, times with milliseconds.
    ///
    /// # Errors
    /// When `output` can't be written.
    pub fn write_openmetrics(&self, output: &mut impl Write) -> io::Result<()> {
        let times: Vec<String> = self.times_s.iter().map(|time_s| format!("{time_s:.3}")).collect();
        for (name, family) in &self.families {
            writeln!(output, "# TYPE {name} {}", exposition::kind_name(family.kind))?;
            writeln!(output, "# HELP {name} {}", family.help)?;
            for ((suffix, labels, service), (first, values)) in &family.series {
                let labels = labels.to_string();
                let separator = if labels.is_empty() { "" } else { "," };
                let target = configuration::target_labels(*service);
                let series = format!("{name}{suffix}{{{labels}{separator}{target}}}");
                for (time, value) in times.iter().skip(*first).zip(values) {
                    writeln!(output, "{series} {value} {time}")?;
                }
            }
        }
        writeln!(output, "# EOF")
    }

    fn take(&mut self, model: &Model) {
        self.times_s.push(model.now_s());
        for service in Service::ALL {
            for family in exposition::families(model, service) {
                self.take_family(service, family);
            }
            self.take_family(service, exposition::up());
        }
    }

    fn take_family(&mut self, service: Service, family: Family) {
        let at = self.times_s.len() - 1;
        let empty = || FamilyHistory { kind: family.kind, help: family.help, series: BTreeMap::new() };
        let series = &mut self.families.entry(family.name).or_insert_with(empty).series;
        for Sample { suffix, labels, value } in family.samples {
            let (_, values) = series.entry((suffix, labels, service)).or_insert_with(|| (at, Vec::new()));
            values.push(value);
        }
    }
}

/// Turns the OpenMetrics file `text` into blocks in `blocks`, Prometheus' data folder, and removes it.
///
/// # Errors
/// When a file cannot be written, or with `promtool`'s own words when it refuses.
pub async fn write_blocks(promtool: &Path, text: &Path, blocks: &Path) -> anyhow::Result<()> {
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
    use super::super::shop::Release;
    use super::*;

    #[test]
    fn the_past_is_well_formed_and_has_every_time_of_every_series() {
        let start_s = 1_780_000_000.5;
        let mut model = Model::new(7, start_s, Vec::new());
        let mut history = History::default();
        history.collect(&mut model, || start_s + 60.0);
        let summary = history.summary();
        assert_eq!(model.now_s(), start_s + 60.0);
        assert_eq!(summary.samples, 12 * summary.series);
        let mut text = Vec::new();
        history.write_openmetrics(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.ends_with("# EOF\n"));
        assert_eq!(text.lines().filter(|line| !line.starts_with('#')).count(), summary.samples);
        let up = "up{instance=\"orders-db-0\",job=\"shop\",service=\"orders-db\"} 1 1780000060.500\n";
        assert!(text.contains(up));
    }

    #[test]
    fn a_release_ends_one_series_and_begins_another() {
        let release = Release { service: Service::Catalog, version: "v9", at_s: 30.0 };
        let mut history = History::default();
        history.collect(&mut Model::new(7, 0.0, vec![release]), || 60.0);
        let mut text = Vec::new();
        history.write_openmetrics(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let times = |version: &str| -> Vec<&str> {
            let of_version = |line: &&str| line.contains("build_info") && line.contains(version);
            text.lines().filter(of_version).filter_map(|line| line.rsplit(' ').next()).collect()
        };
        assert_eq!(times("v1.18.1"), ["5.000", "10.000", "15.000", "20.000", "25.000"]);
        assert_eq!(times("v9").first(), Some(&"30.000"));
        assert_eq!(times("v9").len(), 7);
    }
}
