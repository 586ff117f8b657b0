//! References: names of a map, found in bytes that pass through, as PID 1 finds them in the machine.

use crate::nar::{Discard, Sink};
use crate::scan::{HASH, Names, Scan};
use std::collections::{BTreeMap, BTreeSet};

/// What may be referred to: base names by their hashes.
#[derive(Default)]
pub struct Known(BTreeMap<[u8; HASH], String>);

impl Known {
    /// Of base names.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Known {
        let entry = |name: &str| Some((name.as_bytes().get(..HASH)?.try_into().ok()?, name.to_owned()));
        Known(names.into_iter().filter_map(entry).collect())
    }

    /// The names that are in the bytes which `write` hands to its sink, and what it returns.
    pub fn search<T>(&self, write: impl FnOnce(&mut dyn Sink) -> T) -> (T, BTreeSet<String>) {
        let mut found = Found { known: self, found: BTreeSet::new() };
        let result = write(&mut Scan::new(&mut found, &mut Discard));
        (result, found.found)
    }
}

struct Found<'a> {
    known: &'a Known,
    found: BTreeSet<String>,
}

impl Names for Found<'_> {
    fn may_end(&self, _key: usize) -> bool {
        true
    }

    fn found(&mut self, hash: &[u8]) {
        if let Some(name) = self.known.0.get(hash) {
            self.found.insert(name.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_found_across_chunks_and_nowhere_else() {
        let name = "0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x";
        let known = Known::new([name]);
        let text = format!("zzz{}/bin", &name[..HASH]);
        for size in 1..40 {
            let write =
                |sink: &mut dyn Sink| text.as_bytes().chunks(size).for_each(|chunk| sink.write(chunk));
            assert_eq!(known.search(write).1.len(), 1, "{size}");
        }
        let write = |sink: &mut dyn Sink| sink.write(b"0mdqa9w1p6cmli6976v4wi0s-w9r4p5pr");
        assert!(known.search(write).1.is_empty());
    }
}
