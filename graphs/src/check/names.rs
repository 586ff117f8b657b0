//! Names: safe as a file name, and each taken once.

use super::Check;
use crate::index::{Clash, Thing};
use crate::locate::{Spot, Trail};
use crate::problem::Problem;

/// The most bytes that a name in the store may have, as in Nix.
pub(super) const LONGEST: usize = 211;

/// Why this cannot be a name, if it cannot.
pub(super) fn unsafe_name(name: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "+._?=-".contains(c);
    if name.is_empty() {
        Some("it is empty".to_owned())
    } else if name.starts_with('.') {
        Some("it starts with a dot".to_owned())
    } else if name.len() > LONGEST {
        Some(format!("it has {} bytes, more than {LONGEST}", name.len()))
    } else {
        let bad = name.chars().find(|&c| !allowed(c))?;
        Some(format!("it holds {bad:?}"))
    }
}

pub(super) const NAME_HELP: &str =
    "a name is 1 to 211 of the characters A-Z a-z 0-9 + . _ ? = - and does not start with a dot";

impl Check<'_> {
    /// All names of the graph.
    pub(super) fn names(&mut self, clashes: &[Clash<'_>]) {
        let graph = self.graph;
        self.repeated("the seed", &graph.seeds, &Trail::of("seeds"));
        self.repeated("the source", &graph.sources, &Trail::of("sources"));
        self.repeated("the choice", &graph.choices, &Trail::of("choices"));
        self.repeated("the derivation", &graph.derivations, &Trail::of("derivations"));
        let fields = [
            ("seeds", graph.seeds.keys().collect::<Vec<_>>()),
            ("sources", graph.sources.keys().collect()),
            ("choices", graph.choices.keys().collect()),
            ("derivations", graph.derivations.keys().collect()),
        ];
        for (field, names) in fields {
            for name in names {
                if let Some(why) = unsafe_name(name) {
                    let message = format!("{name:?} is not safe as a name: {why}");
                    self.error(Trail::of(field).then(name).key(), message, NAME_HELP);
                }
            }
        }
        for clash in clashes {
            let (first, second) = (what(&clash.first), what(&clash.second));
            let problem =
                Problem::error(format!("the name `{}` is taken twice: {second} and {first}", clash.name))
                    .help("seeds, sources, choices, derivations and outputs share one name space: rename one")
                    .at(written(&clash.second, &clash.name))
                    .related(written(&clash.first, &clash.name), format!("{first} has the name already"));
            self.report(problem);
        }
    }
}

/// What a thing is called in a message.
fn what(thing: &Thing<'_>) -> String {
    match thing {
        Thing::Seed(_) => "a seed".to_owned(),
        Thing::Source(_) => "a source".to_owned(),
        Thing::Choice(..) => "a choice".to_owned(),
        Thing::Derivation(..) => "a derivation".to_owned(),
        Thing::Output(output) => format!("the output `{}` of `{}`", output.output, output.derivation),
    }
}

/// Where the text gives a thing its name.
fn written(thing: &Thing<'_>, name: &str) -> Spot {
    let field = match thing {
        Thing::Seed(_) => "seeds",
        Thing::Source(_) => "sources",
        Thing::Choice(..) => "choices",
        Thing::Derivation(..) => "derivations",
        Thing::Output(output) => return Trail::of("derivations").then(output.derivation).key(),
    };
    Trail::of(field).then(name).key()
}
