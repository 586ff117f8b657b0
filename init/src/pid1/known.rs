//! Looking for known hashes of names in bytes that pass through.

use formats::nar::Sink;
use rustix::io::Errno;

/// Digits of the hash that a name in the store starts with.
const HASH: usize = 32;

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
        let Some(key) = hash.iter().try_fold(0, |key, &byte| Some(key << 5 | digit(byte)?)) else {
            return Ok(());
        };
        let key = key as usize & 0xf_ffff;
        if self.last[key / 64] >> (key % 64) & 1 == 1 && self.find(hash).is_some() {
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

/// The value of a digit of Nix's base 32, which has no `e`, `o`, `t` and `u`.
fn digit(byte: u8) -> Option<u32> {
    let letter = |missing: u8| Some(u32::from(byte - b'a' + 10 - missing));
    match byte {
        b'0'..=b'9' => Some(u32::from(byte - b'0')),
        b'a'..=b'd' => letter(0),
        b'f'..=b'n' => letter(1),
        b'p'..=b's' => letter(2),
        b'v'..=b'z' => letter(4),
        _ => None,
    }
}

/// Looks for known hashes in what passes through.
pub struct Scan<'a> {
    known: &'a mut Known,
    next: &'a mut dyn Sink,
    /// The last 32 bytes, written twice, so that they stand in one piece wherever the last of them is.
    window: [u8; 2 * HASH],
    at: usize,
    /// How many digits there were in a row.
    run: usize,
    key: u32,
}

impl<'a> Scan<'a> {
    /// Marks in `known` what is found.
    pub fn new(known: &'a mut Known, next: &'a mut dyn Sink) -> Scan<'a> {
        known.found.fill(false);
        Scan { known, next, window: [0; _], at: 0, run: 0, key: 0 }
    }
}

impl Sink for Scan<'_> {
    fn write(&mut self, bytes: &[u8]) {
        self.next.write(bytes);
        for &byte in bytes {
            let Some(digit) = digit(byte) else {
                self.run = 0;
                continue;
            };
            self.window[self.at] = byte;
            self.window[self.at + HASH] = byte;
            self.at = (self.at + 1) % HASH;
            self.run += 1;
            self.key = (self.key << 5 | digit) & 0xf_ffff;
            let key = self.key as usize;
            if self.run >= HASH
                && self.known.last[key / 64] >> (key % 64) & 1 == 1
                && let Some(i) = self.known.find(&self.window[self.at..self.at + HASH])
            {
                self.known.found[i] = true;
            }
        }
    }
}
