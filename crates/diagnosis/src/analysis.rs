//! From a case to features: the part of the engine that knows no weights.

use crate::alerts::{alert_scores, familiarity};
use crate::case::Case;
use crate::changes::changes;
use crate::company::company;
use crate::deviation::{Baseline, Deviation, Standardised, baselines, deviations, interval, standardise};
use crate::drift::drifts;
use crate::evidence::{Evidence, gather};
use crate::features::{Features, Rises, Seen, features};
use crate::instances::instances;
use crate::onset::{Start, range, starts};
use crate::seconds::seconds;
use crate::topology::Topology;
use crate::tracks::{Components, Group, Track, tracks};

/// Everything measured for one guess at the start.
#[derive(Debug)]
pub struct Window {
    /// The guess.
    pub start: Start,
    /// One for every track.
    pub deviations: Vec<Deviation>,
    /// One for every component.
    pub evidence: Vec<Evidence>,
    /// Columns over the components.
    pub features: Features,
}

/// Everything measured for a case.
#[derive(Debug)]
pub struct Analysis<'a> {
    /// What is ranked.
    pub components: Components,
    /// The call graph.
    pub topology: Topology,
    /// The series.
    pub tracks: Vec<Track<'a>>,
    /// One for every track.
    pub baselines: Vec<Baseline>,
    /// How many alerts fire.
    pub alerts: usize,
    /// How much of what they are about is known from other incidents, 0 to 1.
    pub familiarity: f64,
    /// The guesses at the start, likeliest first; at least one.
    pub windows: Vec<Window>,
}

/// Measures a case.
#[must_use]
pub fn analyse(case: &Case) -> Analysis<'_> {
    let components = Components::of(case);
    let topology = Topology::of(case, &components);
    let tracks = tracks(case, &components);
    let step = interval(&case.times);
    let guesses = range(case, step).map_or_else(Vec::new, |range| starts(case, &tracks, range, step));
    let first = guesses.iter().map(|s| s.row).min().unwrap_or(0);
    let baselines = baselines(case, &tracks, first, step);
    let z = standardise(&tracks, &baselines, first, step);
    let guesses = if guesses.is_empty() { vec![Start { row: 0, weight: 1.0 }] } else { guesses };
    let windows = guesses
        .into_iter()
        .map(|start| window(case, &components, &topology, &tracks, &baselines, &z, start))
        .collect();
    let (alerts, familiarity) = (case.alerts.len(), familiarity(case));
    Analysis { components, topology, tracks, baselines, alerts, familiarity, windows }
}

fn window(
    case: &Case,
    components: &Components,
    topology: &Topology,
    tracks: &[Track<'_>],
    baselines: &[Baseline],
    z: &Standardised,
    start: Start,
) -> Window {
    let deviations = deviations(tracks, baselines, z, start.row);
    let evidence = gather(components.len(), tracks, baselines, &deviations);
    let rises = |group| seconds(case, components.len(), tracks, baselines, &deviations, group).share;
    let seen = Seen {
        company: company(case, topology, tracks, &deviations, z),
        rises: Rises { latency: rises(Group::Latency), own: rises(Group::OwnTime), gap: rises(Group::Gap) },
        changes: changes(case, components, tracks, &deviations, start.row),
        drift: drifts(components.len(), tracks),
        instances: instances(case, components.len(), tracks, &deviations, start.row),
        alerts: alert_scores(case, components),
    };
    let features = features(case, topology, &evidence, &seen);
    Window { start, deviations, evidence, features }
}
