//! Page tables. Source: Intel SDM, volume 3A, 4.5.
#![allow(unsafe_code)]

use crate::frames::{self, Frame};
use crate::layout::PAGE;
use core::ops::Range;
use footing_core::platform::NoMemory;

pub(crate) const PRESENT: u64 = 1;
pub(crate) const WRITE: u64 = 1 << 1;
pub(crate) const USER: u64 = 1 << 2;
pub(crate) const LARGE_PAGE: u64 = 1 << 7;
/// Others may have the same frame: it is copied before it is written to.
pub(crate) const COPY: u64 = 1 << 9;
/// Memory that spaces share: it is never copied.
pub(crate) const SHARED: u64 = 1 << 10;
pub(crate) const NO_EXECUTE: u64 = 1 << 63;
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/// The address that an entry holds.
pub(crate) const fn physical(entry: u64) -> u64 {
    entry & ADDRESS
}

/// The frame that an entry holds.
pub(crate) const fn frame(entry: u64) -> Frame {
    Frame::of(physical(entry))
}

/// A tree of page tables, by the frame of its top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tables(pub(crate) Frame);

fn table(entry: u64) -> *mut u64 {
    frame(entry).bytes().cast()
}

fn place(table: *mut u64, address: u64, level: u32) -> *mut u64 {
    let index = address >> (12 + 9 * level) & 511;
    // SAFETY: a table has 512 entries.
    unsafe { table.add(index as usize) }
}

impl Tables {
    /// The entry of a page, if there is a table for it. It lives as long as the tables.
    pub(crate) fn find(self, address: u64) -> Option<*mut u64> {
        let mut table: *mut u64 = self.0.bytes().cast();
        for level in [3, 2, 1] {
            // SAFETY: tables are frames of their own, and entries that are present and not large are tables.
            let entry = unsafe { *place(table, address, level) };
            if entry & PRESENT == 0 || entry & LARGE_PAGE != 0 {
                return None;
            }
            table = self::table(entry);
        }
        Some(place(table, address, 0))
    }

    /// The entry of a page; tables are made as needed, of `flags`, from the reserve too if `kernel`.
    pub(crate) fn make(self, address: u64, flags: u64, kernel: bool) -> Result<*mut u64, NoMemory> {
        self.make_at(address, 0, flags, kernel)
    }

    /// The same for an entry of another level: 1 for a page of 2 MiB.
    pub(crate) fn make_at(
        self,
        address: u64,
        to: u32,
        flags: u64,
        kernel: bool,
    ) -> Result<*mut u64, NoMemory> {
        let mut table: *mut u64 = self.0.bytes().cast();
        for level in (to + 1..4).rev() {
            let place = place(table, address, level);
            // SAFETY: an entry of a table, as above.
            let mut entry = unsafe { *place };
            if entry & PRESENT == 0 {
                if !kernel && frames::is_low() {
                    return Err(NoMemory);
                }
                entry = frames::take_zeroed().ok_or(NoMemory)?.physical() | flags;
                // SAFETY: as above.
                unsafe { *place = entry }
            }
            table = self::table(entry);
        }
        Ok(place(table, address, to))
    }

    /// Calls `each` with the address and the entry of every page in a range that has one, in order.
    pub(crate) fn each(self, range: Range<u64>, each: &mut dyn FnMut(u64, &mut u64)) {
        visit(self.0.bytes().cast(), 3, range, each);
    }

    /// Frees the tables of the program's half, which must be empty, and the top.
    pub(crate) fn free(self) {
        free(self.0.bytes().cast(), 3, 256);
        frames::release(self.0);
    }
}

fn visit(table: *mut u64, level: u32, range: Range<u64>, each: &mut dyn FnMut(u64, &mut u64)) {
    let size = PAGE << (9 * level);
    let mut at = range.start;
    while at < range.end {
        let start = at & !(size - 1);
        let end = start.wrapping_add(size).wrapping_sub(1).min(range.end - 1) + 1;
        // SAFETY: an entry of a table; nobody else has a reference to it now.
        let entry = unsafe { &mut *place(table, at, level) };
        if *entry != 0 {
            if level == 0 {
                each(at, entry);
            } else if *entry & PRESENT != 0 {
                visit(self::table(*entry), level - 1, at..end, each);
            }
        }
        at = end;
    }
}

fn free(table: *mut u64, level: u32, entries: usize) {
    for index in 0..entries {
        // SAFETY: an entry of a table.
        let entry = unsafe { *table.add(index) };
        if entry & PRESENT != 0 {
            if level > 1 {
                free(self::table(entry), level - 1, 512);
            }
            frames::release(frame(entry));
        }
    }
}
