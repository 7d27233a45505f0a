//! What speaks for and against every component, as numbers between about -1 and 1.

use crate::case::Case;
use crate::changes::Changes;
use crate::company::Company;
use crate::evidence::Evidence;
use crate::instances::Instances;
use crate::kind::Kind;
use crate::shadow::shadows;
use crate::topology::Topology;
use crate::tracks::{GROUPS, Group};

/// One feature over all components, by its name in the table of weights.
pub type Column = (&'static str, Vec<f64>);

/// A symptom this strong is anomalous: the logarithm of five scales and one.
const HOT: f64 = 1.791_759_469_228_055;

/// Columns of features, in a fixed order.
#[derive(Debug, Default)]
pub struct Features {
    /// The columns.
    pub columns: Vec<Column>,
    /// What the case shows as a whole, for the question whether there is anything to explain.
    pub of_case: CaseFeatures,
}

/// What a case shows as a whole.
#[derive(Debug, Clone, Copy, Default, serde::Serialize)]
pub struct CaseFeatures {
    /// The strongest reading of any component.
    pub strongest: f64,
    /// The strongest symptom, as served or as seen by callers, or resource that is high or has been filling.
    pub wrong: f64,
    /// The strongest symptom where it is felt, or anywhere where that is not known.
    pub felt: f64,
    /// Logarithm of how many series were looked at: the more, the more deviate by chance.
    pub series: f64,
}

impl Features {
    fn add(&mut self, name: &'static str, values: Vec<f64>) {
        self.columns.push((name, values));
    }
}

/// Each component's share of the largest rise in seconds, by family.
#[derive(Debug, Default)]
pub struct Rises {
    /// Of the durations it serves.
    pub latency: Vec<f64>,
    /// Of the time it spends itself.
    pub own: Vec<f64>,
    /// Of the time its callers wait for it beyond what it works.
    pub gap: Vec<f64>,
}

/// What is known of the components beside the evidence of their own series.
#[derive(Debug, Default)]
pub struct Seen {
    /// Which of them move with the alarm.
    pub company: Company,
    /// By how much their durations rose.
    pub rises: Rises,
    /// What changed.
    pub changes: Changes,
    /// How far their resources drifted upwards all along.
    pub drift: Vec<f64>,
    /// What their instances say beside each other.
    pub instances: Instances,
    /// What their alerts say.
    pub alerts: Vec<f64>,
}

/// A callee explains its caller's rise when it rose by at least this share of it.
const EXPLAINS: f64 = 0.2;

/// Computes the features of one incident window.
#[must_use]
pub fn features(case: &Case, topology: &Topology, evidence: &[Evidence], seen: &Seen) -> Features {
    let (company, rises) = (&seen.company, &seen.rises);
    let mut out = Features::default();
    families(evidence, &mut out);
    edges(topology, evidence, &mut out);
    let symptom = symptoms(case, topology, evidence, rises, &mut out);
    internals(evidence, &symptom, &mut out);
    out.of_case = of_case(topology, evidence, &symptom, &seen.drift);
    out.add("drift", relative(&seen.drift, 2.0));
    out.add("shadow", shadows(topology, evidence, &symptom));
    out.add("follows_alarm", company.symptom.iter().map(|r| r * r).collect());
    out.add("internal_follows_alarm", company.internal.iter().map(|r| r * r).collect());
    let share = &rises.latency;
    let own = |i: usize| (share[i] - Topology::largest(&topology.callees[i], share)).max(0.0);
    out.add("seconds", share.clone());
    out.add("seconds_unexplained", (0..share.len()).map(own).collect());
    out.add("own_seconds", rises.own.clone());
    out.add("gap_seconds", rises.gap.clone());
    out.add("idle", evidence.iter().map(|e| truth(e.idle)).collect());
    out.add("first", evidence.iter().map(|e| 1.0 - e.first()).collect());
    out.add("is_entry", (0..evidence.len()).map(|i| truth(topology.entries.contains(&i))).collect());
    out.add("no_data", evidence.iter().map(|e| truth(!e.observed())).collect());
    out.add("no_callers", topology.callers.iter().map(|c| truth(c.is_empty())).collect());
    out.add("changed", seen.changes.changed.clone());
    out.add("changed_last", seen.changes.last.clone());
    out.add("changed_at_onset", seen.changes.at_onset.clone());
    out.add("vanished", seen.instances.vanished.clone());
    out.add("apart", seen.instances.apart.clone());
    out.add("new_is_worse", seen.changes.new_is_worse.clone());
    out.add("alerts", seen.alerts.clone());
    out
}

fn of_case(topology: &Topology, evidence: &[Evidence], symptom: &[f64], drift: &[f64]) -> CaseFeatures {
    let top = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
    let at_entry = top(&mut topology.entries.iter().map(|&i| symptom[i]));
    let anywhere = top(&mut symptom.iter().copied());
    let rising =
        [Group::Cpu, Group::Memory, Group::Saturation, Group::OwnTime, Group::Latency, Group::Errors];
    CaseFeatures {
        strongest: top(&mut evidence.iter().map(Evidence::strongest)),
        wrong: top(&mut evidence
            .iter()
            .flat_map(|e| rising.map(|g| e.of(g).up).into_iter().chain([e.edge_in.up]))
            .chain(drift.iter().copied())),
        felt: if topology.entries.is_empty() { anywhere } else { at_entry },
        series: (evidence.iter().map(Evidence::series).sum::<usize>() as f64).ln_1p(),
    }
}

fn truth(yes: bool) -> f64 {
    if yes { 1.0 } else { 0.0 }
}

/// Shares of the largest value, or of `least` where nothing is that large.
fn relative(values: &[f64], least: f64) -> Vec<f64> {
    let top = values.iter().copied().fold(least, f64::max);
    values.iter().map(|v| if top > 0.0 { v / top } else { 0.0 }).collect()
}

/// How far the first is ahead of the second, in thirds of a unit of strength; 0 for everyone else and where even the
/// first is weak.
fn lead(values: &[f64], weak: f64) -> Vec<f64> {
    let mut best = (f64::NEG_INFINITY, f64::NEG_INFINITY);
    for &v in values {
        if v > best.0 {
            best = (v, best.0);
        } else {
            best.1 = best.1.max(v);
        }
    }
    let ahead = (best.0 - best.1.max(0.0)).clamp(0.0, 3.0) / 3.0;
    values.iter().map(|&v| if v >= best.0 && v > weak { ahead } else { 0.0 }).collect()
}

fn column(evidence: &[Evidence], of: impl Fn(&Evidence) -> f64) -> Vec<f64> {
    evidence.iter().map(of).collect()
}

fn larger(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(x, y)| x.max(*y)).collect()
}

