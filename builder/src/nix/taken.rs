//! What is available to a plan: what was obtained, and outputs of earlier runs, with all that they refer to.

use super::resolved::ResolvedClosure;
use crate::run::prebuilt;
use formats::store_path::base;
use graphs::plan::{BuildSet, PathInfo};
use graphs::{Kind, Resolved};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that the steps need and that is not built by them, by path.
pub fn available(
    ground: &ResolvedClosure,
    made: &prebuilt::All,
    needs: &BuildSet<'_>,
) -> BTreeMap<String, PathInfo> {
    let mut available = BTreeMap::new();
    let mut waiting: Vec<String> = needs.available.keys().map(|path| (*path).to_owned()).collect();
    while let Some(path) = waiting.pop() {
        if available.contains_key(&path) {
            continue;
        }
        let one = match made.get(base(&path)) {
            Some(one) => output(ground, &path, one),
            None => match ground.obtained.get(&path) {
                Some(one) => one.info.clone(),
                // What is obtained may refer to what is built, in another version of its derivation.
                None => continue,
            },
        };
        waiting.extend(one.direct.iter().map(|name| format!("{}/{name}", ground.closure.store)));
        available.insert(path, one);
    }
    close(&mut available);
    available
}

/// An output of an earlier run. Its references are what PID 1 found in it.
fn output(ground: &ResolvedClosure, path: &str, one: &prebuilt::Prebuilt) -> PathInfo {
    let makers = ground.closure.derivations.values();
    let fixed = makers.filter_map(|derivation| derivation.fixed()).find(|(output, _)| output.path == path);
    let ca = fixed.map(|(_, fixed)| format!("fixed:{}:{}", fixed.method(), fixed.nix32()));
    let direct: BTreeSet<String> = one.references.iter().cloned().collect();
    PathInfo {
        // A NAR's hash, whatever is in it.
        resolved: Resolved { kind: Kind::Tree, sha256: one.sha256 },
        references: direct.clone(),
        direct,
        nar: (one.sha256, one.size),
        ca,
    }
}

/// What is referred to in turn counts too.
fn close(available: &mut BTreeMap<String, PathInfo>) {
    let direct: BTreeMap<String, BTreeSet<String>> =
        available.iter().map(|(path, one)| (base(path).to_owned(), one.direct.clone())).collect();
    for (path, one) in available {
        let mut all = BTreeSet::new();
        let mut waiting = vec![base(path).to_owned()];
        while let Some(name) = waiting.pop() {
            let further = direct.get(&name).into_iter().flatten();
            waiting.extend(further.filter(|name| all.insert((*name).clone())).cloned());
        }
        one.references = all;
    }
}
