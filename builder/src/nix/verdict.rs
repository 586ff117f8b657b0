//! What derivations demand of their outputs, held against what PID 1 found: of their references, and of their content where that is
//! by a hash that PID 1 does not know.

use super::{Imported, hash};
use crate::failure::Failure;
use crate::run::results::Output;
use crate::run::results::Results;
use graphs::drv::Fixed;
use std::collections::{BTreeMap, BTreeSet};

/// Each demand that is not met: the output, and in words.
pub fn broken(imported: &Imported, results: &Results) -> Vec<(String, String)> {
    let mut direct: BTreeMap<String, BTreeSet<String>> = imported.direct.clone();
    for output in &results.outputs {
        direct.insert(output.name.clone(), output.references.iter().cloned().collect());
    }
    let made: BTreeSet<&str> = results.outputs.iter().map(|output| output.name.as_str()).collect();
    let mut broken = Vec::new();
    for check in imported.checks.iter().filter(|check| made.contains(check.output.as_str())) {
        let names: Vec<_> = check.broken(&direct).into_iter().collect();
        if !names.is_empty() {
            let (output, attribute, names) = (&check.output, &check.attribute, names.join(", "));
            let text = format!("output {output}: {attribute} does not allow that it refers to {names}");
            broken.push((output.clone(), text));
        }
    }
    let mut sizes = imported.sizes.clone();
    sizes.extend(results.outputs.iter().map(|output| (output.name.clone(), output.size)));
    for limit in imported.limits.iter().filter(|limit| made.contains(limit.output.as_str())) {
        if let Some(bytes) = limit.broken(&direct, &sizes) {
            let (output, attribute, allowed) = (&limit.output, limit.attribute, limit.bytes);
            let text = format!("output {output}: {attribute} allows {allowed} bytes, and there are {bytes}");
            broken.push((output.clone(), text));
        }
    }
    broken.extend(cycles(results));
    broken
}

/// Whether an output, whose NAR these bytes are, is what it is declared to be.
pub fn fixed(output: &Output, fixed: &Fixed, bytes: &[u8]) -> Result<(), Failure> {
    let about = |what: String| Err(Failure::Build(format!("output {}: {what}", output.name)));
    let content = if fixed.recursive { Some(bytes) } else { formats::nar::read::plain(bytes) };
    match content.map(|content| hash::of(content, fixed.algorithm)) {
        None => about("anything but a plain file that is not executable is not allowed".into()),
        Some(found) if found == fixed.hash => Ok(()),
        Some(found) => about(format!("expected {} {}, found {found}", fixed.method(), fixed.hash)),
    }
}

/// Outputs of one step that refer to each other: whoever has one could never be rid of the other, so Nix refuses them.
fn cycles(results: &Results) -> Vec<(String, String)> {
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
            let name = &start.name;
            let text = format!("output {name}: it refers to itself through other outputs of its derivation");
            cycles.push((name.clone(), text));
        }
    }
    cycles
}
