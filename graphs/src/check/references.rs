//! Lists of inputs: each name is there, may be there, and is there once.

use std::collections::HashSet;

use super::Check;
use crate::index::Thing;
use crate::locate::Trail;
use crate::model::{Choice, Derivation, store_name};

/// A choice among the inputs of a derivation.
pub(super) struct Chosen<'a> {
    /// Where it stands among them.
    pub number: usize,
    pub name: &'a str,
    pub choice: &'a Choice,
}

/// Whose inputs they are: the derivation or choice of this number, in the order of names.
#[derive(Clone, Copy)]
pub(super) enum User {
    Derivation(usize),
    Choice(usize),
}

impl<'a> Chosen<'a> {
    /// What any alternative adds to the environment.
    pub fn variables(&self) -> impl Iterator<Item = (&'a String, &'a String)> + use<'a> {
        self.choice.of.values().flat_map(|alternative| alternative.env.iter())
    }
}

impl<'a> Check<'a> {
    /// The `inputs` at `spot`, and the choices among them. Who needs whom is noted on the way.
    pub(super) fn references(
        &mut self,
        spot: &Trail<'_>,
        inputs: &'a [String],
        user: User,
    ) -> Vec<Chosen<'a>> {
        let derivations = self.graph.derivations.len();
        let node = match user {
            User::Derivation(number) => number,
            User::Choice(number) => derivations + number,
        };
        let mut chosen = Vec::new();
        let mut seen = HashSet::new();
        let many = inputs.len() > 16;
        for (number, name) in inputs.iter().enumerate() {
            // A short list is searched faster than a set is made.
            let again = if many { !seen.insert(name) } else { inputs[..number].contains(name) };
            if again {
                let message = format!("the input `{name}` is listed twice");
                self.error(spot.item(number), message, "keep one of the two");
                continue;
            }
            match self.index.get(name) {
                None => self.no_input(spot.item(number), name),
                Some(Thing::Derivation(_, derivation)) => self.no_output(spot.item(number), name, derivation),
                Some(Thing::Output(output)) => self.needs.edge(output.number, node),
                Some(Thing::Seed(_) | Thing::Source(_)) => {
                    self.used.insert(name);
                }
                Some(Thing::Choice(needed, choice)) => {
                    self.used.insert(name);
                    if let User::Choice(_) = user {
                        let message = format!("the choice `{name}` is an input of an alternative");
                        let help = "choices don't nest: list it in the derivation's inputs";
                        self.error(spot.item(number), message, help);
                    } else {
                        self.needs.edge(derivations + needed, node);
                        chosen.push(Chosen { number, name, choice });
                    }
                }
            }
        }
        chosen
    }

    fn no_input(&mut self, at: Trail<'_>, name: &str) {
        let help = match self.index.nearest(name) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "inputs are seeds, sources, choices and outputs of derivations".to_owned(),
        };
        self.error(at, format!("there is no input `{name}`"), help);
    }

    fn no_output(&mut self, at: Trail<'_>, name: &str, derivation: &Derivation) {
        let names: Vec<_> =
            derivation.outputs.iter().map(|output| format!("`{}`", store_name(name, output))).collect();
        let help = match names.as_slice() {
            [] => "it has no outputs at all".to_owned(),
            _ => format!("name one of its outputs: {}", names.join(", ")),
        };
        self.error(at, format!("the derivation `{name}` has no output `out`"), help);
    }
}
