//! What a derivation demands of the references of its outputs. Source: `checkOutputs` in Nix's `local-derivation-goal.cc`.

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

const ATTRIBUTES: [(&str, bool, bool); 4] = [
    ("allowedReferences", false, false),
    ("allowedRequisites", false, true),
    ("disallowedReferences", true, false),
    ("disallowedRequisites", true, true),
];

/// All demands of a derivation.
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
    let Some(text) = derivation.env.get("__json") else {
        return Some(derivation.env.get(attribute)?.split_whitespace().map(str::to_owned).collect());
    };
    let attributes: serde_json::Value = serde_json::from_str(text).ok()?;
    let words = attributes.get("outputChecks")?.get(output)?.get(attribute)?.as_array()?;
    Some(words.iter().filter_map(|word| Some(word.as_str()?.to_owned())).collect())
}

impl Check {
    /// The names that break it, `direct` telling what each thing refers to itself.
    pub fn broken(&self, direct: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut waiting: Vec<&str> = vec![&self.output];
        let of = |name: &str| direct.get(name).into_iter().flatten();
        while let Some(name) = waiting.pop() {
            for other in of(name) {
                if seen.insert(other.clone()) && self.requisites {
                    waiting.push(other);
                }
            }
        }
        seen.into_iter().filter(|name| self.names.contains(name) == self.forbidden).collect()
    }
}
