//! Outputs that are there already: the steps that made them are left out of the plan, and whoever needs them finds them among
//! the inputs, under the output's base name. Names are unique across inputs and outputs, since they share a store.

use std::collections::BTreeMap;

use super::Resolved;
use super::step::{Bind, From, RootfsEntry, Step};

/// The step as it is to be built; nothing if all its outputs are among `resolved`.
pub fn remaining(mut step: Step, resolved: &BTreeMap<String, Resolved>) -> Option<Step> {
    if step.outputs.iter().all(|output| resolved.contains_key(&output.name)) {
        return None;
    }
    for world in &mut step.world {
        if let RootfsEntry::Bind(Bind { from, .. }) = world
            && let From::Output { base, .. } = from
            && resolved.contains_key(base)
        {
            *from = From::Input(std::mem::take(base));
        }
    }
    Some(step)
}
