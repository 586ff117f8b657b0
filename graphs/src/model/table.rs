//! A map as a graph writes it: sorted by name, and honest about names that were written twice.
//!
//! A plain `BTreeMap` silently keeps the last of two entries with one name, so that a derivation could vanish
//! from a graph unnoticed. A [`Table`] keeps the first and lists the others for [`check()`](crate::check()) to refuse.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// Entries by name, and the names that were given more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table<V> {
    entries: BTreeMap<String, V>,
    repeated: Vec<String>,
}

impl<V> Table<V> {
    /// The names that came again, once for each time they did, in the order of the text.
    pub fn repeated(&self) -> &[String] {
        &self.repeated
    }
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), repeated: Vec::new() }
    }
}

impl<V> FromIterator<(String, V)> for Table<V> {
    /// Sorted first and then built at once: twice as dense, and so faster to walk, than entry by entry.
    fn from_iter<I: IntoIterator<Item = (String, V)>>(pairs: I) -> Self {
        let mut pairs: Vec<Option<(String, V)>> = pairs.into_iter().map(Some).collect();
        let name = |at: &usize| pairs[*at].as_ref().map(|(name, _)| name);
        let mut order: Vec<usize> = (0..pairs.len()).collect();
        // Stable: of several entries with one name, the first stays in front.
        order.sort_by(|a, b| name(a).cmp(&name(b)));
        let mut again: Vec<usize> =
            order.windows(2).filter(|two| name(&two[0]) == name(&two[1])).map(|two| two[1]).collect();
        again.sort_unstable();
        let repeated = again.into_iter().filter_map(|at| pairs[at].take()).map(|(name, _)| name).collect();
        let entries = order.into_iter().filter_map(|at| pairs[at].take()).collect();
        Self { entries, repeated }
    }
}

impl<V> Deref for Table<V> {
    type Target = BTreeMap<String, V>;

    fn deref(&self) -> &Self::Target {
        &self.entries
    }
}

impl<V> DerefMut for Table<V> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.entries
    }
}

impl<'a, V> IntoIterator for &'a Table<V> {
    type Item = (&'a String, &'a V);
    type IntoIter = std::collections::btree_map::Iter<'a, String, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.iter()
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Table<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

struct Entries<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for Entries<V> {
    type Value = Table<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map with names as keys")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        std::iter::from_fn(|| map.next_entry().transpose()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn the_first_entry_stays_and_the_others_are_listed() {
        let table: Table<u8> = ron::from_str(r#"{"b": 1, "a": 2, "b": 3, "b": 4}"#).unwrap();
        assert_eq!(table.iter().map(|(k, v)| (k.as_str(), *v)).collect::<Vec<_>>(), [("a", 2), ("b", 1)]);
        assert_eq!(table.repeated(), ["b", "b"]);
    }

    #[test]
    fn a_plain_map_would_lose_an_entry() {
        let map: std::collections::BTreeMap<String, u8> = ron::from_str(r#"{"b": 1, "b": 3}"#).unwrap();
        assert_eq!(map["b"], 3);
    }
}
