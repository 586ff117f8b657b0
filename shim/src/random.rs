//! Random numbers that are none: the same from the same seed, for each process of its own.

use crate::sys;
use crate::tracee::Tracee;

/// SplitMix64's output function. Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
pub fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// How many processes have a stream of their own.
const STREAMS: usize = 1 << 16;

/// The streams.
pub struct Random {
    seed: u64,
    /// The builder's number: others are counted from it, so that random numbers are the same wherever numbers start.
    pub first: usize,
    /// How much of its stream a process has had, by its number.
    had: &'static mut [u8],
    /// Where /dev/urandom leads to.
    pipe: Option<usize>,
}

impl Random {
    /// With a helper that fills what stands for /dev/urandom.
    pub fn new(seed: u64) -> Random {
        let pipe = sys::pipe().map(|[here, there]| {
            sys::helper(|| {
                sys::close(here);
                let mut at = 0;
                let mut bytes = [0; 4096];
                loop {
                    for part in bytes.chunks_mut(8) {
                        part.copy_from_slice(&mix(seed ^ mix(at)).to_le_bytes());
                        at += 1;
                    }
                    if sys::write(there, &bytes).is_none() {
                        return;
                    }
                }
            });
            // The other end stays open, so that the pipe has a writer as long as the builder runs.
            here
        });
        Random { seed, first: 0, had: sys::memory(4 * STREAMS), pipe }
    }

    /// The next bytes of a process's stream.
    pub fn fill(&mut self, tracee: Tracee, bytes: &mut [u8]) {
        let process = tracee.pid().wrapping_sub(self.first);
        let at = process % STREAMS * 4;
        let mut had = [0; 4];
        had.copy_from_slice(&self.had[at..at + 4]);
        let mut count = u32::from_le_bytes(had);
        for part in bytes.chunks_mut(8) {
            let number = mix(self.seed ^ mix((process as u64) << 32 | u64::from(count)));
            part.copy_from_slice(&number.to_le_bytes()[..part.len()]);
            count = count.wrapping_add(1);
        }
        self.had[at..at + 4].copy_from_slice(&count.to_le_bytes());
    }

    /// What is to be opened instead of a device that gives random numbers.
    pub fn device(&self, path: &[u8]) -> Option<usize> {
        matches!(path, b"/dev/urandom" | b"/dev/random").then_some(self.pipe)?
    }

    /// What is to be opened instead of a file that holds a UUID, as a number of a new file of ours.
    pub fn uuid(&mut self, tracee: Tracee, path: &[u8]) -> Option<usize> {
        let mut bytes = [0; 16];
        match path {
            b"/proc/sys/kernel/random/uuid" => self.fill(tracee, &mut bytes),
            b"/proc/sys/kernel/random/boot_id" => {
                bytes[..8].copy_from_slice(&mix(self.seed).to_le_bytes());
                bytes[8..].copy_from_slice(&mix(!self.seed).to_le_bytes());
            }
            _ => return None,
        }
        // Source: RFC 9562, version 4.
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let mut text = [b'-'; 37];
        let mut at = 0;
        for (number, byte) in bytes.iter().enumerate() {
            at += usize::from(matches!(number, 4 | 6 | 8 | 10));
            for digit in [byte >> 4, byte & 15] {
                text[at] = b"0123456789abcdef"[usize::from(digit)];
                at += 1;
            }
        }
        text[36] = b'\n';
        sys::file(&[&text])
    }
}
