//! An ordered map of little code. `alloc`'s has 5 KB for each kind of key and value.

use alloc::vec::Vec;
use core::borrow::Borrow;
use core::mem::replace;

/// How many entries a row may have.
const ROW: usize = 64;

/// Values by key, in the keys' order: rows of entries that are sorted, as are the rows. No row is empty.
///
/// With n entries a search takes log n steps, a change moves at most 64 entries and n / 32 rows.
#[derive(Clone, Debug)]
pub struct Map<K, V> {
    rows: Vec<Vec<(K, V)>>,
}

/// A row's number, and a place in it.
type Place = (usize, usize);

impl<K, V> Default for Map<K, V> {
    fn default() -> Map<K, V> {
        Map::new()
    }
}

impl<K, V> Map<K, V> {
    /// A map without entries.
    pub const fn new() -> Map<K, V> {
        Map { rows: Vec::new() }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.rows.iter().map(Vec::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Removes all entries.
    pub fn clear(&mut self) {
        self.rows.clear();
    }

    /// All entries, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.rows.iter().flatten().map(|(key, value)| (key, value))
    }

    /// All keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.rows.iter().flatten().map(|(key, _)| key)
    }

    /// All values, in their keys' order.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.rows.iter().flatten().map(|(_, value)| value)
    }

    /// All values, in their keys' order.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.rows.iter_mut().flatten().map(|(_, value)| value)
    }

    /// All entries, in order, to change their values.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.rows.iter_mut().flatten().map(|(key, value)| (&*key, value))
    }

    fn at(&self, (row, place): Place) -> Option<(&K, &V)> {
        self.rows.get(row)?.get(place).map(|(key, value)| (key, value))
    }

    /// The first entry.
    pub fn first(&self) -> Option<(&K, &V)> {
        self.at((0, 0))
    }

    /// The entry with the highest key.
    pub fn last(&self) -> Option<(&K, &V)> {
        self.rows.last().and_then(|row| row.last()).map(|(key, value)| (key, value))
    }
}

