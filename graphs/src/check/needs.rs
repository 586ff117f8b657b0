//! Who needs whom: cycles, and what nobody needs.

use std::collections::{HashMap, HashSet, VecDeque};

use petgraph::Direction::Incoming;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::NodeIndex;

use super::Check;
use crate::index::Thing;
use crate::locate::{Spot, Trail};
use crate::order::DependencyGraph;
use crate::problem::{Problem, Severity};

/// A message that shows more of a cycle than this helps nobody.
const LONGEST_SHOWN: usize = 64;

impl Check<'_> {
    /// Targets, cycles, and what is there for nothing.
    pub(super) fn needed(&mut self) {
        let targets = self.targets();
        let graph = self.graph;
        // Taken out, so that problems can be reported while it is looked at.
        let needs = std::mem::replace(&mut self.needs, DependencyGraph::none());
        let count = needs.graph.node_count();
        let wanted = needs.wanted(&self.index, graph);
        if needs.sort(&vec![true; count]).0.len() < count {
            self.cycles(&needs);
        }
        // What is not needed while something is wrong may well be needed once that is right.
        if !targets || self.problems.iter().any(|problem| problem.severity == Severity::Error) {
            return;
        }
        for (name, _) in graph.derivations.keys().zip(wanted).filter(|(_, wanted)| !wanted) {
            let message = format!("no target needs the derivation `{name}`");
            let help = "it is not in the plan: name it among the targets, or take it out";
            let field = Trail::of("derivations");
            self.warning(field.then(name).key(), message, help);
        }
        self.unused();
    }

    /// Whether there are targets, all of them good.
    fn targets(&mut self) -> bool {
        let graph = self.graph;
        let before = self.problems.len();
        if graph.derivations.is_empty() {
            let help = "write at least one: `derivations: {\"NAME\": (builder: \"…\")}`";
            self.error(Trail::of("derivations"), "the graph is empty: it has no derivations", help);
        }
        if graph.targets.is_empty() {
            let help = "name the derivations whose outputs are wanted";
            self.error(Trail::of("targets"), "the graph has no targets", help);
        }
        let list = Trail::of("targets");
        let mut seen = HashSet::new();
        for (number, target) in graph.targets.iter().enumerate() {
            let at = list.item(number);
            if !seen.insert(target) {
                self.error(at, format!("the target `{target}` is listed twice"), "keep one of the two");
            } else if !graph.derivations.contains_key(target) {
                let help = match self.index.get(target) {
                    Some(Thing::Output(output)) => format!("write the derivation: `{}`", output.derivation),
                    Some(_) => "targets are derivations, not what they are built from".to_owned(),
                    None => match self.index.nearest(target) {
                        Some(near) if graph.derivations.contains_key(near) => {
                            format!("did you mean `{near}`?")
                        }
                        _ => "targets are the names of derivations".to_owned(),
                    },
                };
                self.error(at, format!("there is no derivation `{target}`"), help);
            }
        }
        self.problems.len() == before
    }

    /// One cycle of each knot: the shortest through the knot's first name.
    fn cycles(&mut self, needs: &DependencyGraph<'_>) {
        let mut knots = kosaraju_scc(&needs.graph);
        knots.retain(|knot| knot.len() > 1 || needs.graph.contains_edge(knot[0], knot[0]));
        for knot in knots {
            let members: HashSet<NodeIndex> = knot.iter().copied().collect();
            let Some(first) = knot.into_iter().min() else { continue };
            let cycle = shortest(needs, &members, first);
            self.cycle(needs, &cycle);
        }
    }

    fn cycle(&mut self, needs: &DependencyGraph<'_>, cycle: &[NodeIndex]) {
        let names: Vec<&str> = cycle.iter().map(|node| needs.graph[*node]).collect();
        let mut shown: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        shown.push(names[0].to_owned());
        if shown.len() > LONGEST_SHOWN {
            let left_out = shown.len() - LONGEST_SHOWN;
            let half = LONGEST_SHOWN / 2;
            shown.splice(half..half + left_out, [format!("… {left_out} more …")]);
        }
        let message = match names.as_slice() {
            [one] => format!("the derivation `{one}` needs itself"),
            _ => format!("cycle: {}", shown.join(" → ")),
        };
        let derivations = self.graph.derivations.len();
        let spot = |at: usize| {
            let (name, next) = (names[at], names[(at + 1) % names.len()]);
            if cycle[at].index() < derivations {
                self.edge(name, next)
            } else {
                self.edge_of_choice(name, next)
            }
        };
        let mut problem = Problem::error(message)
            .help("each needs the next one first: take one of these inputs out")
            .at(spot(0));
        for at in (1..names.len()).take(8) {
            let label = format!("`{}` needs `{}`", names[at], names[(at + 1) % names.len()]);
            problem = problem.related(spot(at), label);
        }
        self.report(problem);
    }

    /// Where a derivation says that it needs something.
    fn edge(&self, name: &str, next: &str) -> Spot {
        let inputs = self.graph.derivations.get(name).map(|derivation| derivation.inputs.as_slice());
        let number = self.leads_to(inputs.unwrap_or_default(), next);
        Trail::of("derivations").then(name).then("inputs").item(number).spot()
    }

    /// Where a choice says that one of its alternatives needs something.
    fn edge_of_choice(&self, name: &str, next: &str) -> Spot {
        let choices = Trail::of("choices");
        let choice = choices.then(name);
        let of = choice.then("of");
        let alternatives = self.graph.choices.get(name).into_iter().flat_map(|choice| &choice.of);
        for (alternative, one) in alternatives {
            let number = self.leads_to(&one.inputs, next);
            if number < one.inputs.len() {
                return of.then(alternative).then("inputs").item(number).spot();
            }
        }
        of.spot()
    }

    fn leads_to(&self, inputs: &[String], next: &str) -> usize {
        let leads = |input: &String| match self.index.get(input) {
            Some(Thing::Output(output)) => output.derivation == next,
            Some(Thing::Choice(..)) => input == next,
            _ => false,
        };
        inputs.iter().position(leads).unwrap_or(inputs.len())
    }

    /// Seeds, sources and choices that are among nobody's inputs.
    fn unused(&mut self) {
        let graph = self.graph;
        let fields = [
            ("seeds", "seed", graph.seeds.keys().collect::<Vec<_>>()),
            ("sources", "source", graph.sources.keys().collect()),
            ("choices", "choice", graph.choices.keys().collect()),
        ];
        for (field, what, names) in fields {
            for name in names {
                if self.used.contains(name.as_str()) {
                    continue;
                }
                let message = format!("no derivation uses the {what} `{name}`");
                self.warning(
                    Trail::of(field).then(name).key(),
                    message,
                    "list it in a derivation's inputs, or take it out",
                );
            }
        }
    }
}

/// The shortest way from a node through what it needs back to it, inside a knot.
fn shortest(needs: &DependencyGraph<'_>, members: &HashSet<NodeIndex>, first: NodeIndex) -> Vec<NodeIndex> {
    let mut by = HashMap::new();
    let mut queue = VecDeque::from([first]);
    while let Some(node) = queue.pop_front() {
        for next in needs.graph.neighbors_directed(node, Incoming).filter(|next| members.contains(next)) {
            if next == first {
                let back = std::iter::successors(Some(node), |node| by.get(node).copied());
                let mut cycle: Vec<_> = back.collect();
                cycle.reverse();
                return cycle;
            }
            by.entry(next).or_insert_with(|| {
                queue.push_back(next);
                node
            });
        }
    }
    vec![first]
}
