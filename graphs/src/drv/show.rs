//! A closure as people and programs read it.

use super::{Closure, Derivation};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What `nix derivation show` tells of a derivation, by the names that it uses.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown<'a> {
    args: &'a [String],
    builder: &'a str,
    env: &'a BTreeMap<String, String>,
    input_drvs: &'a BTreeMap<String, BTreeSet<String>>,
    input_srcs: &'a BTreeSet<String>,
    name: &'a str,
    outputs: BTreeMap<&'a str, ShownOutput<'a>>,
    system: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownOutput<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash_algo: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<&'a str>,
}

/// The derivations of a closure by path, or the root alone.
pub fn shown(closure: &Closure, all: bool) -> BTreeMap<&str, Shown<'_>> {
    let wanted = closure.derivations.iter().filter(|(path, _)| all || **path == closure.root);
    wanted.map(|(path, derivation)| (path.as_str(), one(derivation))).collect()
}

fn one(derivation: &Derivation) -> Shown<'_> {
    let outputs = derivation
        .outputs
        .iter()
        .map(|(name, output)| {
            let fixed = output.fixed.as_ref();
            let shown = ShownOutput {
                path: &output.path,
                hash_algo: fixed.map(super::Fixed::method),
                hash: fixed.map(|fixed| fixed.hash.as_str()),
            };
            (name.as_str(), shown)
        })
        .collect();
    Shown {
        args: &derivation.args,
        builder: &derivation.builder,
        env: &derivation.env,
        input_drvs: &derivation.inputs,
        input_srcs: &derivation.sources,
        name: derivation.name().unwrap_or_default(),
        outputs,
        system: &derivation.platform,
    }
}

/// The same as RON, each derivation below its path, in the order in which they are built.
pub fn ron(closure: &Closure, all: bool) -> String {
    let shown = shown(closure, all);
    let style = ron::ser::PrettyConfig::default();
    let mut text = String::from("{\n");
    for path in &closure.order {
        if let Some(derivation) = shown.get(path.as_str()) {
            // Strings, lists and maps of strings can always be written.
            let body = ron::ser::to_string_pretty(derivation, style.clone()).unwrap_or_default();
            text += &format!("    {path:?}: {},\n", body.replace('\n', "\n    "));
        }
    }
    text + "}\n"
}
