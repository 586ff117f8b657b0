//! The plan: the graph in one total order, with nothing left to decide.
//!
//! The grammar is in the crate `formats`, whose reader enforces it; this side only writes it. A derivation becomes
//! a [`Step`] (`native`), which holds all that a plan says of it, and a step becomes text (`write`).

pub mod imported;
mod keys;
pub(crate) mod native;
mod prebuilt;
mod step;
pub(crate) mod world;
mod write;

use std::collections::{BTreeMap, BTreeSet};

pub use imported::{BuildSet, PathInfo, Planned};
pub use step::{
    Bind, Device, Expected, From, Output, Owner, PidOne, RESOURCES, RootfsEntry, Rules, Step, Whole,
};

use crate::index::Index;
use crate::model::{Graph, Kind};
use crate::order::{self, order};
use crate::select::Choices;
use formats::digest::Sha256;

/// What PID 1 credits to the kernel's random numbers: the sha256 of the ASCII text `groundup`. It is no secret and need
/// not be one; it has to be the same in every run.
pub const ENTROPY: &str = "afd5bf76f54ba6be34ff8a589794ea1baa379ef382d731ef8b32a272fceacf57";

/// An input as it was fetched and verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Its form in the image.
    pub kind: Kind,
    /// Of the bytes of a file, of the NAR of a tree.
    pub sha256: Sha256,
}

/// What happens to the steps that don't need a failed one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Failure {
    /// They are not built.
    #[default]
    Stop,
    /// They are built.
    Continue,
}

/// Whether PID 1 asks for the hashes of inputs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Inputs {
    /// Before the first use of each.
    #[default]
    Verified,
    /// It does not, and says so: for who has packed the image a moment ago and asks whether builds differ, not whom to trust.
    Unverified,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The graph has no order.
    #[error(transparent)]
    Order(#[from] order::Error),
    /// The graph was not checked: it names something that is not there.
    #[error("`{step}` needs `{name}`, which the graph does not have")]
    Missing {
        /// The derivation.
        step: String,
        /// What it names.
        name: String,
    },
    /// An input that a step uses was not handed over.
    #[error("the input `{0}` is not resolved")]
    Unresolved(String),
    /// A path inside an input that is a single file.
    #[error("`{step}` wants `{path}` inside the input `{name}`, which is a single file")]
    Inside {
        /// The derivation.
        step: String,
        /// The input.
        name: String,
        /// The path inside it.
        path: String,
    },
}

/// The plan's bytes. Of the steps whose outputs are all among `resolved`, under their base names, none is in it: what was
/// built before is an input now.
pub fn plan(
    graph: &Graph,
    choices: &Choices,
    resolved: &BTreeMap<String, Resolved>,
    failure: Failure,
) -> Result<String, Error> {
    text(
        write::head(failure, ENTROPY),
        || remaining_steps(graph, choices, resolved),
        resolved,
        Inputs::Verified,
    )
}

/// One step as a plan of its own. What earlier steps made is among `resolved` under its base name, and is an input of it.
pub fn unit(step: Step, resolved: &BTreeMap<String, Resolved>) -> Result<String, Error> {
    let made = |base: &String| resolved.contains_key(base);
    let step = prebuilt::with_inputs(step, made);
    let steps = || Ok(std::iter::once(Ok(step.clone())));
    text(write::head(Failure::Stop, ENTROPY), steps, resolved, Inputs::Verified)
}

/// The bytes of a plan of these steps, in this order; `entropy` is the sha256 that PID 1 credits. `refers` tells the base names of
/// all that an input refers to, where that matters: then all inputs are there from the beginning to the end.
pub fn script(
    steps: &[Step],
    resolved: &BTreeMap<String, Resolved>,
    refers: &BTreeMap<String, BTreeSet<String>>,
    failure: Failure,
    entropy: &str,
    asked: Inputs,
) -> Result<String, Error> {
    let mut text = write::head(failure, entropy);
    if refers.is_empty() {
        return self::text(text, || Ok(steps.iter().cloned().map(Ok)), resolved, asked);
    }
    resolved.iter().for_each(|(name, input)| write::input(&mut text, name, input, asked));
    for (name, others) in refers {
        others.iter().for_each(|other| write::refers(&mut text, name, other));
    }
    for step in steps {
        write::step(&mut text, step);
        write::drop(&mut text, "output", &step.name);
    }
    Ok(text)
}

