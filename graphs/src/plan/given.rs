//! Outputs that are there already: the steps that made them are left out of the plan, and whoever needs them finds them among
//! the inputs, under the output's base name. Names are unique across inputs and outputs, since they share a store.

use std::collections::{BTreeMap, BTreeSet};

use super::step::{Bind, From, Step, World};
use super::{Error, Resolved};

/// Which steps are left to be built.
pub(super) struct Given<'a> {
    resolved: &'a BTreeMap<String, Resolved>,
    /// The names of the steps that are left; none where nothing is given, and all are.
    left: Option<BTreeSet<String>>,
}

impl<'a> Given<'a> {
    /// Of these steps, in their order, as many as `targets` need that are not among `resolved` with all their outputs.
    pub fn of(
        steps: impl Iterator<Item = Result<Step, Error>>,
        targets: &BTreeSet<&str>,
        resolved: &'a BTreeMap<String, Resolved>,
    ) -> Result<Self, Error> {
        let mut all = Vec::new();
        for step in steps {
            let step = step?;
            let is_given = step.outputs.iter().all(|output| resolved.contains_key(&output.name));
            let needs: Vec<String> = step.steps().into_iter().map(str::to_owned).collect();
            all.push((step.name, is_given, needs));
        }
        let mut left: BTreeSet<String> = targets.iter().map(|&name| name.to_owned()).collect();
        for (name, is_given, needs) in all.into_iter().rev() {
            if is_given {
                left.remove(&name);
            } else if left.contains(&name) {
                left.extend(needs);
            }
        }
        Ok(Self { resolved, left: Some(left) })
    }

    /// All of them.
    pub fn nothing(resolved: &'a BTreeMap<String, Resolved>) -> Self {
        Self { resolved, left: None }
    }

    /// The step as it is to be built, if it is.
    pub fn left(&self, mut step: Step) -> Option<Step> {
        let Some(left) = &self.left else { return Some(step) };
        if !left.contains(&step.name) {
            return None;
        }
        for world in &mut step.world {
            if let World::Bind(Bind { from, .. }) = world
                && let From::Output { base, .. } = from
                && self.resolved.contains_key(base)
            {
                *from = From::Input(std::mem::take(base));
            }
        }
        Some(step)
    }
}
