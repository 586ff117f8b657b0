//! Where in a RON text a place of the graph is written.
//!
//! serde keeps no positions. Rather than carry one beside every string of every graph, the few places that
//! problems speak of are looked up afterwards, all of them in one pass over the text, steered by the tree of the
//! wanted paths. The text has been read by `ron` before, so the scanner need not complain about anything: what
//! it does not understand has no span.

mod literal;
mod scan;
pub(crate) mod token;

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

/// A path into the graph, as a check follows it: `seeds`, `musl`, `from`, item 2. It borrows, so that checking what is
/// right costs nothing; a problem turns it into a [`Spot`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trail<'a> {
    up: Option<&'a Trail<'a>>,
    key: Option<(&'a str, usize)>,
    item: usize,
}

impl<'a> Trail<'a> {
    /// The value that a field of the graph holds.
    pub fn of(field: &'a str) -> Self {
        Self { up: None, key: Some((field, 0)), item: 0 }
    }

    /// The value under a key or field of this.
    pub fn then(&'a self, key: &'a str) -> Self {
        self.again(key, 0)
    }

    /// The value under a key that came `times` times before.
    pub fn again(&'a self, key: &'a str, times: usize) -> Self {
        Self { up: Some(self), key: Some((key, times)), item: 0 }
    }

    /// An item of this list or enum variant.
    pub fn item(&'a self, item: usize) -> Self {
        Self { up: Some(self), key: None, item }
    }

    /// Not the value, but the key under which it stands.
    pub fn key(&self) -> Spot {
        Spot { key: true, ..self.spot() }
    }

    /// Not the whole string, but a range of the bytes that it stands for.
    pub fn within(&self, range: Range<usize>) -> Spot {
        Spot { within: Some(range), ..self.spot() }
    }

    /// The same, to be kept.
    pub fn spot(&self) -> Spot {
        let segment = |trail: &Self| match trail.key {
            Some((key, times)) => Segment::Key(key.to_owned(), times),
            None => Segment::Item(trail.item),
        };
        let mut path: Vec<_> = std::iter::successors(Some(self), |trail| trail.up).map(segment).collect();
        path.reverse();
        Spot { path, key: false, within: None }
    }
}

/// A place of a graph: the value at the end of a path, its key, or a part of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spot {
    path: Vec<Segment>,
    key: bool,
    within: Option<Range<usize>>,
}

impl From<Trail<'_>> for Spot {
    fn from(trail: Trail<'_>) -> Self {
        trail.spot()
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

    fn found(text: &str, place: impl Into<Spot>) -> Option<&str> {
        let span = locate(text, &[place.into()]).remove(0)?;
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
        let a = Trail::of("a");
        assert_eq!(found(TEXT, a.then("x").item(0)), Some("\"one\""));
        assert_eq!(found(TEXT, a.then("x").key()), Some("\"x\""));
        assert_eq!(found(TEXT, a.then("x").item(1).item(1)), Some("-2.5"));
        assert_eq!(found(TEXT, a.then("x").item(1).item(5)), Some("r#\"ra\"w\"#"));
        assert_eq!(found(TEXT, a.again("x", 1).then("k")), Some("\"v\""));
        assert_eq!(found(TEXT, a.then("y")), Some("z"));
        assert_eq!(found(TEXT, Trail::of("d")), Some("\"last\""));
        assert_eq!(found(TEXT, Trail::of("d").key()), Some("d"));
        assert_eq!(found(TEXT, Trail::of("b")), Some("Text"));
        assert_eq!(found(TEXT, Trail::of("b").item(0)), Some(r#""es\"\u{e9}c""#));
    }

    #[test]
    fn a_key_that_comes_again_is_another_place() {
        let x = |times| locate(TEXT, &[Trail::of("a").again("x", times).key()]).remove(0).unwrap().start;
        assert!(x(0) < x(1));
        assert_eq!(found(TEXT, Trail::of("a").again("x", 2)), None);
    }

    #[test]
    fn a_range_inside_a_string_is_found_through_its_escapes() {
        let b = Trail::of("b");
        let b = b.item(0);
        assert_eq!(found(TEXT, b.within(2..3)), Some(r#"\""#));
        assert_eq!(found(TEXT, b.within(3..6)), Some(r"\u{e9}c"));
        assert_eq!(found(TEXT, b.within(6..6)), Some(""));
        let raw = Trail::of("a").then("x").item(1).item(5).within(2..4);
        assert_eq!(found(TEXT, raw), Some("\"w"));
    }

    #[test]
    fn what_is_not_there_has_no_span() {
        for place in [Trail::of("nope"), Trail::of("a").then("x").item(9), Trail::of("a").item(0)] {
            assert_eq!(found(TEXT, place), None);
        }
        for text in ["", "(", "(a", "(a:", "(a: {\"", ")", "]]", "(a: \"\\", "/*", "r#", "'"] {
            assert_eq!(found(text, Trail::of("a").then("x")), None);
        }
    }
}
