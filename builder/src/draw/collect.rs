//! From a graph in RON, with its choices made, or from derivations of Nix and Guix, to nodes and edges.

use super::{Drawing, Kind, Node};
use formats::store_path::base;
use graphs::drv::Closure;
use graphs::model::store_name;
use graphs::{Choices, Graph, OrderError};
use std::collections::{BTreeMap, BTreeSet};

/// Nodes on their way.
#[derive(Default)]
struct Nodes {
    drawing: Drawing,
    /// The number of each name; an output of a derivation has its derivation's.
    numbers: BTreeMap<String, usize>,
}

impl Nodes {
    fn add(&mut self, name: &str, kind: Kind, about: String) -> usize {
        let number = self.drawing.nodes.len();
        self.drawing.nodes.push(Node { name: name.to_owned(), kind, about });
        self.numbers.insert(name.to_owned(), number);
        number
    }

    fn edges(mut self, edges: BTreeSet<(usize, usize)>) -> Drawing {
        self.drawing.edges = edges.into_iter().collect();
        self.drawing
    }
}

/// What the targets of a graph need under these choices.
pub fn graph(graph: &Graph, choices: &Choices) -> Result<Drawing, OrderError> {
    let order = graphs::order(graph, choices)?;
    let outputs: BTreeMap<String, &str> = graph
        .derivations
        .iter()
        .flat_map(|(name, derivation)| {
            derivation.outputs.iter().map(move |output| (store_name(name, output), name.as_str()))
        })
        .collect();
    let (mut nodes, mut edges) = (Nodes::default(), BTreeSet::new());
    for name in order {
        let derivation = &graph.derivations[name];
        let mut needs = BTreeSet::new();
        for input in &derivation.inputs {
            let number = match choices.alternative(graph, input) {
                Some(taken) => {
                    let mut of: BTreeSet<usize> = BTreeSet::new();
                    for input in &taken.inputs {
                        of.extend(one(&mut nodes, graph, &outputs, input));
                    }
                    let made = format!("{input} = {}", choices.get(input).unwrap_or_default());
                    let number = match nodes.numbers.get(&made) {
                        Some(&number) => number,
                        None => nodes.add(&made, Kind::Choice, format!("a choice, taken: {made}")),
                    };
                    edges.extend(of.into_iter().map(|from| (from, number)));
                    Some(number)
                }
                None => one(&mut nodes, graph, &outputs, input),
            };
            needs.extend(number);
        }
        let kind = if graph.targets.iter().any(|target| target == name) { Kind::Target } else { Kind::Step };
        let number = nodes.add(name, kind, format!("built by {}", derivation.builder));
        edges.extend(needs.into_iter().map(|from| (from, number)));
    }
    Ok(nodes.edges(edges))
}

/// The number of a seed, a source or an output.
fn one(nodes: &mut Nodes, graph: &Graph, outputs: &BTreeMap<String, &str>, name: &str) -> Option<usize> {
    let name = outputs.get(name).copied().unwrap_or(name);
    if let Some(&number) = nodes.numbers.get(name) {
        return Some(number);
    }
    let (kind, input) = match (graph.seeds.get(name), graph.sources.get(name)) {
        (Some(seed), _) => (Kind::Seed, seed),
        (None, Some(source)) => (Kind::Source, source),
        (None, None) => return None,
    };
    let places: Vec<_> = input.from.iter().map(inputs::describe).collect();
    Some(nodes.add(name, kind, places.join(", or ")))
}

/// A derivation of Nix or Guix with all that it needs. What has a fixed output is fetched, and so counts as a source.
pub fn closure(closure: &Closure) -> Drawing {
    let (mut nodes, mut edges) = (Nodes::default(), BTreeSet::new());
    for path in &closure.order {
        let derivation = closure.get(path);
        let mut needs = BTreeSet::new();
        for source in &derivation.sources {
            let name = base(source);
            let number = match nodes.numbers.get(name) {
                Some(&number) => number,
                None => nodes.add(name, Kind::Source, "in the store".into()),
            };
            needs.insert(number);
        }
        needs.extend(derivation.inputs.keys().filter_map(|path| nodes.numbers.get(base(path))));
        let (kind, about) = match graphs::drv::fetch::fetch(derivation) {
            _ if *path == closure.root => (Kind::Target, format!("built by {}", derivation.builder)),
            Some(fetch) => (Kind::Source, format!("fetched: {} {}", fetch.fixed.method(), fetch.fixed.hash)),
            None => (Kind::Step, format!("built by {}", derivation.builder)),
        };
        let number = nodes.add(base(path), kind, about);
        edges.extend(needs.into_iter().map(|from| (from, number)));
    }
    nodes.edges(edges)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRAPH: &str = r#"(
        seeds: {"gcc": (from: [File("gcc")]), "tcc": (from: [File("tcc")])},
        sources: {"text": (from: [Text("x")])},
        choices: {"cc": (default: "gcc", of: {"gcc": (inputs: ["gcc"]), "tcc": (inputs: ["tcc"])})},
        derivations: {
            "one": (builder: "cc", inputs: ["cc", "text"], outputs: ["out", "lib"]),
            "two": (builder: "cc", inputs: ["cc", "one-lib"]),
            "unneeded": (builder: "cc", inputs: ["cc"]),
        },
        targets: ["two"])"#;

    #[test]
    fn choices_are_made_and_outputs_are_their_steps() {
        let read = graphs::read("x", GRAPH).unwrap();
        for taken in ["gcc", "tcc"] {
            let choices = Choices::new(&read, [("cc", taken)]).unwrap();
            let drawing = graph(&read, &choices).unwrap();
            let names: Vec<_> = drawing.nodes.iter().map(|node| node.name.as_str()).collect();
            assert_eq!(names, [taken, &format!("cc = {taken}"), "text", "one", "two"]);
            assert_eq!(drawing.edges, [(0, 1), (1, 3), (1, 4), (2, 3), (3, 4)]);
            assert_eq!((drawing.nodes[4].kind, drawing.nodes[3].kind), (Kind::Target, Kind::Step));
        }
    }
}
