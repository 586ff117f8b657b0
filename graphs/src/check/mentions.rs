//! Paths in the store that arguments and variables name: what is there is an input or an output of the step, and a program
//! that is sent elsewhere may search for ever.
//!
//! An argument that is nothing but paths and options (`-I/store/musl/include`) means what it says: a name in it that the step
//! does not have is an error. In what may be a script it is a warning, since a script can make files, print words, or never
//! come there. Names that a script completes (`/store/$x`, `/store/lib*`) are not looked at.

use std::collections::HashSet;
use std::ops::Range;

use super::Check;
use super::references::Chosen;
use crate::locate::Trail;
use crate::model::{Derivation, Table, store_name};

/// A path in the store, as far as its name there.
#[derive(Debug, PartialEq, Eq)]
struct Mention<'a> {
    name: &'a str,
    /// The bytes of the text that it takes.
    at: Range<usize>,
}

/// What stands in the store of a step, whichever alternatives are taken.
struct There<'a> {
    names: HashSet<&'a str>,
    outputs: Vec<String>,
}

impl There<'_> {
    /// Whether a name is there, or begins with one that ends where a path may end too: `/store/a=/b`, `/store/a.`
    fn has(&self, name: &str) -> bool {
        let is = |name: &str| self.names.contains(name) || self.outputs.iter().any(|output| output == name);
        is(name)
            || name.split_once('=').is_some_and(|(name, _)| is(name))
            || is(name.trim_end_matches(['.', '?', '-', '=']))
    }
}

impl Check<'_> {
    /// The arguments and variables of the derivation `name` at `spot`, and those that its choices bring along.
    pub(super) fn mentions(
        &mut self,
        spot: &Trail<'_>,
        name: &str,
        derivation: &Derivation,
        choices: &[Chosen<'_>],
    ) {
        let alternatives = || choices.iter().flat_map(|chosen| chosen.choice.of.values());
        let texts = derivation.args.iter().chain(derivation.env.values());
        let brought = alternatives().flat_map(|taken| taken.args.iter().chain(taken.env.values()));
        if !texts.chain(brought).any(|text| text.contains(STORE)) {
            return;
        }
        let inputs = derivation.inputs.iter().chain(alternatives().flat_map(|taken| &taken.inputs));
        let there = There {
            names: inputs.map(String::as_str).collect(),
            outputs: derivation.outputs.iter().map(|output| store_name(name, output)).collect(),
        };
        self.mentioned(spot, name, &there, &derivation.args, &derivation.env);
        let field = Trail::of("choices");
        for chosen in choices {
            let choice = field.then(chosen.name);
            let of = choice.then("of");
            for (alternative, taken) in &chosen.choice.of {
                // Its arguments are the builder's.
                let args = if derivation.builder == chosen.name { &taken.args[..] } else { &[] };
                self.mentioned(&of.then(alternative), name, &there, args, &taken.env);
            }
        }
    }

    fn mentioned(
        &mut self,
        spot: &Trail<'_>,
        step: &str,
        there: &There<'_>,
        args: &[String],
        env: &Table<String>,
    ) {
        let list = spot.then("args");
        for (number, arg) in args.iter().enumerate() {
            self.text(&list.item(number), step, there, arg);
        }
        let list = spot.then("env");
        for (name, value) in env {
            self.text(&list.then(name), step, there, value);
        }
    }

    fn text(&mut self, spot: &Trail<'_>, step: &str, there: &There<'_>, text: &str) {
        let mut seen = HashSet::new();
        for Mention { name, at } in mentions(text) {
            if there.has(name) || !seen.insert(name) {
                continue;
            }
            let message =
                format!("`{step}` has nothing at {STORE}{name}: it is no input, and no output of its own");
            let help = match self.index.get(name) {
                Some(_) => format!("add `{name}` to the inputs"),
                None => match self.index.nearest(name) {
                    Some(near) => format!("did you mean {STORE}{near}?"),
                    None => "add an input of this name, or write the path of one that is there".to_owned(),
                },
            };
            match is_plain(text) {
                true => self.error(spot.within(at), message, help),
                false => self.warning(spot.within(at), message, help),
            }
        }
    }
}

