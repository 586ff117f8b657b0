//! Differences that come by themselves: where a step differs although nothing was varied but the moment, what else differs only
//! in those places says nothing. Pure.

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

    /// The places that differ in any sample, each widened to the word that it lies in.
    fn mask(&self) -> Vec<bool> {
        let mut mask = vec![false; self.control.len()];
        for sample in &self.samples {
            for at in differing(&self.control, sample) {
                mask[at] = true;
            }
        }
        let word = |at: usize| self.control[at].is_ascii_alphanumeric();
        for at in 1..mask.len() {
            mask[at] |= mask[at - 1] && word(at) && word(at - 1);
        }
        for at in (1..mask.len()).rev() {
            mask[at - 1] |= mask[at] && word(at) && word(at - 1);
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
        let noisy = |at: usize| samples.iter().any(|sample| sample[at] != control[at]);
        (0..many).all(|at| control[at] == other[at] || noisy(at))
    }
}

fn sorted(bytes: &[u8]) -> Vec<&[u8]> {
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
