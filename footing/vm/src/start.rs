//! What the loader says of the machine, and what is made of it.
//!
//! Source: Xen's `xen/include/public/arch-x86/hvm/start_info.h`.
#![allow(unsafe_code)]

use crate::frames::{self, Ranges};
use crate::layout::{PAGE, direct};
use crate::{cpu, descriptors, direct as tables, pci, screen, serial, timer};
use core::ops::Range;
use formats::screen::{SIZE, Screen};

/// What there is beside the CPU.
pub struct Machine {
    /// The loader's first module.
    pub initrd: &'static [u8],
    /// Memory that the machine shares with its host.
    pub shared: pci::Shared,
    /// Bytes of RAM.
    pub memory: u64,
    /// Whether a loader of bare metal's started the kernel.
    pub metal: bool,
}

const MAGIC: u64 = 0x336e_c578;
/// The type of RAM in the memory map.
const RAM: u64 = 1;

/// A word that the loader left, of 4 or 8 bytes.
fn word(at: u64, size: usize) -> u64 {
    let mut bytes = [0; 8];
    // SAFETY: the loader's structures lie in RAM, where nothing was changed yet.
    unsafe { core::ptr::copy_nonoverlapping(at as *const u8, bytes.as_mut_ptr(), size) }
    u64::from_le_bytes(bytes)
}

/// What the loader's second module may say of a screen.
fn bytes(module: u64) -> [u8; SIZE] {
    let mut bytes = [0; SIZE];
    // SAFETY: as above.
    unsafe { core::ptr::copy_nonoverlapping(direct(module) as *const u8, bytes.as_mut_ptr(), SIZE) }
    bytes
}

/// Makes the machine ours: memory, tables, traps, timer, devices.
pub(crate) fn start(info: u64) -> Machine {
    if word(info, 4) != MAGIC || word(info + 4, 4) < 1 {
        serial::fatal("no start info with a memory map", &[word(info, 4), word(info + 4, 4)]);
    }
    let (modules, list) = (word(info + 12, 4), direct(word(info + 16, 8)));
    let initrd = match modules {
        0 => 0..0,
        _ => word(list, 8)..word(list, 8) + word(list + 8, 8),
    };
    let screen = if modules > 1 { Screen::read(&bytes(word(list + 32, 8))) } else { None };
    let (map, entries) = (direct(word(info + 40, 8)), word(info + 48, 4));
    let mut memory = [const { 0..0 }; 16];
    let mut count = 0;
    for entry in (0..entries).map(|entry| map + 24 * entry) {
        let (start, size, kind) = (word(entry, 8), word(entry + 8, 8), word(entry + 16, 4));
        let range = start.next_multiple_of(PAGE)..(start + size) & !(PAGE - 1);
        if kind == RAM && range.start < range.end && count < memory.len() {
            let before = memory[..count].iter().filter(|other| other.start < range.start).count();
            memory[count] = range;
            memory[before..=count].rotate_right(1);
            count += 1;
        }
    }
    let memory = &memory[..count];
    let constant = initrd.start & !(PAGE - 1)..initrd.end.next_multiple_of(PAGE);
    let end = memory.last().map_or(0, |range| range.end);
    let size = memory.iter().map(|range| range.end - range.start).sum();
    frames::start(free(memory, &[tables::kernel().physical(), constant.clone()]), (end / PAGE) as u32);
    tables::start(memory, constant);
    descriptors::start();
    cpu::protect();
    timer::start();
    screen.into_iter().for_each(screen::start);
    let (at, length) = (direct(initrd.start) as *const u8, (initrd.end - initrd.start) as usize);
    // SAFETY: RAM that is nobody else's and mapped read-only.
    let initrd = unsafe { core::slice::from_raw_parts(at, length) };
    Machine { initrd, shared: pci::find(end), memory: size, metal: screen.is_some() }
}

/// The frames above the first MiB that are not `taken`.
fn free(memory: &[Range<u64>], taken: &[Range<u64>; 2]) -> Ranges {
    let mut free: Ranges = [(0, 0); 16];
    let mut places = free.iter_mut();
    for range in memory {
        let mut at = range.start.max(1 << 20);
        while at < range.end {
            let inside = taken.iter().find(|taken| taken.contains(&at));
            if let Some(inside) = inside {
                at = inside.end;
                continue;
            }
            let end =
                taken.iter().map(|taken| taken.start).filter(|&start| start > at).fold(range.end, u64::min);
            if let Some(place) = places.next() {
                *place = ((at / PAGE) as u32, (end / PAGE) as u32);
            }
            at = end;
        }
    }
    free
}
