//! The ways that data can take, from PD to region to PD.

use crate::flows::Flows;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A PD or a region; the two share no names in a well-made description, and a PD wins where they do.
pub type Node = String;

/// One step of data.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Where it was.
    pub from: Node,
    /// Where it is then.
    pub to: Node,
    /// "writes", "is read by", "calls", "answers".
    pub how: &'static str,
}

/// All steps that data can take.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    edges: BTreeMap<Node, BTreeSet<Edge>>,
}

impl Paths {
    /// From the direct rights. Device registers are followed like memory.
    pub fn of(flows: &Flows) -> Self {
        let mut paths = Self::default();
        for (region, access) in &flows.regions {
            access.write.iter().for_each(|pd| paths.add(pd, region, "writes"));
            access.read.iter().for_each(|pd| paths.add(region, pd, "is read by"));
        }
        for call in &flows.call {
            paths.add(&call.from, &call.to, "calls");
            paths.add(&call.to, &call.from, "answers");
        }
        paths
    }

    fn add(&mut self, from: &str, to: &str, how: &'static str) {
        let edge = Edge { from: from.into(), to: to.into(), how };
        self.edges.entry(from.into()).or_default().insert(edge);
    }

    /// A shortest way from `from` to `to` that touches none of `without`; `None` when there is none.
    pub fn find(&self, from: &str, to: &str, without: &[String]) -> Option<Vec<Edge>> {
        let mut came: BTreeMap<&str, &Edge> = BTreeMap::new();
        let mut waiting = VecDeque::from([from]);
        while let Some(node) = waiting.pop_front() {
            for edge in self.edges.get(node).into_iter().flatten() {
                let seen = edge.to == from || came.contains_key(edge.to.as_str());
                if seen || without.contains(&edge.to) {
                    continue;
                }
                came.insert(&edge.to, edge);
                waiting.push_back(&edge.to);
            }
        }
        let mut way = Vec::new();
        let mut node = to;
        while node != from {
            let edge = came.get(node)?;
            way.push((*edge).clone());
            node = &edge.from;
        }
        way.reverse();
        Some(way)
    }

    /// Every node that data from `from` can reach.
    pub fn reach(&self, from: &str) -> BTreeSet<Node> {
        let mut reached = BTreeSet::new();
        let mut waiting = vec![from.to_owned()];
        while let Some(node) = waiting.pop() {
            for edge in self.edges.get(&node).into_iter().flatten() {
                if reached.insert(edge.to.clone()) {
                    waiting.push(edge.to.clone());
                }
            }
        }
        reached
    }
}

/// A way, for people: `weights is read by compute, compute writes compute_to_session, …`.
pub fn shown(way: &[Edge]) -> String {
    way.iter().map(|edge| format!("{} {} {}", edge.from, edge.how, edge.to)).collect::<Vec<_>>().join(", ")
}
