//! From what is loaded to the kernel.

use super::leave;
use crate::elf::Elf;
use crate::memory::Map;
use crate::pvh::{self, BLOCK, Info};
use core::arch::asm;
use core::mem::MaybeUninit;
use core::ops::Range;
use formats::disk::Header;
use formats::screen::Screen;
use formats::sha256::Sha256;

/// Kernels make their first tables in this much memory.
const LOW: u64 = 1 << 30;
/// What must be free there.
const NEEDED: u64 = 32 << 20;

/// Kernel and image, in memory.
#[derive(Debug)]
pub struct Loaded<'a> {
    kernel: Elf<'a>,
    image: Range<u64>,
    screen: Screen,
    line: &'a [u8],
    rsdp: u64,
}

/// What is left when the firmware is gone: what the kernel is handed, and what the last part of the loader needs. Below 1 GiB.
#[repr(C, align(4096))]
pub struct Room {
    tables: [[u64; 512]; 6],
    stack: [u8; 16 << 10],
    code: [u8; leave::ROOM],
    block: [u8; BLOCK],
    kernel: MaybeUninit<Elf<'static>>,
}

impl<'a> Loaded<'a> {
    /// The kernel's file, as the header says. `rsdp`: see [`Info`].
    pub fn new(
        header: &Header<'a>,
        kernel: &'a [u8],
        screen: Screen,
        rsdp: u64,
    ) -> Result<Loaded<'a>, &'static str> {
        let mut hash = Sha256::new();
        hash.update(kernel);
        if hash.finalize() != header.kernel_hash {
            return Err("the kernel is not what was written to the disk: it reads wrongly");
        }
        let kernel = Elf::read(kernel).ok_or("the kernel can't be started by PVH")?;
        let image = 0..header.image.bytes;
        Ok(Loaded { kernel, image, screen, line: header.line, rsdp })
    }

    /// The memory that the kernel is copied to.
    pub fn kernel_memory(&self) -> Range<u64> {
        self.kernel.memory()
    }

    /// Says where the image is.
    pub fn put_image(&mut self, at: u64) {
        self.image = at..at + (self.image.end - self.image.start);
    }

    /// Whether the kernel has memory to start in, with a map in order and what is in use until it does.
    pub fn check(&self, map: &Map, used: &[Range<u64>]) -> Result<(), &'static str> {
        let kernel = self.kernel.memory();
        if !map.is_ram(&kernel) {
            return Err("there is no free memory where the kernel has to be");
        }
        if used.iter().any(|used| used.start < kernel.end && kernel.start < used.end) {
            return Err("there is too little memory, or the firmware is where the kernel has to be");
        }
        let image = |ram: &Range<u64>| {
            let cut = ram.end.min(LOW);
            if ram.contains(&self.image.start) { cut.min(self.image.start) } else { cut }
        };
        let low = map.ram().map(|ram| image(&ram).saturating_sub(ram.start.max(kernel.end))).max();
        if low.unwrap_or(0) < NEEDED {
            return Err("there is too little memory below 1 GiB");
        }
        Ok(())
    }

    /// Starts the kernel.
    ///
    /// # Safety
    /// [`Loaded::check`] found nothing in this map, which is the last; all in it is nobody's but for what was named as used. The room is
    /// below 1 GiB and nobody's, the kernel's file stays, and all of these and this program are below 4 GiB, at addresses that stand for themselves.
    pub unsafe fn start(self, map: &Map, room: *mut Room) -> ! {
        // SAFETY: the caller's word; all bytes of it may be anything.
        let room = unsafe { &mut *room };
        let at = (&raw const room.block) as u64;
        let Loaded { image, screen, line, rsdp, .. } = self;
        pvh::write(&mut room.block, at, &Info { map, image, screen, line, rsdp });
        // SAFETY: the file stays, by the caller's word.
        room.kernel.write(unsafe { core::mem::transmute::<Elf<'a>, Elf<'static>>(self.kernel) });
        identity(&mut room.tables);
        let (tables, stack) = ((&raw const room.tables) as u64, (&raw const room.code) as u64);
        // SAFETY: the first 4 GiB stay where they are, and with them all that `finish` uses.
        unsafe {
            asm!("mov cr3, {tables}", "mov rsp, {stack}", "xor ebp, ebp", "call {finish}", "ud2",
                tables = in(reg) tables, stack = in(reg) stack, finish = in(reg) finish as *const (),
                in("rdi") room as *mut Room, options(noreturn));
        }
    }
}

/// Page tables for the first 4 GiB, each address for itself.
fn identity(tables: &mut [[u64; 512]; 6]) {
    const TABLE: u64 = 3;
    const LARGE_PAGE: u64 = 0x83;
    let at = (&raw const *tables) as u64;
    let [top, middle, pages @ ..] = tables;
    top.fill(0);
    middle.fill(0);
    top[0] = at + 4096 + TABLE;
    for (number, entry) in middle.iter_mut().take(pages.len()).enumerate() {
        *entry = at + 4096 * (number as u64 + 2) + TABLE;
    }
    for (number, entry) in pages.as_flattened_mut().iter_mut().enumerate() {
        *entry = (number as u64) << 21 | LARGE_PAGE;
    }
}

/// Copies the kernel to its place and starts it. Nothing of the firmware's is used any more.
unsafe extern "C" fn finish(room: *mut Room) -> ! {
    // SAFETY: by `start`, which is who comes here.
    let (room, kernel) = unsafe { (&mut *room, (*room).kernel.assume_init()) };
    for segment in kernel.segments() {
        let (to, size) = (segment.place.start as *mut u8, segment.place.end - segment.place.start);
        let length = segment.bytes.len();
        // SAFETY: RAM that is nobody's.
        unsafe {
            to.copy_from_nonoverlapping(segment.bytes.as_ptr(), length);
            to.add(length).write_bytes(0, size as usize - length);
        }
    }
    let (info, code) = ((&raw const room.block) as u32, (&raw mut room.code) as u32);
    // SAFETY: the start info is complete.
    unsafe { leave::pvh(kernel.entry, info, code) }
}
