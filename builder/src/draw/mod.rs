//! Pictures of graphs: what needs what, with full names. The same graph gives the same bytes. Nothing is fetched, and no other program
//! is run.
//!
//! | module | subject |
//! |---|---|
//! | [`collect`] | from a graph or a closure of derivations to nodes and edges |
//! | [`layout`] | where each node stands, in columns |
//! | [`svg`] | the picture |
//! | [`text`] | the same for Graphviz and Mermaid |
//! | [`html`] | a page with picture and table |

pub mod collect;
pub mod html;
pub mod layout;
pub mod svg;
pub mod text;

use std::collections::BTreeSet;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Executed and trusted as it is.
    Seed,
    /// Only read.
    Source,
    /// An alternative taken for a choice.
    Choice,
    /// A derivation.
    Step,
    /// A derivation whose outputs are wanted.
    Target,
}

impl Kind {
    /// All of them, in the order of a legend.
    pub const ALL: [Kind; 5] = [Kind::Seed, Kind::Source, Kind::Choice, Kind::Step, Kind::Target];

    /// A word for it, also in style sheets.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Seed => "seed",
            Kind::Source => "source",
            Kind::Choice => "choice",
            Kind::Step => "step",
            Kind::Target => "target",
        }
    }
}

/// A seed, source, choice or step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its whole name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Where it comes from, or what builds it; in a few words.
    pub about: String,
}

/// Nodes, and edges from what is needed to what needs it, by number. An edge leads from a lesser number to a greater one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drawing {
    /// Each after all that it needs.
    pub nodes: Vec<Node>,
    /// Sorted, each once.
    pub edges: Vec<(usize, usize)>,
    /// The node that is looked at.
    pub focus: Option<usize>,
}

impl Drawing {
    /// The numbers of the nodes that this one needs itself.
    pub fn needs(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        self.edges.iter().filter(move |edge| edge.1 == node).map(|edge| edge.0)
    }

    /// The numbers of the nodes that need this one themselves.
    pub fn needed_by(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        self.edges.iter().filter(move |edge| edge.0 == node).map(|edge| edge.1)
    }

    /// One node with all that it needs and all that needs it.
    pub fn focused(&self, focus: usize) -> Drawing {
        let mut kept = BTreeSet::from([focus]);
        // Numbers are in order, so one pass in each direction finds all.
        let (mut before, mut after) = (BTreeSet::from([focus]), BTreeSet::from([focus]));
        for node in (0..focus).rev() {
            if self.needed_by(node).any(|other| before.contains(&other)) {
                before.insert(node);
            }
        }
        for node in focus + 1..self.nodes.len() {
            if self.needs(node).any(|other| after.contains(&other)) {
                after.insert(node);
            }
        }
        kept.extend(before);
        kept.extend(after);
        let all: Vec<usize> = kept.iter().copied().collect();
        let new = |node: usize| all.binary_search(&node).ok();
        Drawing {
            nodes: all.iter().map(|&node| self.nodes[node].clone()).collect(),
            edges: self.edges.iter().filter_map(|&(from, to)| Some((new(from)?, new(to)?))).collect(),
            focus: new(focus),
        }
    }

    /// How many nodes there are of a kind.
    pub fn count(&self, kind: Kind) -> usize {
        self.nodes.iter().filter(|node| node.kind == kind).count()
    }

    /// What is in it, in a line.
    pub fn totals(&self) -> String {
        let count = |kind: Kind| match (self.count(kind), kind) {
            (0, _) => None,
            (1, kind) => Some(format!("1 {}", kind.word())),
            (many, kind) => Some(format!("{many} {}s", kind.word())),
        };
        let counts: Vec<_> = Kind::ALL.into_iter().filter_map(count).collect();
        format!("{}; {} edges", counts.join(", "), self.edges.len())
    }
}

/// A text as XML and HTML take it, made harmless for terminals too.
pub fn escaped(text: &str) -> String {
    let shown = graphs::words::shown(text);
    shown.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn drawing() -> Drawing {
        let node = |name: &str, kind| Node { name: name.into(), kind, about: format!("about {name}") };
        Drawing {
            nodes: vec![
                node("gcc", Kind::Seed),
                node("a&b", Kind::Source),
                node("one", Kind::Step),
                node("other", Kind::Step),
                node("last", Kind::Target),
            ],
            edges: vec![(0, 2), (0, 3), (0, 4), (1, 2), (2, 4)],
            focus: None,
        }
    }

    #[test]
    fn a_focus_keeps_what_it_needs_and_what_needs_it() {
        let focused = drawing().focused(2);
        let names: Vec<_> = focused.nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["gcc", "a&b", "one", "last"]);
        assert_eq!((focused.focus, &focused.edges[..]), (Some(2), &[(0, 2), (0, 3), (1, 2), (2, 3)][..]));
        assert_eq!(drawing().totals(), "1 seed, 1 source, 2 steps, 1 target; 5 edges");
    }
}
