//! The memory map, as firmware says it, put in order: which RAM is there, and a place for the image in it.
//!
//! The kinds of regions are those of the BIOS's call E820. Source: ACPI Specification 6.5, 15.

use core::ops::Range;

/// RAM that is anybody's.
pub const RAM: u32 = 1;
/// What must be left alone.
pub const RESERVED: u32 = 2;
/// How many regions there is room for.
pub const ROOM: usize = 256;
/// Kernels map no more RAM than this.
pub const END: u64 = 512 << 30;
/// The loaders reach no memory above this, and put nothing there.
pub const REACH: u64 = 4 << 30;
/// Bytes of a page.
const PAGE: u64 = 4096;

/// A part of the physical addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Region {
    /// Its first address.
    pub start: u64,
    /// The first address behind it.
    pub end: u64,
    /// What it is.
    pub kind: u32,
}

/// Regions.
#[derive(Clone, Debug)]
pub struct Map {
    regions: [Region; ROOM],
    count: usize,
}

impl Map {
    /// None.
    pub const fn new() -> Map {
        Map { regions: [Region { start: 0, end: 0, kind: 0 }; ROOM], count: 0 }
    }

    /// The regions.
    pub fn regions(&self) -> &[Region] {
        &self.regions[..self.count]
    }

    /// Adds one, to the last one if that ends where it starts. RAM is cut to whole pages. What there is no room for is not there.
    pub fn add(&mut self, start: u64, bytes: u64, kind: u32) {
        let end = start.saturating_add(bytes);
        let (start, end) = match kind {
            RAM => (start.checked_next_multiple_of(PAGE).unwrap_or(end), end & !(PAGE - 1)),
            _ => (start, end),
        };
        if start >= end {
            return;
        }
        if let Some(last) = self.regions[..self.count].last_mut()
            && (last.end, last.kind) == (start, kind)
        {
            last.end = end;
        } else if let Some(place) = self.regions.get_mut(self.count) {
            *place = Region { start, end, kind };
            self.count += 1;
        }
    }

    /// The same in the order of addresses, no two regions over each other: of two that were, RAM is not.
    pub fn in_order(&self) -> Map {
        let mut map = Map::new();
        let mut at = 0;
        while let Some(next) = self.edge(at) {
            let over = self.regions().iter().filter(|region| region.start <= at && at < region.end);
            if let Some(kind) = over.map(|region| region.kind).reduce(|a, b| if a == RAM { b } else { a }) {
                map.add(at, next - at, kind);
            }
            at = next;
        }
        map
    }

    /// The next address at which a region starts or ends.
    fn edge(&self, at: u64) -> Option<u64> {
        let edges = self.regions().iter().flat_map(|region| [region.start, region.end]);
        edges.filter(|&edge| edge > at).min()
    }

    /// The RAM of a map in order.
    pub fn ram(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.regions().iter().filter(|region| region.kind == RAM).map(|region| region.start..region.end)
    }

    /// Whether all of it is RAM, in a map in order.
    pub fn is_ram(&self, range: &Range<u64>) -> bool {
        self.ram().any(|ram| ram.start <= range.start && range.end <= ram.end)
    }

    /// The highest whole pages of RAM below [`REACH`], not below `floor`, for so many bytes, in a map in order.
    pub fn place(&self, bytes: u64, floor: u64) -> Option<u64> {
        let places = self.ram().filter_map(|ram| {
            let start = ram.end.min(REACH).checked_sub(bytes)? & !(PAGE - 1);
            (start >= ram.start.max(floor)).then_some(start)
        });
        places.max()
    }
}

impl Default for Map {
    fn default() -> Map {
        Map::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn map(regions: &[(u64, u64, u32)]) -> Map {
        let mut map = Map::new();
        regions.iter().for_each(|&(start, end, kind)| map.add(start, end - start, kind));
        map
    }

    #[test]
    fn a_map_is_put_in_order() {
        let firmware = map(&[
            (1 << 20, 64 << 20, RAM),
            (0, 0x9fc00, RAM),
            (0x9f000, 1 << 20, RESERVED),
            (32 << 20, 33 << 20, RESERVED),
            (64 << 20, 65 << 20, RAM),
        ]);
        let ordered = firmware.in_order();
        let found: Vec<_> = ordered.regions().iter().map(|r| (r.start, r.end, r.kind)).collect();
        let expected = [
            (0, 0x9f000, RAM),
            (0x9f000, 1 << 20, RESERVED),
            (1 << 20, 32 << 20, RAM),
            (32 << 20, 33 << 20, RESERVED),
            (33 << 20, 65 << 20, RAM),
        ];
        assert_eq!(found, expected);
        assert!(ordered.is_ram(&(1 << 20..32 << 20)));
        assert!(!ordered.is_ram(&(1 << 20..34 << 20)));
    }

    #[test]
    fn the_image_lies_as_high_as_it_can() {
        let map = map(&[(0, 1 << 20, RAM), (2 << 20, 64 << 20, RAM), (5 << 30, 6 << 30, RAM)]).in_order();
        assert_eq!(map.place(5000, 1 << 20), Some((64 << 20) - 8192));
        assert_eq!(map.place(62 << 20, 1 << 20), Some(2 << 20));
        assert_eq!(map.place(62 << 20, 3 << 20), None);
        assert_eq!(map.place(u64::MAX, 0), None);
    }

    #[test]
    fn numbers_that_make_no_sense_do_no_harm() {
        let mut map = Map::new();
        map.add(u64::MAX, u64::MAX, RAM);
        map.add(5, 0, RESERVED);
        map.add(1, 4096, RAM);
        assert_eq!(map.regions(), []);
        (0..1000).for_each(|at| map.add(at * 8192, 4096, RAM));
        assert_eq!(map.regions().len(), ROOM);
    }
}
