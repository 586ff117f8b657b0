//! Memory that the machine shares with its host: BAR 2 of each of QEMU's ivshmem-plain devices.
//!
//! Source: QEMU's `docs/specs/ivshmem-spec.rst`; PCI Local Bus Specification 3.0, 6.2.5.
#![allow(unsafe_code)]

use crate::cpu::{in32, out32};
use crate::direct::map_device;

/// What is shared.
#[derive(Default)]
pub struct Shared {
    /// The image, where the initrd is not all of it.
    pub image: Option<&'static [u8]>,
    /// The export region.
    pub export: Option<&'static mut [u8]>,
}

const IVSHMEM: u32 = 0x1110_1af4;
const COMMAND: u32 = 4;
const MEMORY: u32 = 2;
const BAR_2: u32 = 0x18;

fn select(slot: u32, register: u32) {
    out32(0xcf8, 0x8000_0000 | slot << 11 | register);
}

fn read(slot: u32, register: u32) -> u32 {
    select(slot, register);
    in32(0xcfc)
}

fn write(slot: u32, register: u32, value: u32) {
    select(slot, register);
    out32(0xcfc, value);
}

/// Looks for the devices on the first bus; `end` is where RAM ends.
pub(crate) fn find(end: u64) -> Shared {
    let mut shared = Shared::default();
    let mut next = end.max(4 << 30);
    for slot in (0..32).filter(|&slot| read(slot, 0) == IVSHMEM) {
        write(slot, BAR_2, !0);
        write(slot, BAR_2 + 4, !0);
        let mask = u64::from(read(slot, BAR_2)) & !15 | u64::from(read(slot, BAR_2 + 4)) << 32;
        let size = mask.wrapping_neg();
        if !size.is_power_of_two() || size < 4096 {
            continue;
        }
        // A place of our own, wherever the firmware put it: nothing else is above RAM.
        let at = next.next_multiple_of(size);
        next = at + size;
        write(slot, BAR_2, at as u32);
        write(slot, BAR_2 + 4, (at >> 32) as u32);
        write(slot, COMMAND, read(slot, COMMAND) | MEMORY);
        let address = map_device(at..next, false);
        // SAFETY: the device's memory, mapped for as long as the kernel runs, and the host does not write to it.
        let bytes = unsafe { core::slice::from_raw_parts(address as *const u8, size as usize) };
        // The export region is all zeros.
        if bytes.starts_with(formats::archive::MAGIC) {
            shared.image = Some(bytes);
        } else {
            let address = map_device(at..next, true);
            // SAFETY: the device's memory; the slice above is not used any more.
            shared.export =
                Some(unsafe { core::slice::from_raw_parts_mut(address as *mut u8, size as usize) });
        }
    }
    shared
}
