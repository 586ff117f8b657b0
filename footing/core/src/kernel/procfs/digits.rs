//! Numbers as text.

use alloc::vec::Vec;

/// Writes a number.
pub(super) fn decimal(text: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        if let Some(digit) = digits.get_mut(at) {
            *digit = b'0' + (value % 10) as u8;
        }
        value /= 10;
        if value == 0 {
            break;
        }
    }
    text.extend_from_slice(digits.get(at..).unwrap_or_default());
}

/// Writes a number behind spaces.
pub(super) fn padded(text: &mut Vec<u8>, value: u64, width: usize) {
    let mut digits = Vec::new();
    decimal(&mut digits, value);
    text.resize(text.len() + width.saturating_sub(digits.len()), b' ');
    text.extend_from_slice(&digits);
}

/// Writes a number in so many hexadecimal digits or more.
pub(super) fn hex(text: &mut Vec<u8>, value: u64, width: u32) {
    let digits = (16 - value.leading_zeros() / 4).max(width).max(1);
    for digit in (0..digits.min(16)).rev() {
        let nibble = (value >> (4 * digit) & 15) as u8;
        text.push(if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble });
    }
}

/// `TAG` and a number and a bracket.
pub(super) fn tagged(tag: &[u8], value: u64) -> Vec<u8> {
    let mut text = tag.to_vec();
    decimal(&mut text, value);
    text.push(b']');
    text
}
