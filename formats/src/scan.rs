//! Looking for the hashes of names in bytes that pass through, as Nix and Guix look for references: a name in the store starts with
//! 32 digits of base 32.
//!
//! Source: E. Dolstra, "The Purely Functional Software Deployment Model" (2006), 5.5.2.

use crate::nar::Sink;

/// Digits of the hash that a name in the store starts with.
pub const HASH: usize = 32;
/// How many keys there are.
pub const KEYS: usize = 1 << 20;

/// The names that are looked for.
pub trait Names {
    /// Whether a hash may have this [`key`]: most of what looks like a hash is none, and this shows it at once.
    fn may_end(&self, key: usize) -> bool;
    /// These [`HASH`] digits were found; they may be of no name.
    fn found(&mut self, hash: &[u8]);
}

/// The value of the last four digits of a hash; none if it is no hash.
pub fn key(hash: &[u8]) -> Option<usize> {
    let key = hash.iter().try_fold(0, |key, &byte| Some(key << 5 | digit(byte)?));
    key.map(|key| key as usize % KEYS)
}

/// The value of a digit of Nix's base 32, which has no `e`, `o`, `t` and `u`.
pub(crate) fn digit(byte: u8) -> Option<u32> {
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

/// Looks for names in what passes through.
pub struct Scan<'a, N> {
    names: &'a mut N,
    next: &'a mut dyn Sink,
    /// The last 32 bytes, written twice, so that they stand in one piece wherever the last of them is.
    window: [u8; 2 * HASH],
    at: usize,
    /// How many digits there were in a row.
    run: usize,
    key: u32,
}

impl<'a, N: Names> Scan<'a, N> {
    /// Looks for these names in what is written, and passes it on.
    pub fn new(names: &'a mut N, next: &'a mut dyn Sink) -> Scan<'a, N> {
        Scan { names, next, window: [0; _], at: 0, run: 0, key: 0 }
    }
}

impl<N: Names> Sink for Scan<'_, N> {
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
            self.key = (self.key << 5 | digit) % KEYS as u32;
            if self.run >= HASH && self.names.may_end(self.key as usize) {
                self.names.found(&self.window[self.at..self.at + HASH]);
            }
        }
    }
}