/// Names of the features of a family: upwards, downwards, lead.
fn names(group: Group) -> [&'static str; 3] {
    match group {
        Group::Cpu => ["cpu_up", "cpu_down", "cpu_lead"],
        Group::Memory => ["memory_up", "memory_down", "memory_lead"],
        Group::Io => ["io_up", "io_down", "io_lead"],
        Group::Saturation => ["saturation_up", "saturation_down", "saturation_lead"],
        Group::Latency => ["latency_up", "latency_down", "latency_lead"],
        Group::OwnTime => ["own_time_up", "own_time_down", "own_time_lead"],
        Group::Errors => ["errors_up", "errors_down", "errors_lead"],
        Group::Traffic => ["traffic_up", "traffic_down", "traffic_lead"],
        Group::Network => ["network_up", "network_down", "network_lead"],
        Group::Calls => ["calls_up", "calls_down", "calls_lead"],
        Group::Log => ["log_up", "log_down", "log_lead"],
        Group::Edge => ["edge_in_up", "edge_out_up", "edge_in_lead"],
        Group::Gap => ["gap_in_up", "gap_out_up", "gap_in_lead"],
    }
}

fn families(evidence: &[Evidence], out: &mut Features) {
    for group in GROUPS {
        let [up_name, down_name, lead_name] = names(group);
        let up = column(evidence, |e| e.of(group).up);
        let down = column(evidence, |e| e.of(group).down);
        let either_way = matches!(group, Group::Errors | Group::Calls | Group::Log);
        out.add(lead_name, lead(&if either_way { larger(&up, &down) } else { up.clone() }, 1.0));
        out.add(up_name, relative(&up, 2.0));
        out.add(down_name, relative(&down, 2.0));
    }
}

fn edges(topology: &Topology, evidence: &[Evidence], out: &mut Features) {
    let (edge_in, edge_out) = (column(evidence, |e| e.edge_in.up), column(evidence, |e| e.edge_out.up));
    let (gap_in, gap_out) = (column(evidence, |e| e.gap_in.up), column(evidence, |e| e.gap_out.up));
    for (group, inward, outward) in [(Group::Edge, &edge_in, &edge_out), (Group::Gap, &gap_in, &gap_out)] {
        let [in_name, out_name, lead_name] = names(group);
        out.add(in_name, relative(inward, 2.0));
        out.add(out_name, relative(outward, 2.0));
        out.add(lead_name, lead(inward, 1.0));
    }
    let sum: Vec<f64> = gap_in.iter().zip(&gap_out).map(|(a, b)| a + b).collect();
    let both: Vec<f64> = gap_in.iter().zip(&gap_out).map(|(a, b)| a.min(*b)).collect();
    out.add("gap_both", relative(&both, 2.0));
    out.add("gap_sum", relative(&sum, 3.0));
    out.add("gap_lead", lead(&sum, 1.0));
    let waited = larger(&edge_in, &gap_in);
    let top = waited.iter().copied().fold(2.0, f64::max);
    let unexplained =
        |i: usize| (waited[i] - Topology::largest(&topology.callees[i], &waited)).max(0.0) / top;
    out.add("edge_unexplained", (0..waited.len()).map(unexplained).collect());
}

