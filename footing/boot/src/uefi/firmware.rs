//! What the firmware is asked for: memory, files, the memory map, the screen, characters on it.
//!
//! The firmware's interrupts come on our stack, and Rust's own library is compiled for stacks that nobody else writes to below their
//! end. So interrupts are off, but while the firmware works ([`on`]).
#![allow(unsafe_code)]

use crate::tables::{
    ACPI, Boot, Descriptor, FILE_SYSTEM, File, FileSystem, GRAPHICS, Graphics, Guid, Handle, LOADED_IMAGE,
    LoadedImage, SystemTable,
};
use core::arch::asm;
use core::ptr::{null, null_mut};
use footing_boot::memory::{Map, RAM, RESERVED};
use formats::screen::{Kind, Screen};

/// The firmware, while it is there.
#[derive(Clone, Copy)]
pub(crate) struct Firmware {
    pub(crate) handle: Handle,
    pub(crate) system: &'static SystemTable,
    boot: &'static Boot,
}

/// Turns interrupts on for a call of the firmware.
fn on<T>(call: impl FnOnce() -> T) -> T {
    // SAFETY: the firmware's own interrupts, which were on before.
    unsafe { asm!("sti") }
    let result = call();
    off();
    result
}

pub(crate) fn off() {
    // SAFETY: it only puts off what the firmware does by itself.
    unsafe { asm!("cli") }
}

/// Writes a character on the screen of a firmware that is still there.
pub(crate) fn character(system: *const SystemTable, byte: u8) {
    let text = [u16::from(byte), 0];
    // SAFETY: the firmware's own output.
    on(|| unsafe { ((*(*system).output).text)((*system).output, text.as_ptr()) });
}

impl Firmware {
    /// # Safety
    /// The tables are the firmware's.
    pub(crate) unsafe fn new(handle: Handle, system: *const SystemTable) -> Firmware {
        // SAFETY: the caller's word; they stay while the loader needs them.
        let (system, boot) = unsafe { (&*system, &*(*system).boot) };
        // No limit of five minutes.
        on(|| (boot.watchdog)(0, 0, 0, null()));
        Firmware { handle, system, boot }
    }

    fn interface<T>(self, handle: Handle, kind: &Guid) -> Option<*mut T> {
        let mut found = null_mut();
        let status = on(|| (self.boot.interface)(handle, kind, &raw mut found));
        (status == 0 && !found.is_null()).then_some(found.cast())
    }

    /// Whole pages for so many bytes, all of them below an address, for ever.
    pub(crate) fn memory(self, bytes: u64, below: u64) -> Option<u64> {
        self.allocate(1, bytes, below - 1)
    }

    /// Tries to keep a place free for the kernel.
    pub(crate) fn reserve(self, start: u64, bytes: u64) {
        self.allocate(2, bytes + start % 4096, start & !4095);
    }

    fn allocate(self, how: u32, bytes: u64, mut address: u64) -> Option<u64> {
        const LOADER_DATA: u32 = 2;
        let pages = usize::try_from(bytes.div_ceil(4096)).ok()?;
        let status = on(|| (self.boot.allocate)(how, LOADER_DATA, pages, &raw mut address));
        (status == 0).then_some(address)
    }

    /// What the firmware knows of this program.
    pub(crate) fn program(self) -> Option<&'static LoadedImage> {
        let found: *mut LoadedImage = self.interface(self.handle, &LOADED_IMAGE)?;
        // SAFETY: it stays as long as the program.
        Some(unsafe { &*found })
    }

    /// The root of the file system that the program came from.
    pub(crate) fn root(self, device: Handle) -> Option<*mut File> {
        let system: *mut FileSystem = self.interface(device, &FILE_SYSTEM)?;
        let mut root = null_mut();
        // SAFETY: the firmware's own interface.
        let status = on(|| unsafe { ((*system).open)(system, &raw mut root) });
        (status == 0).then_some(root)
    }

    /// Reads exactly so many bytes of a file.
    ///
    /// # Safety
    /// The place is nobody's; the root is a folder of the firmware's.
    pub(crate) unsafe fn read(self, root: *mut File, path: &str, to: *mut u8, bytes: u64) -> Option<()> {
        /// Firmware may have a limit that it does not say.
        const PART: u64 = 1 << 20;
        let mut name = [0; 32];
        name.iter_mut().zip(path.bytes()).for_each(|(place, byte)| *place = u16::from(byte));
        let mut file = null_mut();
        // SAFETY: the caller's word; mode 1 is reading.
        let status = on(|| unsafe { ((*root).open)(root, &raw mut file, name.as_ptr(), 1, 0) });
        if status != 0 {
            return None;
        }
        let mut done = 0;
        while done < bytes {
            let mut count = PART.min(bytes - done) as usize;
            // SAFETY: the file was just opened, and the place is the caller's word.
            let status = on(|| unsafe { ((*file).read)(file, &raw mut count, to.add(done as usize)) });
            if status != 0 || count == 0 {
                return None;
            }
            done += count as u64;
        }
        Some(())
    }

    /// ACPI's root pointer, or 0.
    pub(crate) fn acpi(self) -> u64 {
        // SAFETY: the firmware says how many there are.
        let tables = unsafe { core::slice::from_raw_parts(self.system.tables, self.system.count) };
        tables.iter().find(|table| table.kind == ACPI).map_or(0, |table| table.address)
    }

    /// The screen's frame buffer, if it has one whose pixels are four bytes.
    pub(crate) fn screen(self) -> Screen {
        let mut found = null_mut();
        if on(|| (self.boot.locate)(&GRAPHICS, null(), &raw mut found)) != 0 {
            return Screen::NONE;
        }
        // SAFETY: the firmware's own interface.
        let (mode, info) = unsafe {
            let mode = &*(*found.cast::<Graphics>()).mode;
            (mode, &*mode.info)
        };
        if info.format > 1 || mode.address == 0 {
            return Screen::NONE;
        }
        let [width, height, pitch] = [info.width, info.height, info.pitch].map(u64::from);
        Screen { kind: Kind::Pixels, address: mode.address, width, height, pitch: 4 * pitch }
    }

    /// The memory map, and the key that it has.
    pub(crate) fn map(self, map: &mut Map) -> Option<usize> {
        const ROOM: usize = 64 << 10;
        static mut BUFFER: [u64; ROOM / 8] = [0; ROOM / 8];
        let buffer = (&raw mut BUFFER).cast::<u8>();
        let (mut size, mut key, mut step, mut version) = (ROOM, 0, 0, 0);
        let status =
            on(|| (self.boot.map)(&raw mut size, buffer, &raw mut key, &raw mut step, &raw mut version));
        if status != 0 || step < size_of::<Descriptor>() {
            return None;
        }
        *map = Map::new();
        for at in (0..size / step).map(|index| index * step) {
            // SAFETY: the firmware wrote descriptors that far from each other.
            let region = unsafe { &*buffer.add(at).cast::<Descriptor>() };
            map.add(region.start, region.pages.saturating_mul(4096), kind(region.kind));
        }
        Some(key)
    }

    /// Ends the firmware's services, which is refused if the map has changed.
    pub(crate) fn leave(self, key: usize) -> bool {
        on(|| (self.boot.exit)(self.handle, key)) == 0
    }
}

/// A kind of memory in the words of E820. What loader and boot services have is free when they are gone. Source: UEFI
/// Specification 2.10, 7.2, and ACPI Specification 6.5, 15.4.
fn kind(kind: u32) -> u32 {
    match kind {
        1..=4 | 7 => RAM,
        9 => 3,
        10 => 4,
        _ => RESERVED,
    }
}
