//! An ELF file that boots by PVH: its segments, and where it starts.
//!
//! Source: System V ABI, gabi 4.1, 5; Xen's `docs/misc/pvh.pandoc`. Numbers in the file are believed as far as they fit.

use core::ops::Range;

/// The type of a segment that is loaded.
const LOAD: u32 = 1;
/// The type of a segment of notes.
const NOTE: u32 = 4;
/// The note that holds the entry.
const PHYS32_ENTRY: u32 = 18;

/// A kernel.
#[derive(Clone, Copy, Debug)]
pub struct Elf<'a> {
    file: &'a [u8],
    /// Where it starts, in 32-bit mode.
    pub entry: u32,
}

/// A part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Where it belongs; zeros are behind its bytes.
    pub place: Range<u64>,
    /// What is in it.
    pub bytes: &'a [u8],
}

fn number(bytes: &[u8], at: u64, size: usize) -> Option<u64> {
    let mut number = [0; 8];
    number[..size].copy_from_slice(bytes.get(usize::try_from(at).ok()?..)?.get(..size)?);
    Some(u64::from_le_bytes(number))
}

fn part(bytes: &[u8], at: u64, size: u64) -> Option<&[u8]> {
    bytes.get(usize::try_from(at).ok()?..)?.get(..usize::try_from(size).ok()?)
}

impl<'a> Elf<'a> {
    /// Reads one; none if it is no ELF file of x86-64 with PVH's note, or one that contradicts itself.
    pub fn read(file: &'a [u8]) -> Option<Elf<'a>> {
        if !file.starts_with(b"\x7fELF\x02\x01") || number(file, 18, 2)? != 62 {
            return None;
        }
        let mut elf = Elf { file, entry: 0 };
        elf.entry = elf.headers().find_map(|(kind, header)| match kind {
            NOTE => entry(part(file, number(header, 8, 8)?, number(header, 32, 8)?)?),
            _ => None,
        })?;
        let all = elf.headers().filter(|(kind, _)| *kind == LOAD).count();
        (all > 0 && elf.segments().count() == all).then_some(elf)
    }

    /// Type and bytes of each program header.
    fn headers(&self) -> impl Iterator<Item = (u32, &'a [u8])> + use<'a> {
        let file = self.file;
        let table = number(file, 32, 8).unwrap_or(0);
        let size = number(file, 54, 2).unwrap_or(0);
        let count = number(file, 56, 2).unwrap_or(0);
        (0..count).map_while(move |index| {
            let header = part(file, table.checked_add(index * size)?, size.max(56))?;
            Some((number(header, 0, 4)? as u32, header))
        })
    }

    /// What is loaded, as far as it makes sense.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'a>> + use<'a> {
        let file = self.file;
        self.headers().filter(|(kind, _)| *kind == LOAD).filter_map(move |(_, header)| {
            let (start, size) = (number(header, 24, 8)?, number(header, 40, 8)?);
            let bytes = part(file, number(header, 8, 8)?, number(header, 32, 8)?)?;
            let end = start.checked_add(size)?;
            (bytes.len() as u64 <= size && end < 1 << 32).then_some(Segment { place: start..end, bytes })
        })
    }

    /// All the memory that it is loaded to.
    pub fn memory(&self) -> Range<u64> {
        let places = || self.segments().map(|segment| segment.place).filter(|place| !place.is_empty());
        let start = places().map(|place| place.start).min().unwrap_or(0);
        start..places().map(|place| place.end).max().unwrap_or(0)
    }
}

/// The entry in a list of notes: sizes of name and description, type, name, description, padded to four bytes each.
fn entry(mut notes: &[u8]) -> Option<u32> {
    loop {
        let (name, size) = (number(notes, 0, 4)?, number(notes, 4, 4)?);
        let start = 12 + name.next_multiple_of(4);
        if number(notes, 8, 4)? as u32 == PHYS32_ENTRY && part(notes, 12, name)? == b"Xen\0" {
            return number(notes, start, 4).map(|entry| entry as u32);
        }
        notes = notes.get(usize::try_from(start + size.next_multiple_of(4)).ok()?..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    fn header(kind: u32, offset: u64, at: u64, file: u64, memory: u64) -> Vec<u8> {
        let words = [offset, at | 0xffff_ffff_8000_0000, at, file, memory, 4096];
        let mut header = [kind.to_le_bytes(), [5, 0, 0, 0]].concat();
        words.iter().for_each(|word| header.extend(word.to_le_bytes()));
        header
    }

    fn file() -> Vec<u8> {
        let mut file = vec![0; 64];
        file[..6].copy_from_slice(b"\x7fELF\x02\x01");
        file[18] = 62;
        (file[32], file[54], file[56]) = (64, 56, 3);
        file.extend(header(LOAD, 300, 1 << 20, 4, 8192));
        file.extend(header(NOTE, 232, 0, 48, 0));
        file.extend(header(LOAD, 304, 2 << 20, 0, 16));
        for word in [4_u32, 6, 1, 0x554e47, 0, 0, 4, 4, 18, 0x6e6558, 0x10_0040, 0] {
            file.extend(word.to_le_bytes());
        }
        file.resize(300, 0);
        file.extend(b"code");
        file
    }

    #[test]
    fn segments_and_entry() {
        let file = file();
        let elf = Elf::read(&file).unwrap();
        assert_eq!(elf.entry, 0x10_0040);
        assert_eq!(elf.memory(), 1 << 20..(2 << 20) + 16);
        let first = elf.segments().next().unwrap();
        assert_eq!(first, Segment { place: 1 << 20..(1 << 20) + 8192, bytes: b"code" });
    }

    #[test]
    fn no_file_makes_it_panic() {
        let good = file();
        for length in 0..good.len() {
            assert!(Elf::read(&good[..length]).is_none(), "{length}");
        }
        for at in 0..good.len() {
            for byte in [0, 1, 0x7f, 0xff] {
                let mut bad = good.clone();
                bad[at] = byte;
                if let Some(elf) = Elf::read(&bad) {
                    elf.segments().for_each(drop);
                    elf.memory();
                }
            }
        }
    }
}
