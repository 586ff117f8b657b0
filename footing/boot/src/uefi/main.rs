//! The loader that UEFI starts: `EFI/BOOT/BOOTX64.EFI` of the disk.
#![no_std]
#![no_main]
#![allow(unsafe_code)]

mod firmware;
mod tables;

use core::arch::asm;
use core::convert::Infallible;
use core::ptr::null_mut;
use core::slice;
use core::sync::atomic::{AtomicPtr, Ordering};
use firmware::Firmware;
use footing_boot::memory::{Map, REACH};
use footing_boot::program::{self, Loaded, Room, serial};
use formats::disk::{Header, SECTOR};
use tables::{Handle, Status, SystemTable};

static SYSTEM: AtomicPtr<SystemTable> = AtomicPtr::new(null_mut());

/// On the firmware's console, and on the serial port, where the firmware may not have one.
fn say(text: &[u8]) {
    let system = SYSTEM.load(Ordering::Relaxed);
    if !system.is_null() {
        for &byte in text {
            if byte == b'\n' {
                firmware::character(system, b'\r');
            }
            firmware::character(system, byte);
        }
    }
    serial::write(text);
}

/// The firmware starts it.
#[unsafe(no_mangle)]
extern "efiapi" fn efi_main(handle: Handle, system: *mut SystemTable) -> Status {
    firmware::off();
    SYSTEM.store(system, Ordering::Relaxed);
    program::set_console(say);
    // SAFETY: the firmware's own tables.
    let firmware = unsafe { Firmware::new(handle, system) };
    match load(firmware) {
        Ok(never) => match never {},
        Err(why) => program::fatal(why),
    }
}

fn load(firmware: Firmware) -> Result<Infallible, &'static str> {
    static mut SECTOR_BYTES: [u8; SECTOR] = [0; SECTOR];
    let program = firmware.program().ok_or("the firmware does not say where this comes from")?;
    let root = firmware.root(program.device).ok_or("the firmware can't read the disk's file system")?;
    let wrong = "the disk could not be read";
    // SAFETY: the sector's bytes are used here alone.
    let sector: &'static [u8; SECTOR] = unsafe {
        let place = &raw mut SECTOR_BYTES;
        firmware.read(root, "GROUNDUP\\HEADER", place.cast(), SECTOR as u64).ok_or(wrong)?;
        &*place.cast_const()
    };
    let header = Header::read(sector).ok_or("this disk has no header of this version")?;
    program::say("groundup: loading kernel and image\n");
    let little = "there is too little memory below 4 GiB for the image";
    let file = firmware.memory(header.kernel.bytes, REACH).ok_or(little)?;
    // SAFETY: memory of ours.
    let kernel = unsafe {
        firmware.read(root, "GROUNDUP\\KERNEL", file as *mut u8, header.kernel.bytes).ok_or(wrong)?;
        slice::from_raw_parts(file as *const u8, header.kernel.bytes as usize)
    };
    let mut loaded = Loaded::new(&header, kernel, firmware.screen(), firmware.acpi())?;
    let place = loaded.kernel_memory();
    firmware.reserve(place.start, place.end - place.start);
    let image = firmware.memory(header.image.bytes, REACH).ok_or(little)?;
    // SAFETY: memory of ours.
    unsafe { firmware.read(root, "GROUNDUP\\IMAGE", image as *mut u8, header.image.bytes).ok_or(wrong)? };
    loaded.put_image(image);
    let room = firmware.memory(size_of::<Room>() as u64, 1 << 30).ok_or(little)?;
    let used = [
        file..file + header.kernel.bytes,
        image..image + header.image.bytes,
        room..room + size_of::<Room>() as u64,
        program.base..program.base + program.size,
    ];
    if used.iter().any(|used| used.end > REACH) || has_five_levels() {
        return Err("the firmware's memory is not where this loader expects it");
    }
    leave(firmware, loaded, &used, room as *mut Room)
}

/// Whether page tables have five levels, which this loader does not make.
fn has_five_levels() -> bool {
    let cr4: u64;
    // SAFETY: reading it changes nothing.
    unsafe { asm!("mov {}, cr4", out(reg) cr4, options(nomem, nostack, preserves_flags)) }
    cr4 >> 12 & 1 == 1
}

/// Takes the machine from the firmware and starts the kernel.
fn leave(
    firmware: Firmware,
    loaded: Loaded<'_>,
    used: &[core::ops::Range<u64>],
    room: *mut Room,
) -> Result<Infallible, &'static str> {
    /// Asking for the map may change it.
    const TRIES: u32 = 4;
    let mut map = Map::new();
    for _ in 0..TRIES {
        let key = firmware.map(&mut map).ok_or("the firmware's memory map is too large")?;
        let ordered = map.in_order();
        loaded.check(&ordered, used)?;
        if firmware.leave(key) {
            firmware::off();
            SYSTEM.store(null_mut(), Ordering::Relaxed);
            // SAFETY: checked; the firmware is gone, and its tables and stack are not used any more.
            unsafe { loaded.start(&ordered, room) }
        }
    }
    Err("the firmware does not leave")
}
