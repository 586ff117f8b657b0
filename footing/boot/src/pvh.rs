//! What a kernel that boots by PVH is handed: the start info, a list of modules, the memory map, in one block of bytes.
//!
//! Source: Xen's `xen/include/public/arch-x86/hvm/start_info.h`.

use crate::memory::{END, Map, RAM, ROOM, Region};
use core::ops::Range;
use formats::screen::{SIZE, Screen};

/// Bytes of the block.
pub const BLOCK: usize = MAP + 24 * ROOM;

const MAGIC: u64 = 0x336e_c578;
const MODULES: usize = 56;
const SCREEN: usize = MODULES + 2 * 32;
const LINE: usize = SCREEN + SIZE;
const MAP: usize = LINE + 512;

/// What the block says.
#[derive(Debug)]
pub struct Info<'a> {
    /// In order.
    pub map: &'a Map,
    /// Where the image is.
    pub image: Range<u64>,
    /// The second module.
    pub screen: Screen,
    /// The kernel's command line.
    pub line: &'a [u8],
    /// The physical address of ACPI's root pointer, or 0.
    pub rsdp: u64,
}

/// Writes the block, which is to lie at this physical address.
pub fn write(block: &mut [u8; BLOCK], at: u64, info: &Info<'_>) {
    block.fill(0);
    let place = |offset: usize| at + offset as u64;
    let modules =
        [[info.image.start, info.image.end - info.image.start, 0, 0], [place(SCREEN), SIZE as u64, 0, 0]];
    words(&mut block[MODULES..], modules.as_flattened());
    block[SCREEN..LINE].copy_from_slice(&info.screen.write());
    let length = info.line.len().min(MAP - LINE - 1);
    block[LINE..LINE + length].copy_from_slice(&info.line[..length]);
    let mut count = 0;
    for Region { start, end, kind } in largest_first(info.map) {
        let end = if kind == RAM { end.min(END) } else { end };
        if start < end {
            words(&mut block[MAP + 24 * count..], &[start, end - start, u64::from(kind)]);
            count += 1;
        }
    }
    // Version 1, no flags, two modules; addresses of the list, the command line, ACPI's pointer and the map; how long the map is.
    let head = [MAGIC | 1 << 32, 2 << 32, place(MODULES), place(LINE), info.rsdp, place(MAP), count as u64];
    words(block, &head);
}

/// A kernel may have room for few regions: it shall know the large ones.
fn largest_first(map: &Map) -> impl Iterator<Item = Region> {
    let mut regions = [Region::default(); ROOM];
    let count = map.regions().len();
    regions[..count].copy_from_slice(map.regions());
    regions[..count].sort_unstable_by_key(|region| (region.start.wrapping_sub(region.end), region.start));
    regions.into_iter().take(count)
}

fn words(to: &mut [u8], words: &[u64]) {
    for (place, word) in to.chunks_exact_mut(8).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::RESERVED;

    #[test]
    fn a_kernel_finds_all_of_it() {
        let mut map = Map::new();
        map.add(0, 0x9f000, RAM);
        map.add(0xf0000, 0x10000, RESERVED);
        map.add(1 << 20, 1 << 40, RAM);
        let info = Info { map: &map, image: 5 << 20..7 << 20, screen: Screen::VGA, line: b"a=b", rsdp: 77 };
        let mut block = [0xff; BLOCK];
        write(&mut block, 0x5000, &info);
        let word = |at: usize| u64::from_le_bytes(*block[at..].first_chunk().unwrap());
        let at = |address: u64| (address - 0x5000) as usize;
        assert_eq!((word(0), word(8)), (0x1_336e_c578, 2 << 32));
        let list = at(word(16));
        assert_eq!((word(list), word(list + 8)), (5 << 20, 2 << 20));
        assert_eq!(Screen::read(&block[at(word(list + 32))..][..SIZE]), Some(Screen::VGA));
        assert!(block[at(word(24))..].starts_with(b"a=b\0"));
        assert_eq!((word(32), word(48)), (77, 3));
        let list = at(word(40));
        assert_eq!((word(list), word(list + 8), word(list + 16)), (1 << 20, END - (1 << 20), 1));
        assert_eq!((word(list + 24), word(list + 32), word(list + 40)), (0, 0x9f000, 1));
    }
}
