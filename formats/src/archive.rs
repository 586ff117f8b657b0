//! The archive that an image is, entry by entry, as far as PID 1 takes inputs from one: newc, of which `images` writes a part
//! and the kernel reads more.
//!
//! Source: the kernel's `Documentation/driver-api/early-userspace/buffer-format.rst`.

use crate::newc::HEADER;
use core::ffi::CStr;

/// What every entry starts with.
pub const MAGIC: &[u8] = crate::newc::MAGIC;

/// The name of the last entry.
const TRAILER: &CStr = c"TRAILER!!!";

/// One entry.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// What it is, and who may do what with it, as in stat(2).
    pub mode: u32,
    /// Its path.
    pub name: &'a CStr,
    /// A file's content or a link's target.
    pub data: &'a [u8],
}

/// An archive's entries, the trailer left out. An error is the offset at which there is no entry, and the last item.
pub struct Archive<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Archive<'a> {
    /// The archive that these bytes start with; what is behind its trailer is not read.
    pub fn new(bytes: &'a [u8]) -> Archive<'a> {
        Archive { bytes, at: 0 }
    }

    /// The offset of the next entry.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The next `length` bytes; what pads them to a multiple of four is skipped.
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(length)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end.checked_next_multiple_of(4)?;
        Some(taken)
    }

    fn entry(&mut self) -> Option<Entry<'a>> {
        let fields = self.bytes.get(self.at..)?.get(..HEADER)?.strip_prefix(MAGIC)?;
        let field = |number: usize| {
            let digits = fields.iter().skip(8 * number).take(8);
            digits.copied().try_fold(0, |value, digit| Some(value << 4 | char::from(digit).to_digit(16)?))
        };
        let (mode, size, length) = (field(1)?, field(6)? as usize, field(11)? as usize);
        let bytes = self.take(HEADER.checked_add(length)?)?.get(HEADER..)?;
        let name = CStr::from_bytes_until_nul(bytes).ok().filter(|name| name.count_bytes() + 1 == length)?;
        Some(Entry { mode, name, data: self.take(size)? })
    }
}

impl<'a> Iterator for Archive<'a> {
    type Item = Result<Entry<'a>, usize>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.bytes.is_empty() {
            return None;
        }
        let start = self.at;
        let entry = self.entry();
        let last = entry.as_ref().is_some_and(|entry| entry.name == TRAILER);
        if last || entry.is_none() {
            self.bytes = &[];
        }
        (!last).then(|| entry.ok_or(start))
    }
}
