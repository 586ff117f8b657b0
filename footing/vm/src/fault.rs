//! Pages on demand, and copies on write.
#![allow(unsafe_code)]

use crate::cpu;
use crate::files::{self, Files};
use crate::frames;
use crate::layout::PAGE;
use crate::shared::Blocks;
use crate::space::{Source, Space, TABLE, flags};
use crate::tables::{COPY, PRESENT, SHARED, WRITE, frame, physical};
use footing_core::platform::{Event, Fault, FileId, NoMemory};

/// Where pages come from.
#[derive(Default)]
pub(crate) struct Pages {
    pub(crate) files: Files,
    pub(crate) blocks: Blocks,
}

/// What a page is touched for.
#[derive(Clone, Copy)]
pub(crate) struct Touch {
    pub(crate) write: bool,
    pub(crate) execute: bool,
}

/// Pages of a file that are mapped with the one that is touched, if they are there already.
const AROUND: u64 = 16 * PAGE;

impl From<NoMemory> for Refused {
    fn from(_: NoMemory) -> Refused {
        Refused::NoMemory
    }
}

/// Why a page can't be touched.
pub(crate) enum Refused {
    NoMemory,
    Fault(Fault),
}

impl From<Refused> for Event {
    fn from(refused: Refused) -> Event {
        match refused {
            Refused::NoMemory => Event::NoMemory,
            Refused::Fault(fault) => Event::Fault(fault),
        }
    }
}

impl Pages {
    /// Makes a page that may be touched so, and returns its entry. `active`: the space is loaded.
    pub(crate) fn touch(
        &mut self,
        space: &mut Space,
        address: u64,
        touch: Touch,
        active: bool,
    ) -> Result<u64, Refused> {
        let Some((start, area)) = space.area(address) else {
            return Err(Refused::Fault(Fault::Segment { at: address, mapped: false }));
        };
        let access = area.access;
        let readable = access.read || access.write || access.execute;
        if !readable || touch.write && !access.write || touch.execute && !access.execute {
            return Err(Refused::Fault(Fault::Segment { at: address, mapped: true }));
        }
        let page = address & !(PAGE - 1);
        let source = area.source.later(page - start);
        let place = space.tables.make(page, TABLE, false)?;
        // SAFETY: an entry of the space's tables.
        let entry = unsafe { *place };
        let new = if entry != 0 {
            self.again(entry, touch)?
        } else {
            match source {
                Source::Zero => self.zero()?,
                Source::File { id, bytes, offset } => {
                    self.around(space, address, id);
                    self.file(id, bytes, offset, touch)?
                }
                Source::Shared { id, offset } => match self.blocks.frame(id, offset) {
                    None => return Err(Refused::Fault(Fault::Bus(address))),
                    Some(frame) => {
                        frames::hold(frame);
                        frame.physical() | SHARED
                    }
                },
            }
        };
        let new = physical(new) | flags(access, new);
        // SAFETY: as above.
        unsafe { *place = new }
        if entry & PRESENT != 0 && active {
            cpu::flush_page(page);
        }
        Ok(new)
    }

    /// The frame and marks of a page that is there already.
    fn again(&mut self, entry: u64, touch: Touch) -> Result<u64, NoMemory> {
        if entry & COPY == 0 || !touch.write {
            return Ok(entry);
        }
        let old = frame(entry);
        if frames::count(old) == 1 {
            return Ok(entry & !COPY);
        }
        let new = self.files.take()?;
        // SAFETY: a frame that is ours, and one that we hold.
        unsafe { new.bytes().copy_from_nonoverlapping(old.bytes(), PAGE as usize) }
        frames::release(old);
        Ok(new.physical())
    }

    fn zero(&mut self) -> Result<u64, NoMemory> {
        let frame = self.files.take()?;
        files::fill(frame, &[]);
        Ok(frame.physical())
    }

    fn file(&mut self, id: FileId, bytes: &[u8], offset: u64, touch: Touch) -> Result<u64, NoMemory> {
        let part = files::part(bytes, offset);
        if part.is_empty() {
            return self.zero();
        }
        if touch.write {
            let frame = self.files.take()?;
            files::fill(frame, part);
            return Ok(frame.physical());
        }
        Ok(self.files.page(id, bytes, offset)?.physical() | COPY)
    }

    /// Maps pages of a file near the one that is touched, as far as others have used them.
    fn around(&mut self, space: &mut Space, address: u64, id: FileId) {
        let Some((start, area)) = space.area(address) else { return };
        let window = address & !(AROUND - 1);
        for page in (window..window + AROUND).step_by(PAGE as usize) {
            if page < start || page >= area.end() {
                continue;
            }
            let Source::File { offset, .. } = area.source.later(page - start) else { return };
            let Some(place) = space.tables.find(page) else { return };
            // SAFETY: an entry of the space's tables.
            if unsafe { *place } == 0
                && let Some(frame) = self.files.find(id, offset)
            {
                // SAFETY: as above.
                unsafe { *place = frame.physical() | flags(area.access, COPY) }
            }
        }
    }

    /// Where the kernel sees a page of a program, which is made if it may be touched so.
    pub(crate) fn reach(
        &mut self,
        space: &mut Space,
        address: u64,
        write: bool,
        active: bool,
    ) -> Option<*mut u8> {
        let needed = if write { PRESENT | WRITE } else { PRESENT };
        // SAFETY: an entry of the space's tables.
        let entry = space.tables.find(address).map_or(0, |place| unsafe { *place });
        let entry = if address < crate::layout::USER_END && entry & needed == needed {
            entry
        } else {
            self.touch(space, address, Touch { write, execute: false }, active).ok()?
        };
        Some(frame(entry).bytes())
    }
}
