//! Nix's base 32: no `e`, `o`, `t` or `u`, and the last byte first.
//!
//! Digit `i`, counted from the right, holds bits `5i` to `5i+4` of the bytes as a little-endian number.

use crate::scan::digit as digit_value;

/// The digits.
pub const DIGITS: &[u8; 32] = b"0123456789abcdfghijklmnpqrsvwxyz";

/// Bytes in base 32.
pub fn encode(bytes: &[u8]) -> String {
    let mut digits = Vec::with_capacity((bytes.len() * 8).div_ceil(5));
    // Bits that were read and are in no digit yet: four at most, and then a byte more.
    let (mut bits, mut count) = (0_u16, 0);
    for byte in bytes {
        bits |= u16::from(*byte) << count;
        count += 8;
        while count >= 5 {
            digits.push(DIGITS[usize::from(bits & 31)]);
            bits >>= 5;
            count -= 5;
        }
    }
    if count > 0 {
        digits.push(DIGITS[usize::from(bits)]);
    }
    digits.into_iter().rev().map(char::from).collect()
}

/// The bytes that digits stand for; `None` where they are not digits or have bits to spare.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut bits, mut count) = (0_u16, 0);
    for digit in text.bytes().rev() {
        bits |= (digit_value(digit)? as u16) << count;
        count += 5;
        if count >= 8 {
            // The lowest eight of at most twelve.
            bytes.push(bits as u8);
            bits >>= 8;
            count -= 8;
        }
    }
    // What is left over must be nothing, and less than a digit.
    (bits == 0 && count < 5).then_some(bytes)
}

/// Whether all of this are digits.
pub fn is(text: &str) -> bool {
    text.bytes().all(|byte| digit_value(byte).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn as_nix_spells_it() {
        // `nix-hash --to-base32 --type sha256` of the sha256 of nothing.
        let empty = crate::digest::Sha256::of("");
        assert_eq!(encode(empty.bytes()), "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73");
        assert_eq!(decode("e"), None);
        // Bits to spare that are set, and digits to spare.
        assert_eq!(decode("z"), None);
        assert_eq!(decode("zz"), None);
        assert_eq!((decode("7z"), decode("07z")), (Some(vec![255]), None));
        assert!(is("07z") && !is("0e") && !is("Z") && !is("é"));
    }

    proptest! {
        #[test]
        fn there_and_back(bytes in prop::collection::vec(any::<u8>(), 0..70)) {
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }
    }
}
