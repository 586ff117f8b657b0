//! Builders: inside what the step declares, and something that may be executed.

use super::references::Chosen;
use super::{Check, paths};
use crate::index::Thing;
use crate::locate::Trail;
use crate::model::{Derivation, Kind, Table};
use crate::plan::world::{STORE, ancestors};

/// What a path leads to.
enum Found<'a> {
    Nothing,
    /// What is at the input itself (`false`) or inside it (`true`).
    In(&'a str, bool),
}

impl Check<'_> {
    /// The builder of the derivation at `spot`.
    pub(super) fn builder(&mut self, spot: &Trail<'_>, derivation: &Derivation, choices: &[Chosen<'_>]) {
        let builder = &derivation.builder;
        if builder.starts_with('/') {
            let by_choice = choices.iter().any(|chosen| {
                let has = |a: &crate::model::Alternative| {
                    !matches!(lookup(builder, &a.inputs, &a.mounts), Found::Nothing)
                };
                !chosen.choice.of.is_empty() && chosen.choice.of.values().all(has)
            });
            // What every alternative brings along was found right with it.
            if !by_choice
                || !matches!(lookup(builder, &derivation.inputs, &derivation.mounts), Found::Nothing)
            {
                self.builder_path(spot, builder, &derivation.inputs, &derivation.mounts);
            }
            return;
        }
        let at = || spot.then("builder");
        let Some(Thing::Choice(_, choice)) = self.index.get(builder) else {
            let help = match self.index.get(builder) {
                Some(_) => format!("write the path of the program: `{STORE}/{builder}`, or one below it"),
                None => {
                    "write the absolute path of a program in an input, or the name of a choice".to_owned()
                }
            };
            self.error(
                at(),
                format!("the builder {builder:?} is neither an absolute path nor a choice"),
                help,
            );
            return;
        };
        if !derivation.inputs.contains(builder) {
            let message = format!("the builder is the choice `{builder}`, which is not among the inputs");
            self.error(at(), message, format!("add `{builder}` to the inputs"));
        }
        let without = choice.of.iter().filter(|(_, alternative)| alternative.builder.is_none());
        let without: Vec<_> = without.map(|(name, _)| format!("`{name}`")).collect();
        if !without.is_empty() {
            let message = format!("the choice `{builder}` has no builder in {}", without.join(", "));
            self.error(at(), message, "add a `builder` to each of its alternatives, or name a path here");
        }
    }

    /// A builder by its path, in the derivation or alternative at `spot` that declares these inputs and mounts.
    pub(super) fn builder_path(
        &mut self,
        spot: &Trail<'_>,
        path: &str,
        inputs: &[String],
        mounts: &Table<String>,
    ) {
        let spot = spot.then("builder");
        if let Some(why) = paths::not_absolute(path) {
            self.error(
                spot,
                format!("bad builder {path:?}: {why}"),
                "write an absolute path without `.` and `..`",
            );
            return;
        }
        let Found::In(name, inside) = lookup(path, inputs, mounts) else {
            let named = path.strip_prefix("/store/").and_then(|below| below.split('/').next());
            let help = match named.filter(|name| self.index.get(name).is_some()) {
                Some(name) => format!("add `{name}` to the inputs"),
                None => format!(
                    "a program is at {STORE}/INPUT, inside it, or in a mount: declare the input that has it"
                ),
            };
            self.error(spot, format!("the builder {path} is in no declared input"), help);
            return;
        };
        match self.index.get(name) {
            Some(Thing::Source(_)) => {
                let help = format!("what is executed is trusted as it is: make `{name}` a seed");
                self.error(
                    spot,
                    format!("the builder {path} is in the source `{name}`, which is only read"),
                    help,
                );
            }
            Some(Thing::Seed(input)) => match (input.kind(), inside) {
                (Kind::File, false) => {
                    let message = format!("the builder {path} is the seed `{name}`, which is not executable");
                    self.error(spot, message, format!("add `executable: true` to the seed `{name}`"));
                }
                (Kind::File | Kind::Exec, true) => {
                    let message = format!("the builder {path} is inside the seed `{name}`, which is a file");
                    self.error(
                        spot,
                        message,
                        format!("write `{STORE}/{name}`, or add `unpack: true` to the seed"),
                    );
                }
                (Kind::Tree | Kind::Data, false) => {
                    let message = format!("the builder {path} is the seed `{name}`, which is a tree");
                    self.error(spot, message, "write the path of a program inside it");
                }
                (Kind::Exec, false) | (Kind::Tree | Kind::Data, true) => {}
            },
            _ => {}
        }
    }
}

/// The declared input that a path leads into.
fn lookup<'a>(path: &'a str, inputs: &[String], mounts: &'a Table<String>) -> Found<'a> {
    if let Some(below) = path.strip_prefix("/store/") {
        let (name, inside) = below.split_once('/').map_or((below, false), |(name, _)| (name, true));
        return if inputs.iter().any(|input| input == name) {
            Found::In(name, inside)
        } else {
            Found::Nothing
        };
    }
    match ancestors(path).find_map(|parent| Some((parent, mounts.get(parent)?))) {
        Some((parent, what)) => {
            let (name, inside) =
                what.split_once('/').map_or((what.as_str(), false), |(name, _)| (name, true));
            Found::In(name, inside || parent != path)
        }
        None => Found::Nothing,
    }
}
