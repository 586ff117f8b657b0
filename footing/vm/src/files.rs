//! Pages of files that several address spaces share, each copied once from the file's bytes, which are not aligned.
#![allow(unsafe_code)]

use crate::frames::{self, Frame};
use crate::layout::PAGE;
use alloc::vec::Vec;
use footing_core::map::Map;
use footing_core::platform::{FileId, NoMemory};

/// Frames by file and number of the page; 0 for none.
#[derive(Default)]
pub(crate) struct Files(Map<FileId, Vec<u32>>);

/// The bytes of a page of a file, fewer at its end.
pub(crate) fn part(bytes: &[u8], offset: u64) -> &[u8] {
    let rest = usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..)).unwrap_or_default();
    rest.get(..PAGE as usize).unwrap_or(rest)
}

/// Makes a frame hold these bytes, and zeros behind them.
pub(crate) fn fill(frame: Frame, part: &[u8]) {
    let length = part.len().min(PAGE as usize);
    // SAFETY: the caller's frame, which no one has mapped yet.
    unsafe {
        frame.bytes().copy_from_nonoverlapping(part.as_ptr(), length);
        frame.bytes().add(length).write_bytes(0, PAGE as usize - length);
    }
}

impl Files {
    /// The frame of a page, which is held once more by it.
    pub(crate) fn find(&self, id: FileId, offset: u64) -> Option<Frame> {
        let frame = *self.0.get(&id)?.get((offset / PAGE) as usize)?;
        (frame != 0).then(|| {
            frames::hold(Frame(frame));
            Frame(frame)
        })
    }

    /// The same; it is made if it is not there.
    pub(crate) fn page(&mut self, id: FileId, bytes: &[u8], offset: u64) -> Result<Frame, NoMemory> {
        if let Some(frame) = self.find(id, offset) {
            return Ok(frame);
        }
        let frame = self.take()?;
        fill(frame, part(bytes, offset));
        if !self.0.contains_key(&id) {
            self.0.insert(id, Vec::new());
        }
        let Some(pages) = self.0.get_mut(&id) else { return Ok(frame) };
        let index = (offset / PAGE) as usize;
        let missing = bytes.len().div_ceil(PAGE as usize).max(index + 1).saturating_sub(pages.len());
        // Without room for the list the page is not shared.
        if pages.try_reserve(missing).is_ok() {
            pages.resize(pages.len() + missing, 0);
        }
        if let Some(place) = pages.get_mut(index) {
            *place = frame.0;
            frames::hold(frame);
        }
        Ok(frame)
    }

    /// A frame that one holds; pages that no space has mapped make room for it.
    pub(crate) fn take(&mut self) -> Result<Frame, NoMemory> {
        frames::take_spare().or_else(|_| {
            self.shrink();
            frames::take_spare()
        })
    }

    /// Frees pages that no space has mapped.
    pub(crate) fn shrink(&mut self) {
        for place in self.0.values_mut().flatten().filter(|place| **place != 0) {
            if frames::count(Frame(*place)) == 1 {
                frames::release(Frame(*place));
                *place = 0;
            }
        }
    }

    /// Forgets a file.
    pub(crate) fn forget(&mut self, id: FileId) {
        for frame in self.0.remove(&id).into_iter().flatten().filter(|&frame| frame != 0) {
            frames::release(Frame(frame));
        }
    }
}
