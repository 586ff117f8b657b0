//! From what is loaded to the kernel.

use super::leave;
use crate::elf::Elf;
use crate::memory::Map;
use crate::pvh::{self, BLOCK, Info};
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

/// Where the kernel finds what it is handed, and the last bytes of the loader run: below 1 GiB.
#[repr(C, align(4096))]
pub struct Room {
    block: [u8; BLOCK],
    code: [u8; leave::ROOM],
}

impl<'a> Loaded<'a> {
    /// The kernel's file and the image's address, as the header says. `rsdp`: see [`Info`].
    pub fn new(
        header: &Header<'a>,
        kernel: &'a [u8],
        image: u64,
        screen: Screen,
        rsdp: u64,
    ) -> Result<Loaded<'a>, &'static str> {
        let mut hash = Sha256::new();
        hash.update(kernel);
        if hash.finalize() != header.kernel_hash {
            return Err("the kernel is not what was written to the disk: it reads wrongly");
        }
        let kernel = Elf::read(kernel).ok_or("the kernel can't be started by PVH")?;
        let image = image..image + header.image.bytes;
        Ok(Loaded { kernel, image, screen, line: header.line, rsdp })
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
    /// below 1 GiB, and the first 4 GiB of addresses stand for themselves.
    pub unsafe fn start(&self, map: &Map, room: &'static mut Room) -> ! {
        let at = (&raw const room.block) as u64;
        let info = Info {
            map,
            image: self.image.clone(),
            screen: self.screen,
            line: self.line,
            rsdp: self.rsdp,
        };
        pvh::write(&mut room.block, at, &info);
        for segment in self.kernel.segments() {
            let (to, size) = (segment.place.start as *mut u8, segment.place.end - segment.place.start);
            let length = segment.bytes.len();
            // SAFETY: RAM of nobody's, by the caller's word.
            unsafe {
                to.copy_from_nonoverlapping(segment.bytes.as_ptr(), length);
                to.add(length).write_bytes(0, size as usize - length);
            }
        }
        // SAFETY: the same.
        unsafe { leave::pvh(self.kernel.entry, at as u32, (&raw mut room.code) as u32) }
    }
}