const STORE: &str = "/store/";

/// Whether a text is paths and options alone, and no command line or script.
fn is_plain(text: &str) -> bool {
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    let is_command = words.next().is_some() && !first.starts_with(['-', '/']);
    let special = |c: char| c.is_control() || "$*?[]{}()'\"`\\|&;<>!#~%".contains(c);
    !is_command && !text.contains(special)
}

/// The paths in the store that a text names in full.
fn mentions(text: &str) -> impl Iterator<Item = Mention<'_>> {
    text.match_indices(STORE).filter_map(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + STORE.len()..]);
        let length = after.find(|c| !is_of_name(c)).unwrap_or(after.len());
        let (name, rest) = after.split_at(length);
        let complete = rest.chars().next().is_none_or(ends_name);
        (is_root(before) && complete && !name.is_empty() && !name.starts_with('.'))
            .then(|| Mention { name, at: at..at + STORE.len() + length })
    })
}

/// Whether a path that begins after this begins at the root: not `/nix/store/`, `$DESTDIR/store/` or `https://host/store/`.
fn is_root(before: &str) -> bool {
    let word =
        before.rsplit(|c: char| c.is_whitespace() || "'\"`=:,;(<>|&@".contains(c)).next().unwrap_or_default();
    // `-I/store/…`: an option of letters.
    let option =
        word.strip_prefix('-').is_some_and(|rest| rest.chars().all(|c| c.is_ascii_alphabetic() || c == '-'));
    word.is_empty() || option
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+-._?=".contains(c)
}

/// Whether a name is whole if this stands behind it.
fn ends_name(c: char) -> bool {
    c == '/' || c.is_whitespace() || "'\"`:,;)|&<>".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_where_they_are_whole() {
        let names = |text| mentions(text).map(|mention| mention.name).collect::<Vec<_>>();
        assert_eq!(names("/store/a"), ["a"]);
        assert_eq!(
            names("-I/store/a/include:/store/b -isystem/store/c --sysroot=/store/d"),
            ["a", "b", "c", "d"]
        );
        assert_eq!(
            names("cat </store/a >/store/b; '/store/c' (/store/d) @/store/e"),
            ["a", "b", "c", "d", "e"]
        );
        for none in [
            "/store",
            "/store/",
            "/store/$x",
            "/store/a$x",
            "/store/lib*",
            "/store/{a,b}",
            "/store/..",
            "/nix/store/a",
            "$DESTDIR/store/a",
            "../store/a",
            "https://host/store/a",
            "/gnu/store/a",
            "${x}/store/a",
            "/storeys/a",
        ] {
            assert_eq!(names(none), [""; 0], "{none}");
        }
    }

    #[test]
    fn scripts_are_told_from_paths() {
        for plain in
            ["/store/a", "-I/store/a", "-I/store/a -L/store/b", "--x=/store/a:/store/b", "/store/a,b"]
        {
            assert!(is_plain(plain), "{plain}");
        }
        for script in ["cp /store/a b", "/store/a > b", "cat '/store/a'", "a\n/store/b", "echo $x /store/a"] {
            assert!(!is_plain(script), "{script}");
        }
    }

    #[test]
    fn what_ends_a_sentence_or_a_pair_is_no_part_of_a_name() {
        let there = There { names: HashSet::from(["a", "b.c"]), outputs: vec!["out-x".into()] };
        for known in ["a", "a.", "a=", "a=b", "b.c", "b.c.", "out-x"] {
            assert!(there.has(known), "{known}");
        }
        assert!(!there.has("b") && !there.has("x") && !there.has("a.b"));
    }
}
