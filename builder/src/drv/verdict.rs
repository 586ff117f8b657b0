//! What derivations demand of the references of their outputs, held against what PID 1 found.

use super::Imported;
use crate::results::Results;
use std::collections::{BTreeMap, BTreeSet};

/// Each demand that is not met, in words.
pub fn broken(imported: &Imported, results: &Results) -> Vec<String> {
    let mut direct: BTreeMap<String, BTreeSet<String>> = imported.direct.clone();
    for output in &results.outputs {
        direct.insert(output.name.clone(), output.references.iter().cloned().collect());
    }
    let made: BTreeSet<&str> = results.outputs.iter().map(|output| output.name.as_str()).collect();
    let mut broken = Vec::new();
    for check in imported.checks.iter().filter(|check| made.contains(check.output.as_str())) {
        let names: Vec<_> = check.broken(&direct).into_iter().collect();
        if !names.is_empty() {
            broken.push(format!(
                "output {}: {} does not allow that it refers to {}",
                check.output,
                check.attribute,
                names.join(", ")
            ));
        }
    }
    broken.extend(cycles(results));
    broken
}

/// Outputs of one step that refer to each other: whoever has one could never be rid of the other, so Nix refuses them.
fn cycles(results: &Results) -> Vec<String> {
    let mut cycles = Vec::new();
    for start in &results.outputs {
        let siblings = |name: &str| {
            results.outputs.iter().find(|output| output.step == start.step && output.name == name)
        };
        let (mut seen, mut waiting) = (BTreeSet::new(), vec![start]);
        while let Some(output) = waiting.pop() {
            let others = output.references.iter().filter(|name| **name != output.name);
            waiting.extend(
                others.filter_map(|name| siblings(name)).filter(|other| seen.insert(other.name.as_str())),
            );
        }
        if seen.contains(start.name.as_str()) {
            cycles.push(format!(
                "output {}: it refers to itself through other outputs of its derivation",
                start.name
            ));
        }
    }
    cycles
}
