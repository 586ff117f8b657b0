//! sha256 of bytes, files and whatever passes through, in lower-case hex.

use formats::digest;
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

pub fn bytes(bytes: &[u8]) -> String {
    digest::Sha256::of(bytes).to_string()
}

/// Whether the text is a sha256 as we write it: 64 lower-case hex digits.
pub fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Hash and size of a file.
pub fn file(path: &Path) -> io::Result<(digest::Sha256, u64)> {
    let mut hash = Hashing::new(io::sink());
    let size = copy(&mut File::open(path)?, &mut hash)?;
    Ok((hash.finish().1, size))
}

/// [`io::copy`] with a buffer large enough that hashing, and not system calls, is what takes the time.
pub fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<u64> {
    let mut buffer = vec![0; 256 << 10];
    let mut total = 0;
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(n) => {
                to.write_all(&buffer[..n])?;
                total += n as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Hashes what is written through it.
pub struct Hashing<W> {
    inner: W,
    state: Sha256,
}

impl<W: Write> Hashing<W> {
    pub fn new(inner: W) -> Self {
        Hashing { inner, state: Sha256::new() }
    }

    pub fn finish(self) -> (W, digest::Sha256) {
        let digest: [u8; 32] = self.state.finalize().into();
        (self.inner, digest.into())
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.state.update(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_standard() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(bytes(b"abc"), abc);
        let mut hashing = Hashing::new(Vec::new());
        hashing.write_all(b"ab").unwrap();
        hashing.write_all(b"c").unwrap();
        assert_eq!(hashing.finish(), (b"abc".to_vec(), abc.parse().unwrap()));
        assert!(is_sha256(abc) && !is_sha256(&abc.to_uppercase()) && !is_sha256("ab"));
    }
}
