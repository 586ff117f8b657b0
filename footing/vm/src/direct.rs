//! The kernel's half of every address space: what was linked, all of RAM, devices, the heap. Nothing in it is both writable and
//! executable, not by way of another address either.
#![allow(unsafe_code)]

use crate::cpu;
use crate::frames;
use crate::global::Global;
use crate::layout::{CLASSES, DEVICES, DIRECT, HEAP, KERNEL, LARGE, PAGE, SLOT};
use crate::tables::{LARGE_PAGE, NO_EXECUTE, PRESENT, Tables, WRITE};
use core::ops::Range;

static KERNEL_TABLES: Global<Tables> = Global::new(Tables(frames::Frame(0)));

/// The tables without a program.
pub(crate) fn kernel_tables() -> Tables {
    KERNEL_TABLES.with(|tables| *tables)
}

unsafe extern "C" {
    static text_start: u8;
    static rodata_start: u8;
    static data_start: u8;
    static kernel_end: u8;
    static kernel_stack_guard: u8;
}

/// Addresses at which the parts of the kernel start, and its end.
pub(crate) struct Kernel {
    text: u64,
    rodata: u64,
    data: u64,
    end: u64,
}

/// Where the linker put the kernel.
pub(crate) fn kernel() -> Kernel {
    Kernel {
        text: (&raw const text_start) as u64,
        rodata: (&raw const rodata_start) as u64,
        data: (&raw const data_start) as u64,
        end: (&raw const kernel_end) as u64,
    }
}

impl Kernel {
    /// The RAM that the kernel takes, with what only the start needs.
    pub(crate) fn physical(&self) -> Range<u64> {
        (1 << 20)..self.end - KERNEL
    }
}

fn map(tables: Tables, at: u64, physical: Range<u64>, flags: u64) {
    let mut from = physical.start;
    while from < physical.end {
        let address = at + (from - physical.start);
        let large =
            from.is_multiple_of(LARGE) && address.is_multiple_of(LARGE) && physical.end - from >= LARGE;
        let (level, size, large) = if large { (1, LARGE, LARGE_PAGE) } else { (0, PAGE, 0) };
        let Ok(place) = tables.make_at(address, level, PRESENT | WRITE, true) else {
            crate::serial::fatal("no memory for page tables", &[address])
        };
        // SAFETY: an entry of our own tables.
        unsafe { *place = from | flags | large | PRESENT }
        from += size;
    }
}

/// Makes the tables and loads them: `memory` is the RAM there is, `constant` what nobody may write.
pub(crate) fn start(memory: &[Range<u64>], constant: Range<u64>) {
    const READ: u64 = NO_EXECUTE;
    let Some(top) = frames::take_zeroed() else { crate::serial::fatal("no memory", &[]) };
    let tables = Tables(top);
    let kernel = kernel();
    map(tables, kernel.text, kernel.text - KERNEL..kernel.rodata - KERNEL, 0);
    map(tables, kernel.rodata, kernel.rodata - KERNEL..kernel.data - KERNEL, READ);
    map(tables, kernel.data, kernel.data - KERNEL..kernel.end - KERNEL, READ | WRITE);
    if let Some(guard) = tables.find((&raw const kernel_stack_guard) as u64) {
        // SAFETY: an entry of our own tables.
        unsafe { *guard = 0 }
    }
    // RAM in parts that end where something that nobody may write to starts or ends.
    let fixed = [kernel.text - KERNEL..kernel.data - KERNEL, constant];
    for range in memory {
        let mut at = range.start;
        while at < range.end {
            let inside = |fixed: &&Range<u64>| fixed.contains(&at);
            let flags = if fixed.iter().any(|fixed| inside(&fixed)) { READ } else { READ | WRITE };
            let edges = fixed.iter().flat_map(|fixed| [fixed.start, fixed.end]);
            let end = edges.filter(|&edge| edge > at).fold(range.end, u64::min);
            map(tables, DIRECT + at, at..end, flags);
            at = end;
        }
    }
    // What all spaces share is there before the first of them.
    for slot in [DEVICES].into_iter().chain((0..CLASSES as u64).map(|class| HEAP + class * SLOT)) {
        if tables.make_at(slot, 2, PRESENT | WRITE, true).is_err() {
            crate::serial::fatal("no memory for page tables", &[slot]);
        }
    }
    KERNEL_TABLES.with(|place| *place = tables);
    // SAFETY: the kernel's half is complete.
    unsafe { cpu::set_tables(top.physical()) }
}

/// Maps a device's memory and says where.
pub(crate) fn map_device(physical: Range<u64>, write: bool) -> u64 {
    static NEXT: Global<u64> = Global::new(DEVICES);
    let size = physical.end - physical.start;
    let at = NEXT.with(|next| {
        let at = next.next_multiple_of(LARGE);
        *next = at + size;
        at
    });
    if at + size > DEVICES + SLOT {
        crate::serial::fatal("a device's memory is too large", &[size]);
    }
    map(kernel_tables(), at, physical, NO_EXECUTE | if write { WRITE } else { 0 });
    at
}
