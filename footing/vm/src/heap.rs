//! The kernel's own memory.
//!
//! Small blocks are powers of two, cut out of frames. Larger ones are pages of an area for each size, a place for each block: it
//! takes as many frames as it needs, wherever they are, and grows in its place or by moving its pages. Free places are a list through their first page's entry.
//! What is large and can't be had while the reserve is whole is refused; small blocks may use the reserve.
#![allow(unsafe_code)]

use crate::cpu;
use crate::direct::kernel_tables;
use crate::frames::{self, Frame};
use crate::global::Global;
use crate::layout::{CLASSES, HEAP, PAGE, SLOT};
use crate::tables::{self, NO_EXECUTE, PRESENT, WRITE};
use core::alloc::{GlobalAlloc, Layout};
use core::ptr::null_mut;

/// The largest small block is a half of a page.
const SMALL: usize = 2048;
/// Blocks of more pages may not use the reserve.
const MODEST: usize = 256;

struct Heap;

struct State {
    /// Free small blocks, by the logarithm of their size; each holds the next one's address.
    small: [*mut u8; 12],
    /// Free places of a class: one more than the number of the first.
    free: [u64; CLASSES],
    /// How many places of a class were ever used.
    used: [u64; CLASSES],
}

static STATE: Global<State> =
    Global::new(State { small: [null_mut(); 12], free: [0; CLASSES], used: [0; CLASSES] });

#[global_allocator]
static HEAP_OF_ALL: Heap = Heap;

/// The logarithm of a small block's size.
fn small_class(layout: Layout) -> Option<usize> {
    let size = layout.size().max(layout.align()).max(16);
    (size <= SMALL).then(|| size.next_power_of_two().trailing_zeros() as usize)
}

fn pages(size: usize) -> usize {
    size.div_ceil(PAGE as usize)
}

fn class(pages: usize) -> usize {
    pages.next_power_of_two().trailing_zeros() as usize
}

fn small(class: usize) -> Option<*mut u8> {
    STATE.with(|state| {
        if state.small[class].is_null() {
            let frame = frames::take()?;
            for block in (0..PAGE as usize >> class).rev() {
                // SAFETY: inside of a frame that is ours.
                unsafe {
                    let block = frame.bytes().add(block << class);
                    block.cast::<*mut u8>().write(state.small[class]);
                    state.small[class] = block;
                }
            }
        }
        let block = state.small[class];
        // SAFETY: in the list, so it is free and holds an address.
        state.small[class] = unsafe { block.cast::<*mut u8>().read() };
        Some(block)
    })
}

/// The entry of a page of the heap.
fn entry(address: u64) -> Option<*mut u64> {
    kernel_tables().make(address, PRESENT | WRITE, true).ok()
}

/// A place of a class.
fn place(class: usize) -> Option<u64> {
    let (size, area) = (PAGE << class, HEAP + class as u64 * SLOT);
    let number = STATE.with(|state| state.free.get(class).copied())?;
    if number == 0 {
        return STATE.with(|state| {
            let at = state.used[class] * size;
            (at + size <= SLOT).then(|| {
                state.used[class] += 1;
                area + at
            })
        });
    }
    let at = area + (number - 1) * size;
    let first = entry(at)?;
    // SAFETY: an entry of the kernel's tables, which holds the next place while this one is free.
    STATE.with(|state| state.free[class] = unsafe { core::mem::take(&mut *first) } >> 1);
    Some(at)
}

/// A place has no page any more.
fn give_back(class: usize, at: u64) {
    let number = (at - HEAP - class as u64 * SLOT) / (PAGE << class) + 1;
    // Every place that was used has this table.
    let Some(first) = entry(at) else { return };
    STATE.with(|state| {
        // SAFETY: as above.
        unsafe { *first = state.free[class] << 1 }
        state.free[class] = number;
    });
}

