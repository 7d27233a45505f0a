//! The series of a case, each with its group, its component and the other end of its call.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::case::{Case, Series};
use crate::counters::{increases, is_counter, means};
use crate::kind::{Kind, words};

/// Families of evidence. They are never pooled: what separates a cause from a crowd is its lead within one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Processor use.
    Cpu,
    /// Memory use.
    Memory,
    /// Files, disks, threads.
    Io,
    /// How full a bounded resource is.
    Saturation,
    /// Duration of the requests a component serves.
    Latency,
    /// Time a component spends itself, calls to others taken off.
    OwnTime,
    /// Errors, or success going down.
    Errors,
    /// Requests.
    Traffic,
    /// Bytes and packets.
    Network,
    /// Calls or spans a request.
    Calls,
    /// Log patterns.
    Log,
    /// Errors or duration of one call as the caller sees it.
    Edge,
    /// What the caller waits longer than the callee works: network or queue.
    Gap,
}

/// Groups with a reading of their own for every component, in the order of the tables.
pub const GROUPS: [Group; 11] = [
    Group::Cpu,
    Group::Memory,
    Group::Io,
    Group::Saturation,
    Group::Latency,
    Group::OwnTime,
    Group::Errors,
    Group::Traffic,
    Group::Network,
    Group::Calls,
    Group::Log,
];

/// One series placed in the case.
#[derive(Debug)]
pub struct Track<'a> {
    /// Index in [`Case::series`]; a gap has the index of its client-side series.
    pub series: usize,
    /// The samples, as given.
    pub values: Cow<'a, [f64]>,
    /// What kind of metric.
    pub kind: Kind,
    /// Which family of evidence; `None` is shown but counts for nothing.
    pub group: Option<Group>,
    /// The component that carries the series.
    pub component: Option<usize>,
    /// The other end of an edge: for [`Group::Edge`] the callee, for [`Group::Gap`] the caller.
    pub peer: Option<usize>,
    /// What all of a share is: 1, or 100 where it is in per cent.
    pub full_scale: f64,
    /// The offset of the log transform for durations, in their own unit.
    pub log_offset: Option<f64>,
}

impl Track<'_> {
    /// A value in the track's space: the logarithm for durations, itself otherwise.
    #[must_use]
    pub fn level(&self, value: f64) -> f64 {
        self.log_offset.map_or(value, |offset| (value.max(0.0) + offset).ln())
    }
}

/// The components of a case and their order.
#[derive(Debug, Default)]
pub struct Components {
    /// Names, sorted; a component that counts as another one is not among them.
    pub names: Vec<String>,
    index: BTreeMap<String, usize>,
}

impl Components {
    /// The components to rank: the candidates or, without any, every name the case knows.
    #[must_use]
    pub fn of(case: &Case) -> Self {
        let resolve = |name: &str| case.aliases.get(name).map_or(name, String::as_str).to_owned();
        let mut members: Vec<(String, String)> = Vec::new();
        let mut add = |name: &str| members.push((name.to_owned(), resolve(name)));
        if case.candidates.is_empty() {
            case.series.iter().for_each(|series| add(&series.service));
            case.alerts.iter().for_each(|alert| add(&alert.component));
            for (caller, callee) in &case.graph {
                add(caller);
                add(callee);
            }
        } else {
            case.candidates.iter().for_each(|name| add(name));
        }
        let mut names: Vec<String> = members.iter().map(|(_, resolved)| resolved.clone()).collect();
        names.sort_unstable();
        names.dedup();
        let place: BTreeMap<&str, usize> = names.iter().enumerate().map(|(i, n)| (n.as_str(), i)).collect();
        let mut index: BTreeMap<String, usize> =
            members.iter().filter_map(|(m, r)| Some((m.clone(), *place.get(r.as_str())?))).collect();
        for (name, target) in &case.aliases {
            if let Some(&i) = place.get(target.as_str()) {
                index.insert(name.clone(), i);
            }
        }
        for (i, name) in names.iter().enumerate() {
            index.entry(name.clone()).or_insert(i);
        }
        Self { names, index }
    }

