//! What speaks for and against a service, read off the features and their weights.

use crate::analysis::Analysis;
use crate::case::Case;
use crate::findings::{Finding, MetricFinding, Statement};
use crate::kind::Kind;
use crate::weights;

/// Lines that weigh less than this are left out.
const LEAST: f64 = 0.15;

/// What speaks for and against a component, weightiest first.
#[must_use]
pub fn explain(
    case: &Case,
    analysis: &Analysis<'_>,
    component: usize,
    metrics: &[MetricFinding],
) -> (Vec<Finding>, Vec<Finding>) {
    let mut lines: Vec<Finding> = Vec::new();
    let Some(window) = analysis.windows.first() else { return (Vec::new(), Vec::new()) };
    for (name, values) in &window.features.columns {
        let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
        let weight = weights::of(name).value * (values[component] - mean);
        let Some(statement) = statement(name, case, analysis, component, metrics, values[component]) else {
            continue;
        };
        match lines.iter_mut().find(|line| line.statement == statement) {
            Some(line) => line.weight += weight,
            None => lines.push(Finding { statement, weight }),
        }
    }
    if !window.evidence[component].observed() {
        lines.push(Finding { statement: Statement::NoData, weight: -LEAST });
    } else if metrics.is_empty() && window.evidence[component].strongest() < 1.0 {
        lines.push(Finding { statement: Statement::NoDeviation, weight: -LEAST });
    }
    lines.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    lines.into_iter().filter(|line| line.weight.abs() >= LEAST).partition(|line| line.weight > 0.0)
}

/// What a feature says about a component; `None` where its value says nothing worth a line.
fn statement(
    name: &str,
    case: &Case,
    analysis: &Analysis<'_>,
    component: usize,
    metrics: &[MetricFinding],
    value: f64,
) -> Option<Statement> {
    if value.abs() < 1e-9 {
        return None;
    }
    let family = name.rsplit_once('_').and_then(|(family, end)| Some((family_kind(family)?, end)));
    if let Some((kind, end)) = family {
        let metric = metrics.iter().find(|m| same_family(m.kind, kind)).cloned();
        return Some(match end {
            "lead" => Statement::Leads { kind },
            _ => Statement::Deviation { kind, metric },
        });
    }
    let names = &analysis.components.names;
    let worst =
        |of: &[usize]| of.iter().copied().max_by(|&a, &b| felt(analysis, a).total_cmp(&felt(analysis, b)));
    Some(match name {
        "edge_in_up" | "edge_in_lead" | "edge_unexplained" => Statement::SeenByCallers,
        "gap_in_up" | "gap_out_up" | "gap_in_lead" | "gap_lead" | "gap_sum" | "gap_both" => {
            Statement::Waiting
        }
        "symptom_unexplained" | "other_unexplained" => Statement::NotExplained,
        "symptom_leaf" | "other_leaf" | "symptom_reach_leaf" | "other_reach_leaf" => Statement::DeepestOnPath,
        "symptom_caller" | "other_caller" => {
            Statement::CallersSuffer { caller: names[worst(&analysis.topology.callers[component])?].clone() }
        }
        "symptom_callee" | "other_callee" => Statement::ExplainedByCallee {
            callee: names[worst(&analysis.topology.callees[component])?].clone(),
        },
        "first" => Statement::Early,
        "is_entry" => Statement::IsEntry,
        "no_data" => Statement::NoData,
        "shadow" => Statement::ViewOfAnother,
        "changed" | "changed_last" | "changed_at_onset" => change(case, analysis, component)?,
        "symptom" | "other" | "symptom_reach" | "other_reach" | "internal" | "internal_and_felt"
        | "no_callers" | "vanished" | "apart" | "drift" => Statement::Score { feature: name.to_owned() },
        _ => return None,
    })
}

/// The strongest symptom of a component.
fn felt(analysis: &Analysis<'_>, component: usize) -> f64 {
    analysis.windows.first().map_or(0.0, |window| {
        let evidence = &window.evidence[component];
        evidence.of(crate::tracks::Group::Latency).up.max(evidence.of(crate::tracks::Group::Errors).up)
    })
}

fn family_kind(family: &str) -> Option<Kind> {
    Some(match family {
        "cpu" => Kind::Cpu,
        "memory" => Kind::Memory,
        "io" => Kind::Io,
        "saturation" => Kind::Saturation,
        "latency" | "own_time" => Kind::Latency,
        "errors" => Kind::Errors,
        "traffic" => Kind::Traffic,
        "network" => Kind::Network,
        "calls" => Kind::CallPattern,
        "log" => Kind::Log,
        _ => return None,
    })
}

fn same_family(a: Kind, b: Kind) -> bool {
    a == b || matches!((a, b), (Kind::Success, Kind::Errors) | (Kind::Errors, Kind::Success))
}

fn change(case: &Case, analysis: &Analysis<'_>, component: usize) -> Option<Statement> {
    let alarm = case.alarm(crate::deviation::interval(&case.times));
    let mut before: Vec<_> = case.changes.iter().filter(|c| c.time <= alarm).collect();
    before.sort_by(|a, b| a.time.total_cmp(&b.time));
    let own = before.iter().rfind(|c| analysis.components.find(&c.service) == Some(component))?;
    let last = before.last().is_some_and(|c| c.time <= own.time);
    let alarm = if alarm.is_finite() { alarm } else { own.time };
    Some(Statement::ChangeBefore { seconds: alarm - own.time, what: own.what.clone(), last })
}
