//! A step's key: the sha256 of all that its outputs follow from. Two steps with one key are the same build, in whichever graph
//! they stand.

use std::collections::BTreeMap;

use formats::digest::Sha256;

use super::{Error, Inputs, Resolved, write};
use crate::plan::Step;

/// The key of each step, by its name: of its text in the plan, of the inputs that it uses with their hashes, and of the keys of
/// the steps that it needs.
pub(super) fn keys(
    steps: impl Iterator<Item = Result<Step, Error>>,
    resolved: &BTreeMap<String, Resolved>,
) -> Result<BTreeMap<String, Sha256>, Error> {
    let mut keys = BTreeMap::new();
    for step in steps {
        let step = step?;
        let mut text = String::new();
        for name in step.inputs() {
            let input = resolved.get(name).ok_or_else(|| Error::Unresolved(name.to_owned()))?;
            write::input(&mut text, name, input, Inputs::Verified);
        }
        for name in step.steps() {
            let key: &Sha256 = keys
                .get(name)
                .ok_or_else(|| Error::Missing { step: step.name.clone(), name: name.to_owned() })?;
            text.push_str(&format!("key {name} {key}\n"));
        }
        write::step(&mut text, &step);
        keys.insert(step.name, Sha256::of(text));
    }
    Ok(keys)
}
