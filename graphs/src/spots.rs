//! Places of a graph for problems that come up after its checks, when somebody works with it: an input that cannot be
//! had, a step that cannot be planned.

use crate::locate::{Spot, Trail};
use crate::model::{Graph, Place};
use crate::plan;
use crate::problem::Problem;
use crate::select::Choices;

impl Spot {
    /// The name of a seed or source.
    pub fn input(graph: &Graph, name: &str) -> Self {
        Trail::of(table(graph, name)).then(name).key()
    }

    /// The value of a field of a seed or source.
    pub fn input_field(graph: &Graph, name: &str, field: &str) -> Self {
        Trail::of(table(graph, name)).then(name).then(field).spot()
    }

    /// One of the places that a seed or source can be had from: the path or address, if that is all of it.
    pub fn place(graph: &Graph, name: &str, number: usize) -> Self {
        let table = table(graph, name);
        let input = graph.seeds.get(name).or_else(|| graph.sources.get(name));
        let trail = Trail::of(table);
        let trail = trail.then(name);
        let trail = trail.then("from");
        let place = trail.item(number);
        match input.and_then(|input| input.from.get(number)) {
            Some(Place::File(_) | Place::Url(_)) => place.item(0).spot(),
            _ => place.spot(),
        }
    }

    /// One of the patterns that a seed or source is picked by.
    pub fn pick(graph: &Graph, name: &str, number: usize) -> Self {
        Trail::of(table(graph, name)).then(name).then("pick").item(number).spot()
    }

    /// What is mounted at a path for a derivation, by itself or by an alternative of a choice among its inputs; else its name.
    pub fn mount(graph: &Graph, choices: &Choices, derivation: &str, path: &str) -> Self {
        let trail = Trail::of("derivations");
        let trail = trail.then(derivation);
        let Some(found) = graph.derivations.get(derivation) else { return trail.key() };
        if found.mounts.contains_key(path) {
            return trail.then("mounts").then(path).spot();
        }
        let brings = |name: &&String| {
            choices.alternative(graph, name).is_some_and(|taken| taken.mounts.contains_key(path))
        };
        let brought = found.inputs.iter().find(brings);
        match brought.and_then(|choice| Some((choice, choices.get(choice)?))) {
            Some((choice, taken)) => {
                let all = Trail::of("choices");
                all.then(choice).then("of").then(taken).then("mounts").then(path).spot()
            }
            None => trail.key(),
        }
    }

    /// The name of a derivation.
    pub fn derivation(name: &str) -> Self {
        Trail::of("derivations").then(name).key()
    }
}

fn table(graph: &Graph, name: &str) -> &'static str {
    if graph.seeds.contains_key(name) { "seeds" } else { "sources" }
}

impl plan::Error {
    /// The same as a problem of the graph.
    pub fn problem(&self, graph: &Graph) -> Problem {
        let problem = Problem::error(self.to_string());
        match self {
            Self::Order(_) => problem.help("take one of them out of the inputs of another"),
            Self::Missing { step, .. } => problem.at(Spot::derivation(step)),
            Self::Unresolved(name) => problem.at(Spot::input(graph, name)),
            Self::Inside { step, .. } => problem.at(Spot::derivation(step)).help("mount the input itself"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locate::locate;

    #[test]
    fn each_is_found_in_the_text() {
        let text = r#"(seeds: {"a": (from: [Text("x"), File("f")], pick: ["p"])}, sources: {"b": (from: [])},
            derivations: {"c": (builder: "d", inputs: ["e"], mounts: {"/m": "a/n"})},
            choices: {"e": (default: "f", of: {"f": (mounts: {"/g": "b"})})}, targets: [])"#;
        let graph = crate::read("x", text).unwrap();
        let mount = |path| Spot::mount(&graph, &Choices::defaults(&graph), "c", path);
        let spots = [
            (Spot::input(&graph, "a"), "\"a\""),
            (Spot::place(&graph, "a", 0), "Text"),
            (Spot::place(&graph, "a", 1), "\"f\""),
            (Spot::pick(&graph, "a", 0), "\"p\""),
            (Spot::input_field(&graph, "b", "from"), "["),
            (Spot::derivation("c"), "\"c\""),
            (mount("/m"), "\"a/n\""),
            (mount("/g"), "\"b\""),
            (mount("/h"), "\"c\""),
        ];
        for (spot, expected) in spots {
            let span = locate(text, &[spot]).remove(0).unwrap();
            assert!(text[span.clone()].starts_with(expected), "{} for {expected}", &text[span]);
        }
    }
}
