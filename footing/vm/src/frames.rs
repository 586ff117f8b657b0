//! Physical memory, frame by frame: who can be asked for one, and how many hold each.
//!
//! Free frames are a list through the frames themselves, in front of ranges that were never used.
#![allow(unsafe_code)]

use crate::global::Global;
use crate::layout::{PAGE, direct};
use footing_core::platform::NoMemory;

/// A frame of RAM by its number, which is its address divided by [`PAGE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Frame(pub(crate) u32);

impl Frame {
    /// The frame that an address lies in.
    pub(crate) const fn of(physical: u64) -> Frame {
        Frame((physical / PAGE) as u32)
    }

    /// Its address.
    pub(crate) const fn physical(self) -> u64 {
        self.0 as u64 * PAGE
    }

    /// Where the kernel sees it.
    pub(crate) const fn bytes(self) -> *mut u8 {
        direct(self.physical()) as *mut u8
    }
}

/// Ranges of frames, at most as many as there is room for.
pub(crate) type Ranges = [(u32, u32); 16];

struct State {
    /// The first of the list of free frames, 0 for none; each holds the next one's number.
    list: u32,
    /// Of frames that are free.
    free: usize,
    /// Of all.
    total: usize,
    /// How many are kept for the kernel's own small needs.
    reserve: usize,
    /// What was never used.
    fresh: Ranges,
    /// How many hold a frame.
    counts: &'static mut [u32],
}

static STATE: Global<State> =
    Global::new(State { list: 0, free: 0, total: 0, reserve: 0, fresh: [(0, 0); 16], counts: &mut [] });

/// Takes over the frames of these ranges; `end` is behind the last of all frames.
pub(crate) fn start(mut ranges: Ranges, end: u32) {
    let bytes = 4 * u64::from(end);
    let need = bytes.div_ceil(PAGE) as u32;
    let Some(room) = ranges.iter_mut().find(|(from, to)| to - from > need) else {
        crate::serial::fatal("no memory", &[bytes])
    };
    let table = direct(Frame(room.0).physical()) as *mut u32;
    room.0 += need;
    // SAFETY: frames that are nobody's, taken out of the ranges.
    let counts = unsafe {
        table.write_bytes(0, end as usize);
        core::slice::from_raw_parts_mut(table, end as usize)
    };
    let total = ranges.iter().map(|(from, to)| (to - from) as usize).sum();
    // A sixteenth, but not more than 64 MiB.
    let reserve = usize::min(total / 16, 16 << 10);
    STATE.with(|state| *state = State { list: 0, free: total, total, reserve, fresh: ranges, counts });
}

/// A frame that one holds, with whatever bytes are in it. It may be the last.
pub(crate) fn take() -> Option<Frame> {
    STATE.with(|state| {
        let frame = if state.list != 0 {
            let frame = Frame(state.list);
            // SAFETY: it is in the list, so it is nobody's and holds a number.
            state.list = unsafe { frame.bytes().cast::<u32>().read() };
            frame
        } else {
            let range = state.fresh.iter_mut().find(|(from, to)| from < to)?;
            range.0 += 1;
            Frame(range.0 - 1)
        };
        state.free -= 1;
        state.counts[frame.0 as usize] = 1;
        Some(frame)
    })
}

/// The same, of zeros.
pub(crate) fn take_zeroed() -> Option<Frame> {
    let frame = take()?;
    // SAFETY: it was nobody's.
    unsafe { frame.bytes().write_bytes(0, PAGE as usize) }
    Some(frame)
}

/// A frame for a program: not of the reserve.
pub(crate) fn take_spare() -> Result<Frame, NoMemory> {
    if is_low() { Err(NoMemory) } else { take().ok_or(NoMemory) }
}

/// One more holds it.
pub(crate) fn hold(frame: Frame) {
    STATE.with(|state| {
        let count = &mut state.counts[frame.0 as usize];
        // One that very many hold is never free again.
        *count = count.saturating_add(1);
    });
}

/// One fewer holds it; whom nobody holds is free.
pub(crate) fn release(frame: Frame) {
    STATE.with(|state| {
        let count = &mut state.counts[frame.0 as usize];
        match *count {
            0 => crate::serial::fatal("a free frame was freed", &[frame.physical()]),
            u32::MAX => return,
            _ => *count -= 1,
        }
        if *count == 0 {
            // SAFETY: nobody's any more.
            unsafe { frame.bytes().cast::<u32>().write(state.list) }
            state.list = frame.0;
            state.free += 1;
        }
    });
}

/// How many hold it.
pub(crate) fn count(frame: Frame) -> u32 {
    STATE.with(|state| state.counts[frame.0 as usize])
}

/// Whether no more than the reserve is left.
pub(crate) fn is_low() -> bool {
    STATE.with(|state| state.free <= state.reserve)
}

/// Whether so many can be taken and the reserve is still there.
pub(crate) fn has(frames: usize) -> bool {
    STATE.with(|state| state.free.saturating_sub(state.reserve) >= frames)
}

/// How many frames are free, and how many there are.
pub fn free() -> (usize, usize) {
    STATE.with(|state| (state.free, state.total))
}
