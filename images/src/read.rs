//! Reading an archive strictly: pure, no I/O, and nothing is copied or allocated.
//!
//! [`entries`] accepts what the newc grammar allows and no more; [`canonical`] accepts only what
//! [`crate::Archive`] could have written. Both refuse with the offset, what was expected and what was found, and
//! neither panics on any input.

use std::fmt;

use formats::newc::{self, HEADER, Header, MAGIC, TRAILER};

/// One entry of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Where its header starts.
    pub offset: usize,
    /// The header's numbers.
    pub header: Header,
    /// The path inside the image, without the NUL.
    pub name: &'a [u8],
    /// The file's content or the link's target.
    pub data: &'a [u8],
}

/// Why an archive was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset}: expected {expected}, found {found}")]
pub struct Malformed {
    /// Where in the archive.
    pub offset: usize,
    /// What should be there.
    pub expected: &'static str,
    /// What is there.
    pub found: String,
}

impl Malformed {
    fn new(offset: usize, expected: &'static str, found: impl fmt::Display) -> Self {
        Self { offset, expected, found: found.to_string() }
    }
}

/// The entries of `archive` in their order, the trailer left out. After an error there is nothing more.
pub fn entries(archive: &[u8]) -> Entries<'_> {
    Entries { archive, offset: 0, done: false }
}

/// See [`entries`].
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    archive: &'a [u8],
    offset: usize,
    done: bool,
}

impl<'a> Entries<'a> {
    /// Where the next entry starts or, at the end, what follows the trailer.
    pub fn offset(&self) -> usize {
        self.offset
    }

    fn take(&mut self, length: usize, expected: &'static str) -> Result<&'a [u8], Malformed> {
        let left = &self.archive[self.offset..];
        let Some(taken) = left.get(..length) else {
            return Err(Malformed::new(
                self.offset,
                expected,
                format_args!("the end after {} bytes", left.len()),
            ));
        };
        self.offset += length;
        Ok(taken)
    }

    fn pad(&mut self) -> Result<(), Malformed> {
        let start = self.offset;
        let zeros = self.take(newc::padding(start as u64), "padding to four bytes")?;
        zeroed(zeros, start, "zeros up to a multiple of four bytes")
    }

    fn header(&mut self) -> Result<Header, Malformed> {
        let start = self.offset;
        header(self.take(HEADER, "a header of 110 bytes")?, start)
    }

    fn entry(&mut self) -> Result<Option<Entry<'a>>, Malformed> {
        let offset = self.offset;
        let header = self.header()?;
        let start = self.offset;
        let named = self.take(header.namesize as usize, "a name as long as the header says")?;
        let Some((&0, name)) = named.split_last() else {
            return Err(Malformed::new(start, "a name that ends in NUL", named.escape_ascii()));
        };
        if name.is_empty() || name.contains(&0) {
            return Err(Malformed::new(start, "a name without a NUL inside", named.escape_ascii()));
        }
        self.pad()?;
        let data = self.take(header.filesize as usize, "as much data as the header says")?;
        self.pad()?;
        if name != TRAILER {
            return Ok(Some(Entry { offset, header, name, data }));
        }
        if !data.is_empty() {
            return Err(Malformed::new(
                offset,
                "a trailer without data",
                format_args!("{} bytes", data.len()),
            ));
        }
        zeroed(&self.archive[self.offset..], self.offset, "only zeros after the trailer")?;
        Ok(None)
    }
}

/// The header in these [`HEADER`] bytes, which start at an offset of the archive.
pub(crate) fn header(bytes: &[u8], start: usize) -> Result<Header, Malformed> {
    let (magic, digits) = bytes.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(Malformed::new(start, "the magic number 070701", magic.escape_ascii()));
    }
    let mut fields = [0; 13];
    for (i, (field, text)) in fields.iter_mut().zip(digits.chunks_exact(8)).enumerate() {
        for &byte in text {
            let Some(digit) = (byte as char).to_digit(16) else {
                let offset = start + MAGIC.len() + 8 * i;
                return Err(Malformed::new(offset, "eight hexadecimal digits", text.escape_ascii()));
            };
            *field = *field << 4 | digit;
        }
    }
    Ok(Header::from_fields(fields))
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.entry().transpose();
        self.done = !matches!(next, Some(Ok(_)));
        next
    }
}

