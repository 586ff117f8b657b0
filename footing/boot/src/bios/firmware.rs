//! What the BIOS is asked for: sectors of the disk, the memory map, characters on the screen.
#![allow(unsafe_code)]

use crate::entry::{self, Registers};
use footing_boot::memory::Map;
use formats::disk::SECTOR;

/// Where what the BIOS is asked, and answers, passes through: it reaches 64 KiB.
const LOW: usize = 0x600;
/// Where sectors pass through.
const BUFFER: usize = 0x10000;
/// How many fit there, which no BIOS finds too many.
const MOST: u64 = 64;
/// How often a read is tried.
const TRIES: u32 = 3;

/// What the BIOS wants to know of a read.
#[repr(C)]
struct Packet {
    size: u8,
    zero: u8,
    sectors: u16,
    offset: u16,
    segment: u16,
    first: u64,
}

/// Writes a character on the screen.
pub(crate) fn character(byte: u8) {
    call(0x10, Registers { eax: 0x0e00 | u32::from(byte), ebx: 7, ..Registers::default() });
}

fn call(interrupt: u8, mut registers: Registers) -> Registers {
    entry::call(interrupt, &mut registers);
    registers
}

/// Reads so many bytes from a sector on to a place in memory.
///
/// # Safety
/// The place is RAM that nobody has.
pub(crate) unsafe fn read(sector: u64, bytes: u64, to: *mut u8) -> Result<(), &'static str> {
    let sectors = bytes.div_ceil(SECTOR as u64);
    let mut done = 0;
    while done < sectors {
        let count = MOST.min(sectors - done);
        part(sector + done, count)?;
        let offset = (done * SECTOR as u64) as usize;
        let length = (count * SECTOR as u64).min(bytes - offset as u64) as usize;
        // SAFETY: the buffer holds that many, and the place is the caller's word.
        unsafe { to.add(offset).copy_from_nonoverlapping(BUFFER as *const u8, length) }
        done += count;
    }
    Ok(())
}

/// Reads sectors to the buffer.
fn part(first: u64, count: u64) -> Result<(), &'static str> {
    let disk = entry::disk();
    for _ in 0..TRIES {
        let packet = Packet {
            size: 16,
            zero: 0,
            sectors: count as u16,
            offset: 0,
            segment: (BUFFER >> 4) as u16,
            first,
        };
        // SAFETY: memory that nobody has, behind the BIOS's own.
        unsafe { (LOW as *mut Packet).write(packet) }
        let read = Registers { eax: 0x4200, edx: disk, esi: LOW as u32, ..Registers::default() };
        if !call(0x13, read).failed() {
            return Ok(());
        }
        call(0x13, Registers { edx: disk, ..Registers::default() });
    }
    Err("the disk could not be read")
}

/// The memory map. Source: ACPI Specification 6.5, 15.1.
pub(crate) fn map(map: &mut Map) {
    const SMAP: u32 = 0x534d_4150;
    let mut next = 0;
    loop {
        // SAFETY: as above. A BIOS of old writes 20 bytes, and the last word says that the region is there.
        unsafe { (LOW as *mut [u32; 6]).write([0, 0, 0, 0, 0, 1]) }
        let ask =
            Registers { eax: 0xe820, ebx: next, ecx: 24, edx: SMAP, edi: LOW as u32, ..Registers::default() };
        let answer = call(0x15, ask);
        if answer.failed() || answer.eax != SMAP {
            return;
        }
        // SAFETY: as above.
        let region: [u32; 6] = unsafe { (LOW as *const [u32; 6]).read_volatile() };
        let [start, start_high, bytes, bytes_high, kind, there] = region;
        if there & 1 == 1 {
            let wide = |low: u32, high: u32| u64::from(high) << 32 | u64::from(low);
            map.add(wide(start, start_high), wide(bytes, bytes_high), kind);
        }
        next = answer.ebx;
        if next == 0 {
            return;
        }
    }
}
