//! What a plan is given: what was obtained, and outputs of earlier runs, with all that they refer to.

use super::resolved::ResolvedClosure;
use crate::run::prebuilt;
use formats::store_path::base;
use graphs::plan::{Given, Needs};
use graphs::{Kind, Resolved};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that the steps need and that is not built by them, by path.
pub fn given(ground: &ResolvedClosure, made: &prebuilt::All, needs: &Needs<'_>) -> BTreeMap<String, Given> {
    let mut given = BTreeMap::new();
    let mut waiting: Vec<String> = needs.given.keys().map(|path| (*path).to_owned()).collect();
    while let Some(path) = waiting.pop() {
        if given.contains_key(&path) {
            continue;
        }
        let one = match made.get(base(&path)) {
            Some(one) => output(ground, &path, one),
            None => match ground.obtained.get(&path) {
                Some(one) => one.given.clone(),
                // What is given may refer to what is built, in another version of its derivation.
                None => continue,
            },
        };
        waiting.extend(one.direct.iter().map(|name| format!("{}/{name}", ground.closure.store)));
        given.insert(path, one);
    }
    close(&mut given);
    given
}

/// An output of an earlier run. Its references are what PID 1 found in it.
fn output(ground: &ResolvedClosure, path: &str, one: &prebuilt::Given) -> Given {
    let makers = ground.closure.derivations.values();
    let fixed = makers.filter_map(|derivation| derivation.fixed()).find(|(output, _)| output.path == path);
    let ca = fixed.map(|(_, fixed)| format!("fixed:{}:{}", fixed.method(), fixed.nix32()));
    let direct: BTreeSet<String> = one.references.iter().cloned().collect();
    Given {
        // A NAR's hash, whatever is in it.
        resolved: Resolved { kind: Kind::Tree, sha256: one.sha256 },
        references: direct.clone(),
        direct,
        nar: (one.sha256, one.size),
        ca,
    }
}

/// What is referred to in turn counts too.
fn close(given: &mut BTreeMap<String, Given>) {
    let direct: BTreeMap<String, BTreeSet<String>> =
        given.iter().map(|(path, one)| (base(path).to_owned(), one.direct.clone())).collect();
    for (path, one) in given {
        let mut all = BTreeSet::new();
        let mut waiting = vec![base(path).to_owned()];
        while let Some(name) = waiting.pop() {
            let further = direct.get(&name).into_iter().flatten();
            waiting.extend(further.filter(|name| all.insert((*name).clone())).cloned());
        }
        one.references = all;
    }
}