/// Checks that `archive` is exactly what [`crate::Archive`] writes: sorted, parents first, counted inode numbers,
/// times, owners, modes and devices that say nothing, upper-case digits, nothing after the trailer.
pub fn canonical(archive: &[u8]) -> Result<crate::Summary, Malformed> {
    let mut reader = entries(archive);
    let mut before: Option<Entry> = None;
    let mut count = 0;
    for entry in reader.by_ref() {
        let entry = entry?;
        let Header { mode, filesize, namesize, .. } = entry.header;
        count += 1;
        let expected = Header::canonical(count, mode, filesize, namesize);
        if let Some(i) = (0..13).find(|&i| expected.fields()[i] != entry.header.fields()[i]) {
            let found = format_args!("{} {}", newc::FIELDS[i], entry.header.fields()[i]).to_string();
            return Err(Malformed::new(entry.offset, "a header without traces of the host", found));
        }
        let digits = &archive[entry.offset..entry.offset + HEADER];
        if expected.encode() != digits {
            return Err(Malformed::new(entry.offset, "upper-case digits", digits.escape_ascii()));
        }
        let sizes = match mode {
            newc::FILE | newc::EXECUTABLE => true,
            newc::DIRECTORY => filesize == 0,
            newc::SYMLINK => (1..=newc::TARGET_LIMIT).contains(&entry.data.len()) && !entry.data.contains(&0),
            _ => {
                return Err(Malformed::new(
                    entry.offset,
                    "a mode that images have",
                    format_args!("{mode:o}"),
                ));
            }
        };
        if !sizes || entry.name.len() > newc::NAME_LIMIT {
            return Err(Malformed::new(entry.offset, "a size that fits the kind", entry.name.escape_ascii()));
        }
        if entry.name.split(|&b| b == b'/').any(|part| matches!(part, b"" | b"." | b"..")) {
            return Err(Malformed::new(
                entry.offset,
                "a path without `.`, `..` and doubled `/`",
                entry.name.escape_ascii(),
            ));
        }
        if !follows(before.as_ref(), &entry) {
            return Err(Malformed::new(
                entry.offset,
                "sorted entries, parents first",
                entry.name.escape_ascii(),
            ));
        }
        before = Some(entry);
    }
    let rest = archive.len() - reader.offset();
    if rest != 0 {
        return Err(Malformed::new(reader.offset(), "the end", format_args!("{rest} bytes")));
    }
    let trailer = archive.len() - HEADER - newc::padding(HEADER as u64 + 11) - TRAILER.len() - 1;
    if archive[trailer..trailer + HEADER] != Header::trailer().encode() {
        return Err(Malformed::new(trailer, "the trailer's fixed header", "another"));
    }
    Ok(crate::Summary { entries: count, bytes: archive.len() as u64 })
}

/// Whether `entry` may stand after `before`: in it, or in a directory on the way to it and behind it by bytes.
fn follows(before: Option<&Entry>, entry: &Entry) -> bool {
    let (parent, name) = match entry.name.iter().rposition(|&b| b == b'/') {
        Some(slash) => (&entry.name[..slash], &entry.name[slash + 1..]),
        None => (&b""[..], entry.name),
    };
    let Some(before) = before else { return parent.is_empty() };
    if before.header.mode == newc::DIRECTORY && parent == before.name {
        return true;
    }
    let below = match before.name.strip_prefix(parent) {
        Some(rest) if parent.is_empty() => rest,
        Some([b'/', rest @ ..]) => rest,
        _ => return false,
    };
    below.split(|&b| b == b'/').next().is_some_and(|sibling| sibling < name)
}

fn zeroed(bytes: &[u8], offset: usize, expected: &'static str) -> Result<(), Malformed> {
    match bytes.iter().position(|&b| b != 0) {
        None => Ok(()),
        Some(i) => Err(Malformed::new(offset + i, expected, format_args!("byte {:#04x}", bytes[i]))),
    }
}