fn text<I: Iterator<Item = Result<Step, Error>>>(
    mut text: String,
    steps: impl Fn() -> Result<I, Error>,
    resolved: &BTreeMap<String, Resolved>,
    asked: Inputs,
) -> Result<String, Error> {
    let mut written = BTreeSet::new();
    let last_uses = LastUses::of(steps()?)?;
    for (number, step) in steps()?.enumerate() {
        let step = step?;
        for name in step.inputs() {
            if !written.contains(name) {
                let input = resolved.get(name).ok_or_else(|| Error::Unresolved(name.to_owned()))?;
                write::input(&mut text, name, input, asked);
                written.insert(name.to_owned());
            }
        }
        inside_trees_only(&step, resolved)?;
        write::step(&mut text, &step);
        let done = last_uses.at(number);
        done.inputs.iter().for_each(|name| write::drop(&mut text, "input", name));
        done.outputs.iter().for_each(|step| write::drop(&mut text, "output", step));
    }
    Ok(text)
}

/// What is used for the last time by a step, so that its memory can be freed then.
#[derive(Default)]
struct Done {
    inputs: BTreeSet<String>,
    /// By the step that made them. The outputs that no step uses are done with at once: they are hashed and exported.
    outputs: BTreeSet<String>,
}

/// By the number of the step.
struct LastUses(BTreeMap<usize, Done>);

impl LastUses {
    fn of(steps: impl Iterator<Item = Result<Step, Error>>) -> Result<Self, Error> {
        let (mut inputs, mut outputs) = (BTreeMap::new(), BTreeMap::new());
        for (number, step) in steps.enumerate() {
            let step = step?;
            inputs.extend(step.inputs().into_iter().map(|name| (name.to_owned(), number)));
            outputs.extend(step.steps().into_iter().map(|name| (name.to_owned(), number)));
            outputs.insert(step.name, number);
        }
        let mut done: BTreeMap<usize, Done> = BTreeMap::new();
        for (name, number) in inputs {
            done.entry(number).or_default().inputs.insert(name);
        }
        for (step, number) in outputs {
            done.entry(number).or_default().outputs.insert(step);
        }
        Ok(Self(done))
    }

    fn at(&self, number: usize) -> &Done {
        const NOTHING: &Done = &Done { inputs: BTreeSet::new(), outputs: BTreeSet::new() };
        self.0.get(&number).unwrap_or(NOTHING)
    }
}

/// The steps of the plan, in its order.
pub fn steps<'a>(
    graph: &'a Graph,
    choices: &'a Choices,
) -> Result<impl Iterator<Item = Result<Step, Error>> + 'a, Error> {
    let (index, _) = Index::of(graph);
    let order = order(graph, choices)?;
    Ok(order.into_iter().map(move |name| native::step(graph, &index, choices, name)))
}

/// The steps of the plan that are left to be built, in its order, once outputs among `resolved` are taken as they are.
pub fn remaining_steps<'a>(
    graph: &'a Graph,
    choices: &'a Choices,
    resolved: &'a BTreeMap<String, Resolved>,
) -> Result<impl Iterator<Item = Result<Step, Error>> + 'a, Error> {
    let left = |step: Result<Step, Error>| step.map(|step| prebuilt::remaining(step, resolved)).transpose();
    Ok(steps(graph, choices)?.filter_map(left))
}

/// The key of each step, by its name: a sha256 of all that its outputs follow from, whatever was built before.
pub fn keys(
    graph: &Graph,
    choices: &Choices,
    resolved: &BTreeMap<String, Resolved>,
) -> Result<BTreeMap<String, Sha256>, Error> {
    keys::keys(steps(graph, choices)?, resolved)
}

/// The memory in bytes that a machine needs for its steps: the most that any one of them may take, its builder's
/// memory and its two file systems, filled. Outputs that are kept, and the image, come on top.
pub fn memory(graph: &Graph, choices: &Choices) -> Result<u64, order::Error> {
    let steps = order(graph, choices)?;
    let needs = steps.iter().filter_map(|name| graph.derivations.get(*name));
    Ok(needs.map(|step| step.memory.saturating_add(step.space.saturating_mul(2))).max().unwrap_or(0))
}

/// A path inside an input makes sense only in a tree, and what a place gives is known for sure only now.
fn inside_trees_only(step: &Step, resolved: &BTreeMap<String, Resolved>) -> Result<(), Error> {
    for world in &step.world {
        if let RootfsEntry::Bind(Bind { from: From::Input(name), inside: Some(path), .. }) = world
            && resolved.get(name).is_some_and(|input| !matches!(input.kind, Kind::Tree | Kind::Data))
        {
            return Err(Error::Inside { step: step.name.clone(), name: name.clone(), path: path.clone() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use formats::digest::Sha256;

    use super::*;

    #[test]
    fn the_entropy_is_what_its_documentation_says() {
        assert_eq!(ENTROPY, Sha256::of("groundup").to_string());
    }
}
