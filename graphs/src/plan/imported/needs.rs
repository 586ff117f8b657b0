//! What has to be built and what has to be given.

use std::collections::{BTreeMap, BTreeSet};

use crate::drv::Closure;

/// What a root needs, some things being given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs<'a> {
    /// The derivations to build, by path, each after all that it needs.
    pub build: Vec<&'a str>,
    /// The sources and outputs that must be given, by path, with a derivation that needs each.
    pub given: BTreeMap<&'a str, &'a str>,
}

/// Follows the root to what is given: `stop` says so of a derivation, by its path.
pub fn needs<'a>(closure: &'a Closure, stop: &dyn Fn(&str) -> bool) -> Needs<'a> {
    let mut build = BTreeSet::new();
    let mut given = BTreeMap::new();
    let mut waiting = vec![closure.root.as_str()];
    if stop(&closure.root) {
        given.extend(
            closure.root().outputs.values().map(|output| (output.path.as_str(), closure.root.as_str())),
        );
        waiting.clear();
    }
    while let Some(path) = waiting.pop() {
        if !build.insert(path) {
            continue;
        }
        let derivation = closure.get(path);
        given.extend(derivation.sources.iter().map(|source| (source.as_str(), path)));
        for (input, outputs) in &derivation.inputs {
            if stop(input) {
                let made = &closure.get(input).outputs;
                given.extend(outputs.iter().filter_map(|name| Some((made.get(name)?.path.as_str(), path))));
            } else {
                waiting.push(input);
            }
        }
    }
    let build = closure.order.iter().map(String::as_str).filter(|path| build.contains(path)).collect();
    Needs { build, given }
}
