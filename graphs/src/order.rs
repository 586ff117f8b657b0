//! The linearizer: one total order of the derivations that the targets need.
//!
//! The order depends on the graph alone: among the derivations whose needs are all met, the one whose name sorts
//! first is next. Neither the order of the text nor that of any hash map can show. Kahn's algorithm with a heap:
//! no recursion, so a chain of any length does not overflow a stack, and `n log n` in all.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use petgraph::Direction::{Incoming, Outgoing};
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{Dfs, Reversed};

use crate::index::{Index, Thing};
use crate::model::Graph;
use crate::select::Choices;

/// Why there is no order. A graph that [`check()`](crate::check()) takes has one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// These derivations need each other, or something that does.
    #[error("no order: cycle among {}", .0.join(", "))]
    Cycle(Vec<String>),
}

/// The derivations that the targets need under these choices, by name, each after all that it needs.
pub fn order<'a>(graph: &'a Graph, choices: &Choices) -> Result<Vec<&'a str>, Error> {
    let (index, _) = Index::of(graph);
    let needs = DependencyGraph::chosen(graph, &index, choices);
    let wanted = needs.wanted(&index, graph);
    let (order, left) = needs.sort(&wanted);
    let name = |node: &NodeIndex| needs.graph[*node];
    if left.is_empty() {
        Ok(order.iter().map(name).collect())
    } else {
        Err(Error::Cycle(left.iter().map(|node| name(node).to_owned()).collect()))
    }
}

/// Who needs whom: an edge goes from what is needed to what needs it. The nodes are the derivations sorted by
/// name, so that the lesser number is the lesser name, and after them the choices.
pub(crate) struct DependencyGraph<'a> {
    pub graph: DiGraph<&'a str, ()>,
}

impl<'a> DependencyGraph<'a> {
    /// With every choice made.
    fn chosen(graph: &'a Graph, index: &Index<'a>, choices: &Choices) -> Self {
        let mut needs = Self::nodes(graph);
        for (number, derivation) in graph.derivations.values().enumerate() {
            for input in &derivation.inputs {
                match index.get(input) {
                    Some(Thing::Choice(..)) => {
                        let taken = choices.alternative(graph, input);
                        for input in taken.into_iter().flat_map(|taken| &taken.inputs) {
                            needs.output(index, input, number);
                        }
                    }
                    _ => needs.output(index, input, number),
                }
            }
        }
        needs
    }

    /// Nodes for derivations and choices, and nobody in need yet. With every choice a node that needs what any
    /// alternative of it needs, a cycle passes each choice once at most; so for each cycle here there are choices
    /// under which it is one, and the other way round.
    pub fn possible(graph: &'a Graph) -> Self {
        let mut needs = Self::nodes(graph);
        for name in graph.choices.keys() {
            needs.graph.add_node(name);
        }
        needs
    }

    /// Nobody.
    pub fn none() -> Self {
        Self { graph: DiGraph::new() }
    }

    fn nodes(graph: &'a Graph) -> Self {
        let mut nodes = DiGraph::with_capacity(graph.derivations.len(), graph.derivations.len() * 2);
        graph.derivations.keys().for_each(|name| {
            nodes.add_node(name.as_str());
        });
        Self { graph: nodes }
    }

    fn output(&mut self, index: &Index<'a>, input: &str, by: usize) {
        if let Some(Thing::Output(output)) = index.get(input) {
            self.edge(output.number, by);
        }
    }

    /// One node needs another.
    pub fn edge(&mut self, needed: usize, by: usize) {
        self.graph.add_edge(NodeIndex::new(needed), NodeIndex::new(by), ());
    }

    /// For each node, whether a target needs it or it is one.
    pub fn wanted(&self, index: &Index<'a>, graph: &Graph) -> Vec<bool> {
        let mut wanted = vec![false; self.graph.node_count()];
        let reversed = Reversed(&self.graph);
        let mut walk = Dfs::empty(reversed);
        for target in &graph.targets {
            let number = match index.get(target) {
                Some(Thing::Output(output)) if output.derivation == target => output.number,
                Some(Thing::Derivation(number, _)) => number,
                _ => continue,
            };
            walk.move_to(NodeIndex::new(number));
            while let Some(node) = walk.next(reversed) {
                wanted[node.index()] = true;
            }
        }
        wanted
    }

    /// The wanted nodes in order, and those for which there is none.
    pub fn sort(&self, wanted: &[bool]) -> (Vec<NodeIndex>, Vec<NodeIndex>) {
        let of = |node: &NodeIndex| wanted[node.index()];
        let all: Vec<NodeIndex> = self.graph.node_indices().filter(of).collect();
        let mut missing: Vec<u32> = vec![0; self.graph.node_count()];
        for node in &all {
            missing[node.index()] = self.graph.neighbors_directed(*node, Incoming).count() as u32;
        }
        let is_ready = |node: &&NodeIndex| missing[node.index()] == 0;
        let mut ready: BinaryHeap<Reverse<NodeIndex>> =
            all.iter().filter(is_ready).map(|n| Reverse(*n)).collect();
        let mut order = Vec::with_capacity(all.len());
        while let Some(Reverse(node)) = ready.pop() {
            order.push(node);
            for next in self.graph.neighbors_directed(node, Outgoing).filter(of) {
                missing[next.index()] -= 1;
                if missing[next.index()] == 0 {
                    ready.push(Reverse(next));
                }
            }
        }
        let left = all.into_iter().filter(|node| missing[node.index()] > 0).collect();
        (order, left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(derivations: &[(&str, &[&str])], targets: &[&str]) -> Graph {
        let entry =
            |(name, inputs): &(&str, &[&str])| format!("{name:?}: (builder: \"x\", inputs: {inputs:?})");
        let entries: Vec<_> = derivations.iter().map(entry).collect();
        let text = format!("(derivations: {{{}}}, targets: {targets:?})", entries.join(", "));
        crate::read("x", &text).unwrap()
    }

    #[test]
    fn ties_are_broken_by_name() {
        let graph = graph(&[("z", &[]), ("a", &["z"]), ("m", &[]), ("b", &["m"])], &["a", "b"]);
        assert_eq!(order(&graph, &Choices::default()).unwrap(), ["m", "b", "z", "a"]);
    }

    #[test]
    fn only_what_is_needed() {
        let graph = graph(&[("a", &[]), ("b", &["a"]), ("c", &["a"])], &["b"]);
        assert_eq!(order(&graph, &Choices::default()).unwrap(), ["a", "b"]);
    }

    #[test]
    fn a_cycle_has_no_order() {
        let graph = graph(&[("a", &["c"]), ("b", &["a"]), ("c", &["b"]), ("d", &[])], &["a", "d"]);
        let left = ["a", "b", "c"].map(str::to_owned).to_vec();
        assert_eq!(order(&graph, &Choices::default()), Err(Error::Cycle(left)));
    }
}
