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
    let mut most: f64 = 0.0;
    for &caller in &topology.callers[leaf] {
        for &sibling in &topology.callees[caller] {
            let real = sibling != leaf && !topology.callees[sibling].is_empty();
            if real && symptom[sibling] > 0.0 && !topology.behind(sibling)[leaf] {
                most = most.max((symptom[sibling] / symptom[leaf]).min(1.0));
            }
        }
    }
    most
}
