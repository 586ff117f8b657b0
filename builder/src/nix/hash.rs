//! The hashes that a fixed output may be declared with. Pure but for what is read.

use formats::nar::Sink;
use graphs::drv::Algorithm;
use sha2::digest::DynDigest;
use std::io::{self, Read};

/// One of them, on its way.
pub struct Hasher {
    algorithm: Algorithm,
    state: Box<dyn DynDigest>,
}

impl Hasher {
    /// Of nothing yet.
    pub fn new(algorithm: Algorithm) -> Hasher {
        let state: Box<dyn DynDigest> = match algorithm {
            Algorithm::Md5 => Box::new(md5::Md5::default()),
            Algorithm::Sha1 => Box::new(sha1::Sha1::default()),
            Algorithm::Sha256 => Box::new(sha2::Sha256::default()),
            Algorithm::Sha512 => Box::new(sha2::Sha512::default()),
        };
        Hasher { algorithm, state }
    }

    /// In hex.
    pub fn finish(mut self) -> String {
        let mut hash = [0; 64];
        let hash = &mut hash[..self.algorithm.length()];
        // The length is the algorithm's, so that it fits.
        let _ = self.state.finalize_into_reset(hash);
        formats::hex::text(hash)
    }
}

impl Sink for Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.state.update(bytes);
    }
}

/// The hash of these bytes, in hex.
pub fn of(bytes: &[u8], algorithm: Algorithm) -> String {
    let mut hasher = Hasher::new(algorithm);
    hasher.write(bytes);
    hasher.finish()
}

/// The hash of all that is read, in hex.
pub fn read(mut from: impl Read, algorithm: Algorithm) -> io::Result<String> {
    let (mut hasher, mut buffer) = (Hasher::new(algorithm), vec![0; 256 << 10]);
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(hasher.finish()),
            length => hasher.write(&buffer[..length]),
        }
    }
}