impl<K: Ord, V> Map<K, V> {
    /// Where a key's entry is; otherwise where it would be, which is the end of a row or an entry behind it.
    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Result<Place, Place>
    where
        K: Borrow<Q>,
    {
        let starts = |row: &Vec<(K, V)>| row.first().is_some_and(|(first, _)| first.borrow() <= key);
        let number = self.rows.partition_point(starts).saturating_sub(1);
        let Some(row) = self.rows.get(number) else { return Err((0, 0)) };
        match row.binary_search_by(|(other, _)| other.borrow().cmp(key)) {
            Ok(place) => Ok((number, place)),
            Err(place) => Err((number, place)),
        }
    }

    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.at(self.find(key).ok()?).map(|(_, value)| value)
    }

    /// The value of a key.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let (row, place) = self.find(key).ok()?;
        self.rows.get_mut(row)?.get_mut(place).map(|(_, value)| value)
    }

    /// Whether a key has a value.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.find(key).is_ok()
    }

    /// Sets a key's value; the one before it.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.find(&key) {
            Ok((row, place)) => {
                let entry = self.rows.get_mut(row)?.get_mut(place)?;
                Some(replace(&mut entry.1, value))
            }
            Err((number, place)) => {
                let Some(row) = self.rows.get_mut(number) else {
                    self.rows.push(alloc::vec![(key, value)]);
                    return None;
                };
                row.insert(place, (key, value));
                if row.len() > ROW {
                    let rest = row.split_off(ROW / 2);
                    self.rows.insert(number + 1, rest);
                }
                None
            }
        }
    }

    /// Removes a key's entry; its value.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let (number, place) = self.find(key).ok()?;
        let row = self.rows.get_mut(number)?;
        let (_, value) = row.remove(place);
        if row.is_empty() {
            self.rows.remove(number);
        }
        Some(value)
    }

    /// The place of the first entry whose key is not below this one.
    fn start<Q: Ord + ?Sized>(&self, key: &Q) -> Place
    where
        K: Borrow<Q>,
    {
        let (row, place) = self.find(key).unwrap_or_else(|place| place);
        match self.rows.get(row) {
            Some(entries) if place == entries.len() => (row + 1, 0),
            _ => (row, place),
        }
    }

    /// The first entry whose key is this one or behind it.
    pub fn next<Q: Ord + ?Sized>(&self, key: &Q) -> Option<(&K, &V)>
    where
        K: Borrow<Q>,
    {
        self.at(self.start(key))
    }

    /// The first entry whose key is behind this one.
    pub fn after<Q: Ord + ?Sized>(&self, key: &Q) -> Option<(&K, &V)>
    where
        K: Borrow<Q>,
    {
        match self.find(key) {
            Ok((row, place)) => self.at((row, place + 1)).or_else(|| self.at((row + 1, 0))),
            Err(_) => self.next(key),
        }
    }

    /// The place of the last entry whose key is below this one.
    fn below<Q: Ord + ?Sized>(&self, key: &Q) -> Option<Place>
    where
        K: Borrow<Q>,
    {
        match self.find(key).unwrap_or_else(|place| place) {
            (row, 0) => {
                let row = row.checked_sub(1)?;
                Some((row, self.rows.get(row)?.len() - 1))
            }
            (row, place) => Some((row, place - 1)),
        }
    }

    /// The last entry whose key is below this one.
    pub fn before<Q: Ord + ?Sized>(&self, key: &Q) -> Option<(&K, &V)>
    where
        K: Borrow<Q>,
    {
        self.at(self.below(key)?)
    }

    /// The same, to change its value.
    pub fn before_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<(&K, &mut V)>
    where
        K: Borrow<Q>,
    {
        let (row, place) = self.below(key)?;
        self.rows.get_mut(row)?.get_mut(place).map(|(key, value)| (&*key, value))
    }

    /// The last entry whose key is this one or below it.
    pub fn upto<Q: Ord + ?Sized>(&self, key: &Q) -> Option<(&K, &V)>
    where
        K: Borrow<Q>,
    {
        match self.find(key) {
            Ok(place) => self.at(place),
            Err(_) => self.before(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Map;
    use alloc::collections::BTreeMap;
    use alloc::vec::Vec;

    /// Random changes and questions, beside `alloc`'s map.
    #[test]
    fn it_answers_as_another_map_does() {
        let (mut map, mut other) = (Map::new(), BTreeMap::new());
        let mut word = 0x9e37_79b9_7f4a_7c15_u64;
        for round in 0..20_000_u64 {
            word ^= word << 13;
            word ^= word >> 7;
            word ^= word << 17;
            let key = word % 700;
            // It grows, then it shrinks.
            match (word >> 20) % 8 {
                0..=2 => assert_eq!(map.insert(key, round), other.insert(key, round)),
                change if change < 3 + round / 4000 => assert_eq!(map.remove(&key), other.remove(&key)),
                _ => {}
            }
            assert_eq!(map.get(&key), other.get(&key));
            assert_eq!(map.contains_key(&key), other.contains_key(&key));
            assert_eq!(map.next(&key), other.range(key..).next());
            assert_eq!(map.after(&key), other.range(key + 1..).next());
            assert_eq!(map.before(&key), other.range(..key).next_back());
            assert_eq!(map.upto(&key), other.range(..=key).next_back());
            assert_eq!(map.before_mut(&key), other.range_mut(..key).next_back());
            assert_eq!((map.first(), map.len()), (other.first_key_value(), other.len()));
            assert_eq!(map.is_empty(), other.is_empty());
        }
        assert!(map.iter().eq(other.iter()) && map.rows.len() > 3);
        assert!(map.keys().eq(other.keys()) && map.values().eq(other.values()));
        for key in other.into_keys().collect::<Vec<u64>>() {
            map.remove(&key);
        }
        assert!(
            map.is_empty() && map.first().is_none() && map.next(&0).is_none() && map.before(&9).is_none()
        );
    }
}
