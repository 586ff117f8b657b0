//! A builder's environment: below the derivation's own what a daemon falls back on, above it what it insists on.

use std::collections::BTreeMap;

use super::Source;
use crate::drv::Derivation;
use formats::digest::Sha256;

/// Where Nix builds.
pub(super) const TOP: &str = "/build";

fn before(store: &str) -> [(&'static str, &str); 4] {
    [("PATH", "/path-not-set"), ("HOME", "/homeless-shelter"), ("NIX_STORE", store), ("NIX_BUILD_CORES", "1")]
}

const TEMPORARY: [&str; 6] = ["NIX_BUILD_TOP", "TMPDIR", "TEMPDIR", "TMP", "TEMP", "PWD"];

/// As Nix makes it; `own` is what the derivation's variables have become.
pub(super) fn nix(source: &Source<'_>, own: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut env = base(source, own, TOP);
    if source.derivation.fixed().is_some() {
        env.insert("NIX_OUTPUT_CHECKED".into(), "1".into());
    }
    env.extend(impure(source.derivation));
    env.insert("NIX_LOG_FD".into(), "2".into());
    env.insert("TERM".into(), "xterm-256color".into());
    env
}

/// As Guix makes it.
pub(super) fn guix(source: &Source<'_>, top: &str) -> BTreeMap<String, String> {
    let mut env = base(source, source.derivation.env.clone(), top);
    env.extend(impure(source.derivation));
    env
}

/// What a fixed output is to have of the daemon's environment, in which there is nothing here.
fn impure(derivation: &Derivation) -> impl Iterator<Item = (String, String)> {
    let names = derivation.fixed().and_then(|_| derivation.env.get("impureEnvVars"));
    names.into_iter().flat_map(|names| names.split_whitespace()).map(|name| (name.to_owned(), String::new()))
}

fn base(source: &Source<'_>, own: BTreeMap<String, String>, top: &str) -> BTreeMap<String, String> {
    let before = before(&source.closure.store).map(|(name, value)| (name.to_owned(), value.to_owned()));
    let after = TEMPORARY.map(|name| (name.to_owned(), top.to_owned()));
    before.into_iter().chain(own).chain(after).collect()
}

/// The text with the paths of outputs in the place of what stands for them.
pub(super) fn placeholders(derivation: &Derivation, text: &str) -> String {
    let mut text = text.to_owned();
    for (name, output) in &derivation.outputs {
        let placeholder = format!("/{}", Sha256::of(format!("nix-output:{name}")).nix32());
        if text.contains(&placeholder) {
            text = text.replace(&placeholder, &output.path);
        }
    }
    text
}
