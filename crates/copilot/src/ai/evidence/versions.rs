//! Changes that nobody reported, read off metrics that carry versions.
//!
//! `*_build_info` is the convention of Prometheus client libraries; `kube_pod_container_info` (label `image`) and
//! `kube_deployment_status_observed_generation` are kube-state-metrics':
//! <https://github.com/kubernetes/kube-state-metrics/tree/main/docs/metrics>.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::family;
use super::metrics::Question;
use crate::ai::prometheus::{Line, Prometheus};
use crate::ai::text::short;

/// What a Deployment's controller has seen: it rises with every change of the Deployment.
const GENERATION: &str = "kube_deployment_status_observed_generation";

/// Which image each container runs.
const IMAGES: &str = "kube_pod_container_info";

/// Two of them within so many seconds on one service are one change.
const SAME_S: f64 = 120.0;

/// A version that replaced another one.
#[derive(Clone, Debug, PartialEq)]
pub struct NewVersion {
    /// The service.
    pub service: String,
    /// What ran first at that time: `version v1.2`, `image shop/cart:1.2`, `generation 7 of its deployment`.
    pub what: String,
    /// Unix seconds, as precise as the step.
    pub at: f64,
    /// The query that showed it.
    pub query: String,
}

/// A query whose answer tells of versions.
struct Look {
    query: String,
    /// The label that names the service.
    service: String,
    kind: Kind,
}

enum Kind {
    /// A new value of this label is a new version, called by this word.
    Label(&'static str, &'static str),
    /// A higher value is a new generation.
    Value,
}

/// Versions that first ran inside the window while another one had run before, oldest first.
pub async fn find(
    prometheus: &Prometheus,
    names: &[String],
    question: &Question,
    step: f64,
) -> Vec<NewVersion> {
    let looks = looks(names, question);
    let asked = looks.iter().map(|look| prometheus.range(&look.query, question.from, question.to, step));
    let answers = join_all(asked).await;
    let mut out: Vec<NewVersion> = Vec::new();
    for (look, lines) in looks.iter().zip(answers) {
        let lines = lines.unwrap_or_default();
        out.extend(match look.kind {
            Kind::Label(label, word) => labelled(look, (label, word), &lines, question.from + step),
            Kind::Value => risen(look, &lines),
        });
    }
    out.sort_by(|a, b| a.at.total_cmp(&b.at));
    let mut kept: Vec<NewVersion> = Vec::new();
    for one in out {
        if !kept.iter().any(|other| other.service == one.service && one.at - other.at < SAME_S) {
            kept.push(one);
        }
    }
    kept
}

fn looks(names: &[String], question: &Question) -> Vec<Look> {
    let scope = question.scope.trim_start_matches(',');
    let preferred = &question.preferred;
    let build = |metric: String| Look {
        query: format!("group by ({preferred},version) ({metric}{{{scope}}})"),
        service: preferred.clone(),
        kind: Kind::Label("version", "version"),
    };
    let mut out: Vec<Look> = family::versions(names).into_iter().map(build).collect();
    let has = |name: &str| names.iter().any(|known| known == name);
    if has(IMAGES) {
        out.push(Look {
            query: format!("group by (container,image) ({IMAGES}{{{scope}}})"),
            service: "container".to_owned(),
            kind: Kind::Label("image", "image"),
        });
    }
    if has(GENERATION) {
        out.push(Look {
            query: format!("max by (deployment) ({GENERATION}{{{scope}}})"),
            service: "deployment".to_owned(),
            kind: Kind::Value,
        });
    }
    out
}

/// The values of a label that were new after `from`, of services that had another one before.
fn labelled(look: &Look, (label, word): (&str, &str), lines: &[Line], from: f64) -> Vec<NewVersion> {
    let mut first: BTreeMap<&str, Vec<(f64, &str)>> = BTreeMap::new();
    for line in lines {
        let (Some(service), Some(version)) = (line.labels.get(&look.service), line.labels.get(label)) else {
            continue;
        };
        if let Some((at, _)) = line.points.first() {
            first.entry(service).or_default().push((*at, version));
        }
    }
    let mut out = Vec::new();
    for (service, mut seen) in first {
        seen.sort_by(|a, b| a.0.total_cmp(&b.0));
        out.extend(seen.into_iter().skip(1).filter(|(at, _)| *at > from).map(|(at, version)| NewVersion {
            service: service.to_owned(),
            what: format!("{word} {}", short(version, 120)),
            at,
            query: look.query.clone(),
        }));
    }
    out
}

/// Where a value rose.
fn risen(look: &Look, lines: &[Line]) -> Vec<NewVersion> {
    let mut out = Vec::new();
    for line in lines {
        let Some(service) = line.labels.get(&look.service) else { continue };
        let rises = line.points.windows(2).filter_map(|pair| match pair {
            [(_, old), (at, new)] if new > old => Some((*at, *new)),
            _ => None,
        });
        out.extend(rises.map(|(at, generation)| NewVersion {
            service: service.clone(),
            what: format!("generation {generation:.0} of its deployment"),
            at,
            query: look.query.clone(),
        }));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(labels: &[(&str, &str)], points: &[(f64, f64)]) -> Line {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Line { labels, points: points.to_vec() }
    }

    fn look(service: &str, kind: Kind) -> Look {
        Look { query: String::new(), service: service.to_owned(), kind }
    }

    #[test]
    fn a_new_image_or_generation_is_a_change_and_an_old_one_is_not() {
        let images = [
            line(&[("container", "cart"), ("image", "shop/cart:1")], &[(0.0, 1.0)]),
            line(&[("container", "cart"), ("image", "shop/cart:2")], &[(600.0, 1.0)]),
            line(&[("container", "web"), ("image", "shop/web:1")], &[(600.0, 1.0)]),
            line(&[("image", "shop/nobody:1")], &[(600.0, 1.0)]),
        ];
        let found = labelled(&look("container", Kind::Value), ("image", "image"), &images, 60.0);
        let told: Vec<_> =
            found.iter().map(|one| (one.service.as_str(), one.what.as_str(), one.at)).collect();
        assert_eq!(told, [("cart", "image shop/cart:2", 600.0)]);
        let generations = [
            line(&[("deployment", "cart")], &[(0.0, 6.0), (60.0, 6.0), (120.0, 7.0)]),
            line(&[("deployment", "web")], &[(0.0, 3.0), (60.0, 3.0)]),
        ];
        let found = risen(&look("deployment", Kind::Value), &generations);
        let told: Vec<_> =
            found.iter().map(|one| (one.service.as_str(), one.what.as_str(), one.at)).collect();
        assert_eq!(told, [("cart", "generation 7 of its deployment", 120.0)]);
    }
}
