//! The names that outputs may refer to, in fixed memory.

use formats::scan::{HASH, Names, key};
use rustix::io::Errno;

/// What may be referred to: base names, one after the other, and where each starts.
pub struct Known {
    names: [u8; 8 << 20],
    used: usize,
    starts: [u32; 64 << 10],
    /// Which of them were found.
    pub found: [bool; 64 << 10],
    /// How many there are.
    pub count: usize,
    /// For the last four digits of each hash a bit: most of what looks like a hash is none, and this tells so at once.
    last: [u64; 1 << 14],
}

impl Known {
    /// Nothing.
    pub const fn new() -> Known {
        Known { names: [0; _], used: 0, starts: [0; _], found: [false; _], count: 0, last: [0; _] }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        (self.used, self.count) = (0, 0);
        self.last.fill(0);
    }

    /// A base name by its number.
    pub fn name(&self, i: usize) -> &[u8] {
        let end = if i + 1 < self.count { self.starts[i + 1] as usize } else { self.used };
        &self.names[self.starts[i] as usize..end]
    }

    fn find(&self, hash: &[u8]) -> Option<usize> {
        (0..self.count).find(|&i| self.name(i).starts_with(hash))
    }

    /// Adds a base name.
    pub fn add(&mut self, name: &[u8]) -> Result<(), Errno> {
        const FULL: Errno = Errno::TOOBIG;
        let Some(hash) = name.get(..HASH) else { return Ok(()) };
        let Some(key) = key(hash) else { return Ok(()) };
        if self.may_end(key) && self.find(hash).is_some() {
            return Ok(());
        }
        self.last[key / 64] |= 1 << (key % 64);
        self.names.get_mut(self.used..self.used + name.len()).ok_or(FULL)?.copy_from_slice(name);
        *self.starts.get_mut(self.count).ok_or(FULL)? = self.used as u32;
        self.used += name.len();
        self.count += 1;
        Ok(())
    }
}

impl Names for Known {
    fn may_end(&self, key: usize) -> bool {
        self.last[key / 64] >> (key % 64) & 1 == 1
    }

    fn found(&mut self, hash: &[u8]) {
        if let Some(i) = self.find(hash) {
            self.found[i] = true;
        }
    }
}
