//! Address spaces: what lies where, and the pages that are there.
#![allow(unsafe_code)]

use crate::direct::kernel_tables;
use crate::frames;
use crate::layout::{PAGE, USER_END, USER_START};
use crate::tables::{COPY, NO_EXECUTE, PRESENT, SHARED, Tables, USER, WRITE, frame};
use crate::{cpu, tables};
use alloc::vec::Vec;
use core::ops::Range;
use footing_core::map::Map;
use footing_core::platform::{Access, FileId, NoMemory, SharedId};

/// Flags of the tables of a program's half.
pub(crate) const TABLE: u64 = PRESENT | WRITE | USER;
/// How many pages are forgotten one by one; more are forgotten with all others.
const FEW: u64 = 32;

/// An address space.
pub struct Space {
    pub(crate) tables: Tables,
    /// By their first address; they do not overlap.
    areas: Map<u64, Area>,
}

/// Pages of one kind.
#[derive(Clone, Copy)]
pub(crate) struct Area {
    /// The first address behind it.
    end: u64,
    pub(crate) access: Access,
    pub(crate) source: Source,
}

/// What a page holds that was not touched yet. Offsets are of the area's first page.
#[derive(Clone, Copy)]
pub(crate) enum Source {
    Zero,
    File { id: FileId, bytes: &'static [u8], offset: u64 },
    Shared { id: SharedId, offset: u64 },
}

impl Area {
    /// The first address behind it.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }
}

impl Source {
    /// The source of what starts so many bytes later.
    pub(crate) fn later(self, by: u64) -> Source {
        match self {
            Source::Zero => Source::Zero,
            Source::File { id, bytes, offset } => {
                Source::File { id, bytes, offset: offset.saturating_add(by) }
            }
            Source::Shared { id, offset } => Source::Shared { id, offset: offset.saturating_add(by) },
        }
    }
}

/// The flags of a page with this access; `entry` says whether it must be copied before it is written to.
pub(crate) fn flags(access: Access, entry: u64) -> u64 {
    let present = if access.read || access.write || access.execute { PRESENT } else { 0 };
    let write = if access.write && entry & COPY == 0 { WRITE } else { 0 };
    let execute = if access.execute { 0 } else { NO_EXECUTE };
    entry & (COPY | SHARED) | USER | present | write | execute
}

/// Forgets a range of pages of an address space that is loaded.
fn flush(active: bool, at: Range<u64>) {
    match (at.end - at.start) / PAGE {
        _ if !active => {}
        0..=FEW => at.step_by(PAGE as usize).for_each(cpu::flush_page),
        _ => cpu::flush(),
    }
}

impl Space {
    pub(crate) fn new() -> Result<Space, NoMemory> {
        let top = frames::take_spare()?;
        let kernel = kernel_tables().0.bytes().cast::<u64>();
        // SAFETY: a frame of our own, and the kernel's top table; entries of the upper half never change.
        unsafe {
            top.bytes().write_bytes(0, PAGE as usize / 2);
            top.bytes().cast::<u64>().add(256).copy_from_nonoverlapping(kernel.add(256), 256);
        }
        Ok(Space { tables: Tables(top), areas: Map::new() })
    }

    /// The area that an address lies in, and where it starts.
    pub(crate) fn area(&self, address: u64) -> Option<(u64, &Area)> {
        let (&start, area) = self.areas.upto(&address)?;
        (address < area.end).then_some((start, area))
    }

    pub(crate) fn insert(&mut self, at: Range<u64>, access: Access, source: Source) {
        let mut start = at.start;
        // The heap grows page by page.
        if let (Source::Zero, Some((&before, area))) = (source, self.areas.before(&start))
            && area.end == start
            && area.access == access
            && matches!(area.source, Source::Zero)
        {
            start = before;
        }
        self.areas.insert(start, Area { end: at.end, access, source });
    }

    /// Splits the area that has this address in its middle.
    fn split(&mut self, address: u64) {
        if let Some((&start, area)) = self.areas.before_mut(&address)
            && area.end > address
        {
            let rest = Area { source: area.source.later(address - start), ..*area };
            area.end = address;
            self.areas.insert(address, rest);
        }
    }

    /// The areas of a range, taken out.
    fn cut(&mut self, at: &Range<u64>) -> Vec<(u64, Area)> {
        self.split(at.start);
        self.split(at.end);
        let mut cut = Vec::new();
        while let Some((&start, &area)) = self.areas.next(&at.start)
            && start < at.end
        {
            cut.push((start, area));
            self.areas.remove(&start);
        }
        cut
    }

    pub(crate) fn unmap(&mut self, at: Range<u64>, active: bool) {
        let nothing = self.areas.before(&at.end).is_none_or(|(_, area)| area.end <= at.start);
        if nothing {
            return;
        }
        self.cut(&at);
        let mut any = false;
        self.tables.each(at.clone(), &mut |_, entry| {
            frames::release(frame(core::mem::take(entry)));
            any = true;
        });
        flush(active && any, at);
    }

    pub(crate) fn protect(&mut self, at: Range<u64>, access: Access, active: bool) {
        self.split(at.start);
        self.split(at.end);
        let mut next = at.start;
        while let Some((&start, _)) = self.areas.next(&next)
            && start < at.end
            && let Some(area) = self.areas.get_mut(&start)
        {
            area.access = access;
            next = area.end;
        }
        let mut any = false;
        self.tables.each(at.clone(), &mut |_, entry| {
            *entry = tables::physical(*entry) | flags(access, *entry);
            any = true;
        });
        flush(active && any, at);
    }

    pub(crate) fn shift(&mut self, from: Range<u64>, to: u64, active: bool) -> Result<(), NoMemory> {
        let (tables, start) = (self.tables, from.start);
        let mut made = Ok(());
        tables.each(from.clone(), &mut |address, _| {
            made = made.and(tables.make(to + (address - start), TABLE, false).map(drop));
        });
        made?;
        tables.each(from.clone(), &mut |address, entry| {
            if let Some(place) = tables.find(to + (address - start)) {
                // SAFETY: the entry of another page, for which a table was just made.
                unsafe { *place = core::mem::take(entry) }
            }
        });
        for (at, area) in self.cut(&from) {
            let target = to + (at - start);
            self.insert(target..target + (area.end - at), area.access, area.source);
        }
        flush(active, from);
        Ok(())
    }

    /// A copy that shares all pages until one of them is written to.
    pub(crate) fn fork(&mut self, active: bool) -> Result<Space, NoMemory> {
        if !frames::has(self.areas.len() / 32 + 4) {
            return Err(NoMemory);
        }
        let mut copy = Space::new()?;
        copy.areas = self.areas.clone();
        let mut made = Ok(());
        self.tables.each(USER_START..USER_END, &mut |address, entry| {
            if made.is_err() {
                return;
            }
            match copy.tables.make(address, TABLE, false) {
                Err(error) => made = Err(error),
                Ok(place) => {
                    if *entry & SHARED == 0 {
                        *entry = *entry & !WRITE | COPY;
                    }
                    frames::hold(frame(*entry));
                    // SAFETY: an entry of the new tables.
                    unsafe { *place = *entry }
                }
            }
        });
        flush(active, USER_START..USER_END);
        if made.is_err() {
            copy.free();
        }
        made.map(|()| copy)
    }

    /// Frees all of it. It must not be loaded.
    pub(crate) fn free(&mut self) {
        self.tables
            .each(USER_START..USER_END, &mut |_, entry| frames::release(frame(core::mem::take(entry))));
        self.tables.free();
        self.areas = Map::new();
    }
}
