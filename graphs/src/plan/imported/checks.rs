//! What a derivation demands of the references and the size of its outputs. Source: `checkOutputs` in Nix's `local-derivation-goal.cc`.

use std::collections::{BTreeMap, BTreeSet};

use crate::drv::path::base;
use crate::drv::{Closure, Derivation};

/// One demand on one output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The attribute that makes it.
    pub attribute: &'static str,
    /// The output's base name.
    pub output: String,
    /// Base names that may, or must not, be referred to.
    pub names: BTreeSet<String>,
    /// The names are forbidden, and not the only ones that are allowed.
    pub forbidden: bool,
    /// What is referred to through others counts too.
    pub requisites: bool,
}

/// A limit on what one output may take, in bytes of NARs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// The attribute that sets it.
    pub attribute: &'static str,
    /// The output's base name.
    pub output: String,
    /// In bytes.
    pub bytes: u64,
    /// All that it refers to counts too.
    pub closure: bool,
}

const ATTRIBUTES: [(&str, bool, bool); 4] = [
    ("allowedReferences", false, false),
    ("allowedRequisites", false, true),
    ("disallowedReferences", true, false),
    ("disallowedRequisites", true, true),
];

const LIMITS: [(&str, bool); 2] = [("maxSize", false), ("maxClosureSize", true)];

/// All limits that a derivation sets, which only structured attributes can.
pub fn limits(derivation: &Derivation) -> Vec<Limit> {
    let mut limits = Vec::new();
    for (name, output) in &derivation.outputs {
        for (attribute, closure) in LIMITS {
            if let Some(bytes) = demand(derivation, name, attribute).and_then(|value| value.as_u64()) {
                limits.push(Limit { attribute, output: base(&output.path).to_owned(), bytes, closure });
            }
        }
    }
    limits
}

/// All demands of a derivation on references.
pub fn checks(closure: &Closure, derivation: &Derivation) -> Vec<Check> {
    let mut checks = Vec::new();
    for (name, output) in &derivation.outputs {
        for (attribute, forbidden, requisites) in ATTRIBUTES {
            if let Some(words) = words(derivation, name, attribute) {
                let path = |word: &String| match derivation.outputs.get(word) {
                    Some(output) => base(&output.path).to_owned(),
                    None => word.strip_prefix(&format!("{}/", closure.store)).unwrap_or(word).to_owned(),
                };
                let (output, names) = (base(&output.path).to_owned(), words.iter().map(path).collect());
                checks.push(Check { attribute, output, names, forbidden, requisites });
            }
        }
        if output.fixed.is_some() {
            let (attribute, output) = ("a fixed output", base(&output.path).to_owned());
            checks.push(Check {
                attribute,
                output,
                names: BTreeSet::new(),
                forbidden: false,
                requisites: false,
            });
        }
    }
    checks
}

fn words(derivation: &Derivation, output: &str, attribute: &str) -> Option<Vec<String>> {
    if !derivation.env.contains_key("__json") {
        return Some(derivation.env.get(attribute)?.split_whitespace().map(str::to_owned).collect());
    }
    let words = demand(derivation, output, attribute)?;
    Some(words.as_array()?.iter().filter_map(|word| Some(word.as_str()?.to_owned())).collect())
}

/// What the structured attributes say of an output.
fn demand(derivation: &Derivation, output: &str, attribute: &str) -> Option<serde_json::Value> {
    let attributes: serde_json::Value = serde_json::from_str(derivation.env.get("__json")?).ok()?;
    Some(attributes.get("outputChecks")?.get(output)?.get(attribute)?.clone())
}

impl Check {
    /// The names that break it, `direct` telling what each thing refers to itself.
    pub fn broken(&self, direct: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
        reached(&self.output, direct, self.requisites)
            .into_iter()
            .filter(|name| self.names.contains(name) == self.forbidden)
            .collect()
    }
}

impl Limit {
    /// The bytes that there are, where they are more, `sizes` telling those of each thing.
    pub fn broken(
        &self,
        direct: &BTreeMap<String, BTreeSet<String>>,
        sizes: &BTreeMap<String, u64>,
    ) -> Option<u64> {
        let mut counted = if self.closure { reached(&self.output, direct, true) } else { BTreeSet::new() };
        counted.insert(self.output.clone());
        let bytes = counted.iter().filter_map(|name| sizes.get(name)).sum();
        (bytes > self.bytes).then_some(bytes)
    }
}

/// What something refers to itself, or all that it refers to.
fn reached(start: &str, direct: &BTreeMap<String, BTreeSet<String>>, all: bool) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![start];
    while let Some(name) = waiting.pop() {
        for other in direct.get(name).into_iter().flatten() {
            if seen.insert(other.clone()) && all {
                waiting.push(other);
            }
        }
    }
    seen
}
