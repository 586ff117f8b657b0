//! Derivations: arguments, environment, outputs, working directory.

use std::collections::HashSet;

use super::references::{Chosen, User};
use super::{Check, names, paths};
use crate::locate::Trail;
use crate::model::defaults::OUTPUT;
use crate::model::{Derivation, Table};
use crate::plan::native::ENVIRONMENT;

/// MAX_ARG_STRLEN of the kernel, `linux/binfmts.h`, without the NUL at the end.
const LONGEST_TEXT: usize = 131_071;

impl Check<'_> {
    /// All derivations.
    pub(super) fn all_derivations(&mut self) {
        let graph = self.graph;
        let field = Trail::of("derivations");
        for (number, (name, derivation)) in graph.derivations.iter().enumerate() {
            let spot = field.then(name);
            let inputs = spot.then("inputs");
            let choices = self.references(&inputs, &derivation.inputs, User::Derivation(number));
            self.builder(&spot, derivation, &choices);
            self.mounts(&spot, &derivation.inputs, &derivation.mounts);
            self.mounts_of_choices(&spot, derivation, &choices);
            self.environment(&spot, &derivation.env);
            self.environments_of_choices(&spot, derivation, &choices);
            self.args(&spot.then("args"), &derivation.args);
            self.mentions(&spot, name, derivation, &choices);
            self.outputs(&spot, name, derivation);
            self.expect(&spot, derivation);
            self.limits(&spot, derivation);
            self.directory(&spot.then("directory"), derivation, &choices);
        }
    }

    pub(super) fn args(&mut self, spot: &Trail<'_>, args: &[String]) {
        for (number, arg) in args.iter().enumerate() {
            if let Some(why) = not_text(arg) {
                self.error(spot.item(number), format!("bad argument: {why}"), "pass such data as a source");
            }
        }
    }

    pub(super) fn environment(&mut self, spot: &Trail<'_>, env: &Table<String>) {
        self.repeated("the variable", env, &spot.then("env"));
        for (name, value) in env {
            let why = match name.as_str() {
                "" => Some("it is empty"),
                _ if name.contains('=') => Some("it holds a `=`"),
                _ => not_text(name),
            };
            if let Some(why) = why {
                let message = format!("{name:?} cannot be the name of a variable: {why}");
                self.error(spot.then("env").then(name).key(), message, "name it like `CFLAGS`");
            }
            if let Some(why) = not_text(value) {
                let message = format!("bad value of `{name}`: {why}");
                self.error(spot.then("env").then(name), message, "pass such data as a source");
            }
        }
    }

    /// Alternatives bring variables along, which must not decide anything by their order.
    fn environments_of_choices(&mut self, spot: &Trail<'_>, derivation: &Derivation, choices: &[Chosen<'_>]) {
        let inputs = spot.then("inputs");
        for (at, choice) in choices.iter().enumerate() {
            let at_input = inputs.item(choice.number);
            for (name, value) in choice.variables() {
                if derivation.outputs.contains(name) {
                    let message = format!("the choice `{}` sets `{name}`, an output's path", choice.name);
                    self.error(at_input, message, "name the variable or the output otherwise");
                }
                let differs = |other: &&Chosen<'_>| other.variables().any(|(n, v)| n == name && v != value);
                let other = choices[..at].iter().find(differs);
                if let Some(other) = other.filter(|_| !derivation.env.contains_key(name)) {
                    let message =
                        format!("the choices `{}` and `{}` disagree about `{name}`", other.name, choice.name);
                    let help = format!("settle it in the derivation: `env: {{\"{name}\": \"…\"}}`");
                    self.error(at_input, message, help);
                }
            }
        }
    }

    fn outputs(&mut self, spot: &Trail<'_>, name: &str, derivation: &Derivation) {
        if derivation.outputs.is_empty() {
            let message = format!("the derivation `{name}` has no outputs");
            self.error(spot.then("outputs"), message, "leave `outputs` out for the one output `out`");
        }
        let list = spot.then("outputs");
        // A short list is searched faster than a set is made.
        let many = derivation.outputs.len() > 16;
        let mut seen = HashSet::new();
        for (number, output) in derivation.outputs.iter().enumerate() {
            let at = list.item(number);
            let again =
                if many { !seen.insert(output) } else { derivation.outputs[..number].contains(output) };
            if again {
                self.error(at, format!("the output `{output}` is listed twice"), "keep one of the two");
                continue;
            }
            if let Some(why) = names::unsafe_name(output) {
                let message = format!("the output {output:?} has no safe name: {why}");
                self.error(at, message, names::NAME_HELP);
            } else if output != OUTPUT && name.len() + 1 + output.len() > names::LONGEST {
                let message = format!("`{name}-{output}` is too long a name");
                self.error(at, message, names::NAME_HELP);
            } else if output.contains('=') || ENVIRONMENT.iter().any(|(native, _)| native == output) {
                let message = format!("the output `{output}` cannot have a variable of its name");
                self.error(
                    at,
                    message,
                    "each output's path is in the variable of its name: call it otherwise",
                );
            }
            if derivation.env.contains_key(output) {
                let message = format!("the variable `{output}` is the path of the output `{output}`");
                self.error(spot.then("env").then(output).key(), message, "take it out: it is set already");
            }
        }
    }

    /// The working directory must be one that is there or that can be made for the builder.
    fn directory(&mut self, spot: &Trail<'_>, derivation: &Derivation, choices: &[Chosen<'_>]) {
        let directory = &derivation.directory;
        if let Some(why) = paths::not_absolute(directory) {
            let help = "write an absolute path, or leave it out for /build";
            self.error(*spot, format!("bad working directory {directory:?}: {why}"), help);
        } else if ["/dev", "/etc", "/proc"].iter().any(|fixed| paths::is_at_or_below(directory, fixed)) {
            let message = format!("the step cannot work in {directory}");
            self.error(*spot, message, "/dev, /etc and /proc are the same in every step");
        } else if let Some(below) = directory.strip_prefix("/store/") {
            let input = below.split('/').next().unwrap_or_default();
            let declared = derivation.inputs.iter().any(|name| name == input)
                || choices.iter().any(|chosen| {
                    chosen
                        .choice
                        .of
                        .values()
                        .all(|alternative| alternative.inputs.iter().any(|name| name == input))
                });
            if !declared {
                let message = format!("the step has no {directory}: `{input}` is not among its inputs");
                self.error(*spot, message, format!("add `{input}` to the inputs, or work in /build"));
            }
        }
    }
}

/// Why the kernel would not take this as an argument or in an environment, if it would not.
fn not_text(text: &str) -> Option<&'static str> {
    if text.contains('\0') {
        Some("it holds a NUL")
    } else {
        (text.len() > LONGEST_TEXT).then_some("it is longer than 131071 bytes")
    }
}
