//! Components that are only another component seen from its caller.
//!
//! Tracing systems show some calls as nodes of their own: the address of a load balancer, an unresolved host. Such a
//! node calls nobody, and when the component behind it slows down it slows down by as much, without being called
//! by it. No name tells them: a leaf whose symptom is matched by a sibling that has callees of its own, and that does
//! not depend on the leaf, is taken for a view of that sibling, unless the leaf has series that only it can report.

use crate::evidence::Evidence;
use crate::topology::Topology;

/// For every component, how much of its symptom a sibling with callees of its own shows as well: 0 nothing, 1 all.
#[must_use]
pub fn shadows(topology: &Topology, evidence: &[Evidence], symptom: &[f64]) -> Vec<f64> {
    let one = |leaf: usize| if evidence[leaf].inside() { 0.0 } else { shadow(topology, symptom, leaf) };
    (0..symptom.len()).map(one).collect()
}

fn shadow(topology: &Topology, symptom: &[f64], leaf: usize) -> f64 {
    if !topology.callees[leaf].is_empty() || symptom[leaf] <= 0.0 {
        return 0.0;
    }
    // Once a leaf: where one component calls thousands, a walk for each pair would take as long as all the rest.
    let dependent = topology.depend_on(leaf);
    let mut most: f64 = 0.0;
    for &caller in &topology.callers[leaf] {
        for &sibling in &topology.callees[caller] {
            let real = sibling != leaf && !topology.callees[sibling].is_empty();
            if real && symptom[sibling] > 0.0 && !dependent[sibling] {
                most = most.max((symptom[sibling] / symptom[leaf]).min(1.0));
            }
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same by its definition: a walk from each sibling.
    fn defined(topology: &Topology, symptom: &[f64], leaf: usize) -> f64 {
        let depends = |sibling: usize| topology.reach(&topology.callees[sibling], |_| true)[leaf];
        let siblings = topology.callers[leaf].iter().flat_map(|&caller| &topology.callees[caller]).copied();
        let real = siblings.filter(|&sibling| {
            sibling != leaf && !topology.callees[sibling].is_empty() && symptom[sibling] > 0.0
        });
        let is_leaf = topology.callees[leaf].is_empty() && symptom[leaf] > 0.0;
        let apart = real.filter(|&sibling| is_leaf && !depends(sibling));
        apart.map(|sibling| (symptom[sibling] / symptom[leaf]).min(1.0)).fold(0.0, f64::max)
    }

    #[test]
    fn a_walk_a_leaf_finds_what_a_walk_a_sibling_finds() {
        let mut state = 1_u64;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        let mut shadowed = 0;
        for _ in 0..300 {
            let mut topology =
                Topology { callees: vec![vec![]; 9], callers: vec![vec![]; 9], entries: vec![] };
            for _ in 0..12 {
                let (a, b) = (random(9), random(9));
                if a != b && !topology.callees[a].contains(&b) {
                    topology.callees[a].push(b);
                    topology.callers[b].push(a);
                }
            }
            let symptom: Vec<f64> = (0..9).map(|_| random(4) as f64).collect();
            for leaf in 0..9 {
                let found = shadow(&topology, &symptom, leaf);
                assert_eq!(found, defined(&topology, &symptom, leaf), "{topology:?} {symptom:?} {leaf}");
                shadowed += usize::from(found > 0.0);
            }
        }
        assert!(shadowed > 50, "{shadowed}");
    }
}
