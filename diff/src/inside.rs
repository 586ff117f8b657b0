//! What is inside compressed files. Pure.

use formats::compression::{Compression, decompress};
use std::io::Read;

/// Bytes inside that are looked at.
const LARGEST: u64 = 256 << 20;

/// How two files are compressed and what is inside each, if it is in the same way and the difference is not that of compression.
pub fn inside(one: &[u8], other: &[u8]) -> Option<(&'static str, Vec<u8>, Vec<u8>)> {
    let how = Compression::of(one).filter(|&how| Compression::of(other) == Some(how))?;
    let (one, other) = (read(one)?, read(other)?);
    (one != other).then_some((how.name(), one, other))
}

/// Both files, or what is inside both if that is what [`parts`](super::parts()) tells of.
pub fn contents(one: Vec<u8>, other: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    match inside(&one, &other) {
        Some((_, one, other)) => (one, other),
        None => (one, other),
    }
}

fn read(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut inside = Vec::new();
    decompress(bytes).ok()?.take(LARGEST + 1).read_to_end(&mut inside).ok()?;
    (inside.len() as u64 <= LARGEST).then_some(inside)
}
