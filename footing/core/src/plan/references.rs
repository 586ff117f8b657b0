//! Which things in the store refer to which: found by the hashes of their names, as Nix and Guix do, in the NAR of each output.
//! What something refers to in turn is noted with it. What was noted last comes first, as in PID 1's lists, which are directories of
//! a tmpfs.
//!
//! Source: E. Dolstra, "The Purely Functional Software Deployment Model" (2006), 5.5.2.

use super::Numbers;
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use formats::plan::{RootfsEntry, Step};
use formats::scan::{self, HASH, KEYS};

/// A name, and what it refers to.
struct Entry {
    name: Box<[u8]>,
    refers: Vec<u32>,
    /// The step that made it; none for an input.
    maker: Option<Box<[u8]>>,
}

/// All that is known.
#[derive(Default)]
pub(super) struct References {
    numbers: Numbers,
    entries: Vec<Entry>,
}

impl References {
    fn entry(&self, base: &[u8]) -> Option<&Entry> {
        self.entries.get(*self.numbers.get(base)? as usize)
    }

    fn number(&mut self, name: &[u8]) -> u32 {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let number = self.entries.len() as u32;
        self.entries.push(Entry { name: name.into(), refers: Vec::new(), maker: None });
        self.numbers.insert(name.into(), number);
        number
    }

    /// What this refers to, directly or not.
    pub(super) fn of(&self, base: &[u8]) -> impl Iterator<Item = &[u8]> {
        let refers = self.entry(base).map_or(&[][..], |entry| &entry.refers);
        refers.iter().rev().filter_map(|&number| Some(&*self.entries.get(number as usize)?.name))
    }

    /// Notes that one thing refers to another, and to what that refers to in turn.
    pub(super) fn add(&mut self, base: &[u8], to: &[u8]) {
        let (base, to) = (self.number(base), self.number(to));
        let further = self.entries.get(to as usize).map_or(Vec::new(), |entry| entry.refers.clone());
        let Some(entry) = self.entries.get_mut(base as usize) else { return };
        for number in core::iter::once(to).chain(further.into_iter().rev()) {
            if !entry.refers.contains(&number) {
                entry.refers.push(number);
            }
        }
    }

    /// Notes which step made something; of several that make the same the first counts.
    pub(super) fn made(&mut self, base: &[u8], step: &[u8]) {
        let number = self.number(base);
        if let Some(entry) = self.entries.get_mut(number as usize) {
            entry.maker.get_or_insert_with(|| step.into());
        }
    }

    /// The step that made something.
    pub(super) fn maker(&self, base: &[u8]) -> Option<&[u8]> {
        self.entry(base)?.maker.as_deref()
    }

    /// What the outputs of a step may refer to: what it binds in the store, what that refers to, and each other.
    pub(super) fn known(&self, step: &Step<'_>) -> Known {
        let mut known = Known::new();
        for base in step.world().filter_map(|world| in_store(step, world)) {
            known.add(base);
            self.of(base).for_each(|further| known.add(further));
        }
        step.outputs().for_each(|output| known.add(output.base.as_bytes()));
        known
    }

    /// Notes what outputs of one step refer to through each other.
    pub(super) fn close(&mut self, step: &Step<'_>) {
        for _ in step.outputs() {
            for output in step.outputs() {
                let base = output.base.as_bytes();
                let is_sibling = |name: &[u8]| step.outputs().any(|output| output.base.as_bytes() == name);
                let siblings: Vec<Box<[u8]>> =
                    self.of(base).filter(|name| is_sibling(name)).map(Box::from).collect();
                siblings.iter().for_each(|sibling| self.add(base, sibling));
            }
        }
    }
}

/// The base name of what a step binds directly in its store.
pub(super) fn in_store<'p>(step: &Step<'p>, world: RootfsEntry<'p>) -> Option<&'p [u8]> {
    let RootfsEntry::Bind { path, .. } = world else { return None };
    let base = path.spelled().strip_prefix(step.store.spelled())?.strip_prefix(b"/")?;
    (!base.contains(&b'/')).then_some(base)
}

/// What may be referred to, and what was found.
pub(super) struct Known {
    /// Base names, and whether each was found.
    names: Vec<(Box<[u8]>, bool)>,
    hashes: Numbers,
    /// For the end of each hash a bit: most of what looks like a hash is none, and this shows it at once.
    ends: Vec<u64>,
}

impl Known {
    fn new() -> Known {
        Known { names: Vec::new(), hashes: Numbers::new(), ends: vec![0; KEYS / 64] }
    }

    /// Adds a base name, if it starts with a hash that no other one has.
    fn add(&mut self, name: &[u8]) {
        let Some(hash) = name.get(..HASH) else { return };
        let Some(key) = scan::key(hash) else { return };
        if self.hashes.contains_key(hash) {
            return;
        }
        if let Some(bits) = self.ends.get_mut(key / 64) {
            *bits |= 1 << (key % 64);
        }
        self.hashes.insert(hash.into(), self.names.len() as u32);
        self.names.push((name.into(), false));
    }

    /// What was found since it was asked last.
    pub(super) fn take(&mut self) -> Vec<Box<[u8]>> {
        let mut taken = Vec::new();
        for (name, found) in &mut self.names {
            if core::mem::take(found) {
                taken.push(name.clone());
            }
        }
        taken
    }
}

impl scan::Names for Known {
    fn may_end(&self, key: usize) -> bool {
        self.ends.get(key / 64).is_some_and(|bits| bits >> (key % 64) & 1 == 1)
    }

    fn found(&mut self, hash: &[u8]) {
        if let Some(&i) = self.hashes.get(hash)
            && let Some((_, found)) = self.names.get_mut(i as usize)
        {
            *found = true;
        }
    }
}
