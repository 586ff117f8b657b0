//! Random numbers that follow from a step's entropy alone: ChaCha20 (RFC 8439), one stream for the whole step.

/// A stream of random bytes.
pub(crate) struct Random {
    state: [u32; 16],
    block: [u8; 64],
    used: usize,
}

fn quarter(state: &mut [u32; 16], [a, b, c, d]: [usize; 4]) {
    let mut get = [state[a & 15], state[b & 15], state[c & 15], state[d & 15]];
    for (left, right) in [(16, 12), (8, 7)] {
        get[0] = get[0].wrapping_add(get[1]);
        get[3] = (get[3] ^ get[0]).rotate_left(left);
        get[2] = get[2].wrapping_add(get[3]);
        get[1] = (get[1] ^ get[2]).rotate_left(right);
    }
    [state[a & 15], state[b & 15], state[c & 15], state[d & 15]] = get;
}

impl Random {
    /// The stream of a key.
    pub(crate) fn new(key: &[u8; 32]) -> Random {
        let mut state = [0; 16];
        let words = *b"expand 32-byte k";
        for (place, bytes) in state.iter_mut().zip(words.chunks_exact(4).chain(key.chunks_exact(4))) {
            *place = bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte));
        }
        Random { state, block: [0; 64], used: 64 }
    }

    fn refill(&mut self) {
        let mut work = self.state;
        for _ in 0..10 {
            for column in 0..4 {
                quarter(&mut work, [column, column + 4, column + 8, column + 12]);
            }
            for column in 0..4 {
                let diagonal = [column, (column + 1) % 4 + 4, (column + 2) % 4 + 8, (column + 3) % 4 + 12];
                quarter(&mut work, diagonal);
            }
        }
        for ((bytes, word), start) in self.block.chunks_exact_mut(4).zip(work).zip(self.state) {
            bytes.copy_from_slice(&word.wrapping_add(start).to_le_bytes());
        }
        self.state[12] = self.state[12].wrapping_add(1);
        if self.state[12] == 0 {
            self.state[13] = self.state[13].wrapping_add(1);
        }
        self.used = 0;
    }

    /// The next bytes.
    pub(crate) fn fill(&mut self, to: &mut [u8]) {
        for byte in to {
            if self.used >= 64 {
                self.refill();
            }
            *byte = self.block[self.used & 63];
            self.used += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    /// RFC 8439, appendix A.1, test vector 1: key, nonce and counter all zero.
    #[test]
    fn first_block_is_that_of_the_standard() {
        let mut block = [0; 16];
        Random::new(&[0; 32]).fill(&mut block);
        let expected =
            [0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90, 0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28];
        assert_eq!(block, expected);
    }
}
