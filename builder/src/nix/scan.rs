//! The NAR of something on disk, hashed and searched for names in the store, as PID 1 does it in the machine.

use formats::nar::Sink;
use graphs::drv::nix32;
use graphs::drv::path::HASH;
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
}

/// Looks for hashes in what passes through.
pub struct Scan<'a> {
    known: &'a Known,
    /// The digits that were the last bytes, at most 32.
    tail: Vec<u8>,
    /// What was found.
    pub found: BTreeSet<String>,
}

impl Scan<'_> {
    /// Nothing found yet.
    pub fn new(known: &Known) -> Scan<'_> {
        Scan { known, tail: Vec::new(), found: BTreeSet::new() }
    }
}

impl Sink for Scan<'_> {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if !nix32::is_digit(byte) {
                self.tail.clear();
                continue;
            }
            if self.tail.len() == 4096 {
                self.tail.drain(..4096 - HASH + 1);
            }
            self.tail.push(byte);
            if let Some((_, last)) = self.tail.split_last_chunk::<HASH>()
                && let Some(name) = self.known.0.get(last)
            {
                self.found.insert(name.clone());
            }
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
        for chunk in 1..40 {
            let mut scan = Scan::new(&known);
            text.as_bytes().chunks(chunk).for_each(|chunk| scan.write(chunk));
            assert_eq!(scan.found.len(), 1, "{chunk}");
        }
        let mut scan = Scan::new(&known);
        scan.write(b"0mdqa9w1p6cmli6976v4wi0s-w9r4p5pr");
        assert!(scan.found.is_empty());
    }
}
