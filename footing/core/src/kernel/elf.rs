//! ELF as execve(2) reads it. Source: elf(5), `fs/binfmt_elf.c`.

use crate::errno::{EINVAL, ELOOP, ENOEXEC, Errno};
use crate::platform::{Access, PAGE};
use alloc::vec::Vec;
use core::ops::Range;

/// A segment to map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) address: u64,
    pub(crate) offset: u64,
    /// Bytes of the file.
    pub(crate) stored: u64,
    /// Bytes of memory, at least as many.
    pub(crate) size: u64,
    pub(crate) access: Access,
}

/// A program or an interpreter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Elf {
    /// i386.
    pub(crate) compat: bool,
    /// It may be mapped anywhere (ET_DYN).
    pub(crate) movable: bool,
    pub(crate) entry: u64,
    /// The address of the program headers, where a segment holds them.
    pub(crate) headers: u64,
    pub(crate) header_size: u64,
    pub(crate) header_count: u64,
    pub(crate) loads: Vec<Load>,
    /// Where the interpreter's path lies in the file, its NUL included.
    pub(crate) interpreter: Option<Range<u64>>,
    /// The stack may hold code: the file asks for it, or says nothing, as Linux has it for i386.
    pub(crate) executable_stack: bool,
}

const LOAD: u32 = 1;
const INTERPRETER: u32 = 3;
const GNU_STACK: u32 = 0x6474_e551;
const EXECUTABLE: u16 = 2;
const SHARED: u16 = 3;
const I386: u16 = 3;
const X86_64: u16 = 62;

fn number(bytes: &[u8], at: u64, size: usize) -> Option<u64> {
    let at = usize::try_from(at).ok()?;
    let bytes = bytes.get(at..at.checked_add(size)?)?;
    Some(bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)))
}

