//! Memory that several address spaces share: a block of the kernel's own, whose frames they map.
#![allow(unsafe_code)]

use crate::frames::{self, Frame};
use crate::heap;
use crate::layout::PAGE;
use alloc::alloc::{alloc_zeroed, dealloc};
use core::alloc::Layout;
use footing_core::map::Map;
use footing_core::platform::{NoMemory, SharedId};

/// All of them.
#[derive(Default)]
pub(crate) struct Blocks(Map<SharedId, Block>);

/// A block of whole pages, which starts a page.
struct Block {
    at: *mut u8,
    layout: Layout,
    size: usize,
}

impl Blocks {
    pub(crate) fn add(&mut self, id: SharedId, bytes: u64) -> Result<(), NoMemory> {
        let size = usize::try_from(bytes).map_err(|_| NoMemory)?;
        let whole = size.max(1).checked_next_multiple_of(PAGE as usize).ok_or(NoMemory)?;
        let layout = Layout::from_size_align(whole, PAGE as usize).map_err(|_| NoMemory)?;
        if !frames::has(whole / PAGE as usize) {
            return Err(NoMemory);
        }
        // SAFETY: the layout's size is not 0.
        let at = unsafe { alloc_zeroed(layout) };
        if at.is_null() {
            return Err(NoMemory);
        }
        self.remove(id);
        self.0.insert(id, Block { at, layout, size });
        Ok(())
    }

    pub(crate) fn bytes(&mut self, id: SharedId) -> &mut [u8] {
        match self.0.get(&id) {
            None => &mut [],
            // SAFETY: the block's own bytes. Programs that have them mapped do not run while the kernel does.
            Some(block) => unsafe { core::slice::from_raw_parts_mut(block.at, block.size) },
        }
    }

    /// The frame at an offset; none behind the end.
    pub(crate) fn frame(&self, id: SharedId, offset: u64) -> Option<Frame> {
        let block = self.0.get(&id)?;
        if offset >= block.layout.size() as u64 {
            return None;
        }
        heap::frame(block.at as u64 + offset)
    }

    pub(crate) fn remove(&mut self, id: SharedId) {
        if let Some(block) = self.0.remove(&id) {
            // SAFETY: allocated with this layout.
            unsafe { dealloc(block.at, block.layout) }
        }
    }
}