    /// Where a component stands, under its own name or the one it counts as.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// Where an instance belongs: a name that is a component's, or begins with one and goes on without letters
    /// (`cart-0`, `cart2`); the longest such name.
    #[must_use]
    pub fn find_instance(&self, name: &str) -> Option<usize> {
        self.find(name).or_else(|| {
            let fits = |known: &&String| {
                name.strip_prefix(known.as_str()).is_some_and(|rest| !rest.chars().any(char::is_alphabetic))
            };
            let longest = self.index.keys().filter(fits).max_by_key(|known| known.len())?;
            self.find(longest)
        })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is nothing to rank.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// The other end of an edge metric and which way the call goes.
fn edge_of(metric: &str) -> Option<(&str, bool, &str)> {
    let (head, peer) = metric.split_once(':')?;
    if let Some(stat) = head.strip_suffix("_to") {
        return Some((stat, true, peer));
    }
    head.strip_suffix("_from").map(|stat| (stat, false, peer))
}

fn group_of(series: &Series) -> Option<Group> {
    // `latency_client_p90` is the duration of the calls the service makes
    let own = series.metric.split(':').next().unwrap_or(&series.metric);
    let client = words(own).iter().any(|word| word == "client");
    let outward = client || matches!(edge_of(&series.metric), Some((_, true, _)));
    Some(match series.kind {
        Kind::Latency if series.metric.starts_with("gap") => Group::Gap,
        Kind::Latency if series.metric.starts_with("latency_self") => Group::OwnTime,
        Kind::Latency | Kind::Success | Kind::Errors if outward => Group::Edge,
        Kind::Latency => Group::Latency,
        Kind::Errors | Kind::Success => Group::Errors,
        Kind::Traffic => Group::Traffic,
        Kind::Cpu => Group::Cpu,
        Kind::Memory => Group::Memory,
        Kind::Saturation => Group::Saturation,
        Kind::Io => Group::Io,
        Kind::Network => Group::Network,
        Kind::CallPattern => Group::Calls,
        Kind::Log => Group::Log,
        Kind::Other => return None,
    })
}

/// Places every series, and adds the gap of each call that both of its ends measure.
#[must_use]
pub fn tracks<'a>(case: &'a Case, components: &Components) -> Vec<Track<'a>> {
    let mut out: Vec<Track<'a>> = Vec::with_capacity(case.series.len());
    let counts = counts(case);
    for (i, series) in case.series.iter().enumerate() {
        let group = group_of(series);
        let peer = match (group, edge_of(&series.metric)) {
            (Some(Group::Edge | Group::Gap), Some((_, _, peer))) => components.find(peer),
            _ => None,
        };
        out.push(Track {
            series: i,
            values: mean_duration(series, &counts).unwrap_or_else(|| measured(series, group)),
            kind: series.kind,
            group,
            component: components.find(&series.service),
            peer,
            full_scale: 1.0,
            log_offset: None,
        });
    }
    add_gaps(case, components, &mut out);
    set_log_offsets(case, &mut out);
    set_full_scales(case, &mut out);
    out
}

/// The counts of histograms, by whose and which they are.
type Counts<'a> = BTreeMap<(&'a str, Option<&'a str>, &'a str), &'a Series>;

fn counts(case: &Case) -> Counts<'_> {
    let of_histograms = case.series.iter().filter_map(|series| {
        let stem = series.metric.strip_suffix("_count")?;
        Some(((series.service.as_str(), series.instance.as_deref(), stem), series))
    });
    of_histograms.collect()
}

/// The mean duration where the series is the sum of a histogram of durations whose count is there.
fn mean_duration<'a>(series: &'a Series, counts: &Counts<'a>) -> Option<Cow<'a, [f64]>> {
    let stem = series.metric.strip_suffix("_sum").filter(|_| series.kind == Kind::Latency)?;
    let count = counts.get(&(series.service.as_str(), series.instance.as_deref(), stem))?;
    means(&series.values, &count.values).map(Cow::Owned)
}

