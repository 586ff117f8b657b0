//! Random numbers and arguments.

use super::program::{Arg, Call};
use libc::*;

/// Random numbers: xorshift64.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }

    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    pub fn some(&mut self, of: &[i32], most: u64) -> i32 {
        (0..self.below(most + 1)).fold(0, |sum, _| sum | self.one(of))
    }
}

const NAMES: [&str; 24] = [
    "a", "b", "c", "d", "e", "d/a", "d/b", "d/e", "d/e/a", "e/a", "a/x", "d/", "a/", ".", "..", "d/.",
    "d/..", "./a", "", "none/x", "d//a", "e/../a", "d/e/../b", "f",
];

pub fn n(number: i64) -> Arg {
    Arg::Number(number as u64)
}

/// A number with a sign of 32 bits.
pub fn i(number: i32) -> Arg {
    n(number.into())
}

pub fn text(text: &str) -> Arg {
    Arg::Bytes(text.bytes().chain([0]).collect())
}

pub fn words(words: &[u64]) -> Arg {
    Arg::Bytes(words.iter().flat_map(|word| word.to_le_bytes()).collect())
}

pub fn name(random: &mut Random) -> Arg {
    text(random.one(&NAMES))
}

/// Directories below the one where a program starts.
pub fn folder(random: &mut Random) -> Arg {
    text(random.one(&["d", "e", "d/e", ".", "a", "none"]))
}

pub fn bytes(random: &mut Random) -> (Arg, Arg) {
    let length = random.below(40) as usize;
    (Arg::Bytes(vec![b'a' + random.below(26) as u8; length]), n(length as i64))
}

pub fn fd(random: &mut Random) -> Arg {
    n(random.below(9) as i64 + i64::from(random.below(8) != 0) * 2 - 1)
}

pub fn offset(random: &mut Random) -> Arg {
    n(random.one(&[0, 0, 1, 5, 10, 100, 4096, 5000, -1, -5]))
}

pub fn mode(random: &mut Random) -> Arg {
    n(random.one(&[0o644, 0o755, 0o600, 0, 0o777, 0o444, 0o4755, 0o2770, 0o1777, 0o200, 0o100]))
}

pub fn call(number: c_long, args: Vec<Arg>) -> Call {
    Call { number, args, loose: false, child: Vec::new() }
}

/// A call whose result is an address or the number of a process.
pub fn loose(number: c_long, args: Vec<Arg>) -> Call {
    Call { loose: true, ..call(number, args) }
}
