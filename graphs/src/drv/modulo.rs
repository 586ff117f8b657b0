//! Output paths follow from the content: whoever changes a byte of a derivation changes them.
//!
//! A derivation's hash modulo fixed outputs is the sha256 of its file with each derivation that it needs replaced by the hash
//! of that; a fixed output counts by its declared content alone. Source: E. Dolstra (2006), figure 5.9; `hashDerivationModulo`
//! in Nix's `src/libstore/derivations.cc`.

use super::{Derivation, Fixed, write};
use formats::digest::Sha256;
use formats::store_path;
use std::collections::{BTreeMap, BTreeSet};

/// The hash that stands for a derivation in those that need it, in hex; `needed` are those of the derivations that it needs
/// itself, in the order of their paths.
pub fn hash(derivation: &Derivation, needed: &[&str]) -> String {
    if let Some((output, fixed)) = derivation.fixed() {
        return Sha256::of(format!("{}{}", content(fixed), output.path)).to_string();
    }
    Sha256::of(replaced(derivation, needed, false)).to_string()
}

/// The paths that its outputs must have, by name.
pub fn paths(derivation: &Derivation, needed: &[&str], store: &str, name: &str) -> BTreeMap<String, String> {
    if let Some((_, fixed)) = derivation.fixed() {
        return [("out".to_owned(), fixed_path(fixed, store, name))].into();
    }
    let masked = Sha256::of(replaced(derivation, needed, true));
    let path = |output: &String| {
        let named = if output == "out" { name.to_owned() } else { format!("{name}-{output}") };
        (output.clone(), store_path::make(&format!("output:{output}"), masked, store, &named))
    };
    derivation.outputs.keys().map(path).collect()
}

/// The path of a file whose text is known, such as a derivation's own; `references` ascend.
pub fn text_path<'a>(
    text: &[u8],
    references: impl Iterator<Item = &'a str>,
    store: &str,
    name: &str,
) -> String {
    let kind = references.fold("text".to_owned(), |kind, reference| kind + ":" + reference);
    store_path::make(&kind, Sha256::of(text), store, name)
}

/// The path of a derivation with this text.
pub fn own_path(text: &[u8], derivation: &Derivation, store: &str, name: &str) -> String {
    let mut references: Vec<_> =
        derivation.inputs.keys().chain(&derivation.sources).map(String::as_str).collect();
    references.sort_unstable();
    // A derivation may be needed as the file that it is, too.
    references.dedup();
    text_path(text, references.into_iter(), store, &format!("{name}.drv"))
}

fn fixed_path(fixed: &Fixed, store: &str, name: &str) -> String {
    match fixed.nar_sha256() {
        Some(nar) => store_path::make("source", nar, store, name),
        None => store_path::make("output:out", Sha256::of(content(fixed)), store, name),
    }
}

fn content(fixed: &Fixed) -> String {
    format!("fixed:out:{}:{}:", fixed.method(), fixed.hash)
}

/// Its text with hashes for the derivations that it needs. Two of them may have the same: fixed outputs of the same content.
fn replaced(derivation: &Derivation, needed: &[&str], masked: bool) -> String {
    let mut inputs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (outputs, hash) in derivation.inputs.values().zip(needed) {
        inputs.entry(hash).or_default().extend(outputs.iter().map(String::as_str));
    }
    write::modulo(derivation, &inputs, masked)
}
