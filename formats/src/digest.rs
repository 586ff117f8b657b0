//! SHA-256 digests as values, so that no text stands where a digest is meant.
//!
//! Text and serde form: 64 lower-case hexadecimal digits, and nothing else is read.

use crate::{hex, nix32};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// The SHA-256 of something. Ordered by its bytes, which is the order of its digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256([u8; 32]);

/// A text that is not 64 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a sha256 of 64 lower-case hexadecimal digits, found {0:?}")]
pub struct NotSha256(pub String);

impl Sha256 {
    /// The digest of these bytes.
    pub fn of(bytes: impl AsRef<[u8]>) -> Sha256 {
        use sha2::Digest;
        Sha256(sha2::Sha256::digest(bytes).into())
    }

    /// The digest that 64 lower-case digits spell.
    pub fn from_hex(text: &str) -> Option<Sha256> {
        hex::decode(text.as_bytes()).map(Sha256)
    }

    /// The 32 bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// As Nix spells it: 52 digits of [`nix32`].
    pub fn nix32(&self) -> String {
        nix32::encode(&self.0)
    }
}

impl From<[u8; 32]> for Sha256 {
    fn from(bytes: [u8; 32]) -> Sha256 {
        Sha256(bytes)
    }
}

impl TryFrom<&[u8]> for Sha256 {
    type Error = std::array::TryFromSliceError;

    fn try_from(bytes: &[u8]) -> Result<Sha256, Self::Error> {
        bytes.try_into().map(Sha256)
    }
}

impl FromStr for Sha256 {
    type Err = NotSha256;

    fn from_str(text: &str) -> Result<Sha256, NotSha256> {
        Sha256::from_hex(text).ok_or_else(|| NotSha256(text.to_owned()))
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex::text(&self.0))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Sha256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Sha256, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        // FIPS 180-4, the example of one block.
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let abc = Sha256::of("abc");
        assert_eq!(abc.to_string(), text);
        assert_eq!(text.parse(), Ok(abc));
        assert_eq!(format!("{abc:.8}"), "ba7816bf");
        for wrong in [&text[1..], &text.to_uppercase(), ""] {
            assert!(wrong.parse::<Sha256>().is_err(), "{wrong}");
        }
        assert_eq!(Sha256::of("").nix32(), "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73");
    }
}
