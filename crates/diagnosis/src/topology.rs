//! Calls between components: who is behind whom, and which components are only another's view.

use std::collections::BTreeSet;

use crate::case::Case;
use crate::tracks::Components;

/// The call graph over component indices; a call to itself is left out.
#[derive(Debug, Clone, Default)]
pub struct Topology {
    /// Whom each component calls.
    pub callees: Vec<Vec<usize>>,
    /// By whom each component is called.
    pub callers: Vec<Vec<usize>>,
    /// Where users come in: the one that is given, else every component that calls and is not called.
    pub entries: Vec<usize>,
}

impl Topology {
    /// The graph of a case.
    #[must_use]
    pub fn of(case: &Case, components: &Components) -> Self {
        let mut callees = vec![Vec::new(); components.len()];
        let mut callers = vec![Vec::new(); components.len()];
        let mut known = BTreeSet::new();
        for (caller, callee) in &case.graph {
            let (Some(a), Some(b)) = (components.find(caller), components.find(callee)) else { continue };
            if a != b && known.insert((a, b)) {
                callees[a].push(b);
                callers[b].push(a);
            }
        }
        let named = case.entry.as_deref().and_then(|name| components.find(name));
        let entries = named.map_or_else(
            || (0..components.len()).filter(|&i| callers[i].is_empty() && !callees[i].is_empty()).collect(),
            |i| vec![i],
        );
        Self { callees, callers, entries }
    }

    /// Every component that depends on this one, itself not counted unless it is in a cycle.
    #[must_use]
    pub fn depend_on(&self, component: usize) -> Vec<bool> {
        follow(&self.callers, &self.callers[component], |_| true)
    }

    /// What can be reached from `starts` through components that pass, those included.
    #[must_use]
    pub fn reach(&self, starts: &[usize], passes: impl Fn(usize) -> bool) -> Vec<bool> {
        follow(&self.callees, starts, passes)
    }

    /// The largest of `values` among `of`, 0 without any.
    #[must_use]
    pub fn largest(of: &[usize], values: &[f64]) -> f64 {
        of.iter().map(|&i| values[i]).fold(0.0, f64::max)
    }
}

fn follow(edges: &[Vec<usize>], starts: &[usize], passes: impl Fn(usize) -> bool) -> Vec<bool> {
    let mut seen = vec![false; edges.len()];
    let mut stack: Vec<usize> = starts.iter().copied().filter(|&i| passes(i)).collect();
    while let Some(i) = stack.pop() {
        if !std::mem::replace(&mut seen[i], true) {
            stack.extend(edges[i].iter().copied().filter(|&j| !seen[j] && passes(j)));
        }
    }
    seen
}