impl Elf {
    /// Reads the headers. ENOEXEC for what is not ELF of this machine, EINVAL and ELOOP for headers that contradict themselves.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Elf, Errno> {
        let compat = match bytes.get(..6) {
            Some(b"\x7fELF\x02\x01") => false,
            Some(b"\x7fELF\x01\x01") => true,
            _ => return Err(ENOEXEC),
        };
        let half = |at| number(bytes, at, 2).map(|half| half as u16).ok_or(ENOEXEC);
        let word = if compat { 4 } else { 8 };
        let long = |at| number(bytes, at, word).ok_or(ENOEXEC);
        let kind = half(16)?;
        if !matches!(kind, EXECUTABLE | SHARED) || half(18)? != if compat { I386 } else { X86_64 } {
            return Err(ENOEXEC);
        }
        let (table, sizes) = if compat { (28, 42) } else { (32, 54) };
        let (entry, table) = (long(24)?, long(table)?);
        let (header_size, header_count) = (u64::from(half(sizes)?), u64::from(half(sizes + 2)?));
        if header_size != if compat { 32 } else { 56 } || header_count == 0 || header_count > 1024 {
            return Err(ENOEXEC);
        }
        let mut elf = Elf {
            compat,
            movable: kind == SHARED,
            entry,
            headers: 0,
            header_size,
            header_count,
            loads: Vec::new(),
            interpreter: None,
            executable_stack: compat,
        };
        for index in 0..header_count {
            elf.header(bytes, table.checked_add(index * header_size).ok_or(ENOEXEC)?, table)?;
        }
        if elf.loads.is_empty() { Err(ENOEXEC) } else { Ok(elf) }
    }

    fn header(&mut self, bytes: &[u8], at: u64, table: u64) -> Result<(), Errno> {
        let field = |offset64: u64, offset32: u64| {
            let (offset, size) = if self.compat { (offset32, 4) } else { (offset64, 8) };
            at.checked_add(offset).and_then(|at| number(bytes, at, size)).ok_or(ENOEXEC)
        };
        let half = |offset| number(bytes, at + offset, 4).map(|half| half as u32).ok_or(ENOEXEC);
        let kind = half(0)?;
        let flags = half(if self.compat { 24 } else { 4 })?;
        let (offset, address) = (field(8, 4)?, field(16, 8)?);
        let (stored, size) = (field(32, 16)?, field(40, 20)?);
        match kind {
            LOAD => {
                if stored > size || address.checked_add(size).is_none() || address % PAGE != offset % PAGE {
                    return Err(EINVAL);
                }
                let access = Access { read: flags & 4 != 0, write: flags & 2 != 0, execute: flags & 1 != 0 };
                if self.loads.last().is_some_and(|last| address < last.address) {
                    return Err(ELOOP);
                }
                if (offset..offset.saturating_add(stored)).contains(&table) {
                    self.headers = address + (table - offset);
                }
                if size > 0 {
                    self.loads.push(Load { address, offset, stored, size, access });
                }
            }
            INTERPRETER if self.interpreter.is_none() => {
                if !(2..=4096).contains(&stored) {
                    return Err(ENOEXEC);
                }
                self.interpreter = Some(offset..offset.checked_add(stored).ok_or(ENOEXEC)?);
            }
            GNU_STACK => self.executable_stack = flags & 1 != 0,
            _ => {}
        }
        Ok(())
    }

    /// From the first segment's first page to the last segment's last.
    pub(crate) fn extent(&self) -> Range<u64> {
        let start = self.loads.first().map_or(0, |load| load.address / PAGE * PAGE);
        let end = self.loads.iter().map(|load| load.address.saturating_add(load.size)).max().unwrap_or(start);
        start..end.checked_next_multiple_of(PAGE).unwrap_or(u64::MAX / PAGE * PAGE)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::{EINVAL, ENOEXEC, Elf};
    use object::read::elf::{FileHeader, ProgramHeader};
    use object::{LittleEndian, elf::FileHeader64, elf::PT_LOAD};
    use std::vec::Vec;

    /// This program, a real one.
    fn program() -> Vec<u8> {
        std::fs::read(std::env::current_exe().expect("a test has a path")).expect("a test can be read")
    }

    #[test]
    fn segments_are_those_that_another_reader_finds() {
        let bytes = program();
        let elf = Elf::parse(&bytes).expect("this program runs");
        let header = FileHeader64::<LittleEndian>::parse(&*bytes).expect("this program is ELF");
        let headers = header.program_headers(LittleEndian, &*bytes).expect("it has program headers");
        let loads: Vec<_> = headers
            .iter()
            .filter(|header| header.p_type(LittleEndian) == PT_LOAD)
            .map(|header| {
                let flags = header.p_flags(LittleEndian).0;
                let range = header.file_range(LittleEndian);
                (
                    header.p_vaddr(LittleEndian),
                    range,
                    header.p_memsz(LittleEndian),
                    flags & 1 != 0,
                    flags & 2 != 0,
                )
            })
            .collect();
        let ours: Vec<_> = elf
            .loads
            .iter()
            .map(|load| {
                (load.address, (load.offset, load.stored), load.size, load.access.execute, load.access.write)
            })
            .collect();
        assert_eq!(ours, loads);
        assert_eq!(elf.entry, header.e_entry(LittleEndian));
        assert_eq!(elf.header_count, headers.len() as u64);
    }

    #[test]
    fn every_cut_of_a_program_is_an_error_or_a_program() {
        let bytes = program();
        for length in 0..4096 {
            let _ = Elf::parse(&bytes[..length]);
        }
        assert_eq!(Elf::parse(&bytes[..63]), Err(ENOEXEC));
        assert_eq!(Elf::parse(b"#!/bin/sh\n"), Err(ENOEXEC));
    }

    #[test]
    fn a_segment_larger_in_the_file_than_in_memory_is_refused() {
        let mut bytes = program();
        let table = u64::from_le_bytes(bytes[32..40].try_into().expect("eight bytes")) as usize;
        let count = u16::from_le_bytes(bytes[56..58].try_into().expect("two bytes")) as usize;
        let load = (0..count).map(|index| table + 56 * index).find(|&at| bytes[at..at + 4] == [1, 0, 0, 0]);
        let at = load.expect("a program has a segment");
        bytes[at + 32..at + 40].copy_from_slice(&u64::MAX.to_le_bytes());
        assert_eq!(Elf::parse(&bytes), Err(EINVAL));
    }
}
