//! What has to be built and what has to be available.

use std::collections::{BTreeMap, BTreeSet};

use crate::drv::Closure;

/// What a root needs, some things being available.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildSet<'a> {
    /// The derivations to build, by path, each after all that it needs.
    pub build: Vec<&'a str>,
    /// The sources and outputs that must be available, by path, with a derivation that needs each.
    pub available: BTreeMap<&'a str, &'a str>,
}

/// Follows a root, one of the closure's paths, to what is available: `stop` says so of a derivation, by its path.
pub fn needs<'a>(closure: &'a Closure, root: &str, stop: &dyn Fn(&str) -> bool) -> BuildSet<'a> {
    let mut build = BTreeSet::new();
    let mut available = BTreeMap::new();
    let root = closure.derivations.get_key_value(root);
    let mut waiting: Vec<&str> = root.iter().map(|(path, _)| path.as_str()).collect();
    if let Some((path, derivation)) = root
        && stop(path)
    {
        available.extend(derivation.outputs.values().map(|output| (output.path.as_str(), path.as_str())));
        waiting.clear();
    }
    while let Some(path) = waiting.pop() {
        if !build.insert(path) {
            continue;
        }
        let derivation = closure.get(path);
        available.extend(derivation.sources.iter().map(|source| (source.as_str(), path)));
        for (input, outputs) in &derivation.inputs {
            if stop(input) {
                let made = &closure.get(input).outputs;
                available
                    .extend(outputs.iter().filter_map(|name| Some((made.get(name)?.path.as_str(), path))));
            } else {
                waiting.push(input);
            }
        }
    }
    let build = closure.order.iter().map(String::as_str).filter(|path| build.contains(path)).collect();
    BuildSet { build, available }
}
