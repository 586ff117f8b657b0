//! Which pages of an address space are mapped, to what.

use crate::map::Map;
use crate::platform::{Access, PAGE, Platform};
use crate::tree::NodeId;
use alloc::vec::Vec;

/// So much of a stack counts as memory that a program has.
const USED_STACK: u64 = 128 << 10;

/// What is behind a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backing {
    /// Memory of its own.
    Zero,
    /// A private copy of a file, from this offset on.
    File(NodeId, u64),
    /// Shared memory from this offset on.
    Shared(u64, u64),
}

/// What a region is called in `/proc/PID/maps`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    None,
    Heap,
    Stack,
}

/// Pages that are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Region {
    pub(crate) end: u64,
    pub(crate) access: Access,
    pub(crate) backing: Backing,
    pub(crate) label: Label,
}

/// Memory that address spaces share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    /// Regions that map it.
    pub(crate) users: u32,
    pub(crate) size: u64,
    /// The file whose bytes it holds.
    pub(crate) node: Option<NodeId>,
}

/// An address space.
pub(crate) struct Space<P: Platform> {
    pub(crate) space: P::Space,
    /// Processes that live in it.
    pub(crate) users: u32,
    pub(crate) regions: Map<u64, Region>,
    pub(crate) heap: u64,
    pub(crate) heap_end: u64,
    /// Below here mappings without a place are put.
    pub(crate) top: u64,
    /// Mappings without a place are put from here on upward, unless this is 0.
    pub(crate) upward: u64,
    /// The lowest and the highest address (exclusive).
    pub(crate) low: u64,
    pub(crate) high: u64,
    /// Bytes mapped, and of these private and writable ones.
    pub(crate) total: u64,
    pub(crate) committed: u64,
}

impl Region {
    fn committed(&self, start: u64) -> u64 {
        let size = self.end.saturating_sub(start);
        match self.backing {
            _ if !self.access.write => 0,
            Backing::Shared(..) => 0,
            // A stack is mapped as large as it may become, of which most programs use the beginning.
            _ if self.label == Label::Stack => size.min(USED_STACK),
            _ => size,
        }
    }

    /// The backing so many bytes further on.
    fn further(&self, bytes: u64) -> Backing {
        match self.backing {
            Backing::Zero => Backing::Zero,
            Backing::File(node, offset) => Backing::File(node, offset.wrapping_add(bytes)),
            Backing::Shared(id, offset) => Backing::Shared(id, offset.wrapping_add(bytes)),
        }
    }
}

impl<P: Platform> Space<P> {
    /// The region that an address lies in, and its start.
    pub(crate) fn at(&self, address: u64) -> Option<(u64, Region)> {
        let (&start, region) = self.regions.upto(&address)?;
        if address < region.end { Some((start, *region)) } else { None }
    }

    /// The first region that ends behind an address.
    pub(crate) fn first(&self, address: u64) -> Option<(u64, Region)> {
        self.at(address).or_else(|| self.regions.next(&address).map(|(&start, region)| (start, *region)))
    }

    /// Whether every page of a range is mapped.
    pub(crate) fn covers(&self, start: u64, end: u64) -> bool {
        let mut at = start;
        while at < end {
            match self.at(at) {
                Some((_, region)) => at = region.end,
                None => return false,
            }
        }
        true
    }

    /// Makes a region start at an address, if one lies around it. The shared memory that has one user more by that.
    fn split(&mut self, at: u64) -> Option<u64> {
        let (start, region) = self.at(at)?;
        if start == at {
            return None;
        }
        let second = Region { backing: region.further(at - start), ..region };
        self.regions.insert(start, Region { end: at, ..region });
        self.regions.insert(at, second);
        match region.backing {
            Backing::Shared(id, _) => Some(id),
            _ => None,
        }
    }

    /// The regions of a range, cut to it, and the shared memories that have one more user each by cutting.
    pub(crate) fn cut(&mut self, start: u64, end: u64) -> (Vec<(u64, Region)>, [Option<u64>; 2]) {
        let more = [self.split(start), self.split(end)];
        let mut regions = Vec::new();
        let mut at = start;
        while let Some((&start, region)) = self.regions.next(&at)
            && start < end
        {
            regions.push((start, *region));
            at = region.end;
        }
        (regions, more)
    }

    pub(crate) fn remove(&mut self, start: u64) -> Option<Region> {
        let region = self.regions.remove(&start)?;
        self.total = self.total.saturating_sub(region.end - start);
        self.committed = self.committed.saturating_sub(region.committed(start));
        Some(region)
    }

    /// Adds a region where nothing is, and joins it with private memory right before it that is alike.
    pub(crate) fn insert(&mut self, start: u64, region: Region) {
        self.total = self.total.saturating_add(region.end - start);
        self.committed = self.committed.saturating_add(region.committed(start));
        if let Some((_, last)) = self.regions.before_mut(&start)
            && last.end == start
            && last.backing == Backing::Zero
            && (Region { end: region.end, ..*last }) == region
        {
            last.end = region.end;
            return;
        }
        self.regions.insert(start, region);
    }

    /// Changes what may be done with the region that starts here.
    pub(crate) fn set_access(&mut self, start: u64, access: Access) {
        if let Some(mut region) = self.remove(start) {
            region.access = access;
            self.insert(start, region);
        }
    }

    /// The lowest free addresses for so many bytes from `upward` on.
    fn lowest(&self, bytes: u64) -> Option<u64> {
        let mut start = self.at(self.upward).map_or(self.upward, |(_, region)| region.end);
        while let Some((&next, region)) = self.regions.next(&start) {
            if next.saturating_sub(start) >= bytes {
                break;
            }
            start = start.max(region.end);
        }
        start.checked_add(bytes).filter(|&end| end <= self.high).map(|_| start)
    }

    /// Free addresses for so many bytes: as high as possible below `top`.
    pub(crate) fn free(&self, bytes: u64, top: u64) -> Option<u64> {
        if self.upward > 0 && top == self.top {
            return self.lowest(bytes);
        }
        let (mut end, mut at) = (top, top);
        while let Some((&start, region)) = self.regions.before(&at) {
            if region.end.min(end) <= end && end.saturating_sub(region.end) >= bytes {
                break;
            }
            (end, at) = (end.min(start), start);
        }
        let start = end.checked_sub(bytes)?;
        if start < self.low { None } else { Some(start) }
    }
}

/// A length in whole pages; none if it is too large.
pub(crate) fn pages(bytes: u64) -> Option<u64> {
    bytes.checked_next_multiple_of(PAGE)
}
