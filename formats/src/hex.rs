//! Bytes as lower-case hexadecimal digits; sha256 digests as 64 of them, the only spelling that a plan or an event may use.

/// A sha256 digest.
pub type Digest = [u8; 32];

pub(crate) const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The 64 digits of a digest.
pub fn encode(digest: &Digest) -> [u8; 64] {
    let mut text = [0; 64];
    for (pair, byte) in text.chunks_exact_mut(2).zip(digest) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    text
}

/// The digest that 64 lower-case digits spell; `None` for anything else.
pub fn decode(text: &[u8]) -> Option<Digest> {
    if text.len() != 64 {
        return None;
    }
    let mut digest = [0; 32];
    for (byte, pair) in digest.iter_mut().zip(text.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(digest)
}

/// The digits of any bytes.
#[cfg(feature = "host")]
pub fn text(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The value of one lower-case digit.
pub fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_only() {
        let digest: Digest = core::array::from_fn(|i| i as u8 * 8 + 7);
        let text = encode(&digest);
        assert_eq!(decode(&text), Some(digest));
        assert_eq!(decode(&text[1..]), None);
        assert_eq!(decode(&text.to_ascii_uppercase()), None);
    }
}
