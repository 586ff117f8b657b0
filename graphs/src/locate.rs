//! Where in a RON text a place of the graph is written.
//!
//! serde keeps no positions. Rather than carry one beside every string of every graph, the few places that
//! problems speak of are looked up afterwards, all of them in one pass over the text, steered by the tree of the
//! wanted paths. The text has been read by `ron` before, so the scanner need not complain about anything: what
//! it does not understand has no span.

mod literal;
mod scan;
mod token;

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// A step down into a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    /// A field's name or a map's key, and how many times it came before in the same map.
    Key(String, usize),
    /// An item of a list or of an enum variant.
    Item(usize),
}

/// A path into the graph, as a check speaks of it: `seeds`, `musl`, `from`, item 2.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spot {
    path: Vec<Segment>,
    key: bool,
    within: Option<Range<usize>>,
}

impl Spot {
    /// The value that a field of the graph holds.
    pub fn of(field: &str) -> Self {
        Self::default().then(field)
    }

    /// The value under a key or field of this.
    pub fn then(&self, key: &str) -> Self {
        self.child(Segment::Key(key.to_owned(), 0))
    }

    /// The value under a key that came `times` times before.
    pub fn again(&self, key: &str, times: usize) -> Self {
        self.child(Segment::Key(key.to_owned(), times))
    }

    /// An item of this list.
    pub fn item(&self, index: usize) -> Self {
        self.child(Segment::Item(index))
    }

    /// Not the value, but the key under which it stands.
    pub fn key(self) -> Self {
        Self { key: true, ..self }
    }

    /// Not the whole string, but a range of the bytes that it stands for.
    pub fn within(self, range: Range<usize>) -> Self {
        Self { within: Some(range), ..self }
    }

    fn child(&self, segment: Segment) -> Self {
        let path = self.path.iter().cloned().chain([segment]).collect();
        Self { path, key: false, within: None }
    }
}

/// Wanted places as a tree: what the scanner follows.
#[derive(Debug, Default)]
struct Wanted {
    /// By name, and by how many times the name came before.
    fields: HashMap<String, BTreeMap<usize, Wanted>>,
    items: HashMap<usize, Wanted>,
    /// The numbers of the places whose key, and of those whose value this is.
    keys: Vec<usize>,
    values: Vec<usize>,
}

impl Wanted {
    fn below(&mut self, segment: &Segment) -> &mut Self {
        match segment {
            Segment::Key(name, times) => {
                self.fields.entry(name.clone()).or_default().entry(*times).or_default()
            }
            Segment::Item(index) => self.items.entry(*index).or_default(),
        }
    }
}

/// The byte range of each place; `None` where the text has no such place.
pub fn locate(text: &str, places: &[Spot]) -> Vec<Option<Range<usize>>> {
    let mut root = Wanted::default();
    for (number, place) in places.iter().enumerate() {
        let mut node = &mut root;
        for segment in &place.path {
            node = node.below(segment);
        }
        if place.key { node.keys.push(number) } else { node.values.push(number) }
    }
    let mut spans = vec![None; places.len()];
    scan::scan(text, &root, &mut spans);
    for (place, span) in places.iter().zip(&mut spans) {
        if let (Some(within), Some(whole)) = (&place.within, &span) {
            *span = Some(literal::narrow(text, whole, within));
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(text: &'a str, place: &Spot) -> Option<&'a str> {
        let span = locate(text, std::slice::from_ref(place)).remove(0)?;
        Some(&text[span])
    }

    const TEXT: &str = r##"#![enable(implicit_some)] // (a: 1)
/* { "b" /* nested */ */
Graph(
    a: { "x": ("one", [1, -2.5, 'c', '\'', b'"', r#"ra"w"#]), "x": Some(Deep(k: "v")), "\x79": z, },
    b: Text("es\"\u{e9}c"), c: (), d: "last"
)"##;

    #[test]
    fn values_and_keys_are_found() {
        let a = Spot::of("a");
        assert_eq!(found(TEXT, &a.then("x").item(0)), Some("\"one\""));
        assert_eq!(found(TEXT, &a.then("x").key()), Some("\"x\""));
        assert_eq!(found(TEXT, &a.then("x").item(1).item(1)), Some("-2.5"));
        assert_eq!(found(TEXT, &a.then("x").item(1).item(5)), Some("r#\"ra\"w\"#"));
        assert_eq!(found(TEXT, &a.again("x", 1).then("k")), Some("\"v\""));
        assert_eq!(found(TEXT, &a.then("y")), Some("z"));
        assert_eq!(found(TEXT, &Spot::of("d")), Some("\"last\""));
        assert_eq!(found(TEXT, &Spot::of("d").key()), Some("d"));
        assert_eq!(found(TEXT, &Spot::of("b")), Some("Text"));
        assert_eq!(found(TEXT, &Spot::of("b").item(0)), Some(r#""es\"\u{e9}c""#));
    }

    #[test]
    fn a_key_that_comes_again_is_another_place() {
        let x = |times| locate(TEXT, &[Spot::of("a").again("x", times).key()]).remove(0).unwrap().start;
        assert!(x(0) < x(1));
        assert_eq!(found(TEXT, &Spot::of("a").again("x", 2)), None);
    }

    #[test]
    fn a_range_inside_a_string_is_found_through_its_escapes() {
        let b = Spot::of("b").item(0);
        assert_eq!(found(TEXT, &b.clone().within(2..3)), Some(r#"\""#));
        assert_eq!(found(TEXT, &b.clone().within(3..6)), Some(r"\u{e9}c"));
        assert_eq!(found(TEXT, &b.within(6..6)), Some(""));
        let raw = Spot::of("a").then("x").item(1).item(5);
        assert_eq!(found(TEXT, &raw.within(2..4)), Some("\"w"));
    }

    #[test]
    fn what_is_not_there_has_no_span() {
        for place in [Spot::of("nope"), Spot::of("a").then("x").item(9), Spot::of("a").item(0)] {
            assert_eq!(found(TEXT, &place), None);
        }
        for text in ["", "(", "(a", "(a:", "(a: {\"", ")", "]]", "(a: \"\\", "/*", "r#", "'"] {
            assert_eq!(found(text, &Spot::of("a").then("x")), None);
        }
    }
}
