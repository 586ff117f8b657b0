//! What must hold for every graph that is accepted.

use std::collections::BTreeMap;

use formats::digest::Sha256;
use graphs::plan::{Error, Failure};
use graphs::{Choices, Graph, Resolved};

/// A graph that passed its checks must have a plan, whatever is chosen, and PID 1 must accept it.
pub fn holds(graph: &Graph) {
    plan(graph, &Choices::defaults(graph));
    for (name, choice) in &graph.choices {
        for (alternative, _) in &choice.of {
            let choices = Choices::new(graph, [(name.as_str(), alternative.as_str())]);
            plan(graph, &choices.expect("the graph has this alternative"));
        }
    }
}

fn plan(graph: &Graph, choices: &Choices) {
    let order = graphs::order(graph, choices).expect("an accepted graph has an order");
    let used = graphs::used_inputs(graph, choices).expect("an accepted graph has an order");
    let resolve = |used: graphs::Used<'_>| {
        (used.name.to_owned(), Resolved { kind: used.input.kind(), sha256: Sha256::of("an input") })
    };
    let resolved: BTreeMap<String, Resolved> = used.into_iter().map(resolve).collect();
    let text = match graphs::plan(graph, choices, &resolved, Failure::Continue) {
        Ok(text) => text,
        // Only fetching shows what an input is.
        Err(Error::Inside { .. }) => return,
        Err(error) => panic!("no plan: {error}"),
    };
    if let Err(error) = crate::plan::read(text.as_bytes()) {
        panic!("PID 1 refuses: {error}\n{text}");
    }
    let steps = text.lines().filter(|line| line.starts_with("step ")).count();
    assert_eq!(steps, order.len());
    assert_eq!(text, graphs::plan(graph, choices, &resolved, Failure::Continue).unwrap_or_default());
}
