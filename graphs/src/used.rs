//! What a run needs of the outside: the seeds and sources that its steps use, so that nothing else is fetched.

use std::collections::{BTreeMap, BTreeSet};

use crate::index::{Index, Thing};
use crate::model::{Derivation, Graph, Input};
use crate::order::{self, order};
use crate::select::Choices;

/// What an input is trusted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// It is executed.
    Seed,
    /// It is read.
    Source,
}

/// A seed or source that a run uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is trusted for.
    pub role: Role,
    /// Its places, hash and form.
    pub input: &'a Input,
}

/// The seeds and sources that the targets need under these choices, sorted by name.
pub fn used_inputs<'a>(graph: &'a Graph, choices: &Choices) -> Result<Vec<Used<'a>>, order::Error> {
    let (index, _) = Index::of(graph);
    let mut used = BTreeMap::new();
    for step in order(graph, choices)? {
        let Some(derivation) = graph.derivations.get(step) else { continue };
        for name in declared(graph, &index, choices, derivation) {
            match index.get(name) {
                Some(Thing::Seed(input)) => used.insert(name, Used { name, role: Role::Seed, input }),
                Some(Thing::Source(input)) => used.insert(name, Used { name, role: Role::Source, input }),
                _ => None,
            };
        }
    }
    Ok(used.into_values().collect())
}

/// The seeds, sources and outputs that a derivation declares, those of the taken alternatives included.
pub(crate) fn declared<'a>(
    graph: &'a Graph,
    index: &Index<'a>,
    choices: &Choices,
    derivation: &'a Derivation,
) -> BTreeSet<&'a str> {
    let mut names = BTreeSet::new();
    for input in &derivation.inputs {
        match index.get(input) {
            Some(Thing::Choice(..)) => {
                let taken = choices.alternative(graph, input);
                names.extend(taken.into_iter().flat_map(|taken| &taken.inputs).map(String::as_str));
            }
            _ => {
                names.insert(input);
            }
        }
    }
    names
}
