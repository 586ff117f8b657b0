//! Outputs that are there already: the steps that made them are left out of the plan, and whoever needs them finds them among
//! the inputs, under the output's base name. Names are unique across inputs and outputs, since they share a store.

use std::collections::BTreeMap;

use super::Resolved;
use super::step::{Bind, From, RootfsEntry, Step};

/// The step as it is to be built; nothing if all its outputs are among `resolved`.
pub fn remaining(step: Step, resolved: &BTreeMap<String, Resolved>) -> Option<Step> {
    let made = |base: &String| resolved.contains_key(base);
    (!step.outputs.iter().all(|output| made(&output.name))).then(|| with_inputs(step, made))
}

/// The step with inputs in the place of the outputs that are there already.
pub fn with_inputs(mut step: Step, made: impl Fn(&String) -> bool) -> Step {
    for world in &mut step.world {
        if let RootfsEntry::Bind(Bind { from, .. }) = world
            && let From::Output { base, .. } = from
            && made(base)
        {
            *from = From::Input(std::mem::take(base));
        }
    }
    step
}
