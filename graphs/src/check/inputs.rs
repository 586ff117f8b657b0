//! Seeds and sources: pinned, obtainable, and of one form whichever place gives them.

use super::hashes::{SHA256_HELP, not_sha256};
use super::{Check, paths};
use crate::locate::Trail;
use crate::model::{Input, Kind, Place};

/// No archive nests what it holds deeper than this.
const DEEPEST_STRIP: u32 = 64;

impl Check<'_> {
    /// All seeds and sources.
    pub(super) fn seeds_and_sources(&mut self) {
        let graph = self.graph;
        for (name, input) in &graph.seeds {
            self.input(&Trail::of("seeds").then(name), "seed", name, input);
            if input.exec {
                let help = "what is in a seed may be run as it is: take `exec` out";
                self.error(
                    Trail::of("seeds").then(name).then("exec").key(),
                    format!("`exec` on the seed `{name}`"),
                    help,
                );
            }
            if input.sha256.is_none() && !input.from.iter().all(Place::is_package) {
                let message = format!("the seed `{name}` has no sha256");
                let help = self.pin_help(input, "only seeds whose places are all packages may float");
                self.error(Trail::of("seeds").then(name).key(), message, help);
            }
        }
        let sources = Trail::of("sources");
        for (name, input) in &graph.sources {
            let spot = sources.then(name);
            self.input(&spot, "source", name, input);
            if input.sha256.is_none() {
                let help = self.pin_help(input, "sources are always pinned");
                self.error(spot.key(), format!("the source `{name}` has no sha256"), help);
            }
            if input.exec && input.kind() != Kind::Tree {
                let message = format!("`exec` on the file `{name}`");
                let help = "`exec` lets programs of a tree be run: make a program a seed, or take `exec` out";
                self.error(spot.then("exec").key(), message, help);
            }
            if input.executable {
                let message = format!("the source `{name}` is executable");
                let help = "what is executed is trusted as it is: make it a seed, or take `executable` out";
                self.error(spot.then("executable").key(), message, help);
            }
        }
    }

    fn pin_help(&self, input: &Input, why: &str) -> String {
        let inline = input.from.iter().find_map(super::places::inline_sha256);
        match inline {
            Some(sha256) => format!("{why}; this one's is `sha256: \"{sha256}\"`"),
            None => format!("{why}: add `sha256: \"…\"`, as `sha256sum` prints it"),
        }
    }

    fn input(&mut self, spot: &Trail<'_>, role: &str, name: &str, input: &Input) {
        if input.from.is_empty() {
            let message = format!("the {role} `{name}` has no place");
            self.error(spot.then("from"), message, "write where it can be had: `from: [File(\"…\")]`");
        }
        for (number, place) in input.from.iter().enumerate() {
            if input.from[..number].contains(place) {
                let message = format!("the {role} `{name}` has the same place twice");
                self.error(spot.then("from").item(number), message, "keep one of the two");
            }
            self.place(spot, &spot.then("from").item(number), place, input);
        }
        if let Some(sha256) = &input.sha256
            && let Some(why) = not_sha256(sha256)
        {
            self.error(spot.then("sha256"), format!("no sha256: {why}"), SHA256_HELP);
        }
        self.form(spot, role, name, input);
    }

    /// `unpack`, `strip`, `pick`, `executable`, and what a place gives, must agree.
    fn form(&mut self, spot: &Trail<'_>, role: &str, name: &str, input: &Input) {
        let merged = |place: &Place| matches!(place, Place::Debian { .. });
        let (any, all) = (input.from.iter().any(merged), input.from.iter().all(merged));
        if any && !all && !input.unpack {
            let message = format!("the places of `{name}` give different things: a tree and a file");
            let help = "`Debian` gives a tree: add `unpack: true`, so that all places do";
            self.error(spot.then("from"), message, help);
        }
        let tree = input.kind() == Kind::Tree;
        if tree && input.executable {
            let message = format!("the {role} `{name}` is a tree, and a tree cannot be executable");
            let help = "files in a tree are executable as they were packed: take `executable` out";
            self.error(spot.then("executable").key(), message, help);
        }
        if !tree && input.strip > 0 {
            let message = format!("`strip` on the file `{name}`");
            self.error(
                spot.then("strip").key(),
                message,
                "only trees have components to strip: add `unpack: true`",
            );
        }
        if input.strip > DEEPEST_STRIP {
            let message = format!("`strip: {}` leaves nothing of any tree", input.strip);
            self.error(spot.then("strip"), message, format!("strip at most {DEEPEST_STRIP} components"));
        }
        if !tree && !input.pick.is_empty() {
            let message = format!("`pick` on the file `{name}`");
            self.error(spot.then("pick").key(), message, "only trees can be picked from: add `unpack: true`");
        }
        let list = spot.then("pick");
        for (number, pick) in input.pick.iter().enumerate() {
            let at = list.item(number);
            if let Some(why) = paths::not_relative(pick.strip_prefix('!').unwrap_or(pick)) {
                let help = "write it as the tree has it: `usr/bin/cc`, or `usr/lib/*.so`";
                self.error(at, format!("{pick:?} cannot be picked: {why}"), help);
            }
            if input.pick[..number].contains(pick) {
                self.error(at, format!("`{pick}` is picked twice"), "keep one of the two");
            }
        }
    }
}
