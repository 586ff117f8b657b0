//! A QR code of one size: version 4, level L, for 64 bytes, which is a sha256 in digits.
//!
//! Source: ISO/IEC 18004:2015, 7 and 8. Version 4-L has one block of 80 bytes with 20 to correct errors. The mask is always the first:
//! one is as good as another where the bytes are as random as digits of a hash.

/// Modules of a side.
pub const SIZE: usize = 33;
/// Light modules that belong around it.
pub const QUIET: usize = 4;
/// Bytes of the text.
pub const TEXT: usize = 64;

/// Rows from above, the left module in the lowest bit; dark ones are set.
pub type Rows = [u64; SIZE];

const DATA: usize = 80;
const CORRECTION: usize = 20;
/// Level L, mask 0, with their own correction.
const FORMAT: u32 = 0x77c4;

/// The code of a text.
pub fn encode(text: &[u8; TEXT]) -> Rows {
    let words = words(text);
    let mut rows = [0; SIZE];
    for (y, row) in rows.iter_mut().enumerate() {
        for x in 0..SIZE {
            *row |= u64::from(fixed(x, y).unwrap_or((x + y).is_multiple_of(2))) << x;
        }
    }
    let mut bits = words.iter().flat_map(|word| (0..8).rev().map(move |bit| word >> bit & 1 == 1));
    // Columns in pairs from the right, up and down in turn; the column of the clock is none.
    for pair in 0..SIZE / 2 {
        let right = if pair < 13 { SIZE - 1 - 2 * pair } else { SIZE - 2 - 2 * pair };
        for step in 0..SIZE {
            let y = if pair.is_multiple_of(2) { SIZE - 1 - step } else { step };
            for x in [right, right - 1] {
                if fixed(x, y).is_none() && bits.next() == Some(true) {
                    rows[y] ^= 1 << x;
                }
            }
        }
    }
    rows
}

/// What a module is that no data can be in.
fn fixed(x: usize, y: usize) -> Option<bool> {
    const FAR: usize = SIZE - 8;
    let format = |bit: usize| FORMAT >> bit & 1 == 1;
    match (x, y) {
        (6, 8..FAR) => return Some(y.is_multiple_of(2)),
        (8..FAR, 6) => return Some(x.is_multiple_of(2)),
        (8, 0..=5) => return Some(format(y)),
        (8, 7 | 8) => return Some(format(y - 1)),
        (7, 8) => return Some(format(8)),
        (0..=5, 8) => return Some(format(14 - x)),
        (FAR.., 8) => return Some(format(SIZE - 1 - x)),
        (8, FAR) => return Some(true),
        (8, FAR..) => return Some(format(y + 15 - SIZE)),
        _ => {}
    }
    let distance = |to_x: usize, to_y: usize| x.abs_diff(to_x).max(y.abs_diff(to_y));
    for corner in [distance(3, 3), distance(SIZE - 4, 3), distance(3, SIZE - 4)] {
        if corner <= 4 {
            return Some(corner != 2 && corner != 4);
        }
    }
    let inner = distance(SIZE - 7, SIZE - 7);
    (inner <= 2).then_some(inner != 1)
}

/// Mode (bytes), length, text, an end, what fills it up, and what corrects errors in it.
fn words(text: &[u8; TEXT]) -> [u8; DATA + CORRECTION] {
    let mut words = [0; DATA + CORRECTION];
    let (data, correction) = words.split_at_mut(DATA);
    let head = [0x40 | (TEXT >> 4) as u8, (TEXT as u8) << 4];
    data[..2].copy_from_slice(&head);
    for (at, byte) in text.iter().enumerate() {
        data[at + 1] |= byte >> 4;
        data[at + 2] = byte << 4;
    }
    for (at, word) in data[TEXT + 2..].iter_mut().enumerate() {
        *word = if at.is_multiple_of(2) { 0xec } else { 0x11 };
    }
    let generator = generator();
    for word in data {
        let factor = *word ^ correction[0];
        correction.rotate_left(1);
        correction[CORRECTION - 1] = 0;
        for (place, coefficient) in correction.iter_mut().zip(generator) {
            *place ^= multiply(coefficient, factor);
        }
    }
    words
}

/// The product of x - 2^i for each i below [`CORRECTION`], without its first coefficient, which is 1.
fn generator() -> [u8; CORRECTION] {
    let mut generator = [0; CORRECTION];
    generator[CORRECTION - 1] = 1;
    let mut root = 1;
    for _ in 0..CORRECTION {
        for at in 0..CORRECTION {
            let next = generator.get(at + 1).copied().unwrap_or(0);
            generator[at] = multiply(generator[at], root) ^ next;
        }
        root = multiply(root, 2);
    }
    generator
}

/// In the field of 256 elements, modulo x^8 + x^4 + x^3 + x^2 + 1.
fn multiply(a: u8, b: u8) -> u8 {
    let mut product = 0_u8;
    for bit in (0..8).rev() {
        let high = product >> 7;
        product = (product << 1) ^ (high * 0x1d) ^ ((b >> bit & 1) * a);
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: ISO/IEC 18004:2015, annex A, the generator for 20 words by exponents of 2.
    #[test]
    fn the_generator_is_the_standards() {
        let power = |exponent: u32| (0..exponent).fold(1, |value, _| multiply(value, 2));
        let exponents =
            [17, 60, 79, 50, 61, 163, 26, 187, 202, 180, 221, 225, 83, 239, 156, 164, 212, 212, 188, 190];
        assert_eq!(generator(), exponents.map(power));
    }

    #[test]
    fn all_data_has_a_place() {
        let free = (0..SIZE * SIZE).filter(|at| fixed(at % SIZE, at / SIZE).is_none()).count();
        // 100 words, and the 7 bits that version 4 leaves over.
        assert_eq!(free, (DATA + CORRECTION) * 8 + 7);
    }
}
