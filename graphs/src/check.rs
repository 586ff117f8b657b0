//! What a graph must hold beyond its syntax. Everything that is wrong is reported, not only the first.
//!
//! Refused: names that are missing, taken twice or unsafe ([`names`], [`references`]); inputs that cannot be had or verified
//! ([`inputs`], [`places`]); cycles, an empty graph ([`needs`]); builders that are not declared ([`builder`]); mounts
//! that cannot be made ([`mounts`]); paths in the store that nothing has ([`mentions`]); suites that Debian does not have
//! ([`suites`]); limits that make no sense ([`limits`]). Inputs that no derivation uses and
//! derivations that no target needs are warnings.

mod builder;
mod choices;
mod derivations;
mod expect;
mod hashes;
mod inputs;
mod limits;
mod mentions;
mod mounts;
mod names;
mod needs;
mod paths;
mod places;
mod references;
mod suites;

use std::collections::{HashMap, HashSet};

use crate::index::Index;
use crate::locate::{Spot, Trail};
use crate::model::{Graph, Table};
use crate::order::DependencyGraph;
use crate::problem::{Problem, Problems};

/// All problems of a graph that was read from the text that goes by `name`. A graph that has no text can be checked
/// with an empty one: its problems have no spans then.
pub fn check(graph: &Graph, name: &str, text: &str) -> Problems {
    let (index, clashes) = Index::of(graph);
    let needs = DependencyGraph::possible(graph);
    let mut check = Check { graph, index, needs, used: HashSet::new(), problems: Vec::new() };
    check.names(&clashes);
    check.seeds_and_sources();
    check.all_choices();
    check.all_derivations();
    check.needed();
    Problems::new(name, text, check.problems)
}

/// Reads and checks. A graph comes with its warnings; what is refused, with everything there is to say.
pub fn load(name: &str, text: &str) -> Result<(Graph, Problems), Problems> {
    let graph = crate::read(name, text)?;
    let problems = check(&graph, name, text).into_result()?;
    Ok((graph, problems))
}

struct Check<'a> {
    graph: &'a Graph,
    index: Index<'a>,
    /// Filled by the checks of references.
    needs: DependencyGraph<'a>,
    /// Seeds, sources and choices that are among anybody's inputs; filled likewise.
    used: HashSet<&'a str>,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    fn error(&mut self, at: impl Into<Spot>, message: impl Into<String>, help: impl Into<String>) {
        self.report(Problem::error(message).help(help).at(at));
    }

    fn warning(&mut self, at: impl Into<Spot>, message: impl Into<String>, help: impl Into<String>) {
        self.report(Problem::warning(message).help(help).at(at));
    }

    /// Entries of a map that were written twice.
    fn repeated<V>(&mut self, what: &str, table: &Table<V>, spot: &Trail<'_>) {
        let mut times = HashMap::new();
        for name in table.repeated() {
            let time = times.entry(name).and_modify(|times| *times += 1).or_insert(1usize);
            let problem = Problem::error(format!("{what} `{name}` is written twice"))
                .help("keep one of the two, or rename one")
                .at(spot.again(name, *time).key())
                .related(spot.then(name).key(), "first written here");
            self.report(problem);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    /// Ten times as many may not take a hundred times as long, whoever is compared with whom.
    #[test]
    fn thousands_of_problems_take_seconds_at_most() {
        let mut text = String::from("(seeds: {");
        (0..4000).for_each(|n| write!(text, "\"s{n}\": (from: [Text(\"x\")]),").unwrap());
        text += "}, derivations: {";
        let one = |n| format!("\"d{n}\": (builder: \"/store/nope{n}\", inputs: [\"gone{n}\", \"ss{n}\"]),");
        (0..4000).for_each(|n| text += &one(n));
        text += "}, targets: [\"d0\"])";
        let start = std::time::Instant::now();
        let problems = crate::load("x", &text).unwrap_err();
        let shown = problems.render(false);
        assert!(start.elapsed() < std::time::Duration::from_secs(12), "{:?}", start.elapsed());
        assert!(problems.errors() > 8000 && shown.contains("not shown: 15950 more problems"), "{shown}");
        // The first is still helped.
        assert!(problems.list().iter().any(|problem| problem.help.as_deref() == Some("did you mean `s0`?")));
    }
}
