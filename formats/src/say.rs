//! What PID 1 says, put together without `core::fmt`, whose tables and padding are a tenth of PID 1.

/// Text that is being put together; what does not fit is cut.
pub struct LineBuf {
    bytes: [u8; 4096],
    length: usize,
}

/// Something that can be said.
pub trait Display: Sized {
    /// Adds it to the text.
    fn say(self, words: &mut LineBuf);
}

/// Adds one thing after the other to the text.
#[macro_export]
macro_rules! say {
    ($words:expr, $($part:expr),+ $(,)?) => {{ $($crate::say::Display::say($part, $words);)+ }};
}

impl LineBuf {
    /// No text.
    #[expect(clippy::new_without_default, reason = "4096 bytes are not made by the way")]
    pub const fn new() -> LineBuf {
        LineBuf { bytes: [0; _], length: 0 }
    }

    /// The text.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Whether nothing has been said.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Adds text.
    pub fn push(&mut self, text: &[u8]) {
        for (place, byte) in self.bytes[self.length..].iter_mut().zip(text) {
            *place = *byte;
            self.length += 1;
        }
    }

    /// Adds a number in this radix, at most 16, without leading zeros.
    pub fn number(&mut self, mut value: u64, radix: u64) {
        let mut digits = [0; 22];
        let mut start = digits.len();
        loop {
            start -= 1;
            digits[start] = crate::hex::DIGITS[(value % radix) as usize];
            value /= radix;
            if value == 0 {
                break;
            }
        }
        self.push(&digits[start..]);
    }

    /// Makes the text one line: control characters in it become question marks, and a line feed ends it.
    pub fn line(&mut self) -> &[u8] {
        let plain = |byte: &u8| crate::log::is_plain(*byte);
        self.bytes[..self.length].iter_mut().filter(|byte| !plain(byte)).for_each(|byte| *byte = b'?');
        self.length = self.length.min(self.bytes.len() - 1);
        self.push(b"\n");
        self.as_bytes()
    }

    /// Room for text that is read from elsewhere; `read` returns its length.
    pub fn fill(&mut self, read: impl FnOnce(&mut [u8]) -> usize) {
        self.length = read(&mut self.bytes).min(self.bytes.len());
    }
}

impl Display for &str {
    fn say(self, words: &mut LineBuf) {
        words.push(self.as_bytes());
    }
}

impl Display for u64 {
    fn say(self, words: &mut LineBuf) {
        words.number(self, 10);
    }
}

impl Display for u32 {
    fn say(self, words: &mut LineBuf) {
        u64::from(self).say(words);
    }
}

impl Display for &crate::hex::Digest {
    fn say(self, words: &mut LineBuf) {
        words.push(&crate::hex::encode(self));
    }
}

/// Bytes of a name or a path; what is not ASCII becomes question marks.
pub struct Text<'a>(pub &'a [u8]);

impl Display for Text<'_> {
    fn say(self, words: &mut LineBuf) {
        self.0.iter().for_each(|&byte| words.push(&[if byte.is_ascii() { byte } else { b'?' }]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_text() {
        let mut words = LineBuf::new();
        say!(&mut words, "a ", 0_u64, " ", u64::MAX, " ", Text("\u{e9}\n".as_bytes()));
        words.number(0o1775, 8);
        assert_eq!(words.line(), b"a 0 18446744073709551615 ???1775\n");
    }

    #[test]
    fn what_does_not_fit_is_cut() {
        let mut words = LineBuf::new();
        (0..5000).for_each(|_| say!(&mut words, "x"));
        assert_eq!(words.line().len(), 4096);
        assert!(words.line().ends_with(b"x\n") || words.line().ends_with(b"?\n"));
    }
}
