//! What a derivation demands of the references and the size of its outputs. Source: `checkOutputs` in Nix's `local-derivation-goal.cc`.

use std::collections::{BTreeMap, BTreeSet};

use super::platform;
use crate::drv::{Closure, Derivation};
use formats::store_path::{self, base};
use serde_json::Value;

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
            if let Ok(Some(bytes)) = size(derivation, name, attribute) {
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
            if let Ok(Some(words)) = words(derivation, name, attribute) {
                let names = words.iter().filter_map(|word| specified(closure, derivation, word)).collect();
                let output = base(&output.path).to_owned();
                checks.push(Check { attribute, output, names, forbidden, requisites });
            }
        }
        // Guix lets it refer to whatever it likes.
        if output.fixed.is_some() && closure.store != platform::GUIX_STORE {
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

/// What is wrong with the demands themselves, if anything is.
pub(super) fn wrong(closure: &Closure, derivation: &Derivation) -> Option<String> {
    let of_output = |output: &String| {
        let lists = ATTRIBUTES.iter().find_map(|(attribute, ..)| {
            let words = match words(derivation, output, attribute) {
                Ok(words) => words.unwrap_or_default(),
                Err(what) => return Some(what),
            };
            let odd = words.iter().find(|word| specified(closure, derivation, word).is_none())?;
            Some(format!(
                "{attribute} names {odd:?}, which is neither an output of it nor a path in the store"
            ))
        });
        let sizes = || LIMITS.iter().find_map(|(attribute, _)| size(derivation, output, attribute).err());
        lists.or_else(sizes)
    };
    derivation.outputs.keys().find_map(of_output)
}

/// The base name of what a word stands for: an output, or a path directly in the store.
fn specified(closure: &Closure, derivation: &Derivation, word: &str) -> Option<String> {
    let in_store = || {
        let base = word.strip_prefix(closure.store.as_str())?.strip_prefix('/')?;
        (!base.contains('/') && store_path::name(base).is_some()).then_some(base)
    };
    let path = derivation.outputs.get(word).map(|output| base(&output.path));
    path.or_else(in_store).map(str::to_owned)
}

fn words(derivation: &Derivation, output: &str, attribute: &str) -> Result<Option<Vec<String>>, String> {
    if !derivation.env.contains_key("__json") {
        let words = derivation.env.get(attribute);
        return Ok(words.map(|words| words.split_whitespace().map(str::to_owned).collect()));
    }
    let list = match demand(derivation, output, attribute) {
        None => return Ok(None),
        Some(Value::Array(list)) => list,
        // What is none counts as a list of one, and nothing as one of none.
        Some(Value::Null) => vec![],
        Some(value) => vec![value],
    };
    let words = list.iter().map(|word| word.as_str().map(str::to_owned)).collect::<Option<_>>();
    words.map(Some).ok_or_else(|| format!("{attribute} of the output {output} is no list of strings"))
}

/// A number of bytes; what is behind a point does not count.
fn size(derivation: &Derivation, output: &str, attribute: &str) -> Result<Option<u64>, String> {
    match demand(derivation, output, attribute) {
        None => Ok(None),
        Some(Value::Number(number)) => Ok(number
            .as_u64()
            .or_else(|| number.as_f64().filter(|bytes| *bytes >= 0.0).map(|bytes| bytes as u64))),
        Some(_) => Err(format!("{attribute} of the output {output} is no number")),
    }
}

/// What the structured attributes say of an output.
fn demand(derivation: &Derivation, output: &str, attribute: &str) -> Option<Value> {
    let attributes: Value = serde_json::from_str(derivation.env.get("__json")?).ok()?;
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
