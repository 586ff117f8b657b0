//! Names, paths and escaped text.

use crate::hex::nibble;

/// Text as it is spelled in the plan; known to be in its one spelling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Field<'a>(&'a [u8]);

impl<'a> Field<'a> {
    /// `None` unless every byte is in its one spelling; `spaces` says whether a space stands as it is.
    pub(super) fn new(spelled: &'a [u8], spaces: bool) -> Option<Field<'a>> {
        let mut rest = spelled;
        while let Some((&first, tail)) = rest.split_first() {
            rest = match first {
                b'\\' => {
                    let (byte, length) = escape(tail)?;
                    let spelled_so = matches!(byte, b'\\' | b'\n' | b'\t' | b'\r');
                    let must = spelled_so || byte < 0x20 || byte == 0x7f || byte == b' ' && !spaces;
                    if !must || spelled_so && length != 1 {
                        return None;
                    }
                    &tail[length..]
                }
                0..0x20 | 0x7f => return None,
                b' ' if !spaces => return None,
                _ => tail,
            };
        }
        Some(Field(spelled))
    }

    /// What it stands for.
    pub fn bytes(&self) -> impl Iterator<Item = u8> + Clone + use<'a> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            let (&first, tail) = rest.split_first()?;
            if first != b'\\' {
                rest = tail;
                return Some(first);
            }
            let (byte, length) = escape(tail)?;
            rest = &tail[length..];
            Some(byte)
        })
    }

    /// Writes what it stands for to the front of `room`; `None` when that is too small.
    pub fn decode<'r>(&self, room: &'r mut [u8]) -> Option<&'r mut [u8]> {
        let mut length = 0;
        for byte in self.bytes() {
            *room.get_mut(length)? = byte;
            length += 1;
        }
        Some(&mut room[..length])
    }

    /// As it is spelled in the plan: fit for a message.
    pub fn spelled(&self) -> &'a [u8] {
        self.0
    }
}

/// The byte that follows a backslash stands for, and how many bytes spell it.
fn escape(tail: &[u8]) -> Option<(u8, usize)> {
    match tail {
        [b'\\', ..] => Some((b'\\', 1)),
        [b'n', ..] => Some((b'\n', 1)),
        [b't', ..] => Some((b'\t', 1)),
        [b'r', ..] => Some((b'\r', 1)),
        [b'x', high, low, ..] => Some((nibble(*high)? << 4 | nibble(*low)?, 3)),
        _ => None,
    }
}

/// The name of an input, a step, an output or a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name<'a>(&'a [u8]);

impl<'a> Name<'a> {
    /// `None` unless this is a name: see [`is_name`].
    pub(super) fn new(word: &'a [u8]) -> Option<Name<'a>> {
        is_name(word).then_some(Name(word))
    }

    /// As bytes, all of them ASCII.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// As text. PID 1 has no use for it: to look whether it is UTF-8 would be a hundredth of PID 1.
    pub fn as_str(&self) -> &'a str {
        core::str::from_utf8(self.0).unwrap_or_default()
    }
}

impl core::fmt::Display for Name<'_> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl crate::say::Display for Name<'_> {
    fn say(self, words: &mut crate::say::LineBuf) {
        words.push(self.0);
    }
}

/// Whether this may name an input, a step or an output.
pub fn is_name(text: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"+._?=-".contains(byte);
    (1..=244).contains(&text.len()) && text[0] != b'.' && text.iter().all(allowed)
}

/// Whether this is an absolute, normalised path of at most 4095 bytes other than `/`.
pub fn is_path(bytes: impl Iterator<Item = u8> + Clone) -> bool {
    let mut rest = bytes.clone();
    rest.next() == Some(b'/') && bytes.take(4096).count() < 4096 && is_relative_path(rest)
}

/// Whether this is one or more components, none of them empty, `.` or `..`.
pub(super) fn is_relative_path(bytes: impl Iterator<Item = u8>) -> bool {
    let (mut length, mut dots) = (0_usize, 0_usize);
    let bad = |length, dots| length == 0 || length == dots && dots <= 2;
    for byte in bytes {
        if byte != b'/' {
            length += 1;
            dots += usize::from(byte == b'.');
        } else if bad(length, dots) {
            return false;
        } else {
            (length, dots) = (0, 0);
        }
    }
    !bad(length, dots)
}