/// Fills pages `from` to `to` of a place.
fn fill(at: u64, from: usize, to: usize, zero: bool) -> bool {
    let allowed = to <= MODEST || frames::has(to - from);
    for page in from..to {
        let address = at + page as u64 * PAGE;
        let frame = if !allowed {
            None
        } else if zero {
            frames::take_zeroed()
        } else {
            frames::take()
        };
        let Some((frame, entry)) = frame.and_then(|frame| Some((frame, entry(address)?))) else {
            frame.inspect(|&frame| frames::release(frame));
            empty(at, from, page);
            return false;
        };
        // SAFETY: an entry of the kernel's tables for a page of nobody else's.
        unsafe { *entry = frame.physical() | PRESENT | WRITE | NO_EXECUTE }
    }
    true
}

fn empty(at: u64, from: usize, to: usize) {
    let range = at + from as u64 * PAGE..at + to as u64 * PAGE;
    kernel_tables().each(range, &mut |address, entry| {
        frames::release(tables::frame(core::mem::take(entry)));
        cpu::flush_page(address);
    });
}

fn large(size: usize, zero: bool) -> Option<*mut u8> {
    let pages = pages(size);
    let class = class(pages);
    let at = place(class)?;
    if !fill(at, 0, pages, zero) {
        give_back(class, at);
        return None;
    }
    Some(at as *mut u8)
}

/// Another size for a large block, which may move.
fn resize(at: u64, old: usize, new: usize) -> Option<*mut u8> {
    let (from, to) = (class(old), class(new));
    if new <= old && from == to {
        empty(at, new, old);
        return Some(at as *mut u8);
    }
    if from == to {
        return fill(at, old, new, false).then_some(at as *mut u8);
    }
    let target = place(to)?;
    if new > old && !fill(target, old, new, false) {
        give_back(to, target);
        return None;
    }
    // First all tables, so that nothing fails in the middle.
    let kept = old.min(new);
    if (0..kept).any(|page| entry(target + page as u64 * PAGE).is_none()) {
        empty(target, kept, new);
        give_back(to, target);
        return None;
    }
    empty(at, kept, old);
    for page in 0..kept as u64 {
        if let (Some(old), Some(new)) = (entry(at + page * PAGE), entry(target + page * PAGE)) {
            // SAFETY: entries of the kernel's tables, of two pages.
            unsafe { *new = core::mem::take(&mut *old) }
            cpu::flush_page(at + page * PAGE);
        }
    }
    give_back(from, at);
    Some(target as *mut u8)
}

/// The frame of a page of a large block.
pub(crate) fn frame(address: u64) -> Option<Frame> {
    let entry = kernel_tables().find(address)?;
    // SAFETY: an entry of the kernel's tables.
    let entry = unsafe { *entry };
    (entry & PRESENT != 0).then(|| tables::frame(entry))
}

// SAFETY: blocks do not overlap, are as large and as aligned as asked for, and move with what is in them.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match small_class(layout) {
            Some(class) => small(class).unwrap_or(null_mut()),
            None if layout.align() > PAGE as usize => null_mut(),
            None => large(layout.size(), false).unwrap_or(null_mut()),
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match small_class(layout) {
            Some(class) => small(class).map_or(null_mut(), |block| {
                // SAFETY: it is that large.
                unsafe { block.write_bytes(0, layout.size()) }
                block
            }),
            None if layout.align() > PAGE as usize => null_mut(),
            None => large(layout.size(), true).unwrap_or(null_mut()),
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if let Some(class) = small_class(layout) {
            STATE.with(|state| {
                // SAFETY: the caller gives it back.
                unsafe { block.cast::<*mut u8>().write(state.small[class]) }
                state.small[class] = block;
            });
            return;
        }
        let pages = pages(layout.size());
        empty(block as u64, 0, pages);
        give_back(class(pages), block as u64);
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Ok(new) = Layout::from_size_align(size, layout.align()) else { return null_mut() };
        match (small_class(layout), small_class(new)) {
            (None, None) => resize(block as u64, pages(layout.size()), pages(size)).unwrap_or(null_mut()),
            (Some(old), Some(new)) if old == new => block,
            // SAFETY: the caller's block is of this layout, and both are as large as what is copied.
            _ => unsafe {
                let target = self.alloc(new);
                if !target.is_null() {
                    target.copy_from_nonoverlapping(block, layout.size().min(size));
                    self.dealloc(block, layout);
                }
                target
            },
        }
    }
}
