//! Output paths follow from the content: whoever changes a byte of a derivation changes them.
//!
//! A derivation's hash modulo fixed outputs is the sha256 of its file with each derivation that it needs replaced by the hash
//! of that; a fixed output counts by its declared content alone. Source: E. Dolstra (2006), figure 5.9; `hashDerivationModulo`
//! in Nix's `src/libstore/derivations.cc`.

use super::{Derivation, Fixed, path, write};
use std::collections::BTreeMap;

/// Hashes of derivations by their paths, in hex.
pub type Hashes = BTreeMap<String, String>;

/// The hash that stands for a derivation in those that need it. `None` where a hash is missing.
pub fn hash(derivation: &Derivation, hashes: &Hashes) -> Option<String> {
    if let Some((output, fixed)) = derivation.fixed() {
        return Some(path::sha256(format!("{}{}", content(fixed), output.path).as_bytes()));
    }
    Some(path::sha256(replaced(derivation, hashes, false)?.as_bytes()))
}

/// The paths that its outputs must have, by name.
pub fn paths(
    derivation: &Derivation,
    hashes: &Hashes,
    store: &str,
    name: &str,
) -> Option<BTreeMap<String, String>> {
    if let Some((_, fixed)) = derivation.fixed() {
        return Some([("out".to_owned(), fixed_path(fixed, store, name))].into());
    }
    let masked = path::sha256(replaced(derivation, hashes, true)?.as_bytes());
    let path = |output: &String| {
        let named = if output == "out" { name.to_owned() } else { format!("{name}-{output}") };
        (output.clone(), path::make(&format!("output:{output}"), &masked, store, &named))
    };
    Some(derivation.outputs.keys().map(path).collect())
}

/// The path of a file whose text is known, such as a derivation's own; `references` ascend.
pub fn text_path<'a>(
    text: &[u8],
    references: impl Iterator<Item = &'a str>,
    store: &str,
    name: &str,
) -> String {
    let kind = references.fold("text".to_owned(), |kind, reference| kind + ":" + reference);
    path::make(&kind, &path::sha256(text), store, name)
}

/// The path of a derivation with this text.
pub fn own_path(text: &[u8], derivation: &Derivation, store: &str, name: &str) -> String {
    let mut references: Vec<_> =
        derivation.inputs.keys().chain(&derivation.sources).map(String::as_str).collect();
    references.sort_unstable();
    text_path(text, references.into_iter(), store, &format!("{name}.drv"))
}

fn fixed_path(fixed: &Fixed, store: &str, name: &str) -> String {
    if fixed.recursive && fixed.algorithm == super::Algorithm::Sha256 {
        return path::make("source", &fixed.hash, store, name);
    }
    path::make("output:out", &path::sha256(content(fixed).as_bytes()), store, name)
}

fn content(fixed: &Fixed) -> String {
    format!("fixed:out:{}:{}:", fixed.method(), fixed.hash)
}

fn replaced(derivation: &Derivation, hashes: &Hashes, masked: bool) -> Option<String> {
    let mut inputs: BTreeMap<_, std::collections::BTreeSet<String>> = BTreeMap::new();
    for (path, outputs) in &derivation.inputs {
        inputs.entry(hashes.get(path)?.clone()).or_default().extend(outputs.iter().cloned());
    }
    Some(write::modulo(derivation, &inputs, masked))
}
