//! Which metrics show the cause: those that deviate, of the services that are likely, in the families that blame them.

use crate::analysis::{Analysis, Window};
use crate::case::Case;
use crate::tracks::Group;
use crate::weights::{self, CALIBRATION};

/// How many metrics are ranked.
const METRICS: usize = 30;

/// (service, column) of the metrics most likely to show the cause, best first.
#[must_use]
pub fn rank_metrics(case: &Case, analysis: &Analysis<'_>, shares: &[f64]) -> Vec<(String, String)> {
    let Some(window) = analysis.windows.first() else { return Vec::new() };
    let blame = blame(window, shares.len());
    let mut ranked: Vec<(f64, usize)> = Vec::new();
    for (t, track) in analysis.tracks.iter().enumerate() {
        let (Some(group), Some(component)) = (track.group, track.component) else { continue };
        let own = !matches!(group, Group::Edge | Group::Gap | Group::Calls | Group::Log);
        if own && window.deviations[t].known {
            let strength = CALIBRATION.metric_strength * window.deviations[t].strength();
            let family = CALIBRATION.metric_blame * blame[component][place(group)].min(MOST_BLAME);
            ranked.push(((shares[component] + 1e-4).ln() + strength + family, t));
        }
    }
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    ranked.truncate(METRICS);
    let name = |t: usize| {
        let component = analysis.tracks[t].component.unwrap_or_default();
        let series = &case.series[analysis.tracks[t].series];
        (analysis.components.names[component].clone(), series.column())
    };
    ranked.into_iter().map(|(_, t)| name(t)).collect()
}

/// Families that a metric of a service can be of.
const FAMILIES: usize = 7;

fn place(group: Group) -> usize {
    match group {
        Group::Cpu => 0,
        Group::Memory => 1,
        Group::Latency | Group::OwnTime | Group::Edge | Group::Gap => 2,
        Group::Errors => 3,
        Group::Saturation => 4,
        Group::Io => 5,
        _ => 6,
    }
}

/// No family adds more than this: how strongly each deviates decides between those that all do.
const MOST_BLAME: f64 = 2.0;

/// What each family adds to each component's score. Symptoms along the calls say which service it is, not which of its
/// metrics: a resource that ran out is felt as latency.
fn blame(window: &Window, components: usize) -> Vec<[f64; FAMILIES]> {
    let mut out = vec![[0.0; FAMILIES]; components];
    for (name, values) in &window.features.columns {
        let family = match name.split('_').next().unwrap_or_default() {
            "cpu" => 0,
            "memory" => 1,
            "latency" | "edge" | "gap" | "own" | "seconds" => 2,
            "errors" => 3,
            "saturation" => 4,
            "io" => 5,
            _ => continue,
        };
        let weight = weights::of(name).value;
        out.iter_mut().zip(values).for_each(|(blame, value)| blame[family] += weight * value);
    }
    out
}
