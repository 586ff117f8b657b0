//! The loader that a BIOS starts: boot record and what follows it, in the first 64 sectors of the disk.
#![no_std]
#![no_main]
#![allow(unsafe_code)]

mod entry;
mod firmware;

use core::convert::Infallible;
use core::mem::MaybeUninit;
use core::slice;
use footing_boot::memory::Map;
use footing_boot::program::{self, Loaded, Room, serial};
use formats::disk::{Extent, Header, PLACE, SECTOR};
use formats::screen::Screen;

/// Where the boot record left the disk's header: behind itself.
const HEADER: usize = 0x7c00 + PLACE as usize * SECTOR;
/// The image lies above this, and the kernel below, if it can.
const FLOOR: u64 = 4 << 20;

fn say(text: &[u8]) {
    for &byte in text {
        if byte == b'\n' {
            firmware::character(b'\r');
        }
        firmware::character(byte);
    }
    serial::write(text);
}

/// The loader's first part starts it in long mode.
extern "C" fn start() -> ! {
    serial::start();
    program::set_console(say);
    match load() {
        Ok(never) => match never {},
        Err(why) => program::fatal(why),
    }
}

fn load() -> Result<Infallible, &'static str> {
    static mut ROOM: MaybeUninit<Room> = MaybeUninit::zeroed();
    // SAFETY: the boot record read it, and nobody writes there.
    let sector: &'static [u8; SECTOR] = unsafe { &*(HEADER as *const [u8; SECTOR]) };
    let header = Header::read(sector).ok_or("this disk has no header of this version")?;
    let mut map = Map::new();
    firmware::map(&mut map);
    let map = map.in_order();
    let whole = |extent: Extent| extent.bytes.checked_next_multiple_of(4096);
    let all = whole(header.image).zip(whole(header.kernel)).and_then(|(a, b)| Some((a, a.checked_add(b)?)));
    let (image, all) = all.ok_or("the header makes no sense")?;
    let at = map.place(all, FLOOR).ok_or("there is too little memory below 4 GiB for the image")?;
    program::say("groundup: loading kernel and image\n");
    // SAFETY: RAM that nobody has.
    let kernel = unsafe {
        firmware::read(header.kernel.sector, header.kernel.bytes, (at + image) as *mut u8)?;
        firmware::read(header.image.sector, header.image.bytes, at as *mut u8)?;
        slice::from_raw_parts((at + image) as *const u8, header.kernel.bytes as usize)
    };
    let mut loaded = Loaded::new(&header, kernel, Screen::VGA, 0)?;
    loaded.put_image(at);
    loaded.check(&map, slice::from_ref(&(at..at + all)))?;
    // SAFETY: checked; the BIOS is not needed any more. This is done once, and memory below 1 MiB is no kernel's first.
    unsafe { loaded.start(&map, (&raw mut ROOM).cast()) }
}