/// Shares come as 0 to 1 or in per cent: told from all series of the metric, because one service may fail seldom enough to
/// look like either.
fn set_full_scales(case: &Case, tracks: &mut [Track<'_>]) {
    let metric = |track: &Track<'_>| case.series[track.series].metric.as_str();
    let share = |track: &&mut Track<'_>| matches!(track.kind, Kind::Success | Kind::Errors);
    let mut tops: BTreeMap<&str, f64> = BTreeMap::new();
    for track in tracks.iter_mut().filter(share) {
        let top = tops.entry(metric(track)).or_default();
        *top = track.values.iter().copied().filter(|v| v.is_finite()).fold(*top, f64::max);
    }
    for track in tracks.iter_mut().filter(share) {
        let top = tops.get(metric(track)).copied().unwrap_or_default();
        track.full_scale = if top > 1.5 { 100.0 } else { 1.0 };
    }
}

/// The samples, raw counters as increases; a request that took no time at all was not measured, and is left out.
fn measured(series: &Series, group: Option<Group>) -> Cow<'_, [f64]> {
    if is_counter(&series.metric, &series.values) {
        return Cow::Owned(increases(&series.values));
    }
    let duration = series.kind == Kind::Latency && matches!(group, Some(Group::Latency | Group::Edge));
    if !duration || series.values.iter().all(|v| *v != 0.0) {
        return Cow::Borrowed(&series.values);
    }
    Cow::Owned(series.values.iter().map(|v| if *v == 0.0 { f64::NAN } else { *v }).collect())
}

/// Client-side minus server-side duration of a call is spent in the network or in a queue between them.
fn add_gaps<'a>(case: &'a Case, components: &Components, out: &mut Vec<Track<'a>>) {
    let mut client: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for (i, series) in case.series.iter().enumerate().filter(|(_, s)| s.kind == Kind::Latency) {
        if let Some((stat, true, callee)) = edge_of(&series.metric) {
            client.insert((&series.service, callee, stat), i);
        }
    }
    for series in case.series.iter().filter(|s| s.kind == Kind::Latency) {
        let Some((stat, false, caller)) = edge_of(&series.metric) else { continue };
        let Some(&i) = client.get(&(caller, series.service.as_str(), stat)) else { continue };
        let values =
            case.series[i].values.iter().zip(&series.values).map(|(c, s)| (c - s).max(0.0)).collect();
        out.push(Track {
            series: i,
            values: Cow::Owned(values),
            kind: Kind::Latency,
            group: Some(Group::Gap),
            component: components.find(&series.service),
            peer: components.find(caller),
            full_scale: 1.0,
            log_offset: None,
        });
    }
}

/// Durations are compared as ratios: log(x + offset), the offset a twentieth of what the statistic usually is, so
/// that the noise of a component that answers in microseconds does not look like a large ratio.
fn set_log_offsets(case: &Case, tracks: &mut [Track<'_>]) {
    let stat = |track: &Track<'_>| -> (&str, bool) {
        let name = case.series[track.series].metric.as_str();
        (name.split(':').next().unwrap_or(name), track.group == Some(Group::Gap))
    };
    let mut levels: BTreeMap<(&str, bool), Vec<f64>> = BTreeMap::new();
    for track in tracks.iter().filter(|t| t.kind == Kind::Latency) {
        let step = (track.values.len() / 32).max(1);
        let positive = track.values.iter().step_by(step).copied().filter(|v| v.is_finite() && *v > 0.0);
        levels.entry(stat(track)).or_default().extend(positive);
    }
    let mut scratch = Vec::new();
    let offsets: BTreeMap<(&str, bool), f64> = levels
        .into_iter()
        .map(|(k, v)| (k, 0.05 * crate::robust::median(v.into_iter(), &mut scratch).unwrap_or(1.0)))
        .collect();
    for track in tracks.iter_mut().filter(|t| t.kind == Kind::Latency) {
        track.log_offset = Some(offsets.get(&stat(track)).copied().unwrap_or(0.05).max(1e-12));
    }
}
