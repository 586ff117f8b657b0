//! Choices, made: one alternative for each choice of a graph.

use std::collections::BTreeMap;

use crate::model::{Alternative, Graph};
use crate::problem::{Problem, Problems};

/// The alternative taken for every choice of a graph: the default, or what was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices {
    taken: BTreeMap<String, String>,
}

impl Choices {
    /// Every choice's default.
    pub fn defaults(graph: &Graph) -> Self {
        let default =
            |(name, choice): (&String, &crate::model::Choice)| (name.clone(), choice.default.clone());
        Self { taken: graph.choices.iter().map(default).collect() }
    }

    /// Every choice's default, but what is asked for as `(choice, alternative)`.
    pub fn new<'a>(
        graph: &Graph,
        asked: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Problems> {
        let mut choices = Self::defaults(graph);
        let mut before = BTreeMap::new();
        let mut problems = Vec::new();
        for (name, alternative) in asked {
            let Some(choice) = graph.choices.get(name) else {
                let there = listed(graph.choices.keys());
                problems.push(Problem::error(format!("the graph has no choice `{name}`")).help(
                    match there {
                        Some(there) => format!("its choices are {there}"),
                        None => "it has no choices at all".to_owned(),
                    },
                ));
                continue;
            };
            if !choice.of.contains_key(alternative) {
                let there = listed(choice.of.keys()).unwrap_or_default();
                let message = format!("the choice `{name}` has no alternative `{alternative}`");
                problems.push(Problem::error(message).help(format!("its alternatives are {there}")));
            }
            match before.insert(name, alternative) {
                Some(other) if other != alternative => {
                    let message = format!("the choice `{name}` is made twice: `{other}` and `{alternative}`");
                    problems.push(Problem::error(message).help("ask for one of them"));
                }
                _ => {
                    choices.taken.insert(name.to_owned(), alternative.to_owned());
                }
            }
        }
        if problems.is_empty() { Ok(choices) } else { Err(Problems::new("", "", problems)) }
    }

    /// The alternative taken for a choice, by name.
    pub fn get(&self, choice: &str) -> Option<&str> {
        self.taken.get(choice).map(String::as_str)
    }

    /// All of them, sorted by the choice's name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.taken.iter().map(|(choice, alternative)| (choice.as_str(), alternative.as_str()))
    }

    /// The alternative taken for a choice of the graph.
    pub fn alternative<'a>(&self, graph: &'a Graph, choice: &str) -> Option<&'a Alternative> {
        graph.choices.get(choice)?.of.get(self.get(choice)?)
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a String>) -> Option<String> {
    let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        r#"(choices: {"cc": (default: "a", of: {"a": (), "b": ()})}, derivations: {}, targets: [])"#;

    #[test]
    fn what_is_not_asked_for_is_the_default() {
        let graph = crate::read("x", TEXT).unwrap();
        assert_eq!(Choices::new(&graph, []).unwrap().get("cc"), Some("a"));
        assert_eq!(Choices::new(&graph, [("cc", "b")]).unwrap().get("cc"), Some("b"));
    }

    #[test]
    fn all_bad_choices_are_reported() {
        let graph = crate::read("x", TEXT).unwrap();
        let problems = Choices::new(&graph, [("cx", "a"), ("cc", "c"), ("cc", "a")]).unwrap_err();
        assert_eq!(problems.errors(), 3);
    }
}
