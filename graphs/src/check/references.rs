//! Lists of inputs: each name is there, may be there, and is there once.

use std::collections::HashSet;

use super::Check;
use crate::index::Thing;
use crate::locate::Spot;
use crate::model::{Choice, Derivation, store_name};

/// A choice among the inputs of a derivation.
pub(super) struct Chosen<'a> {
    /// Where it stands among them.
    pub number: usize,
    pub name: &'a str,
    pub choice: &'a Choice,
}

impl<'a> Chosen<'a> {
    /// What any alternative adds to the environment.
    pub fn variables(&self) -> impl Iterator<Item = (&'a String, &'a String)> + use<'a> {
        self.choice.of.values().flat_map(|alternative| alternative.env.iter())
    }
}

impl<'g> Check<'g> {
    /// The choices among the inputs of a derivation.
    pub(super) fn choices_of<'a>(&self, derivation: &'a Derivation) -> Vec<Chosen<'a>>
    where
        'g: 'a,
    {
        let chosen = |(number, name): (usize, &'a String)| match self.index.get(name) {
            Some(Thing::Choice(_, choice)) => Some(Chosen { number, name, choice }),
            _ => None,
        };
        derivation.inputs.iter().enumerate().filter_map(chosen).collect()
    }
}

impl Check<'_> {
    /// The `inputs` at `spot`; a choice cannot be among those of an alternative.
    pub(super) fn references(&mut self, spot: &Spot, inputs: &[String], choices_too: bool) {
        let mut seen = HashSet::new();
        for (number, name) in inputs.iter().enumerate() {
            let at = || spot.item(number);
            if !seen.insert(name) {
                self.error(at(), format!("the input `{name}` is listed twice"), "keep one of the two");
                continue;
            }
            match self.index.get(name) {
                None => {
                    let help = match self.index.nearest(name) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => "inputs are seeds, sources, choices and outputs of derivations".to_owned(),
                    };
                    self.error(at(), format!("there is no input `{name}`"), help);
                }
                Some(Thing::Derivation(_, derivation)) => {
                    let names =
                        derivation.outputs.iter().map(|output| format!("`{}`", store_name(name, output)));
                    let names: Vec<_> = names.collect();
                    let help = format!("name one of its outputs: {}", names.join(", "));
                    self.error(at(), format!("the derivation `{name}` has no output `out`"), help);
                }
                Some(Thing::Choice(..)) if !choices_too => {
                    let message = format!("the choice `{name}` is an input of an alternative");
                    self.error(at(), message, "choices don't nest: list it in the derivation's inputs");
                }
                Some(_) => {}
            }
        }
    }
}
