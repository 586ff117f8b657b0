//! What each name of a graph stands for.
//!
//! Seeds, sources, choices, derivations and the store names of outputs share one name space, because an input is
//! declared by its bare name and nearly all of them meet in one directory, `/store`.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::model::defaults::OUTPUT;
use crate::model::{Choice, Derivation, Graph, Input, store_name};

/// What a name stands for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Thing<'a> {
    Seed(&'a Input),
    Source(&'a Input),
    Choice(usize, &'a Choice),
    /// A derivation that has no output under its own name.
    Derivation(usize, &'a Derivation),
    Output(Output<'a>),
}

/// An output, by its derivation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output<'a> {
    /// The place of the derivation among all, sorted by name.
    pub number: usize,
    pub derivation: &'a str,
    pub output: &'a str,
}

/// Two things with one name: the one that has it, and the one that has it too.
pub(crate) struct Clash<'a> {
    pub name: Cow<'a, str>,
    pub first: Thing<'a>,
    pub second: Thing<'a>,
}

/// All names of a graph. It is only asked, never iterated: its order means nothing.
pub(crate) struct Index<'a> {
    things: HashMap<Cow<'a, str>, Thing<'a>>,
    /// What may still be spent on names that are not there.
    left: Cell<u64>,
}

/// The work of comparing names, in pairs of bytes: some 300,000 pairs of short names, which is a second at most. Whoever has
/// thousands of wrong names is helped by the first.
const WORK: u64 = 300_000_000;
/// The work that comes with each comparison, however short the names.
const EACH: u64 = 1000;

impl<'a> Index<'a> {
    /// The index, and the names that are taken twice.
    pub fn of(graph: &'a Graph) -> (Self, Vec<Clash<'a>>) {
        let things = HashMap::with_capacity(graph.derivations.len() + graph.seeds.len());
        let mut index = Self { things, left: Cell::new(WORK) };
        let mut clashes = Vec::new();
        let mut add = |name: Cow<'a, str>, thing| {
            if let Some(clash) = index.add(name, thing) {
                clashes.push(clash);
            }
        };
        graph.seeds.iter().for_each(|(name, input)| add(name.into(), Thing::Seed(input)));
        graph.sources.iter().for_each(|(name, input)| add(name.into(), Thing::Source(input)));
        for (number, (name, choice)) in graph.choices.iter().enumerate() {
            add(name.into(), Thing::Choice(number, choice));
        }
        for (number, (derivation, built)) in graph.derivations.iter().enumerate() {
            if !built.outputs.iter().any(|output| output == OUTPUT) {
                add(derivation.into(), Thing::Derivation(number, built));
            }
            for output in &built.outputs {
                let name =
                    if output == OUTPUT { derivation.into() } else { store_name(derivation, output).into() };
                add(name, Thing::Output(Output { number, derivation, output }));
            }
        }
        (index, clashes)
    }

    fn add(&mut self, name: Cow<'a, str>, thing: Thing<'a>) -> Option<Clash<'a>> {
        match self.things.entry(name) {
            Entry::Vacant(free) => {
                free.insert(thing);
                None
            }
            Entry::Occupied(taken) => {
                let first = *taken.get();
                // An output that is listed twice is reported as that, not as two things with one name.
                let listed_twice = matches!((first, thing), (Thing::Output(one), Thing::Output(other))
                    if one.number == other.number && one.output == other.output);
                (!listed_twice).then(|| Clash { name: taken.key().clone(), first, second: thing })
            }
        }
    }

    pub fn get(&self, name: &str) -> Option<Thing<'a>> {
        self.things.get(name).copied()
    }

    /// The name most like one that is not there, if any is like it. Of very large graphs, none: a wrong name is
    /// no reason to compare it with a hundred thousand.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        // Asked before and not on the way: what is said must not depend on the order of a hash map.
        if self.things.len() > 10_000 || self.left.get() == 0 {
            return None;
        }
        let most = name.len() / 3 + 1;
        let distance = |other: &str| {
            self.left.set(self.left.get().saturating_sub((name.len() * other.len()) as u64 + EACH));
            strsim::damerau_levenshtein(name, other)
        };
        let alike = |other: &&Cow<'a, str>| other.len().abs_diff(name.len()) <= 4 * most;
        let near = self.things.keys().filter(alike).map(|other| (distance(other), other.as_ref()));
        near.filter(|(distance, _)| *distance <= most).min().map(|(_, other)| other)
    }
}
