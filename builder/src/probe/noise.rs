//! Differences that come by themselves: where a step differs although nothing was varied but the moment, what else differs only
//! in those places says nothing. Pure.

/// So far around a place that differs others of its word may differ, too: the digits of a number or a hash. A longer word holds
/// several values, as the header of a cpio archive does.
const AROUND: usize = 8;

/// What differs from `control` in several samples in which nothing was varied.
pub struct Noise {
    control: Vec<u8>,
    samples: Vec<Vec<u8>>,
}

impl Noise {
    /// Of the NARs of one output.
    pub fn new(control: Vec<u8>, samples: Vec<Vec<u8>>) -> Noise {
        Noise { control, samples }
    }

    /// Whether the difference between `other` and the control is nothing but noise.
    pub fn explains(&self, other: &[u8]) -> bool {
        if self.samples.iter().any(|sample| sample == other) || self.control == other {
            return true;
        }
        let same_length = |bytes: &&Vec<u8>| bytes.len() == self.control.len();
        if other.len() == self.control.len() && self.samples.iter().all(|sample| same_length(&sample)) {
            let mask = self.mask();
            if differing(&self.control, other).all(|at| mask[at]) {
                return true;
            }
        }
        self.in_words(other)
            || self.samples.iter().chain([&self.control]).any(|one| lines(one) == lines(other))
            || self.reordered(other)
    }

    /// Whether all noise lies where `other` differs from the control too.
    pub fn lies_in(&self, other: &[u8]) -> bool {
        Noise::new(self.control.clone(), vec![other.to_vec()]).explains_all(&self.samples)
    }

    fn explains_all(&self, samples: &[Vec<u8>]) -> bool {
        samples.iter().all(|sample| self.explains(sample))
    }

    /// The places that differ in any sample, with what lies around them in the same word.
    fn mask(&self) -> Vec<bool> {
        let word = |at: usize| self.control[at].is_ascii_alphanumeric();
        let mut mask = vec![false; self.control.len()];
        for sample in &self.samples {
            for at in differing(&self.control, sample) {
                let around = |places: &mut dyn Iterator<Item = usize>| {
                    places.take(AROUND).take_while(|_| word(at)).take_while(|&at| word(at)).last()
                };
                let first = around(&mut (0..at).rev()).unwrap_or(at);
                let last = around(&mut (at + 1..mask.len())).unwrap_or(at);
                mask[first..=last].fill(true);
            }
        }
        mask
    }

    /// Whether all are the same words in some order.
    fn reordered(&self, other: &[u8]) -> bool {
        let words = sorted(&self.control);
        self.samples.iter().any(|sample| sorted(sample) == words) && sorted(other) == words
    }

    /// The same by counting words, for texts whose length varies.
    fn in_words(&self, other: &[u8]) -> bool {
        let control = words(&self.control);
        let other = words(other);
        let samples: Vec<_> = self.samples.iter().map(|sample| words(sample)).collect();
        let many = control.len();
        if other.len() != many || samples.iter().any(|sample| sample.len() != many) {
            return false;
        }
        let explains = |at: usize| {
            let samples: Vec<&[u8]> = samples.iter().map(|sample| sample[at]).collect();
            let same_length = |word: &&[u8]| word.len() == control[at].len();
            if control[at].len() > 2 * AROUND && samples.iter().chain([&other[at]]).all(same_length) {
                let samples = samples.iter().map(|sample| sample.to_vec()).collect();
                let mask = Noise::new(control[at].to_vec(), samples).mask();
                return differing(control[at], other[at]).all(|at| mask[at]);
            }
            control[at] == other[at] || samples.iter().any(|sample| *sample != control[at])
        };
        (0..many).all(explains)
    }
}

/// The words of a text in their order.
pub(super) fn sorted(bytes: &[u8]) -> Vec<&[u8]> {
    let mut words = words(bytes);
    words.sort_unstable();
    words
}

fn differing<'a>(one: &'a [u8], other: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    one.iter().zip(other).enumerate().filter(|(_, (a, b))| a != b).map(|(at, _)| at)
}

fn words(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split(|byte| !byte.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect()
}

fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<_> = bytes.split(|&byte| byte == b'\n').collect();
    lines.sort_unstable();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(control: &str, samples: &[&str]) -> Noise {
        Noise::new(control.into(), samples.iter().map(|sample| sample.as_bytes().to_vec()).collect())
    }

    #[test]
    fn what_differs_elsewhere_is_not_explained() {
        let noise = noise("at 1577836800.1234", &["at 1577836800.9235", "at 1577836800.7777"]);
        assert!(noise.explains(b"at 1577836800.5555"));
        assert!(!noise.explains(b"at 1612253591.5555"));
        assert!(noise.lies_in(b"at 1612253591.5555"));
    }

    #[test]
    fn a_long_word_holds_several_values() {
        // Of the same word, one number is noise, and another is not.
        let noise =
            noise("0701000041ED000003E8000003E85E0BE1020010", &["0701000041ED000003E8000003E85E0BE102000F"]);
        assert!(noise.explains(b"0701000041ED000003E8000003E85E0BE102000A"));
        assert!(!noise.explains(b"0701000041C0000003E8000003E85E0BE102000F"));
        assert!(!noise.explains(b"x 0701000041C0000003E8000003E85E0BE102000F"));
    }

    #[test]
    fn lengths_and_orders_may_vary() {
        let random = noise("number 123 of many", &["number 45678 of many"]);
        assert!(random.explains(b"number 9999 of many"));
        assert!(!random.explains(b"number 9999 of more"));
        assert!(noise("a\nb\nc\n", &["b\na\nc\n"]).explains(b"c\na\nb\n"));
        assert!(!noise("a\nb\nc\n", &["b\na\nc\n"]).explains(b"c\na\nb\nd\n"));
        assert!(noise("ant bee cat", &["bee cat ant"]).explains(b"cat bee ant"));
        assert!(!noise("ant bee cat", &["ant bee dog"]).explains(b"cat bee ant"));
    }
}
