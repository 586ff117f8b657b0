//! What outputs, and files inside them, are expected to be.

use std::collections::BTreeMap;

use super::{Check, hashes, paths};
use crate::locate::Trail;
use crate::model::{Derivation, FLAT};

const WHOLE_HELP: &str = "a sha256 is 64 digits 0-9 a-f: of the output's NAR, as `groundup run` prints it, or, with `flat:` \
                          before it, of a plain file's bytes, as `sha256sum` prints it";
const FILE_HELP: &str = "a sha256 is 64 digits 0-9 a-f, of the file's bytes, as `sha256sum` prints it";

impl Check<'_> {
    /// What the derivation at `spot` expects.
    pub(super) fn expect(&mut self, spot: &Trail<'_>, derivation: &Derivation) {
        self.repeated("the expectation of", &derivation.expect, &spot.then("expect"));
        let list = spot.then("expect");
        for (output, sha256) in &derivation.expect {
            let at = list.then(output);
            if !derivation.outputs.contains(output) {
                let message = format!("there is no output `{output}` to expect something of");
                self.error(at.key(), message, outputs(derivation));
            }
            if let Some(why) = hashes::not_sha256(sha256.strip_prefix(FLAT).unwrap_or(sha256)) {
                self.error(at, format!("no sha256: {why}"), WHOLE_HELP);
            }
        }
        self.expect_files(spot, derivation);
    }

    fn expect_files(&mut self, spot: &Trail<'_>, derivation: &Derivation) {
        let list = spot.then("expect_files");
        self.repeated("the expectation of", &derivation.expect_files, &list);
        let mut seen = BTreeMap::new();
        for (key, sha256) in &derivation.expect_files {
            let at = list.then(key);
            if let Some(why) = hashes::not_sha256(sha256) {
                self.error(at, format!("no sha256: {why}"), FILE_HELP);
            }
            let Some((output, path)) = derivation.inside(key) else {
                let message = format!("{key:?} does not say in which output it is");
                self.error(at.key(), message, format!("write `OUTPUT:PATH`; {}", outputs(derivation)));
                continue;
            };
            if let Some(why) = paths::not_relative(path) {
                let help = "write the path from the output down, like `bin/cc`";
                self.error(at.key(), format!("bad path {path:?}: {why}"), help);
            }
            if let Some(other) = seen.insert((output, path), key) {
                let message = format!("{key:?} and {other:?} are the same file");
                self.error(at.key(), message, "keep one of the two");
            }
            if derivation.expect.get(output).is_some_and(|whole| whole.starts_with(FLAT)) {
                let message =
                    format!("the output `{output}` is to be a plain file, in which there is no {path:?}");
                self.error(
                    at.key(),
                    message,
                    format!("take one of the two out: `{FLAT}` is for plain files"),
                );
            }
        }
    }
}

fn outputs(derivation: &Derivation) -> String {
    let there: Vec<_> = derivation.outputs.iter().map(|name| format!("`{name}`")).collect();
    match there.as_slice() {
        [] => "the derivation has no outputs at all".to_owned(),
        _ => format!("the outputs are {}", there.join(", ")),
    }
}
