//! Mounts: of what is declared, where nothing else is, and such that they can be made.
//!
//! A mount is read-only, so no mount point can be made inside one: of two mounts, neither may lie inside the other.
//! What every step has stays as it is: `/dev`, `/proc` and `/store` take no mounts at all, `/etc`, `/tmp` and `/build`
//! only inside.

use super::references::Chosen;
use super::{Check, paths};
use crate::index::Thing;
use crate::locate::Trail;
use crate::model::{Derivation, Kind, Table};
use crate::plan::world::ancestors;
use crate::problem::Problem;

impl Check<'_> {
    /// The `mounts` of the derivation or alternative at `spot`, which has these `inputs`.
    pub(super) fn mounts(&mut self, spot: &Trail<'_>, inputs: &[String], mounts: &Table<String>) {
        let spot = spot.then("mounts");
        self.repeated("the mount", mounts, &spot);
        for (path, what) in mounts {
            if let Some(why) = paths::not_absolute(path) {
                let help = "write where it shall appear, like `/usr`";
                self.error(spot.then(path).key(), format!("bad mount path {path:?}: {why}"), help);
            } else if let Some((taken, help)) = reserved(path) {
                let message = format!("nothing can be mounted at {path}: every step has its own {taken}");
                self.error(spot.then(path).key(), message, help);
            } else if let Some(parent) = ancestors(path).skip(1).find(|parent| mounts.contains_key(*parent)) {
                let problem = Problem::error(format!("the mount {path} lies inside the mount {parent}"))
                    .help(NESTED_HELP)
                    .at(spot.then(path).key())
                    .related(spot.then(parent).key(), "the outer one");
                self.report(problem);
            }
            self.mounted(&spot.then(path), inputs, what);
        }
    }

    /// What is mounted: `INPUT` or `INPUT/PATH-INSIDE`.
    fn mounted(&mut self, spot: &Trail<'_>, inputs: &[String], what: &str) {
        let (name, inside) = what.split_once('/').map_or((what, None), |(name, inside)| (name, Some(inside)));
        if !inputs.iter().any(|input| input == name) {
            let help = match self.index.get(name) {
                Some(_) => format!("add `{name}` to the inputs beside it"),
                None => "a mount is of an input: `INPUT` or `INPUT/PATH-INSIDE`".to_owned(),
            };
            self.error(*spot, format!("what is mounted is not among the inputs: `{name}`"), help);
            return;
        }
        let thing = self.index.get(name);
        if let Some(Thing::Choice(..)) = thing {
            let help = "write the mount into its alternatives, each for its own inputs";
            self.error(*spot, format!("the choice `{name}` cannot be mounted"), help);
        }
        let Some(inside) = inside else { return };
        if let Some(why) = paths::not_relative(inside) {
            let help = "write it as the tree has it: `gcc/usr/lib`";
            self.error(*spot, format!("bad path {inside:?} inside `{name}`: {why}"), help);
        } else if let Some(Thing::Seed(input) | Thing::Source(input)) = thing
            && input.kind() != Kind::Tree
        {
            let message = format!("`{name}` is a file: there is no {inside:?} inside");
            self.error(*spot, message, format!("mount `{name}`, or add `unpack: true` to it"));
        }
    }

    /// The mounts that alternatives bring along, against the derivation's own and those of its other choices.
    pub(super) fn mounts_of_choices(
        &mut self,
        spot: &Trail<'_>,
        derivation: &Derivation,
        choices: &[Chosen<'_>],
    ) {
        for (at, Chosen { number, name, choice }) in choices.iter().enumerate() {
            for (alternative, one) in &choice.of {
                let own = clash(&one.mounts, &derivation.mounts);
                let others = choices[..at].iter().flat_map(|other| other.choice.of.values());
                let found = own.or_else(|| others.flat_map(|other| clash(&one.mounts, &other.mounts)).next());
                if let Some((path, other)) = found {
                    let message = format!(
                        "the mount {path} of `{name}`, if it is `{alternative}`, meets the mount {other}"
                    );
                    self.error(spot.then("inputs").item(*number), message, NESTED_HELP);
                }
            }
        }
    }
}

const NESTED_HELP: &str =
    "mounts are read-only, so that none can be made in another: mount parts beside each other";

/// Two mounts that cannot both be: at one path but not of the same, or one inside the other.
fn clash<'a>(one: &'a Table<String>, other: &'a Table<String>) -> Option<(&'a str, &'a str)> {
    let inside = |inner: &'a Table<String>, outer: &'a Table<String>| {
        inner.iter().find_map(|(path, what)| {
            let meets = |parent: &&str| outer.get(*parent).is_some_and(|w| *parent != path || w != what);
            Some((path.as_str(), ancestors(path).find(meets)?))
        })
    };
    inside(one, other).or_else(|| inside(other, one).map(|(inner, outer)| (outer, inner)))
}

/// What of every step's own a mount would hide, if anything, and what to do instead.
fn reserved(path: &str) -> Option<(&'static str, &'static str)> {
    let whole = ["/dev", "/proc", "/store", "/etc/group", "/etc/hosts", "/etc/passwd"];
    if let Some(taken) = whole.into_iter().find(|taken| paths::is_at_or_below(path, taken)) {
        let help = match taken {
            "/store" => "every input appears in /store by itself: mount it elsewhere, or take the mount out",
            _ => "mount it elsewhere",
        };
        return Some((taken, help));
    }
    let taken = ["/etc", "/tmp", "/build"].into_iter().find(|taken| *taken == path)?;
    Some((taken, "mount parts of it inside, not the whole over it"))
}
