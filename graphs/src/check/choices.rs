//! Choices: each alternative can stand in for any other.

use super::references::User;
use super::{Check, names};
use crate::locate::Trail;
use crate::model::Alternative;

impl Check<'_> {
    /// All choices.
    pub(super) fn all_choices(&mut self) {
        let graph = self.graph;
        let field = Trail::of("choices");
        for (number, (name, choice)) in graph.choices.iter().enumerate() {
            let spot = field.then(name);
            let of = spot.then("of");
            self.repeated("the alternative", &choice.of, &of);
            let there: Vec<_> = choice.of.keys().map(|name| format!("`{name}`")).collect();
            if there.is_empty() {
                let message = format!("the choice `{name}` has no alternatives");
                self.error(spot.key(), message, "write `of: {\"NAME\": (inputs: […])}`");
            } else if !choice.of.contains_key(&choice.default) {
                let message = format!("the default `{}` is no alternative of `{name}`", choice.default);
                self.error(
                    spot.then("default"),
                    message,
                    format!("its alternatives are {}", there.join(", ")),
                );
            }
            for (name, alternative) in &choice.of {
                if let Some(why) = names::unsafe_name(name) {
                    let message = format!("{name:?} is not safe as a name: {why}");
                    self.error(of.then(name).key(), message, names::NAME_HELP);
                }
                self.references(&of.then(name).then("inputs"), &alternative.inputs, User::Choice(number));
                self.alternative(&of.then(name), name, alternative);
            }
        }
    }

    fn alternative(&mut self, spot: &Trail<'_>, name: &str, alternative: &Alternative) {
        self.mounts(spot, &alternative.inputs, &alternative.mounts);
        self.environment(spot, &alternative.env);
        self.args(&spot.then("args"), &alternative.args);
        match &alternative.builder {
            Some(builder) => self.builder_path(spot, builder, &alternative.inputs, &alternative.mounts),
            None if !alternative.args.is_empty() => {
                let message = format!("the alternative `{name}` has arguments but no builder");
                let help = "they would be the builder's: name one, or move them into the derivation";
                self.error(spot.then("args").key(), message, help);
            }
            None => {}
        }
    }
}
