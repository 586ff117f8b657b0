//! Nix's base 32: no `e`, `o`, `t` or `u`, and the last byte first.
//!
//! Digit `i`, counted from the right, holds bits `5i` to `5i+4` of the bytes as a little-endian number.

/// The digits.
pub const DIGITS: &[u8; 32] = b"0123456789abcdfghijklmnpqrsvwxyz";

/// Bytes in base 32.
pub fn encode(bytes: &[u8]) -> String {
    let bit = |at: usize| bytes.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 == 1);
    let digit = |i: usize| (0..5).map(|k| usize::from(bit(5 * i + k)) << k).sum::<usize>();
    (0..(bytes.len() * 8).div_ceil(5)).rev().map(|i| char::from(DIGITS[digit(i)])).collect()
}

/// The bytes that digits stand for; `None` where they are not digits or have bits to spare.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = vec![0_u8; text.len() * 5 / 8];
    for (i, digit) in text.bytes().rev().enumerate() {
        let value = DIGITS.iter().position(|&other| other == digit)?;
        for k in (0..5).filter(|k| value >> k & 1 == 1) {
            let at = 5 * i + k;
            *bytes.get_mut(at / 8)? |= 1 << (at % 8);
        }
    }
    (encode(&bytes) == text).then_some(bytes)
}

/// Whether all of this are digits.
pub fn is(text: &str) -> bool {
    text.bytes().all(|byte| DIGITS.contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn as_nix_spells_it() {
        // `nix-hash --to-base32 --type sha256` of the sha256 of nothing.
        let empty =
            crate::hex::decode("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855").unwrap();
        assert_eq!(encode(&empty), "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73");
        assert_eq!(decode("e"), None);
        assert_eq!(decode("z"), None);
    }

    proptest! {
        #[test]
        fn there_and_back(bytes in prop::collection::vec(any::<u8>(), 0..70)) {
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }
    }
}