/// Names of the topology features of one symptom.
struct SymptomNames {
    relative: &'static str,
    callee: &'static str,
    caller: &'static str,
    unexplained: &'static str,
    leaf: &'static str,
    reach_leaf: &'static str,
    reach: &'static str,
}

/// The symptom that raised the alarm.
const ALARM: SymptomNames = SymptomNames {
    relative: "symptom",
    callee: "symptom_callee",
    caller: "symptom_caller",
    unexplained: "symptom_unexplained",
    leaf: "symptom_leaf",
    reach_leaf: "symptom_reach_leaf",
    reach: "symptom_reach",
};

/// The other one: errors where latency raised it, and the other way round.
const OTHER: SymptomNames = SymptomNames {
    relative: "other",
    callee: "other_callee",
    caller: "other_caller",
    unexplained: "other_unexplained",
    leaf: "other_leaf",
    reach_leaf: "other_reach_leaf",
    reach: "other_reach",
};

/// Adds the topology features of both symptoms and returns the one that raised the alarm.
fn symptoms(
    case: &Case,
    topology: &Topology,
    evidence: &[Evidence],
    rises: &Rises,
    out: &mut Features,
) -> Vec<f64> {
    let latency = column(evidence, |e| e.of(Group::Latency).up);
    let errors = column(evidence, |e| e.of(Group::Errors).up.max(e.of(Group::Errors).down));
    let (alarm, other) = match case.target.as_ref().map(|(_, kind)| *kind) {
        Some(Kind::Errors | Kind::Success) => (errors, latency),
        Some(Kind::Latency) => (latency, errors),
        _ => (larger(&latency, &errors), errors),
    };
    let by_errors = matches!(case.target.as_ref().map(|(_, kind)| *kind), Some(Kind::Errors | Kind::Success));
    let explains = |i: usize, j: usize| rises.latency[j] >= EXPLAINS * rises.latency[i];
    let always = |_: usize, _: usize| true;
    let (first, second): (&Explains, &Explains) =
        if by_errors { (&always, &explains) } else { (&explains, &always) };
    symptom(topology, &ALARM, &alarm, first, out);
    symptom(topology, &OTHER, &other, second, out);
    alarm
}

/// Whether the second component may explain what the first shows.
type Explains<'a> = dyn Fn(usize, usize) -> bool + 'a;

fn symptom(
    topology: &Topology,
    names: &SymptomNames,
    values: &[f64],
    explains: &Explains<'_>,
    out: &mut Features,
) {
    let count = values.len();
    let top = values.iter().copied().fold(2.0, f64::max);
    let each = |of: &dyn Fn(usize) -> f64| -> Vec<f64> { (0..count).map(of).collect() };
    let behind = |i: usize| topology.callees[i].iter().copied().filter(move |&j| explains(i, j));
    let callee = each(&|i| behind(i).map(|j| values[j]).fold(0.0, f64::max));
    out.add(names.relative, each(&|i| values[i] / top));
    out.add(names.callee, each(&|i| callee[i] / top));
    out.add(names.caller, each(&|i| Topology::largest(&topology.callers[i], values) / top));
    out.add(names.unexplained, each(&|i| (values[i] - callee[i]).max(0.0) / top));
    let hot = |i: usize| values[i] > HOT;
    let leaf: Vec<bool> = (0..count).map(|i| hot(i) && !behind(i).any(hot)).collect();
    // an entry of which no call is known reaches nobody, and does not become the deepest for that
    let known = |i: &usize| !topology.callees[*i].is_empty();
    let entries: Vec<usize> = topology.entries.iter().copied().filter(known).collect();
    let reached = topology.reach(&entries, hot);
    let share = |set: &dyn Fn(usize) -> bool| -> Vec<f64> {
        let members = (0..count).filter(|&i| set(i)).count();
        (0..count).map(|i| truth(set(i)) / (members.max(1) as f64).sqrt()).collect()
    };
    out.add(names.leaf, share(&|i| leaf[i]));
    out.add(names.reach_leaf, share(&|i| leaf[i] && reached[i]));
    out.add(names.reach, each(&|i| truth(reached[i])));
}

/// Resources and own time: what a component does itself, rather than wait for others.
fn internals(evidence: &[Evidence], symptom: &[f64], out: &mut Features) {
    let own = column(evidence, |e| {
        [Group::Cpu, Group::Memory, Group::OwnTime, Group::Saturation]
            .map(|g| e.of(g).up)
            .into_iter()
            .fold(0.0, f64::max)
    });
    let felt =
        larger(symptom, &larger(&column(evidence, |e| e.edge_in.up), &column(evidence, |e| e.gap_in.up)));
    let both: Vec<f64> = own.iter().zip(&felt).map(|(a, b)| (a * b).sqrt()).collect();
    out.add("internal", relative(&own, 2.0));
    out.add("internal_and_felt", relative(&both, 1.0));
}
